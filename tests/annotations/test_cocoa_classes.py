"""COCOA-cls: which region is which instance, on squares whose IoU one can count."""

import copy
import json
from collections import Counter

import numpy as np
import pytest
from mmengine.logging import MMLogger

from mmamodal.annotations.cocoa_classes import assign, cocoa_cls, read_instances, report
from mmamodal.datasets.amodal_coco import AmodalCocoDataset
from mmamodal.datasets.cocoa import COCOAClsDataset, COCOADataset
from mmamodal.datasets.loading import decode_instance
from mmamodal.structures.segmentation import encode

SIZE = (8, 12)


def box(x1, y1, x2, y2):
    """A rectangle as a flat polygon."""
    return [float(v) for v in (x1, y1, x2, y1, x2, y2, x1, y2)]


def rle(x1, y1, x2, y2):
    mask = np.zeros(SIZE, np.uint8)
    mask[y1:y2, x1:x2] = 1
    return encode(mask)


# Of the region behind, the left half is hidden.
BEHIND = dict(segmentation=box(2, 0, 10, 4), name='cat ', area=32, isStuff=0, order=2,
              occlude_rate=0.5, visible_mask=rle(6, 0, 10, 4), invisible_mask=rle(2, 0, 6, 4))
FRONT = dict(segmentation=box(0, 0, 6, 4), name='dog', area=24, isStuff=0, order=1, occlude_rate=0)
GROUND = dict(segmentation=box(0, 4, 12, 8), name='grass', area=48, isStuff=1, order=3,
              occlude_rate=0)
COCOA = dict(
    images=[dict(id=i, file_name=f'{i}.jpg', height=8, width=12) for i in (5, 2, 9)],
    annotations=[
        dict(id=1, image_id=5, regions=[FRONT, BEHIND, GROUND]),
        dict(id=2, image_id=2, regions=[FRONT]),
        dict(id=3, image_id=9, regions=[FRONT]),
    ])


def instance(ann_id, image_id, category, segmentation, **fields):
    return dict(id=ann_id, image_id=image_id, category_id=category, iscrowd=0,
                segmentation=segmentation, area=1, bbox=[0, 0, 1, 1]) | fields


CATEGORIES = [dict(id=1, name='person'), dict(id=17, name='cat'), dict(id=18, name='dog')]
COCO = dict(
    info={}, licenses=[dict(id=1, name='free')], categories=CATEGORIES,
    images=[dict(id=i, file_name=f'{i:012}.jpg', height=8, width=12) for i in (2, 5, 7)],
    annotations=[
        instance(901, 5, 17, [box(6, 0, 10, 4)]),  # the visible part of BEHIND
        instance(902, 5, 1, [box(2, 0, 10, 4)]),  # its amodal mask: of no account
        instance(903, 5, 18, [box(0, 0, 5, 4)]),  # 20 of the 24 pixels of FRONT
        instance(904, 5, 1, [box(0, 4, 12, 8)]),  # what is stuff in COCOA
        instance(905, 2, 18, rle(0, 0, 6, 4), iscrowd=1),  # as FRONT, but a crowd
        instance(906, 2, 18, [box(0, 1, 6, 4)]),  # 18 of 24 pixels: IoU 0.75, not above
        instance(907, 7, 18, [box(0, 0, 6, 4)]),  # an image that COCOA does not have
    ])


def made(folder, cocoa=COCOA, coco=COCO, **options):
    """COCOA-cls and its counts, of files."""
    for name, content in (('cocoa', cocoa), ('coco', coco)):
        (folder / f'{name}.json').write_text(json.dumps(content))
    dataset = COCOADataset(ann_file=str(folder / 'cocoa.json'), test_mode=True)
    path = str(folder / 'coco.json')
    image_ids = [image['id'] for image in cocoa['images']]
    return cocoa_cls(dataset, read_instances(path, image_ids), path, **options)


@pytest.mark.parametrize('iou, best, kept', [
    ([[0.9]], [0], [True]),
    ([[0.75]], [-1], [False]),
    ([[0.76, 0.8]], [1], [True]),
    ([[0.8], [0.9], [0.1]], [0, 0, -1], [False, True, False]),
    ([[0.9], [0.9]], [0, 0], [True, False]),
    ([[0.8, 0.76], [0.9, 0]], [0, 0], [False, True]),  # the second best is no way out
    ([[0, 0.8], [0.8, 0]], [1, 0], [True, True]),
])
def test_assign(iou, best, kept):
    found = assign(np.array(iou))
    assert (found[0].tolist(), found[1].tolist()) == (best, kept)


@pytest.mark.parametrize('shape', [(0, 0), (0, 3), (2, 0)])
def test_assign_without_regions_or_instances(shape):
    best, kept = assign(np.zeros(shape))
    assert best.tolist() == [-1] * shape[0] and kept.tolist() == [False] * shape[0]


def test_regions_take_the_class_of_the_instance_they_are(tmp_path):
    coco, counts = made(tmp_path)
    assert coco['annotations'] == [
        dict(id=1, image_id=5, category_id=18, name='dog', isStuff=0, order=1, iscrowd=0,
             segmentation=[box(0, 0, 6, 4)], bbox=[0, 0, 6, 4], area=24, occlude_rate=0,
             coco_ann_id=903, iou=pytest.approx(20 / 24)),
        dict(id=2, image_id=5, category_id=17, name='cat ', isStuff=0, order=2, iscrowd=0,
             segmentation=[box(2, 0, 10, 4)], bbox=[2, 0, 8, 4], area=32, occlude_rate=0.5,
             visible_mask=rle(6, 0, 10, 4), invisible_mask=rle(2, 0, 6, 4), coco_ann_id=901,
             iou=1)
    ]
    assert coco['images'] == COCOA['images'][:1]
    assert (coco['categories'], coco['licenses']) == (CATEGORIES, COCO['licenses'])
    assert coco['info']['source']['counts'] == dict(counts)
    assert str(tmp_path) not in json.dumps(coco['info'])
    assert counts == Counter(images=3, missing=1, regions=5, stuff=1, unmatched=2, duplicates=0,
                             kept=2, occluded=1, kept_images=1, reader=0)


def test_every_region_is_counted_once(tmp_path):
    cocoa = copy.deepcopy(COCOA)
    twin = dict(FRONT, segmentation=box(0, 0, 5, 4), order=4)  # is 903 exactly
    speck = dict(FRONT, segmentation=box(11, 7, 11.5, 8), order=5)
    cocoa['annotations'][0]['regions'] += [twin, speck]
    coco, counts = made(tmp_path, cocoa)
    assert [(ann['id'], ann['iou']) for ann in coco['annotations']] == [(2, 1), (4, 1)]
    assert counts['duplicates'] == 1 and counts['reader'] == 1
    assert counts['regions'] == 7 == sum(counts[key] for key in (
        'reader', 'stuff', 'unmatched', 'duplicates', 'kept'))


def test_the_threshold_is_an_option(tmp_path):
    assert made(tmp_path, threshold=0.84)[1]['kept'] == 1
    assert made(tmp_path, threshold=0.74)[1]['kept'] == 3


@pytest.mark.parametrize('reader', [AmodalCocoDataset, COCOAClsDataset])
def test_what_is_made_is_read(tmp_path, reader, monkeypatch):
    lines = []
    monkeypatch.setattr(MMLogger.get_current_instance(), 'handle',
                        lambda record: lines.append(record.getMessage()))
    coco, _ = made(tmp_path)
    (tmp_path / 'made.json').write_text(json.dumps(coco))
    dataset = reader(ann_file=str(tmp_path / 'made.json'))
    record = dataset.get_data_info(0)
    names = [dataset.metainfo['classes'][i['bbox_label']] for i in record['instances']]
    assert names == ['dog', 'cat']
    masks = [decode_instance(i, *SIZE) for i in record['instances']]
    assert [(a.sum(), v.sum()) for a, v in masks] == [(24, 24), (32, 16)]
    assert not lines


def test_instances_are_those_of_the_images_and_no_crowds(tmp_path):
    (tmp_path / 'coco.json').write_text(json.dumps(COCO))
    coco = read_instances(str(tmp_path / 'coco.json'), [2, 9])
    assert [image['id'] for image in coco['images']] == [2]
    assert coco['annotations'] == [COCO['annotations'][5]]
    assert coco['categories'] == CATEGORIES


@pytest.mark.parametrize('content, message', [
    ('{"images": [', 'coco.json.* is no valid JSON at line 1'),
    ('[]', 'coco.json has no categories: expected a COCO file such as instances_train2014.json'),
    (json.dumps(COCOA), 'coco.json has no categories'),
    (json.dumps(dict(COCO, images=[])), 'has none of the 2 images of COCOA'),
    (json.dumps(dict(COCO, annotations=COCO['annotations'][6:])), 'or no instances on them'),
])
def test_what_is_no_instances_file_is_refused(tmp_path, content, message):
    (tmp_path / 'coco.json').write_text(content)
    with pytest.raises(ValueError, match=message):
        read_instances(str(tmp_path / 'coco.json'), [5, 2])


def test_a_missing_instances_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='COCO instances file .*coco.json'):
        read_instances(str(tmp_path / 'coco.json'), [5])


@pytest.mark.parametrize('place, change, message', [
    (('images', 1), dict(width=13), r'image 5 has \(height, width\) \(8, 13\) in .*coco.json'),
    (('annotations', 2), dict(segmentation=[[0, 0, 1, 1]]), 'annotation 903 of .*three points'),
    (('annotations', 2), dict(segmentation=None), 'annotation 903 of .*expected a polygon'),
    (('annotations', 2), dict(category_id=5), 'annotation 903 of .*has category_id 5'),
    (('annotations', 2), dict(category_id=[5]), 'annotation 903 of .*category_id'),
    (('annotations', 2), dict(id=901), 'two annotations of .*coco.json have the id 901'),
    (('categories', 2), dict(id=19), 'annotation 903 of .*has category_id 18'),
])
def test_bad_instances_are_named(tmp_path, place, change, message):
    coco = copy.deepcopy(COCO)
    coco[place[0]][place[1]].update(change)
    with pytest.raises(ValueError, match=message):
        made(tmp_path, coco=coco)


def test_no_match_at_all_says_so(tmp_path):
    coco = dict(COCO, annotations=COCO['annotations'][4:6])
    with pytest.raises(ValueError, match='none of the 5 regions of .*cocoa.json fits.*coco.json'):
        made(tmp_path, coco=coco)


def counted(images, kept_images, kept):
    return Counter(images=images, kept_images=kept_images, kept=kept)


@pytest.mark.parametrize('count, message', [
    (counted(2500, 2276, 6763), 'train: 2,276 and 6,763; within 0.3%'),
    (counted(1323, 1225, 3799), 'val: 1,223 and 3,799; within 0.3%'),
    (counted(2500, 2276, 6784), 'NOT within 0.3% (the largest difference is 0.31%)'),
    (counted(2500, 2476, 6763), 'NOT within'),
    (counted(3, 3, 9), '3 images are no whole split of COCOA'),
])
def test_counts_stand_beside_the_published_ones(count, message):
    assert message in report(['COCO_amodal'], [count])


def test_two_splits_are_added_up():
    text = report(['a', 'b'], [counted(2500, 2276, 6763), counted(1323, 1223, 3799)])
    assert 'together: 3,499 images with 10,562 objects; published for train and val: 3,501' in text
    assert text.splitlines()[0].split() == ['a', 'b', 'together']
    assert text.splitlines()[1].split() == ['images', '2,500', '1,323', '3,823']


def test_sample_matches_its_own_visible_masks(shared_data, tmp_path):
    """The visible masks of the three official images stand in for COCO's instances."""
    path = shared_data / 'cocoa_sample/annotations/COCO_amodal_val2014.json'
    cocoa, whole = json.loads(path.read_text()), COCOADataset(ann_file=str(path)).as_amodal_coco()
    things = [ann for ann in whole['annotations'] if not ann['isStuff']]
    instances = [instance(ann['id'], ann['image_id'], 17, ann.get('visible_mask',
                                                                  ann['segmentation']))
                 for ann in things]
    coco, counts = made(tmp_path, cocoa, dict(COCO, images=whole['images'], annotations=instances))
    assert [(ann['id'], ann['coco_ann_id'], ann['iou']) for ann in coco['annotations']] == [
        (ann['id'], ann['id'], 1) for ann in things]
    assert counts['regions'] == 32 and counts['kept'] == len(things)
    assert counts['occluded'] == sum('visible_mask' in ann for ann in things)
