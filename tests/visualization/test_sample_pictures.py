import cv2
import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import HorizontalBoxes
from mmengine.structures import InstanceData

from mmamodal.datasets.completion.instance_pairs import InstancePairDataset
from mmamodal.datasets.completion.transforms import (CompositeOccluder, CropPair, OcclusionBoundary,
                                                     PackCompletionInputs, PlaceOccluder)
from mmamodal.datasets.scenes.dataset import SceneDataset
from mmamodal.structures.amodal_masks import AmodalMasks
from mmamodal.structures.segmentation import encode
from mmamodal.visualization import drawing, sample_pictures, samples
from mmamodal.visualization.sample_pictures import Annotated, Pair

BLUE, ORANGE, GREEN = (tuple(int(value) for value in colour)
                       for colour in drawing.object_colours(3))
WHITE, INK = (255, 255, 255), drawing.INK
SCENES = dict(num_scenes=2, image_size=(64, 64), num_objects=(2, 3))


def block(top: int, left: int, bottom: int, right: int, size: int = 48) -> np.ndarray:
    mask = np.zeros((size, size), np.uint8)
    mask[top:bottom, left:right] = 1
    return mask


def pixel(picture: np.ndarray, y: int, x: int) -> tuple:
    return tuple(int(value) for value in picture[y, x])


def mixed(colour: tuple, opacity: float, ground: int = 255) -> tuple:
    return tuple(round((1 - opacity) * ground + opacity * value) for value in colour)


def annotated(amodal: list, visible: list, **fields) -> Annotated:
    fields = dict(boxes=np.zeros((0, 4)), ignored=np.zeros((0, 48, 48), np.uint8), names=(),
                  numbers=[''] * len(amodal), caption='c') | fields
    return Annotated(np.stack(amodal), np.stack(visible), **fields)


def sample_of(amodal: list, visible: list, **instances) -> DetDataSample:
    sample = DetDataSample(metainfo=dict(img_id=7))
    sample.gt_instances = InstanceData(
        masks=AmodalMasks(np.stack(amodal), 48, 48, np.stack(visible)),
        bboxes=HorizontalBoxes(torch.zeros(len(amodal), 4)), labels=torch.zeros(len(amodal)).long(),
        **instances)
    return sample


def record_of(*orders: int, **fields) -> dict:
    instances = [dict(ann_id=10 + i, order=order) for i, order in enumerate(orders)]
    return dict(instances=instances, **fields)


FRONT, MIDDLE, BACK, ALONE = (block(4, 4, 24, 24), block(14, 14, 34, 34), block(24, 24, 44, 44),
                              block(38, 2, 46, 10))
SEEN = [FRONT, MIDDLE & 1 - FRONT, BACK & 1 - MIDDLE, ALONE]


@pytest.mark.parametrize('places', [[0, 1, 2, 3], [2, 3, 0, 1]])
def test_numbers_come_from_the_masks_where_ids_are_not_packed(places):
    amodal = [[FRONT, MIDDLE, BACK, ALONE][i] for i in places]
    sample = sample_of(amodal, [SEEN[i] for i in places])
    objects = samples.read_annotated(sample, ('cup', ), record_of(9, 8, 7, 6))
    assert objects.numbers == [['1', '2', '3', ''][i] for i in places]
    assert objects.caption == '4 objects; striped: hidden; numbers: depth, 1 in front'


def test_numbers_of_the_file_are_found_by_annotation_id():
    sample = sample_of([BACK, FRONT], [SEEN[2], FRONT], ann_ids=torch.tensor([12, 10]))
    objects = samples.read_annotated(sample, ('cup', ), record_of(5, 6, 7))
    assert objects.numbers == ['7', '5']
    assert "the file's order" in objects.caption


def test_visible_masks_that_overlap_have_no_order():
    sample = sample_of([FRONT, MIDDLE], [FRONT, MIDDLE])
    record = dict(instances=[dict(ann_id=1)], visible_only=True)
    objects = samples.read_annotated(sample, ('cup', ), record)
    assert objects.numbers == ['', ''] and objects.caption == '2 objects; visible masks only'


def test_names_are_written_where_there_is_more_than_one_class():
    sample = sample_of([FRONT], [FRONT])
    assert list(samples.read_annotated(sample, ('a', ), record_of()).names) == []
    assert samples.read_annotated(sample, ('a', 'b'), record_of()).names == ['a']


def test_ignored_instances_are_kept_apart():
    sample = sample_of([FRONT], [FRONT])
    sample.ignored_instances = sample_of([ALONE], [ALONE]).gt_instances
    objects = samples.read_annotated(sample, ('cup', ), record_of())
    np.testing.assert_array_equal(objects.ignored, ALONE[None])
    assert objects.caption == '1 object; 1 ignored (grey)'


def test_a_sample_without_masks_is_refused():
    sample = DetDataSample(metainfo=dict(img_id=7), gt_instances=InstanceData())
    with pytest.raises(ValueError, match='image 7 .* LoadAmodalAnnotations'):
        samples.read_annotated(sample, ('cup', ), record_of())


def test_fill_outline_and_stripes_lie_where_the_masks_are():
    ground = np.full((48, 48, 3), 255, np.uint8)
    objects = annotated([FRONT, MIDDLE], SEEN[:2])
    out = sample_pictures.draw_annotated(ground, objects)
    assert pixel(out, 8, 8) == mixed(BLUE, 0.4) and pixel(out, 28, 28) == mixed(ORANGE, 0.4)
    assert pixel(out, 4, 8) == BLUE and pixel(out, 33, 28) == ORANGE  # outlines
    hidden = {pixel(out, y, x) for y in range(16, 22) for x in range(16, 22)}
    assert hidden == {ORANGE, mixed(BLUE, 0.4)}
    assert pixel(out, 14, 20) in (BLUE, ORANGE) and pixel(out, 44, 44) == WHITE


def test_boxes_are_frames_at_the_scale_of_the_panel():
    ground = np.full((96, 96, 3), 255, np.uint8)
    objects = annotated([FRONT], [FRONT], boxes=np.array([[2, 3, 30, 40]]))
    out = sample_pictures.draw_annotated(ground, objects)
    frame = [pixel(out, y, x) == BLUE for y, x in ((6, 50), (79, 50), (50, 4), (50, 59))]
    assert all(frame) and pixel(out, 70, 50) == WHITE


def test_ignored_objects_are_grey():
    ground = np.full((48, 48, 3), 255, np.uint8)
    out = sample_pictures.draw_annotated(ground, annotated([FRONT], [FRONT], ignored=BACK[None]))
    assert pixel(out, 24, 34) == (60, 60, 60)
    assert pixel(out, 34, 34) == mixed((120, 120, 120), 0.55)


@pytest.mark.parametrize('visible', [FRONT, np.zeros_like(FRONT)])
def test_a_number_stands_in_the_middle_even_of_what_is_wholly_hidden(visible):
    ground = np.full((480, 480, 3), 255, np.uint8)
    objects = annotated([FRONT], [visible], numbers=['1'])
    bare = sample_pictures.draw_annotated(ground, objects._replace(numbers=['']))
    changed = (sample_pictures.draw_annotated(ground, objects) != bare).any(-1)
    ys, xs = np.nonzero(changed)
    assert abs(ys.mean() - 140) < 12 and abs(xs.mean() - 140) < 12 and 200 < changed.sum() < 600


def test_numbers_leave_out_empty_masks_and_empty_numbers():
    ground = np.full((48, 48, 3), 255, np.uint8)
    masks = np.stack([FRONT, np.zeros_like(FRONT)])
    out = drawing.draw_numbers(ground, masks, ['', '2'], drawing.object_colours(2))
    assert (out == 255).all()


def test_boxes_beyond_the_picture_are_cut_off_at_its_rim():
    ground = np.full((16, 16, 3), 255, np.uint8)
    out = drawing.draw_boxes(ground, np.array([[-5, 4, 40, 10]]), np.array([BLUE], np.uint8))
    assert pixel(out, 4, 0) == pixel(out, 9, 15) == pixel(out, 6, 15) == BLUE
    assert pixel(out, 6, 8) == WHITE and (ground == 255).all()


def test_tiles_stand_row_by_row():
    panels = [('a', np.full((20, 30, 3), value, np.uint8)) for value in (10, 20, 30)]
    panels[1] = ('b', np.full((40, 10, 3), 20, np.uint8))
    out = drawing.tile(panels, columns=2)
    assert out.shape == (5 + (40 + 33) + (20 + 33), 10 + 2 * 40, 3)
    assert [pixel(out, 28 + y, x) for y, x in ((10, 20), (10, 60), (73 + 10, 20), (30, 20))] == [
        (10, ) * 3, (20, ) * 3, (30, ) * 3, WHITE]


@pytest.mark.parametrize('size, shape', [
    ((128, 128), (768, 768)), ((480, 640), (480, 640)), ((800, 1067), (600, 800)),
    ((375, 1242), (375, 1242)), ((750, 2484), (386, 1280)), ((1, 4000), (1, 1280))])
def test_panels_of_annotated_images_are_large(size, shape):
    assert sample_pictures.panel_shape(*size) == shape


@pytest.mark.parametrize('image, count', [(None, 1), (np.zeros((48, 48, 3), np.uint8), 2)])
def test_an_image_stands_beside_what_is_annotated(image, count):
    objects = annotated([FRONT], [FRONT])
    panels = sample_pictures.annotated_panels(image, objects, 'a.png')
    assert len(panels) == count and panels[-1][0].startswith('c')
    assert ('no image' in panels[-1][0]) == (image is None)
    assert sample_pictures.small_picture(image, objects).shape == (256, 256, 3)


def pair_of(front: bool, **fields) -> Pair:
    target, other = block(8, 8, 24, 24, 32), block(16, 16, 30, 30, 32)
    mask, occluder = (target & 1 - other, other) if front else (target, other & 1 - target)
    return Pair(target, mask, occluder, other, ('cup', 'hat'), **fields)


@pytest.mark.parametrize('front, caption', [(True, 'set 1: hat in front of cup'),
                                            (False, 'set 2: hat behind cup')])
def test_pairs_say_which_set_they_are_of(front, caption):
    panels = sample_pictures.pair_panels(pair_of(front))
    assert [name for name, _ in panels] == [caption, 'mask', 'occluder', 'target']
    together = panels[0][1]  # enlarged eight times: stripes of the one that is behind
    stripes = {pixel(together, y, x) for y in range(140, 180) for x in range(140, 180)}
    behind, before = (BLUE, ORANGE) if front else (ORANGE, BLUE)
    assert stripes == {behind, mixed(before, 0.55, sample_pictures.PAPER)}


@pytest.mark.parametrize('front', [True, False])
def test_masks_of_a_pair_have_their_own_panels(front):
    pair = pair_of(front, boundary=block(14, 14, 18, 18, 32))
    panels = dict(sample_pictures.pair_panels(pair))
    for name, mask, colour in (('mask', pair.mask, BLUE), ('occluder', pair.occluder, ORANGE),
                               ('occlusion boundary', pair.boundary, INK),
                               ('target', pair.target, BLUE)):
        shown = (panels[name][::8, ::8] == np.array(colour)).all(-1)
        np.testing.assert_array_equal(shown, mask == 1)


def test_a_blend_shows_both_images_and_their_weight():
    bare, image = (np.full((32, 32, 3), value, np.uint8) for value in (50, 90))
    alpha = 0.8 * block(16, 16, 30, 30, 32).astype(np.float32)
    panels = sample_pictures.pair_panels(pair_of(True, bare_image=bare, image=image, alpha=alpha))
    assert [name for name, _ in panels[1:4]] == ['image before', 'image', 'α: 0, 0.8']
    assert [pixel(panel, 160, 160) for _, panel in panels[1:4]] == [(50, ) * 3, (90, ) * 3,
                                                                   (204, ) * 3]
    assert [name for name, _ in sample_pictures.pair_panels(pair_of(True, image=image))][1] == \
        'image'


def record(top: int, left: int) -> dict:
    return dict(visible=encode(block(top, left, top + 20, left + 20, 64)), height=64, width=64,
                category_id=1, ann_id=1)


class Images:

    def __call__(self, results):
        return dict(img=np.full((64, 64, 3), results['ann_id'], np.uint8))


def stages_of(*transforms, front: bool = True) -> dict:
    np.random.seed(0)
    crop = CropPair(patch_size=32)
    crop.image_loader = Images()
    place = PlaceOccluder(front_prob=float(front))
    return samples.run_to_packing(
        [crop, place, *transforms], dict(instance=record(20, 20), other=record(30, 10)))


@pytest.mark.parametrize('front', [True, False])
def test_steps_of_a_pipeline_are_kept_up_to_packing(front):
    stages = stages_of(OcclusionBoundary(), CompositeOccluder(alpha=0.8, boundary_alpha=0.5),
                       PackCompletionInputs(), front=front)
    pair = samples.read_pair(stages, ('a', 'b'))
    assert pair.set_number == (1 if front else 2)
    np.testing.assert_allclose(pair.alpha, np.where(pair.boundary, 0.5, 0.8 * pair.occluder))
    np.testing.assert_array_equal(pair.mask, pair.target & 1 - pair.other if front else pair.target)
    np.testing.assert_array_equal(
        pair.occluder, pair.other if front else pair.other & 1 - pair.target)
    assert pair.bare_image.shape == pair.image.shape == (32, 32, 3)
    assert stages['bare_image'] is not stages['image']


def test_a_pair_that_a_transform_drops_is_none():
    assert stages_of(lambda results: None) is None


def test_a_pipeline_without_an_occluder_is_refused():
    with pytest.raises(ValueError, match='no mask, occluder, offset, target: expected CropPair'):
        samples.run_to_packing([CropPair(patch_size=32)], dict(instance=record(20, 20),
                                                                       other=record(30, 10)))


def pairs(min_side: int = 5) -> InstancePairDataset:
    return InstancePairDataset(
        dict(type='SceneDataset', visible_only=True, **SCENES),
        [dict(type='CropPair', patch_size=32, min_side=min_side), dict(type='PlaceOccluder'),
         dict(type='PackCompletionInputs')])


def images(**options) -> SceneDataset:
    return SceneDataset(**SCENES, **options, pipeline=[dict(type='LoadAmodalAnnotations'),
                                                       dict(type='PackAmodalInputs')])


@pytest.mark.parametrize('build, names', [(pairs, ('set1_1_1', 'set2_1_1')), (images, ('1', ))])
def test_a_sample_is_the_same_for_the_same_seed(build, names):
    first, again = (samples.sample_picture(build(), 0, seed=3) for _ in range(2))
    assert first.name == again.name and first.name in names
    np.testing.assert_array_equal(first.picture, again.picture)


def test_other_seeds_give_other_pairs():
    pictures = [samples.sample_picture(pairs(), 0, seed).picture for seed in (1, 2)]
    assert pictures[0].shape != pictures[1].shape or (pictures[0] != pictures[1]).any()


def test_what_a_pipeline_drops_gives_no_picture():
    assert samples.sample_picture(pairs(min_side=500), 0, seed=0) is None
    dropping = SceneDataset(**SCENES, pipeline=[lambda results: None])
    assert samples.sample_picture(dropping, 0, seed=0) is None


def test_an_image_file_that_is_missing_is_done_without(monkeypatch):
    dataset = images()
    drawn = samples.sample_picture(dataset, 0, seed=0)
    monkeypatch.setattr(SceneDataset, 'read_image', lambda self, idx: open('not there'))
    plain = samples.sample_picture(dataset, 0, seed=0)
    assert drawn.picture.shape[1] > 2 * plain.picture.shape[1] - 20
    assert cv2.cvtColor(plain.small, cv2.COLOR_BGR2GRAY)[0, 0] == sample_pictures.PAPER


@pytest.mark.parametrize('ids, indices', [(['2'], [1]), (['2', '1'], [1, 0])])
def test_samples_are_chosen_by_id(ids, indices):
    assert samples.choose_samples(images(), 1, ids, seed=0) == indices
    assert samples.choose_samples(pairs(), 1, ids, seed=0) == indices


@pytest.mark.parametrize('number, count', [(1, 1), (3, 3), (99, 5)])
def test_samples_are_drawn_without_repeat(number, count):
    chosen = samples.choose_samples([None] * 5, number, [], seed=0)
    assert len(set(chosen)) == count and chosen == sorted(chosen)
    assert chosen == samples.choose_samples([None] * 5, number, [], seed=0)


@pytest.mark.parametrize('number, ids, seed, message', [
    (0, [], 0, 'a number of samples of at least 1, got 0'),
    (1, [], -1, 'a seed of at least 0, got -1'),
    (1, ['1', '77', 'x'], 0, 'no sample has the id 77, x: .* such as 1, 2'),
])
def test_samples_that_cannot_be_chosen_are_refused(number, ids, seed, message):
    with pytest.raises(ValueError, match=message):
        samples.choose_samples(images(), number, ids, seed)


def test_groups_stand_together_on_the_contact_sheet():
    small = [np.full((8, 8, 3), value, np.uint8) for value in (10, 20, 30)]
    pictures = [samples.SamplePicture('n', item, item, group)
                for item, group in zip(small, (2, 1, 2))]
    sheet = samples.contact_sheet(pictures)
    assert [pixel(sheet, 30, x)[0] for x in (14, 32, 50)] == [20, 10, 30]
