"""Records of a dataset become AmodalMasks; broken ones are refused by file and id."""

import copy
import json
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import TRANSFORMS
from mmdet.structures.mask import BitmapMasks
from mmengine.dataset import Compose
from pycocotools import mask as mask_utils

from mmamodal.datasets.loading import (LoadAmodalAnnotations, PackAmodalInputs, clip_visible,
                                       decode_instance)
from mmamodal.structures.amodal_masks import AmodalMasks
from mmamodal.structures.segmentation import encode
from mmamodal.structures.uncertainty_maps import encode_uncertainty

HEIGHT, WIDTH = 6, 8
SQUARE = [0, 0, 4, 0, 4, 4, 0, 4]  # covers the pixels [0:4, 0:4]


def _box_mask(x1: int, y1: int, x2: int, y2: int) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    mask[y1:y2, x1:x2] = 1
    return mask


def _instance(ann_id: int = 17, ignore_flag: int = 0, **masks) -> dict:
    return dict(bbox=[0., 0., 4., 4.], bbox_label=0, category_id=1, ann_id=ann_id,
                ignore_flag=ignore_flag, **masks)


def _record(*instances: dict) -> dict:
    return dict(img_path='data/a.jpg', file_name='a.jpg', img_id=5, height=HEIGHT, width=WIDTH,
                sample_idx=2, visible_only=False, instances=list(instances))


def _load(*instances: dict) -> dict:
    return LoadAmodalAnnotations()(_record(*instances))


OCCLUDED = _instance(17, mask=[SQUARE], visible_mask=encode(_box_mask(2, 0, 4, 4)))
FREE = _instance(4, mask=encode(_box_mask(5, 1, 8, 6)))
# COCO writes crowds as RLE with a list of counts, down the columns.
CROWD = _instance(99, 1, mask=dict(size=[HEIGHT, WIDTH], counts=[0, HEIGHT, HEIGHT * (WIDTH - 1)]))
# Valid polygon, but thinner than a pixel.
SPECK = _instance(30, mask=[[1.1, 1.1, 1.2, 1.1, 1.2, 1.2]])


# masks


@pytest.mark.parametrize('visible, inside', [
    (_box_mask(2, 0, 4, 4), _box_mask(2, 0, 4, 4)),
    (_box_mask(2, 0, 5, 4), _box_mask(2, 0, 4, 4)),  # a third outside: clipped
    (_box_mask(3, 0, 5, 4), _box_mask(3, 0, 4, 4)),  # a half outside: clipped
    (_box_mask(5, 1, 6, 2), _box_mask(0, 0, 0, 0)),  # one pixel, at the rim: clipped
    (_box_mask(0, 0, 0, 0), _box_mask(0, 0, 0, 0)),
])
def test_clip_visible(visible, inside):
    np.testing.assert_array_equal(clip_visible(visible, _box_mask(0, 0, 4, 4)), inside)


@pytest.mark.parametrize('amodal', [_box_mask(0, 0, 4, 4), _box_mask(0, 0, 0, 0)])
def test_visible_mask_elsewhere_is_refused(amodal):
    with pytest.raises(ValueError, match='16 of the 16 visible pixels are outside the amodal'):
        clip_visible(_box_mask(4, 0, 8, 4), amodal)


def test_decode_instance():
    amodal, visible = decode_instance(OCCLUDED, HEIGHT, WIDTH)
    np.testing.assert_array_equal(amodal, _box_mask(0, 0, 4, 4))
    np.testing.assert_array_equal(visible, _box_mask(2, 0, 4, 4))
    assert amodal.dtype == visible.dtype == np.uint8


def test_decode_instance_without_visible_mask():
    amodal, visible = decode_instance(FREE, HEIGHT, WIDTH)
    np.testing.assert_array_equal(amodal, _box_mask(5, 1, 8, 6))
    np.testing.assert_array_equal(visible, amodal)


# LoadAmodalAnnotations


def test_load():
    results = _load(OCCLUDED, FREE, CROWD)
    masks = results['gt_masks']
    assert type(masks) is AmodalMasks
    amodal = [_box_mask(0, 0, 4, 4), _box_mask(5, 1, 8, 6), _box_mask(0, 0, 1, 6)]
    np.testing.assert_array_equal(masks.masks, amodal)
    np.testing.assert_array_equal(masks.visible.masks, [_box_mask(2, 0, 4, 4), *amodal[1:]])
    assert results['gt_ann_ids'].tolist() == [17, 4, 99]
    assert results['gt_ann_ids'].dtype == np.int64
    assert results['gt_ignore_flags'].tolist() == [False, False, True]
    assert results['gt_bboxes'].tensor.shape == (3, 4)
    assert results['gt_bboxes_labels'].tolist() == [0, 0, 0]
    assert results['ori_shape'] == results['img_shape'] == (HEIGHT, WIDTH)


def _unsure(levels: np.ndarray, **instance) -> dict:
    return dict(instance, uncertainty_map=encode_uncertainty(np.sqrt(levels)))


def test_load_uncertainty():
    expected = np.zeros((HEIGHT, WIDTH), np.float32)
    expected[0:4, 0:2] = 0.5
    load = LoadAmodalAnnotations(with_uncertainty=True)
    instances = [_unsure(expected, **OCCLUDED), _unsure(0 * expected, **FREE), CROWD]
    masks = load(_record(*instances))['gt_masks']
    assert masks.uncertainty.masks.dtype == np.uint8
    np.testing.assert_array_equal(masks.uncertainty.masks[0], 364 * expected)
    assert not masks.uncertainty.masks[1:].any()
    assert len(load(_record())['gt_masks'].uncertainty) == 0
    assert _load(*instances)['gt_masks'].uncertainty is None


@pytest.mark.parametrize('broken, words', [
    ({}, "expected an 'uncertainty_map', since with_uncertainty=True"),
    (dict(uncertainty_map=dict(level=91)), "'uncertainty_map': expected a list of RLEs"),
    (dict(uncertainty_map=[dict(level=91, size=[3, 3], counts='9')]),
     r"'uncertainty_map': .* of size \[6, 8\]")])
def test_missing_or_broken_uncertainty_is_refused_by_file_and_id(broken, words):
    with pytest.raises(ValueError, match=f'annotation 17 of data/a.jpg: {words}'):
        LoadAmodalAnnotations(with_uncertainty=True)(_record(dict(OCCLUDED, **broken)))


def test_load_nothing():
    results = _load()
    assert results['gt_masks'].visible.masks.shape == (0, HEIGHT, WIDTH)
    assert results['gt_ann_ids'].shape == results['gt_ignore_flags'].shape == (0, )


def test_load_leaves_the_record_as_it_is():
    record = _record(OCCLUDED, SPECK)
    before = copy.deepcopy(record)
    LoadAmodalAnnotations()(record)
    assert {key: record[key] for key in before} == before


def test_a_mask_smaller_than_a_pixel_is_ignored():
    results = _load(SPECK, FREE)
    assert results['gt_masks'].areas.tolist() == [0, 15]
    assert results['gt_ignore_flags'].tolist() == [True, False]


def test_a_wholly_occluded_object_is_kept():
    nothing = encode(_box_mask(0, 0, 0, 0))
    results = _load(_instance(mask=[SQUARE], visible_mask=nothing))
    assert results['gt_ignore_flags'].tolist() == [False]
    assert not results['gt_masks'].visible.masks.any()


@pytest.mark.parametrize('masks, words', [
    (dict(mask=[[0, 0, 4, 4]]), 'amodal mask: .*at least three points'),
    (dict(mask=[[0, 0, 4, 0, float('nan'), 4]]), 'amodal mask: .*NaN'),
    (dict(mask=[]), 'amodal mask: expected a polygon'),
    (dict(), 'amodal mask: expected a polygon'),
    (dict(mask=encode(np.ones((8, 6), np.uint8))), r'amodal mask: .*size \[8, 6\]'),
    (dict(mask=dict(size=[HEIGHT, WIDTH])), 'amodal mask: .*no counts'),
    (dict(mask=dict(size=[HEIGHT, WIDTH], counts=[3, 4])), 'amodal mask: .*7 pixels'),
    (dict(mask=[SQUARE], visible_mask=[[1, 2]]), "'visible_mask': .*at least three points"),
    (dict(mask=[SQUARE], visible_mask=FREE['mask']), '15 of the 15 visible pixels are outside'),
])
def test_broken_masks_are_refused_by_file_and_id(masks, words):
    with pytest.raises(ValueError, match=f'annotation 17 of data/a.jpg: {words}'):
        _load(FREE, _instance(17, **masks))


def test_the_annotation_file_is_named_where_it_is_known():
    record = dict(_record(_instance(17, mask=[])), ann_file='coco.json')
    with pytest.raises(ValueError, match=r'17 of data/a.jpg \(annotated in coco.json\): .*; mend '
                                         'or remove the annotation'):
        LoadAmodalAnnotations()(record)


def test_annotation_without_id_is_refused():
    nameless = {key: value for key, value in FREE.items() if key != 'ann_id'}
    with pytest.raises(ValueError, match="instance 1 of data/a.jpg has no 'ann_id'"):
        _load(OCCLUDED, nameless)


def test_polygon_masks_are_refused():
    with pytest.raises(ValueError, match='expected poly2mask=True'):
        LoadAmodalAnnotations(poly2mask=False)


def _image(folder: Path, height: int, width: int) -> str:
    path = str(folder / 'a.png')
    cv2.imwrite(path, np.zeros((height, width, 3), np.uint8))
    return path


def test_image_of_another_size_is_refused(tmp_path):
    record = dict(_record(FREE), img_path=_image(tmp_path, WIDTH, HEIGHT))
    pipeline = Compose([TRANSFORMS.build(dict(type='LoadImageFromFile')), LoadAmodalAnnotations()])
    with pytest.raises(ValueError, match=r'a.png: the image is \(8, 6\) .* lie on \(6, 8\)'):
        pipeline(record)


def test_image_alone_has_no_instances(tmp_path):
    pipeline = Compose([
        TRANSFORMS.build(dict(type='LoadImageFromFile')),
        LoadAmodalAnnotations(), PackAmodalInputs()
    ])
    packed = pipeline(dict(img_path=_image(tmp_path, 5, 7), img_id=0))
    assert packed['data_samples'].gt_instances.masks.masks.shape == (0, 5, 7)


# PackAmodalInputs


def test_pack():
    sample = PackAmodalInputs()(_load(OCCLUDED, CROWD, FREE))['data_samples']
    assert sample.gt_instances.ann_ids.tolist() == [17, 4]
    assert sample.gt_instances.ann_ids.dtype == torch.int64
    assert sample.ignored_instances.ann_ids.tolist() == [99]
    assert sample.gt_instances.masks.invisible.areas.tolist() == [8, 0]
    assert type(sample.ignored_instances.masks) is AmodalMasks
    found = {key: sample.metainfo[key] for key in ('file_name', 'sample_idx', 'visible_only')}
    assert found == dict(file_name='a.jpg', sample_idx=2, visible_only=False)
    assert sample.metainfo['ori_shape'] == (HEIGHT, WIDTH)
    assert sample.instances == [OCCLUDED, CROWD, FREE]


def test_packed_sample_survives_workers_and_metrics():
    sample = PackAmodalInputs()(_load(OCCLUDED))['data_samples']
    sample = pickle.loads(pickle.dumps(sample)).cpu().to_dict()
    assert sample['gt_instances']['masks'].invisible.areas.tolist() == [8]


def test_packed_by_mmdet():
    sample = TRANSFORMS.build(dict(type='PackDetInputs'))(_load(OCCLUDED, CROWD))['data_samples']
    assert sample.gt_instances.masks.invisible.areas.tolist() == [8]


def test_meta_keys_can_be_chosen():
    sample = PackAmodalInputs(meta_keys=('img_id', ))(_load(FREE))['data_samples']
    assert sample.metainfo_keys() == ['img_id']


def test_masks_rebuilt_without_visible_are_refused():
    results = _load(OCCLUDED)
    results['gt_masks'] = BitmapMasks.cat([results['gt_masks']])
    with pytest.raises(TypeError, match='data/a.jpg: .* got BitmapMasks'):
        PackAmodalInputs()(results)


def test_instances_filtered_without_their_ids_are_refused():
    results = _load(_instance(1, mask=[SQUARE]), FREE)
    results['gt_bboxes'].tensor[0] = 0
    results = TRANSFORMS.build(dict(type='FilterAnnotations'))(results)
    with pytest.raises(ValueError, match="data/a.jpg: .*'gt_masks': 1, 'gt_ann_ids': 2"):
        PackAmodalInputs()(results)


@pytest.mark.parametrize('kind', ['Mosaic', 'MixUp'])
def test_transforms_that_leave_masks_behind_are_refused(kind):
    mixed = [dict(_load(FREE), img=np.zeros((HEIGHT, WIDTH, 3), np.uint8)) for _ in range(4)]
    transform = TRANSFORMS.build(dict(type=kind, img_scale=(WIDTH, HEIGHT)))
    number = 3 if kind == 'Mosaic' else 1
    results = transform(dict(mixed[0], mix_results=mixed[1:1 + number]))
    with pytest.raises(ValueError, match='a transform dropped or added instances'):
        PackAmodalInputs()(results)


# real data


def test_real_occlusions_load_as_pycocotools_reads_them(shared_data):
    truth = json.loads((shared_data / 'composites/val/amodal.json').read_text())
    image = truth['images'][0]
    annotations = [a for a in truth['annotations'] if a['image_id'] == image['id']]
    instances = [dict(bbox=[0, 0, 1, 1], bbox_label=0, ignore_flag=a['iscrowd'], ann_id=a['id'],
                      category_id=a['category_id'], mask=a['segmentation'], visible_mask=a.get('visible_mask'))
                 for a in annotations]
    masks = LoadAmodalAnnotations()(dict(image, instances=instances))['gt_masks']
    for mask, hidden, annotation in zip(masks, masks.invisible, annotations):
        np.testing.assert_array_equal(mask, mask_utils.decode(annotation['segmentation']))
        expected = annotation.get('invisible_mask')
        assert hidden.sum() == (mask_utils.area(expected) if expected else 0)
