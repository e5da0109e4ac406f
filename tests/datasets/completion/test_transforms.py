"""The synthetic occlusion: geometry, chances, gold values, and what it reads."""

import cv2
import numpy as np
import pytest
import torch
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS
from mmengine.dataset import default_collate

from mmamodal.datasets.completion.transforms import (CompositeOccluder, CropPair, OcclusionBoundary,
                                                     PackCompletionInputs, PlaceOccluder, shifted)
from mmamodal.structures.patches import crop_mask, square_patch
from mmamodal.structures.segmentation import encode


def rectangle(x1: int, y1: int, x2: int, y2: int, size: int = 64) -> np.ndarray:
    mask = np.zeros((size, size), np.uint8)
    mask[y1:y2, x1:x2] = 1
    return mask


def record_of(mask: np.ndarray, category_id: int = 1, **more) -> dict:
    return dict(visible=encode(mask), height=mask.shape[0], width=mask.shape[1], ann_id=17,
                img_path='a.png', category_id=category_id, **more)


def pair_of(mask: np.ndarray, other: np.ndarray, **more) -> dict:
    return dict(instance=record_of(mask, **more), other=record_of(other, **more))


STILL = dict(shift=0.0, zoom=(1.0, 1.0), flip_prob=0.0)
# Not symmetric, and not in the middle of the image.
ANGLE = rectangle(10, 20, 40, 24) | rectangle(10, 20, 14, 50)
BAR = rectangle(30, 5, 60, 12)


# CropPair


@pytest.mark.parametrize('patch_size', [32, 64])
def test_both_are_cut_out_around_their_visible_masks(patch_size):
    results = CropPair(patch_size, **STILL)(pair_of(ANGLE, BAR))
    for key, mask, box in (('visible', ANGLE, (10, 20, 40, 50)),
                           ('other_visible', BAR, (30, 5, 60, 12))):
        assert results[key].dtype == np.uint8
        np.testing.assert_array_equal(results[key],
                                      crop_mask(mask, square_patch(box), patch_size))
    assert 'image' not in results and 'other_image' not in results


def test_enlarge_is_the_area_of_the_patch_over_that_of_the_box():
    square = rectangle(20, 20, 40, 40)
    for enlarge in (3.0, 7.0):
        patch = CropPair(64, enlarge, **STILL)(pair_of(square, square))['visible']
        assert patch.mean() == pytest.approx(1 / enlarge, rel=0.1)


def test_flips_and_moves_and_scales_keep_to_their_ranges():
    np.random.seed(0)
    square, crop = rectangle(160, 160, 352, 352, 512), CropPair(128, flip_prob=0.0)
    sizes, centres, other_centres = [], [], []
    for _ in range(200):
        results = crop(pair_of(square, square))
        x, y, w, h = cv2.boundingRect(results['visible'])
        other_x, other_y, other_w, other_h = cv2.boundingRect(results['other_visible'])
        sizes += [w, other_w]
        centres += [x + w / 2, y + h / 2]
        other_centres += [other_x + other_w / 2, other_y + other_h / 2]
    # 1 / sqrt(3) of 128, times 0.8 to 1.2: 59.1 to 88.7
    assert 58 <= min(sizes) < 61 and 87 < max(sizes) <= 90
    # A moves by up to 0.2 of its side before zoom: by up to 0.24 of 128; B stays
    assert 64 - 31 - 1 <= min(centres) < 42 and 86 < max(centres) <= 64 + 31 + 1
    assert abs(np.mean(centres) - 64) < 2
    assert max(abs(np.array(other_centres) - 64)) <= 1.5


@pytest.mark.parametrize('flip_prob, expected', [(0.0, {(0, 0)}), (1.0, {(1, 1)}),
                                                 (0.5, {(0, 0), (0, 1), (1, 0), (1, 1)})])
def test_each_is_mirrored_by_itself(flip_prob, expected):
    np.random.seed(0)
    crop = CropPair(32, shift=0.0, zoom=(1.0, 1.0), flip_prob=flip_prob)
    upright = CropPair(32, **STILL)(pair_of(ANGLE, ANGLE))['visible']
    seen = set()
    for _ in range(30):
        results = crop(pair_of(ANGLE, ANGLE))
        for key in ('visible', 'other_visible'):
            assert (results[key] == upright).all() or (results[key] == upright[:, ::-1]).all()
        seen.add(tuple(int((results[key] != upright).any()) for key in ('visible',
                                                                         'other_visible')))
    assert seen == expected


@pytest.mark.parametrize('side, taken', [(0, False), (1, False), (2, False), (3, True), (9, True)])
def test_empty_and_tiny_objects_are_drawn_again(side, taken):
    """sqrt(3) * 2 = 3.5 is below five pixels, sqrt(3) * 3 = 5.2 is not."""
    small, crop = rectangle(20, 20, 20 + side, 20 + side), CropPair(32)
    for pair in (pair_of(small, BAR), pair_of(BAR, small)):
        assert (crop(pair) is not None) == taken
    assert (CropPair(32, min_side=1)(pair_of(small, BAR)) is None) == (side == 0)


def test_an_object_at_the_border_gets_a_patch_that_leaves_the_image():
    corner = rectangle(0, 0, 10, 10)
    patch = CropPair(64, **STILL)(pair_of(corner, BAR))['visible']
    assert patch.shape == (64, 64) and not patch[:10].any() and not patch[:, :10].any()
    assert patch.mean() == pytest.approx(1 / 3, rel=0.15)


def test_a_broken_mask_is_named():
    broken = dict(record_of(ANGLE), visible=[1, 1, 2, 2])
    with pytest.raises(ValueError, match='annotation 17 of image a.png: visible mask: expected a '
                                         'polygon .* of at least three points'):
        CropPair(32)(dict(instance=broken, other=record_of(BAR)))


# Images


@TRANSFORMS.register_module()
class FlatImage(BaseTransform):
    """An image of one colour, ``grey`` of the record; counts how often it is asked."""

    reads = 0

    def transform(self, results: dict) -> dict:
        """Add the image."""
        FlatImage.reads += 1
        size = results.get('image_size', (results['height'], results['width']))
        return dict(results, img=np.full((*size, 3), results['grey'], np.uint8))


def test_images_are_read_only_where_a_config_asks_for_them():
    FlatImage.reads = 0
    results = CropPair(32)(pair_of(ANGLE, BAR, grey=100))  # and there is no file a.png
    assert FlatImage.reads == 0 and 'image' not in results
    results = CropPair(32, image_loader=dict(type='FlatImage'))(pair_of(ANGLE, BAR, grey=100))
    assert FlatImage.reads == 1
    assert results['image'].shape == results['other_image']().shape == (32, 32, 3)
    assert FlatImage.reads == 2
    assert results['image'].dtype == np.uint8


def test_an_object_too_small_costs_no_image():
    FlatImage.reads = 0
    tiny = rectangle(3, 3, 4, 4)
    assert CropPair(32, image_loader=dict(type='FlatImage'))(pair_of(tiny, BAR, grey=1)) is None
    assert FlatImage.reads == 0


def test_image_and_mask_are_cut_out_alike():
    """An image that is white where the object is stays so through shift, zoom and flip."""
    np.random.seed(0)

    class White(BaseTransform):

        def transform(self, results: dict) -> dict:
            return dict(img=np.repeat(255 * ANGLE[..., None], 3, axis=2))

    crop = CropPair(128)
    crop.image_loader = White()
    for _ in range(10):
        results = crop(pair_of(ANGLE, ANGLE))
        for image, visible in ((results['image'], results['visible']),
                               (results['other_image'](), results['other_visible'])):
            white = image[..., 0] > 127
            assert np.mean(white != visible) < 0.03


def test_missing_broken_and_wrong_images_are_named(tmp_path):
    crop = CropPair(32, image_loader=dict(type='LoadImageFromFile'))
    path = tmp_path / 'a.jpg'

    def cut() -> dict:
        pair = pair_of(ANGLE, BAR)
        pair['instance']['img_path'] = pair['other']['img_path'] = str(path)
        return crop(pair)

    with pytest.raises(FileNotFoundError, match='a.jpg'):
        cut()
    cv2.imwrite(str(path), np.zeros((64, 64, 3), np.uint8))
    assert cut()['image'].shape == (32, 32, 3)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match='a.jpg.* breaks off'):
        cut()
    path.write_bytes(b'<html>')
    with pytest.raises(ValueError, match='a.jpg.* cannot be decoded'):
        cut()
    cv2.imwrite(str(path), np.zeros((60, 64, 3), np.uint8))
    with pytest.raises(ValueError, match=r'a.jpg.* has \(height, width\) \(60, 64\), but its '
                                         r'annotations say \(64, 64\)'):
        cut()


# PlaceOccluder

A, B = rectangle(8, 16, 40, 48), rectangle(28, 24, 60, 56)


def place(front_prob: float, a: np.ndarray = A, b: np.ndarray = B, **options) -> dict:
    return PlaceOccluder(front_prob, **options)(dict(visible=a.copy(), other_visible=b.copy()))


@pytest.mark.parametrize('size', [256, 64, 100_000])
def test_the_patches_overlap_by_a_random_part_of_their_area(size):
    np.random.seed(0)
    for wanted in (0.4, 0.7, 1.0):
        place = PlaceOccluder(overlap=(wanted, wanted))
        for _ in range(100):
            x, y = place._draw_offset(size)
            found = (1 - abs(x) / size) * (1 - abs(y) / size)
            assert wanted <= found + 1e-9 and found <= wanted + 2 / size
    drawn = np.array([PlaceOccluder()._draw_offset(size) for _ in range(2000)]) / size
    overlaps = np.prod(1 - np.abs(drawn), axis=1)
    assert overlaps.min() >= 0.4 - 1e-9
    # Uniform between 0.4 and 1, and to all four sides alike.
    assert overlaps.mean() == pytest.approx(0.7, abs=0.03)
    assert np.abs(drawn.mean(0)).max() < 0.03 and np.abs(drawn).max() > 0.5


def test_the_other_moves_against_the_offset():
    moved = shifted(B, (4, -3))
    np.testing.assert_array_equal(moved, rectangle(24, 27, 56, 59))
    np.testing.assert_array_equal(shifted(B, (-10, 0)), rectangle(38, 24, 64, 56))
    rgb = np.dstack([B, 2 * B, 3 * B])
    np.testing.assert_array_equal(shifted(rgb, (4, -3)), np.dstack([moved, 2 * moved, 3 * moved]))


def test_set_1_is_the_other_in_front():
    np.random.seed(0)
    for _ in range(50):
        results = place(1.0)
        moved = shifted(B, results['offset'])
        np.testing.assert_array_equal(results['occluder'], moved)
        np.testing.assert_array_equal(results['mask'], A & (1 - moved))
        np.testing.assert_array_equal(results['target'], A)


def test_set_2_is_the_other_behind():
    np.random.seed(0)
    for _ in range(50):
        results = place(0.0)
        np.testing.assert_array_equal(results['mask'], A)
        np.testing.assert_array_equal(results['target'], A)
        np.testing.assert_array_equal(results['occluder'],
                                      shifted(B, results['offset']) & (1 - A))
        assert not (results['occluder'] & A).any()


@pytest.mark.parametrize('cut', [(0.001, 0.9), (0.2, 0.4)])
def test_the_occluder_covers_a_part_within_bounds(cut):
    np.random.seed(0)
    for front_prob in (0.0, 1.0):
        for _ in range(100):
            results = place(front_prob, cut=cut)
            covered = (A & shifted(B, results['offset'])).sum() / A.sum()
            assert cut[0] <= covered < cut[1]


def test_what_never_fits_is_taken_after_the_last_try():
    np.random.seed(0)
    draws, transform = [], PlaceOccluder(max_tries=7)
    draw = transform._draw_offset
    transform._draw_offset = lambda size: draws.append(draw(size)) or draws[-1]
    nothing = np.zeros_like(A)
    results = transform(dict(visible=A, other_visible=nothing))
    assert len(draws) == 7 and results['offset'] == draws[-1]
    np.testing.assert_array_equal(results['mask'], A)
    assert not results['occluder'].any()


def test_set_1_comes_with_its_probability():
    np.random.seed(0)
    for front_prob in (0.8, 0.3):
        first = [(place(front_prob)['mask'] != A).any() for _ in range(1500)]
        assert np.mean(first) == pytest.approx(front_prob, abs=0.04)


# Several others

C = rectangle(6, 40, 30, 62)


def place_three(front_prob: float, bystander_prob: float) -> tuple:
    """The results, and B and C where they came to lie."""
    transform = PlaceOccluder(front_prob, bystander_prob=bystander_prob)
    moved, put = [], transform._place
    transform._place = lambda *masks: moved.append(put(*masks)) or moved[-1]
    results = transform(dict(visible=A, other_visible=B, further_visible=[C]))
    assert results['offset'] == moved[0][0]
    return results, moved[0][1], moved[1][1]


def test_several_in_front_hide_and_occlude_together():
    np.random.seed(0)
    for _ in range(20):
        results, b, c = place_three(1.0, 0.0)
        np.testing.assert_array_equal(results['target'], A)
        np.testing.assert_array_equal(results['mask'], A & (1 - (b | c)))
        np.testing.assert_array_equal(results['occluder'], b | c)


def test_several_behind_hide_nothing():
    np.random.seed(0)
    for _ in range(20):
        results, b, c = place_three(0.0, 0.0)
        np.testing.assert_array_equal(results['mask'], A)
        np.testing.assert_array_equal(results['occluder'], (b | c) & (1 - A))


def test_a_bystander_hides_all_and_is_no_occluder():
    np.random.seed(0)
    for _ in range(20):
        results, b, c = place_three(1.0, 1.0)
        np.testing.assert_array_equal(results['target'], A & (1 - c))
        np.testing.assert_array_equal(results['mask'], A & (1 - b) & (1 - c))
        np.testing.assert_array_equal(results['occluder'], b & (1 - c))


def test_every_further_one_covers_a_part_of_what_is_left():
    np.random.seed(0)
    for _ in range(20):
        _, b, c = place_three(1.0, 0.0)
        left = A & (1 - b)
        assert 0.001 <= (left & c).sum() / left.sum() < 0.9


def test_further_ones_are_cut_out_without_those_too_small():
    pair = pair_of(ANGLE, BAR)
    pair['further'] = [record_of(BAR), record_of(rectangle(3, 3, 4, 4)), record_of(ANGLE)]
    further = CropPair(32, **STILL)(pair)['further_visible']
    assert len(further) == 2
    for mask, whole in zip(further, (BAR, ANGLE)):
        box = cv2.boundingRect(whole)
        patch = square_patch((box[0], box[1], box[0] + box[2], box[1] + box[3]))
        np.testing.assert_array_equal(mask, crop_mask(whole, patch, 32))


def test_images_of_several_are_refused():
    with pytest.raises(ValueError, match='got a sample with several: leave num_others'):
        CompositeOccluder()(dict(composited(1), further_visible=[B]))


def test_inputs_stay_as_they_were():
    a, b = A.copy(), B.copy()
    PlaceOccluder(1.0)(dict(visible=a, other_visible=b, further_visible=[b]))
    np.testing.assert_array_equal(a, A)
    np.testing.assert_array_equal(b, B)


# OcclusionBoundary and CompositeOccluder: the spec's gold case

GOLD = {1: dict(mask=A & (1 - B), occluder=B), 2: dict(mask=A, occluder=B & (1 - A))}


@pytest.mark.parametrize('case', [1, 2])
def test_boundary_gold_case(case):
    results = OcclusionBoundary()(dict(GOLD[case]))
    assert results['boundary'].dtype == np.uint8 and results['boundary'].sum() == 160


def composited(case: int, **options) -> dict:
    images = dict(image=np.full((64, 64, 3), 100, np.uint8), offset=(0, 0),
                  other_image=lambda: np.full((64, 64, 3), 200, np.uint8))
    return CompositeOccluder(**options)(OcclusionBoundary()(dict(GOLD[case], **images)))


@pytest.mark.parametrize('case, inside', [(1, 948), (2, 660)])
def test_alpha_gold_case(case, inside):
    results = composited(case)
    values, counts = np.unique(results['alpha'], return_counts=True)
    np.testing.assert_allclose(values, [0, 0.5, 0.8])
    assert counts.tolist() == [64 * 64 - 160 - inside, 160, inside]
    # 100 + 0.5 * 100 and 100 + 0.8 * 100
    assert results['image'].dtype == np.uint8
    for alpha, grey in ((0, 100), (0.5, 150), (0.8, 180)):
        assert (results['image'][np.isclose(results['alpha'], alpha)] == grey).all()


def test_composites_stay_in_the_range_of_images():
    rng = np.random.default_rng(0)
    dark = np.zeros((64, 64, 3), np.uint8)
    for image, other in ((dark, dark + 255), (dark + 255, dark), (dark + 255, dark + 255),
                         rng.integers(0, 256, (2, 64, 64, 3)).astype(np.uint8)):
        for alphas in ((0.8, 0.5), (1.0, 1.0), (0.0, 0.0)):
            results = CompositeOccluder(*alphas)(OcclusionBoundary()(dict(
                GOLD[1], image=image, other_image=lambda other=other: other, offset=(0, 0))))
            weight = results['alpha'].astype(np.float64)[..., None]
            exact = image * (1 - weight) + other * weight
            assert np.abs(results['image'] - exact).max() <= 0.5 + 1e-3


def test_the_image_of_the_other_moves_with_its_mask():
    np.random.seed(0)
    # The other's image is bright where the other is; all of that must land on the occluder.
    other = np.repeat(250 * B[..., None], 3, axis=2)
    results = dict(visible=A, other_visible=B, image=np.zeros((64, 64, 3), np.uint8),
                   other_image=lambda: other)
    results = CompositeOccluder(1.0, 1.0)(OcclusionBoundary()(PlaceOccluder(1.0)(results)))
    np.testing.assert_array_equal(results['image'][..., 0], 250 * results['occluder'])


@pytest.mark.parametrize('missing', ['other_image', 'boundary'])
def test_composite_says_what_must_come_before(missing):
    results = dict(composited(1), **GOLD[1])
    del results[missing]
    with pytest.raises(ValueError, match=r'needs CropPair\(image_loader=.*OcclusionBoundary'):
        CompositeOccluder()(results)


def test_even_width_is_refused():
    with pytest.raises(ValueError, match='odd boundary width, got 4'):
        OcclusionBoundary(4)(dict(GOLD[1]))


# The whole pipeline, packed


def pack(with_image: bool) -> dict:
    results = pair_of(A, B, category_id=7, grey=51)
    transforms = [CropPair(32, image_loader=dict(type='FlatImage') if with_image else None),
                  PlaceOccluder(), OcclusionBoundary(), PackCompletionInputs()]
    for transform in transforms:
        results = transform(results)
    return results


def test_packed_sample():
    sample = pack(with_image=False)
    assert set(sample) == {'inputs', 'target'}
    assert set(sample['inputs']) == {'mask', 'occluder', 'boundary', 'category'}
    for key in ('mask', 'occluder', 'boundary'):
        assert sample['inputs'][key].shape == (32, 32)
        assert sample['inputs'][key].dtype == torch.uint8 and sample['inputs'][key].max() <= 1
    assert sample['target'].shape == (32, 32) and sample['target'].dtype == torch.uint8
    assert sample['inputs']['category'].item() == 7


def test_packed_sample_with_image():
    image = pack(with_image=True)['inputs']['image']
    assert image.shape == (3, 32, 32) and image.dtype == torch.uint8
    assert (image[:, 16, 16] == 51).all()


def test_samples_make_a_batch():
    batch = default_collate([pack(True), pack(True), pack(True)])
    assert batch['target'].shape == (3, 32, 32)
    assert batch['inputs']['image'].shape == (3, 3, 32, 32)
    assert batch['inputs']['category'].tolist() == [7, 7, 7]


def test_boundary_is_packed_only_where_it_was_drawn():
    results = PlaceOccluder()(CropPair(32)(pair_of(A, B)))
    assert set(PackCompletionInputs()(results)['inputs']) == {'mask', 'occluder', 'category'}
