"""Samples after their pipeline: chosen, read, drawn."""

import cv2
import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import HorizontalBoxes
from mmengine.structures import InstanceData
from pictured_blocks import block, pixel

from mmamodal.datasets.completion.instance_pairs import InstancePairDataset
from mmamodal.datasets.completion.transforms import (CompositeOccluder, CropPair, OcclusionBoundary,
                                                     PackCompletionInputs, PlaceOccluder)
from mmamodal.datasets.scenes.dataset import SceneDataset
from mmamodal.structures.amodal_masks import AmodalMasks
from mmamodal.structures.segmentation import encode
from mmamodal.visualization import sample_pictures, samples

SCENES = dict(num_scenes=2, image_size=(64, 64), num_objects=(2, 3))


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
