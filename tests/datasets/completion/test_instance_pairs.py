"""InstancePairDataset: every instance alike, and never the amodal truth."""

import copy
import gc
import json
import zlib
from collections import Counter
from pathlib import Path
from typing import Iterator

import numpy as np
import pytest
import torch
from mmdet.registry import DATASETS
from mmengine.dataset import default_collate
from mmengine.registry import init_default_scope

from mmamodal.datasets import InstancePairDataset, LoadSceneImage, SceneDataset
from mmamodal.structures.segmentation import decode, encode

SIZE = 40
PIPELINE = [dict(type='CropPair', patch_size=32), dict(type='PlaceOccluder'),
            dict(type='OcclusionBoundary'), dict(type='PackCompletionInputs')]


@pytest.fixture(autouse=True, scope='module')
def surroundings() -> Iterator[None]:
    """mmdet's scope; and mmengine collects garbage for every dataset, which takes as long as
    there are objects: those that are there already are left out."""
    init_default_scope('mmdet')
    gc.freeze()
    yield
    gc.unfreeze()


def rectangle(x1: int, y1: int, x2: int, y2: int) -> np.ndarray:
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[y1:y2, x1:x2] = 1
    return mask


def annotation(number: int, image_id: int, visible: np.ndarray, amodal: object = None,
               **more) -> dict:
    """Occluded if an amodal mask is given."""
    whole = visible if amodal is None else amodal
    x, y = np.nonzero(whole.T)
    box = [int(x.min()), int(y.min()), int(np.ptp(x)) + 1, int(np.ptp(y)) + 1]
    ann = dict(id=number, image_id=image_id, category_id=3, iscrowd=0, bbox=box,
               area=int(whole.sum()), segmentation=encode(whole), **more)
    if amodal is not None:
        ann.update(visible_mask=encode(visible), occlude_rate=1 - visible.sum() / whole.sum())
    return ann


def coco_of(*annotations: dict) -> dict:
    images = [dict(id=i, file_name=f'{i}.png', height=SIZE, width=SIZE)
              for i in sorted({ann['image_id'] for ann in annotations})]
    return dict(images=images, annotations=list(annotations),
                categories=[dict(id=3, name='thing')])


# One image of one instance, one image of four, of which two are occluded.
COCO = coco_of(
    annotation(1, 1, rectangle(5, 5, 25, 20)),
    annotation(2, 2, rectangle(0, 0, 12, 12)),
    annotation(3, 2, rectangle(12, 2, 22, 10), rectangle(8, 2, 22, 10)),
    annotation(4, 2, rectangle(20, 20, 30, 38), rectangle(18, 16, 30, 38)),
    annotation(5, 2, rectangle(30, 20, 38, 38)))


def build(folder: Path, coco: dict, pipeline: object = PIPELINE, dataset: object = None,
          **options) -> InstancePairDataset:
    path = folder / 'annotations.json'
    path.write_text(json.dumps(coco))
    images = dict(type='AmodalCocoDataset', ann_file=str(path), **(dataset or {}))
    return DATASETS.build(dict(type='InstancePairDataset', dataset=images, pipeline=pipeline,
                               **options))


def batch_of(dataset: InstancePairDataset, repeats: int = 3) -> dict:
    np.random.seed(0)
    return default_collate([dataset[i] for i in range(len(dataset)) for _ in range(repeats)])


def assert_same(one: dict, other: dict) -> None:
    torch.testing.assert_close(one['target'], other['target'])
    for key, value in one['inputs'].items():
        torch.testing.assert_close(value, other['inputs'][key])


# Instances


def test_one_sample_for_each_instance(tmp_path):
    dataset = build(tmp_path, COCO)
    assert len(dataset) == 5
    records = [dataset.get_data_info(i) for i in range(5)]
    assert [record['ann_id'] for record in records] == [1, 2, 3, 4, 5]
    assert [record['img_id'] for record in records] == [1, 2, 2, 2, 2]
    np.testing.assert_array_equal(decode(records[2]['visible'], SIZE, SIZE),
                                  rectangle(12, 2, 22, 10))
    assert records[0]['category_id'] == 3 and records[0]['height'] == SIZE


def test_crowds_are_left_out(tmp_path):
    crowd = dict(annotation(9, 2, rectangle(0, 0, 30, 30)), iscrowd=1)
    dataset = build(tmp_path, dict(COCO, annotations=[*COCO['annotations'], crowd]))
    assert len(dataset) == 5


def test_a_built_dataset_can_be_wrapped(tmp_path):
    images = build(tmp_path, COCO, lazy_init=True).images
    assert len(InstancePairDataset(images, PIPELINE)) == 5
    assert len(InstancePairDataset(images, PIPELINE, indices=3)) == 3


def test_metainfo_is_that_of_the_images(tmp_path):
    """The path of the annotations and not their content, which would go into checkpoints."""
    dataset = build(tmp_path, COCO)
    assert dataset.metainfo['ann_file'] == str(tmp_path / 'annotations.json')
    assert dataset.metainfo['classes'] == ('thing', )


class Draws:
    """Says which two were drawn."""

    def __call__(self, results: dict) -> dict:
        return dict(ids=(results['instance']['ann_id'], results['other']['ann_id']))


def test_the_second_one_is_drawn_uniformly_over_instances(tmp_path):
    np.random.seed(0)
    dataset = build(tmp_path, COCO, pipeline=[])
    dataset.pipeline.transforms.append(Draws())
    drawn = [dataset[i]['ids'] for i in range(5) for _ in range(200)]
    assert [first for first, _ in drawn] == [i + 1 for i in range(5) for _ in range(200)]
    counts = Counter(second for _, second in drawn)
    assert set(counts) == {1, 2, 3, 4, 5}
    for count in counts.values():
        assert count / 1000 == pytest.approx(0.2, abs=0.05)
    assert len(set(drawn)) == 25  # any with any, itself as well


def test_empty_and_tiny_instances_are_drawn_again(tmp_path):
    nothing = annotation(2, 1, np.zeros((SIZE, SIZE), np.uint8), rectangle(5, 5, 20, 20))
    coco = coco_of(annotation(1, 1, rectangle(5, 5, 25, 20)), nothing,
                   annotation(3, 1, rectangle(30, 30, 32, 32)))
    dataset = build(tmp_path, coco)
    assert len(dataset) == 3
    np.random.seed(0)
    for i in (0, 1, 2):
        assert dataset[i]['target'].sum() > 200


def test_nothing_but_tiny_instances(tmp_path):
    dataset = build(tmp_path, coco_of(annotation(3, 1, rectangle(30, 30, 32, 32))))
    with pytest.raises(ValueError, match='annotations.json gave no pair .* 101 draws.*min_side'):
        dataset[0]


def test_no_instance_is_refused_with_the_file(tmp_path):
    crowd = dict(annotation(1, 1, rectangle(0, 0, 30, 30)), iscrowd=1)
    with pytest.raises(ValueError, match='annotations.json has no instance to train on: expected '
                                         'annotations with visible masks'):
        build(tmp_path, coco_of(crowd))


def test_a_broken_mask_is_named(tmp_path):
    broken = annotation(8, 1, rectangle(5, 5, 20, 20), rectangle(5, 5, 25, 25))
    broken['visible_mask']['counts'] += '1'
    dataset = build(tmp_path, coco_of(broken))
    with pytest.raises(ValueError, match=r'annotation 8 of image .*1.png \(annotated in .*'
                                         r'annotations.json\): visible mask: .* RLE.*; mend or'):
        dataset[0]


def test_the_same_seed_gives_the_same_batch(tmp_path):
    dataset = build(tmp_path, COCO)
    one = batch_of(dataset)
    assert one['target'].shape == (15, 32, 32)
    assert_same(one, batch_of(dataset))
    np.random.seed(1)
    assert not torch.equal(one['target'][0], dataset[0]['target'])


def test_one_other_gives_the_samples_of_earlier_versions(tmp_path):
    batch = batch_of(build(tmp_path, COCO))
    sums = {key: int(value.sum()) for key, value in batch['inputs'].items()}
    assert sums == dict(mask=3525, occluder=3836, boundary=1680, category=45)
    assert zlib.crc32(batch['target'].numpy().tobytes()) == 2466414252
    assert zlib.crc32(batch['inputs']['mask'].numpy().tobytes()) == 2161248966


def test_several_others_are_drawn_with_their_number(tmp_path):
    np.random.seed(0)
    dataset = build(tmp_path, COCO, pipeline=[], num_others=3)
    drawn = []
    dataset.pipeline.transforms.append(lambda results: drawn.append(results['further']) or {})
    for _ in range(300):
        dataset[0]
    counts = Counter(len(further) for further in drawn)
    assert set(counts) == {0, 1, 2} and min(counts.values()) > 70
    assert {record['ann_id'] for further in drawn for record in further} == {1, 2, 3, 4, 5}


def test_several_others_through_the_whole_pipeline(tmp_path):
    pipeline = [dict(type='CropPair', patch_size=48), dict(type='TurnPair'),
                dict(type='PlaceOccluder'),
                dict(type='FocusOnVisible', patch_size=32, min_side=12),
                dict(type='JitterMasks'), dict(type='CloseGaps', gap=6),
                dict(type='OcclusionBoundary'), dict(type='PackCompletionInputs')]
    batch = batch_of(build(tmp_path, COCO, pipeline=pipeline, num_others=3))
    assert batch['target'].shape == (15, 32, 32)
    mask, occluder = batch['inputs']['mask'], batch['inputs']['occluder']
    assert not (mask & occluder).any() and mask.any(2).any(1).all() and occluder.any()


def test_others_are_drawn_among_recent_ones_where_asked_for(tmp_path):
    np.random.seed(0)
    dataset = build(tmp_path, COCO, pipeline=[], recent=2)
    dataset.pipeline.transforms.append(Draws())
    for first, second in ((0, 1), (1, 2), (3, 4)):
        dataset[first]
        drawn = {dataset[second]['ids'] for _ in range(30)}
        assert drawn == {(second + 1, second + 1)} | {(second + 1, first + 1)} & drawn
    assert {dataset[k % 2]['ids'] for k in range(40)} >= {(1, 1), (1, 2), (2, 1), (2, 2)}


@pytest.mark.parametrize('cache_mb', [0, 0.0005, 256])
def test_a_cache_changes_nothing(tmp_path, cache_mb):
    pipeline = [dict(PIPELINE[0], cache_mb=cache_mb), *PIPELINE[1:]]
    assert_same(batch_of(build(tmp_path, COCO)), batch_of(build(tmp_path, COCO, pipeline)))


@pytest.mark.parametrize('count', [0, -1])
def test_no_other_is_refused(tmp_path, count):
    with pytest.raises(ValueError, match=f'num_others to be at least 1, got {count}'):
        build(tmp_path, COCO, num_others=count)


# Amodal truth


def whole_image(ann: dict) -> None:
    ann.update(segmentation=encode(np.ones((SIZE, SIZE), np.uint8)), bbox=[0, 0, SIZE, SIZE],
               area=SIZE * SIZE, occlude_rate=0.9)


def no_more_than_visible(ann: dict) -> None:
    ann.update(segmentation=ann['visible_mask'], bbox=[1, 1, 3, 3], area=9)


def elsewhere(ann: dict) -> None:
    ann.update(segmentation=[[1, 1, 3, 1, 3, 3]], bbox=[1, 1, 2, 2], area=2, occlude_rate=0.1)


def blank(ann: dict) -> None:
    ann.update(segmentation=encode(np.zeros((SIZE, SIZE), np.uint8)), bbox=[0, 0, 0, 0], area=0)


def without_box_and_area(ann: dict) -> None:
    blank(ann)
    for key in ('bbox', 'area', 'occlude_rate'):
        del ann[key]


def gone(ann: dict) -> None:
    for key in ('segmentation', 'bbox', 'area', 'occlude_rate'):
        del ann[key]


def nonsense(ann: dict) -> None:
    ann.update(segmentation=[[float('nan')] * 6], bbox='?', area=None, occlude_rate='?')


def altered(coco: dict, change: object) -> dict:
    """The file with other amodal truth; what is not occluded has none apart from the visible."""
    coco = copy.deepcopy(coco)
    for ann in coco['annotations']:
        if 'visible_mask' in ann:
            change(ann)
        ann.update(invisible_mask='?', order=99)
    return coco


@pytest.mark.parametrize('visible_only, change', [
    *[(True, change) for change in (whole_image, no_more_than_visible, elsewhere, blank,
                                    without_box_and_area, gone, nonsense)],
    *[(False, change) for change in (whole_image, no_more_than_visible, elsewhere)],
], ids=lambda value: getattr(value, '__name__', str(value)))
def test_training_never_depends_on_amodal_truth(tmp_path, visible_only, change):
    other = altered(COCO, change)
    assert other['annotations'][2] != COCO['annotations'][2]
    options = dict(visible_only=visible_only)
    assert_same(batch_of(build(tmp_path, COCO, dataset=options)),
                batch_of(build(tmp_path, other, dataset=options)))


def test_records_carry_no_amodal_truth(tmp_path):
    for visible_only in (True, False):
        dataset = build(tmp_path, COCO, dataset=dict(visible_only=visible_only))
        for i in range(len(dataset)):
            assert set(dataset.get_data_info(i)) == {
                'img_path', 'file_name', 'ann_file', 'img_id', 'height', 'width', 'visible',
                'ann_id', 'category_id', 'sample_idx'}


class AlteredScenes(SceneDataset):
    """Like SceneDataset, but its amodal masks, boxes and areas are others."""

    def read_coco(self) -> dict:
        coco = super().read_coco()
        for ann in coco['annotations']:
            height, width = ann['segmentation']['size']
            if 'visible_mask' in ann:
                ann.update(segmentation=encode(np.ones((height, width), np.uint8)),
                           bbox=[0, 0, width, height], area=height * width)
        return coco


@pytest.mark.parametrize('visible_only', [True, False])
def test_training_on_scenes_never_depends_on_amodal_truth(visible_only):
    batches, masks = [], []
    for kind in (SceneDataset, AlteredScenes):
        images = kind(num_scenes=4, visible_only=visible_only)
        dataset = InstancePairDataset(images, PIPELINE)
        batches.append(batch_of(dataset, repeats=1))
        masks.append([instance['mask'] for i in range(4)
                      for instance in images.get_data_info(i)['instances']])
    assert_same(*batches)
    assert (masks[0] == masks[1]) == visible_only


def test_scenes_are_drawn_where_a_config_asks_for_images():
    loader = dict(type='LoadSceneImage')
    pipeline = [dict(type='CropPair', patch_size=32, image_loader=loader), *PIPELINE[1:3],
                dict(type='CompositeOccluder'), PIPELINE[3]]
    np.random.seed(0)
    dataset = InstancePairDataset(SceneDataset(num_scenes=2), pipeline)
    sample = dataset[0]
    assert sample['inputs']['image'].shape == (3, 32, 32)
    assert sample['inputs']['image'].float().std() > 5
    assert dataset.metainfo['ann_file'] == ''


class CountingLoader:
    """Draws scenes, and says of which images."""

    def __init__(self) -> None:
        self.load, self.read = LoadSceneImage(), []

    def __call__(self, record: dict) -> dict:
        self.read.append(record['img_id'])
        return self.load(record)


def test_images_are_read_once_while_they_are_in_the_cache():
    samples, loaders = [], [CountingLoader(), CountingLoader()]
    for cache_mb, loader in zip((0, 100), loaders):
        np.random.seed(0)
        dataset = InstancePairDataset(SceneDataset(num_scenes=2), [
            dict(type='CropPair', patch_size=32, cache_mb=cache_mb), *PIPELINE[1:3],
            dict(type='CompositeOccluder'), PIPELINE[3]])
        dataset.pipeline.transforms[0].image_loader = loader
        samples.append([dataset[k % len(dataset)] for k in range(20)])
    assert len(loaders[0].read) == 40 and sorted(loaders[1].read) == [1, 2]
    for one, other in zip(*samples):
        assert_same(one, other)
