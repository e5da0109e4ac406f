"""AmodalCopyPaste: what is pasted hides others, and changes nothing else of them."""

import copy
from typing import List

import numpy as np
import pytest
from mmcv.transforms.utils import cache_random_params
from mmdet.registry import DATASETS, TRANSFORMS
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks

from mmamodal.datasets.pasting.copy_paste import FIRST_PASTED_ID, AmodalCopyPaste, whole_objects
from mmamodal.structures.amodal_masks import AmodalMasks

SIZE = (40, 60)


def box(x1: int, y1: int, x2: int, y2: int, size: tuple = SIZE) -> np.ndarray:
    mask = np.zeros(size, np.uint8)
    mask[y1:y2, x1:x2] = 1
    return mask


def sample(amodal: List[np.ndarray], visible: List[np.ndarray] = None, colour: int = 10,
           size: tuple = SIZE, first_id: int = 1, **more) -> dict:
    """A loaded sample; object i has label i, category 10 + i."""
    masks = AmodalMasks(amodal, *size, visible)
    count = len(amodal)
    results = dict(
        img=np.full((*size, 3), colour, np.uint8), img_path='a.png', gt_masks=masks,
        gt_bboxes=masks.get_bboxes(HorizontalBoxes), gt_bboxes_labels=np.arange(count),
        gt_ignore_flags=np.zeros(count, bool), gt_ann_ids=first_id + np.arange(count),
        gt_category_ids=10 + np.arange(count))
    return dict(results, **more)


UNDER = [box(5, 5, 45, 35), box(20, 10, 58, 30)]
SEEN = [UNDER[0], UNDER[1] & (1 - UNDER[0])]


def paste(results: dict, *others: dict, seed: int = 0, **options) -> dict:
    options = dict(dict(min_visible=0, min_area=1, max_occlusion=1), **options)
    np.random.seed(seed)
    return AmodalCopyPaste(**options)(dict(copy.deepcopy(results), mix_results=others))


# What changes, and what does not


@pytest.mark.parametrize('seed', range(15))
def test_pasting_changes_visible_masks_only(seed):
    under = sample(UNDER, SEEN)
    over = sample([box(8, 8, 20, 20), box(30, 5, 41, 30)], colour=200, first_id=50)
    out = paste(under, over, seed=seed, objects=(1, 3))
    old, new = out['gt_masks'][:2], out['gt_masks'][2:]
    assert 1 <= len(new) <= 2
    np.testing.assert_array_equal(old.masks, UNDER)
    in_front = np.any(new.masks, 0)
    np.testing.assert_array_equal(old.visible.masks, SEEN * ~in_front)
    np.testing.assert_array_equal(new[-1].visible.masks, new[-1].masks)
    np.testing.assert_array_equal(new.visible.masks.sum(0), in_front)
    for key in ('gt_bboxes_labels', 'gt_ann_ids', 'gt_category_ids', 'gt_ignore_flags'):
        np.testing.assert_array_equal(out[key][:2], under[key])
        assert len(out[key]) == 2 + len(new) and out[key].dtype == under[key].dtype
    assert (out['gt_bboxes'].tensor[:2] == under['gt_bboxes'].tensor).all()
    assert (out['gt_bboxes'].tensor[2:] == new.get_bboxes('hbox').tensor).all()
    np.testing.assert_array_equal(out['gt_category_ids'][2:], 10 + out['gt_bboxes_labels'][2:])
    assert out['gt_ann_ids'][2:].tolist() == [FIRST_PASTED_ID + i for i in range(len(new))]
    np.testing.assert_array_equal(out['img'][~in_front], 10)
    assert (out['img'][in_front] >= 105).all() and (out['img'] == 200).any()


def test_the_sample_itself_stays():
    under, over = sample(UNDER, SEEN), sample([box(8, 8, 20, 20)])
    results = dict(under, mix_results=[over])
    AmodalCopyPaste(min_visible=0, min_area=1, max_occlusion=1)(results)
    assert (results['img'] == 10).all() and len(over['gt_masks']) == 1
    np.testing.assert_array_equal(results['gt_masks'].visible.masks, SEEN)


def test_images_may_differ_in_size():
    over = sample([box(8, 8, 18, 13, (90, 30))], size=(90, 30))
    assert paste(sample([]), over, objects=(1, 1), max_angle=0)['gt_masks'].areas.tolist() == [50]


def test_an_object_too_large_for_the_image_is_left_out():
    over = sample([box(8, 8, 18, 80, (90, 30))], size=(90, 30))
    assert len(paste(sample([]), over, max_angle=0)['gt_masks']) == 0


def test_options_hold():
    over = sample([box(10, 10, 20, 20)] * 1 + [box(30 + 5 * i, 4, 34 + 5 * i, 8) for i in range(4)])
    out = paste(sample([]), over, objects=(3, 3), max_angle=0, scale=(2, 2))
    assert len(out['gt_masks']) == 3
    assert set(out['gt_masks'].areas.tolist()) <= {64, 400}


def test_ids_go_on_where_pasted_ones_are_there_already():
    under, over = sample([box(1, 1, 9, 9)]), sample([box(8, 8, 20, 20)])
    twice = paste(paste(under, over), over, seed=1)
    assert twice['gt_ann_ids'].tolist() == [1, FIRST_PASTED_ID, FIRST_PASTED_ID + 1]


def test_without_boxes_and_ids():
    keys = ('gt_bboxes', 'gt_ann_ids', 'gt_category_ids')
    under, over = ({k: v for k, v in sample([box(8, 8, 20, 20)]).items() if k not in keys}
                   for _ in range(2))
    out = paste(under, over)
    assert len(out['gt_masks']) == len(out['gt_bboxes_labels']) == 2
    assert not set(keys) & set(out)


# Limits


COVER_ALL = sample([box(1, 1, 59, 39)], colour=200)


def test_wholly_hidden_objects_stay():
    out = paste(sample([box(20, 15, 40, 25)]), COVER_ALL, max_angle=0)
    assert out['gt_masks'].visible.areas.tolist() == [0, 58 * 38]
    assert out['gt_masks'].areas.tolist() == [200, 58 * 38]


@pytest.mark.parametrize('options', [dict(max_occlusion=0.99), dict(min_visible=1)])
def test_a_paste_that_hides_too_much_is_rejected(options):
    out = paste(sample([box(20, 15, 40, 25)]), COVER_ALL, max_angle=0, **options)
    assert len(out['gt_masks']) == 1 and (out['img'] == 10).all()


def test_what_is_ignored_may_be_hidden():
    crowd = sample([box(20, 15, 40, 25)], gt_ignore_flags=np.array([True]))
    out = paste(crowd, COVER_ALL, max_angle=0, max_occlusion=0.5)
    assert out['gt_masks'].visible.areas.tolist() == [0, 58 * 38]
    assert out['gt_ignore_flags'].tolist() == [True, False]


# Which objects are whole


@pytest.mark.parametrize('mask, why', [
    (box(0, 5, 9, 9), 'left rim'), (box(5, 0, 9, 9), 'upper rim'), (box(50, 5, 60, 9), 'right'),
    (box(5, 30, 9, 40), 'lower'), (box(5, 5, 7, 7), 'small'), (box(5, 5, 5, 5), 'empty')])
def test_what_is_not_whole(mask, why):
    assert len(whole_objects(sample([mask]), 5)) == 0, why


def test_neither_occluded_nor_crowds_are_whole():
    flags = np.array([False, False, True])
    results = sample([*UNDER, box(1, 1, 4, 4)], [*SEEN, box(1, 1, 4, 4)], gt_ignore_flags=flags)
    (found, ) = whole_objects(results, 1)
    assert found.label == 0 and found.category_id == 10 and found.mask.shape == (30, 40)


def test_where_only_visible_masks_are_known_touching_objects_are_left():
    masks = [box(5, 5, 10, 10), box(10, 5, 15, 10), box(30, 5, 35, 10),
             box(40, 5, 45, 9) | box(40, 12, 45, 16)]
    found = whole_objects(sample(masks, visible_only=True), 1)
    assert [item.label for item in found] == [2]
    assert len(whole_objects(sample(masks), 1)) == 4


# Use


def test_no_whole_object_leaves_the_sample_as_it_is():
    out = paste(sample(UNDER, SEEN), sample([box(0, 0, 5, 5)]), sample([]))
    np.testing.assert_array_equal(out['gt_masks'].visible.masks, SEEN)


def test_objects_come_from_all_images():
    others = [sample([box(8, 8, 20, 20)], colour=value) for value in (100, 200)]
    out = paste(sample([]), *others, objects=(2, 2), max_angle=0)
    assert {100, 200} < set(np.unique(out['img']))


def test_plain_masks_are_refused():
    plain = sample([box(8, 8, 20, 20)], gt_masks=BitmapMasks([box(8, 8, 20, 20)], *SIZE))
    for results, other in ((plain, sample([])), (sample([]), plain)):
        with pytest.raises(TypeError, match='a.png.*AmodalMasks, got BitmapMasks.*LoadAmodal'):
            paste(results, other)


def test_without_other_images_it_is_refused():
    with pytest.raises(ValueError, match='MultiImageMixDataset'):
        AmodalCopyPaste()(sample([]))


@pytest.mark.parametrize('options, message', [
    (dict(num_images=0), 'num_images=0: expected'), (dict(objects=(3, 1)), 'objects=.*expected'),
    (dict(max_occlusion=80), 'max_occlusion=80: expected')])
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        AmodalCopyPaste(**options)


def test_indexes():
    np.random.seed(0)
    transform = AmodalCopyPaste(num_images=3)
    indexes = transform.get_indexes(range(4))
    assert len(indexes) == 3 and all(0 <= index < 4 for index in indexes)


def test_randomness_is_cached_on_demand():
    transform = AmodalCopyPaste(min_visible=0, min_area=1)
    other = sample([box(8, 8, 20, 15)])
    with cache_random_params(transform):
        one, same = (transform(dict(sample([]), mix_results=[other])) for _ in range(2))
    np.testing.assert_array_equal(one['gt_masks'].masks, same['gt_masks'].masks)


SCENES = dict(type='SceneDataset', num_scenes=6, seed=1, num_objects=(1, 3), pipeline=[
    dict(type='LoadSceneImage'), dict(type='LoadAmodalAnnotations'),
    dict(type='Resize', scale=(160, 160))])


@pytest.mark.parametrize('pack', ['PackDetInputs', 'PackAmodalInputs'])
def test_in_a_pipeline(pack):
    np.random.seed(1)
    data = DATASETS.build(dict(type='MultiImageMixDataset', dataset=SCENES, pipeline=[
        dict(type='AmodalCopyPaste', num_images=2, min_area=200), dict(type='RandomFlip', prob=1.0),
        dict(type=pack)]))
    added = 0
    for index in range(len(data)):
        packed, before = data[index], len(data.dataset[index]['gt_masks'])
        truth = packed['data_samples'].gt_instances
        assert packed['inputs'].shape == (3, 160, 160) and len(truth) >= before
        assert len(truth.masks) == len(truth.bboxes) == len(truth.labels)
        assert (truth.masks.visible.masks <= truth.masks.masks).all()
        assert truth.masks.visible.masks.sum(0).max() <= 1
        if pack == 'PackAmodalInputs':
            assert len(set(truth.ann_ids.tolist())) == len(truth)
        added += len(truth) - before
    assert added > 0


def test_registered_and_shown():
    text = repr(TRANSFORMS.build(dict(type='AmodalCopyPaste', max_angle=10)))
    assert text.startswith('AmodalCopyPaste(num_images=1') and 'max_angle=10' in text
