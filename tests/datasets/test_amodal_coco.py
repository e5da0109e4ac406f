import copy
import json

import cv2
import numpy as np
import pytest

from mmamodal.datasets.amodal_coco import AmodalCocoDataset
from mmamodal.structures.segmentation import encode

VISIBLE = np.zeros((4, 6), np.uint8)
VISIBLE[1:3, 1:3] = 1
RLE = encode(VISIBLE)
SQUARE = [1., 1., 5., 1., 5., 3., 1., 3.]

COCO = dict(
    images=[
        dict(id=7, file_name='a.png', height=4, width=6),
        dict(id=3, file_name='sub/b.png', height=4, width=6)
    ],
    annotations=[
        dict(id=17, image_id=7, category_id=20, segmentation=[SQUARE], bbox=[1, 1, 4, 2], area=8,
             visible_mask=RLE, occlude_rate=0.5, iscrowd=0),
        dict(id=18, image_id=7, category_id=10, segmentation=[SQUARE], bbox=[1, 1, 4, 2], area=8),
    ],
    categories=[dict(id=20, name='cup'), dict(id=10, name='box')])


def write(folder, content, name='coco.json'):
    """Put JSON (or bytes as they are) into a file; its path."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return str(path)


def changed(**fields):
    """COCO with fields of annotation 17 changed; a field of None is taken out."""
    coco = copy.deepcopy(COCO)
    ann = {**coco['annotations'][0], **fields}
    coco['annotations'][0] = {key: value for key, value in ann.items() if value is not None}
    return coco


def load(folder, coco=COCO, **options):
    # Serialising collects garbage, a third of a second each time.
    return AmodalCocoDataset(ann_file=write(folder, coco), **{'serialize_data': False, **options})


def instances(dataset):
    return [i for k in range(len(dataset)) for i in dataset.get_data_info(k)['instances']]


def test_record_is_as_documented(tmp_path):
    write(tmp_path, COCO)
    dataset = AmodalCocoDataset(
        ann_file='coco.json', data_root=str(tmp_path), data_prefix=dict(img='images/'))
    assert dataset.get_data_info(0) == dict(
        img_path=str(tmp_path / 'images/a.png'), file_name='a.png',
        ann_file=str(tmp_path / 'coco.json'), img_id=7, height=4, width=6, sample_idx=0,
        visible_only=False,
        instances=[
            dict(bbox=[1, 1, 5, 3], bbox_label=0, category_id=20, ann_id=17, ignore_flag=0,
                 mask=[SQUARE], visible_mask=RLE),
            dict(bbox=[1, 1, 5, 3], bbox_label=1, category_id=10, ann_id=18, ignore_flag=0,
                 mask=[SQUARE])
        ])
    assert dataset.get_data_info(1)['img_path'] == str(tmp_path / 'images/sub/b.png')
    assert dataset.metainfo == dict(
        classes=('cup', 'box'), categories=COCO['categories'], ann_file=str(tmp_path / 'coco.json'))


def test_polygons_are_always_in_a_list(tmp_path):
    flat = instances(load(tmp_path, changed(segmentation=SQUARE, visible_mask=SQUARE)))[0]
    assert flat['mask'] == flat['visible_mask'] == [SQUARE]


def test_crowd_is_flagged(tmp_path):
    crowd = changed(iscrowd=1, segmentation=dict(size=[4, 6], counts=[8, 8, 8]))
    assert instances(load(tmp_path, crowd))[0]['ignore_flag'] == 1


def test_box_and_area_may_be_absent(tmp_path):
    assert instances(load(tmp_path, changed(bbox=None, area=None)))[0]['bbox'] == [1, 1, 5, 3]


def test_keys_are_class_attributes(tmp_path):

    class Other(AmodalCocoDataset):
        amodal_key, visible_key, box_key, area_key = 'a_segm', 'i_segm', 'a_bbox', 'a_area'

    other = copy.deepcopy(COCO)
    for ann in other['annotations']:
        ann.update(a_segm=ann.pop('segmentation'), a_bbox=ann.pop('bbox'), a_area=ann.pop('area'))
    other['annotations'][0]['i_segm'] = other['annotations'][0].pop('visible_mask')
    assert instances(Other(ann_file=write(tmp_path, other))) == instances(load(tmp_path))


def test_visible_only_puts_visible_in_the_place_of_amodal(tmp_path):
    dataset = load(tmp_path, visible_only=True)
    first, second = instances(dataset)
    assert dataset.get_data_info(0)['visible_only'] is True
    assert (first['mask'], first['bbox']) == (RLE, [1, 1, 3, 3])
    assert second['mask'] == [SQUARE]
    assert 'visible_mask' not in first and 'visible_mask' not in second


@pytest.mark.parametrize('blank', [
    dict(segmentation=None, bbox=None, area=None, occlude_rate=None),
    dict(segmentation=[], bbox=[0, 0, 0, 0], area=0),
])
def test_visible_only_does_not_read_amodal_truth(tmp_path, blank):
    seen = instances(load(tmp_path, visible_only=True))
    assert instances(load(tmp_path, changed(**blank), visible_only=True)) == seen


def test_visible_only_leaves_out_what_is_wholly_hidden(tmp_path, log):
    hidden = changed(visible_mask=encode(np.zeros((4, 6), np.uint8)))
    assert [i['ann_id'] for i in instances(load(tmp_path, hidden, visible_only=True))] == [18]
    assert len(instances(load(tmp_path, hidden))) == 2
    assert '1 of 2 annotations: 1 smaller than a pixel' in log[0]


def test_plain_coco_read_as_amodal_warns(tmp_path, log):
    plain = changed(visible_mask=None, occlude_rate=None, inmodal_seg=RLE)
    load(tmp_path, plain)
    assert len(log) == 1 and 'visible_only=True' in log[0] and 'inmodal_seg' in log[0]
    load(tmp_path, plain, visible_only=True)
    assert len(log) == 1


def test_labels_follow_the_chosen_classes(tmp_path):
    dataset = load(tmp_path, metainfo=dict(classes=('box', 'cup')))
    assert [i['bbox_label'] for i in instances(dataset)] == [1, 0]
    assert [c['id'] for c in dataset.metainfo['categories']] == [10, 20]


def test_annotations_of_other_classes_are_left_out_and_counted(tmp_path, log):
    dataset = load(tmp_path, metainfo=dict(classes=('box', )))
    assert [i['ann_id'] for i in instances(dataset)] == [18]
    assert log == [f'{dataset.ann_file}: left out 1 of 2 annotations: 1 of classes not chosen']


@pytest.mark.parametrize('options, ids', [
    (dict(), [17, 18]),
    (dict(metainfo=dict(classes=('object', ))), [17, 18]),
    (dict(metainfo=dict(classes=('box', ))), [18]),
])
def test_one_class(tmp_path, options, ids):
    dataset = load(tmp_path, one_class=True, **options)
    found = [(i['ann_id'], i['bbox_label'], i['category_id']) for i in instances(dataset)]
    assert found == [(ann_id, 0, 1) for ann_id in ids]
    assert dataset.metainfo['classes'] == ('object', )
    assert dataset.metainfo['categories'] == [dict(id=1, name='object')]


def test_one_class_needs_no_categories(tmp_path):
    bare = copy.deepcopy(COCO)
    del bare['categories']
    for ann in bare['annotations']:
        del ann['category_id']
    assert len(instances(load(tmp_path, bare, one_class=True))) == 2


@pytest.mark.parametrize('fields, reason', [
    (dict(ignore=1), "marked 'ignore'"),
    (dict(bbox=[6, 1, 4, 2]), 'outside the image'),
    (dict(bbox=[1, 1, 4, 0.5]), 'smaller than a pixel'),
    (dict(area=0), 'smaller than a pixel'),
])
def test_what_mmdet_drops_is_counted(tmp_path, log, fields, reason):
    assert [i['ann_id'] for i in instances(load(tmp_path, changed(**fields)))] == [18]
    assert len(log) == 1 and f'1 of 2 annotations: 1 {reason}' in log[0]


@pytest.mark.parametrize('test_mode, filter_cfg, images', [
    (False, None, [7, 3]),
    (False, dict(filter_empty_gt=True), [7]),
    (False, dict(min_size=4), [7, 3]),
    (True, dict(filter_empty_gt=True, min_size=5), [7, 3]),
])
def test_filter(tmp_path, test_mode, filter_cfg, images):
    dataset = load(tmp_path, test_mode=test_mode, filter_cfg=filter_cfg)
    assert [dataset.get_data_info(i)['img_id'] for i in range(len(dataset))] == images


def test_filter_that_leaves_nothing_is_an_error(tmp_path):
    with pytest.raises(ValueError, match='leaves no image to train on.*min_size'):
        load(tmp_path, filter_cfg=dict(min_size=5))


@pytest.mark.parametrize('options', [
    dict(indices=1), dict(indices=[0]), dict(lazy_init=True), dict(serialize_data=True)
])
def test_options_of_mmengine(tmp_path, options):
    dataset = load(tmp_path, **options)
    assert len(dataset) == (1 if 'indices' in options else 2)
    assert len(instances(dataset)) == 2
    assert len(dataset.get_subset([0])) == 1


@pytest.mark.parametrize('fields, message', [
    (dict(segmentation=None), "expected a 'segmentation', got only.*subclass"),
    (dict(segmentation=None, regions=[]), 'COCOADataset'),
    (dict(segmentation=[]), 'expected polygons or an RLE'),
    (dict(segmentation='x'), 'expected polygons or an RLE'),
    (dict(segmentation=[[1, 1, 5, 3]]), 'three points'),
    (dict(segmentation=[SQUARE, [1, 1, 5, 3, 2]]), 'three points'),
    (dict(segmentation=[SQUARE + [1]]), 'three points'),
    (dict(segmentation=[SQUARE[:-1] + [float('nan')]]), 'finite'),
    (dict(segmentation=[SQUARE[:-1] + [float('inf')]]), 'finite'),
    (dict(segmentation=[SQUARE[:-1] + ['3']]), 'finite'),
    (dict(visible_mask=dict(size=[6, 4], counts='0')), r'size \[4, 6\].*visible_mask'),
    (dict(visible_mask=dict(size=[4, 6])), 'counts'),
    (dict(visible_mask=dict(size=[4, 6], counts=[8, 8])), 'add up to'),
    (dict(visible_mask=dict(size=[4, 6], counts=[30, -6])), 'whole RLE counts >= 0'),
    (dict(visible_mask=dict(size=[4, 6], counts=[8., 16])), 'whole RLE counts >= 0'),
    (dict(visible_mask=dict(size=[4, 6], counts=['8', 16])), 'whole RLE counts >= 0'),
    (dict(visible_mask=dict(size=5, counts='0')), 'got size 5'),
    (dict(iscrowd='0'), "expected 0 or 1 as 'iscrowd', got '0'"),
    (dict(iscrowd=2), "expected 0 or 1 as 'iscrowd', got 2"),
    (dict(image_id=True), 'image_id True'),
    (dict(category_id=True), 'got True'),
    (dict(visible_mask=None), 'visible_mask.*occlude_rate is 0.5'),
    (dict(visible_mask=None, occlude_rate='half'), 'finite number'),
    (dict(bbox=[1, 1, float('nan'), 2]), 'four finite numbers'),
    (dict(bbox=[1, 1, 4]), 'four finite numbers'),
    (dict(area=float('nan')), 'finite number'),
    (dict(category_id=None), 'one_class'),
    (dict(category_id=99), r"got 99, and the file has \[10, 20\]"),
    (dict(image_id=99), 'image_id 99'),
    (dict(image_id=None), 'image_id None'),
    (dict(id=18), 'unique'),
])
def test_bad_annotation_is_named(tmp_path, fields, message):
    ann_id = fields.get('id', 17)
    with pytest.raises(ValueError, match=message) as error:
        load(tmp_path, changed(**fields))
    text = str(error.value)
    assert str(tmp_path / 'coco.json') in text and str(ann_id) in text and '\n' not in text


@pytest.mark.parametrize('ann_id', [None, 0, -1, 2**63, True, 17.])
def test_annotation_without_a_usable_id_is_placed(tmp_path, ann_id):
    with pytest.raises(ValueError, match='annotation at place 0 of .*coco.json has id .*from 1'):
        load(tmp_path, changed(id=ann_id))


def test_image_ids_may_be_zero(tmp_path):
    images = [dict(COCO['images'][0], id=0)]
    annotations = [dict(ann, image_id=0) for ann in COCO['annotations']]
    assert len(instances(load(tmp_path, dict(COCO, images=images, annotations=annotations)))) == 2


@pytest.mark.parametrize('content, message', [
    (b'', 'is empty'),
    (b'{"images": [1,', 'line 1 column 15'),
    (b'\x1f\x8b\x08\x00', 'no JSON text'),
    ([], 'holds a list'),
    (dict(info={}), 'has no images'),
    (dict(COCO, images=[]), 'has no images'),
    (dict(COCO, annotations=[]), 'has no annotations'),
    (dict(COCO, annotations=[1]), 'annotations that are no dicts'),
    (dict(COCO, categories=None), 'has no categories.*one_class'),
    (dict(COCO, categories=[dict(name='cup')]), 'has no categories.*one_class'),
    (dict(COCO, categories=[dict(id=2**63, name='cup')]),
     "category 'cup' of .* has id 9223372036854775808: expected .* below 2.*63; give it another"),
    (dict(COCO, categories=[dict(id='1', name='cup')]), "has id '1': expected a whole number"),
    (dict(COCO, categories=COCO['categories'] * 2), 'two categories'),
    (dict(COCO, images=COCO['images'] * 2), 'id 7'),
    (dict(COCO, images=[dict(id=7, height=4, width=6)]), 'image 7 .*file_name'),
    (dict(COCO, images=[dict(id=7, file_name='a', height=4)]), r'image 7 .*\[4, None\]'),
    (dict(COCO, images=[dict(id='x', file_name='a', height=4, width=6)]), "id 'x'"),
    (dict(COCO, images=[dict(id=True, file_name='a', height=4, width=6)]), 'id True'),
    (dict(COCO, images=[dict(id=7, file_name='a', height=4, width=True)]), r'\[4, True\]'),
])
def test_bad_file_is_named(tmp_path, content, message):
    with pytest.raises(ValueError, match=message) as error:
        load(tmp_path, content)
    assert str(tmp_path / 'coco.json') in str(error.value) and '\n' not in str(error.value)


def test_classes_that_are_a_text_are_refused(tmp_path):
    with pytest.raises(ValueError, match="coco.json is the text 'cup': expected a tuple of names"):
        load(tmp_path, metainfo=dict(classes='cup'))


@pytest.mark.parametrize('classes', [('bottle', ), ()])
def test_unknown_classes(classes, tmp_path):
    with pytest.raises(ValueError, match='coco.json has no class'):
        load(tmp_path, metainfo=dict(classes=classes))


@pytest.mark.parametrize('ann_file', ['', 'absent.json', '.'])
def test_missing_file(tmp_path, ann_file):
    with pytest.raises(FileNotFoundError, match='annotation file .*is not a file'):
        AmodalCocoDataset(ann_file=ann_file, data_root=str(tmp_path))


@pytest.mark.parametrize(
    'name', ['../a.png', 'sub/../../a.png', '/etc/a.png', '..\\a.png', 'C:/a.png'])
def test_file_name_outside_the_image_folder(tmp_path, name):
    coco = dict(COCO, images=[dict(COCO['images'][0], file_name=name)])
    with pytest.raises(ValueError, match='image 7 of .*coco.json.*inside the image folder'):
        load(tmp_path, coco)


IMAGE = np.random.default_rng(0).integers(0, 255, (4, 6, 3), np.uint8)
LOAD = [dict(type='LoadImageFromFile')]


def encoded(extension, image=IMAGE):
    return cv2.imencode(extension, image)[1].tobytes()


def with_image(folder, content, name='a.png', **options):
    if content is not None:
        write(folder, content, name)
    coco = dict(COCO, images=[dict(COCO['images'][0], file_name=name)])
    return load(folder, coco, data_root=str(folder), **options)


def test_read_image(tmp_path):
    dataset = with_image(tmp_path, encoded('.png'), pipeline=LOAD)
    assert (dataset.read_image(0) == IMAGE).all()
    assert (dataset[0]['img'] == IMAGE).all()


@pytest.mark.parametrize('content, name, expected', [
    (None, 'a.jpg', FileNotFoundError),
    (b'', 'a.jpg', ValueError),
    (encoded('.jpg')[:-2], 'a.jpg', ValueError),
    (encoded('.jpg')[:300], 'a.jpg', ValueError),
    (encoded('.jpg')[:3], 'a.jpg', ValueError),
    (encoded('.png')[:60], 'a.png', ValueError),
])
def test_broken_image_is_named(tmp_path, content, name, expected):
    dataset = with_image(tmp_path, content, name, pipeline=LOAD)
    for read in (lambda: dataset.read_image(0), lambda: dataset[0]):
        with pytest.raises(expected, match=f'image file .*{name}'):
            read()


@pytest.mark.parametrize('content', [b'<html>', b'text', encoded('.webp')[:30]])
def test_no_image_at_all_is_named(tmp_path, content):
    dataset = with_image(tmp_path, content, pipeline=LOAD)
    for read in (lambda: dataset.read_image(0), lambda: dataset[0]):
        with pytest.raises(ValueError, match='a.png.*cannot be decoded'):
            read()


def test_assertions_of_other_transforms_pass_through(tmp_path):

    def refuse(results):
        raise AssertionError('not the image')

    dataset = with_image(tmp_path, encoded('.png'), pipeline=[*LOAD, refuse])
    with pytest.raises(AssertionError, match='not the image'):
        dataset[0]


def test_image_of_another_size_is_named(tmp_path):
    dataset = with_image(tmp_path, encoded('.png', IMAGE[:, :5]))
    with pytest.raises(ValueError, match=r'a.png.*coco.json.*\(4, 5\).*annotations say \(4, 6\)'):
        dataset.read_image(0)


@pytest.mark.parametrize('file, count', [
    ('composites/train/amodal.json', 1799),
    ('composites/val/amodal.json', 459),
    ('syntable/amodal.json', 125),
])
def test_shared_amodal_files(shared_data, file, count):
    assert len(instances(AmodalCocoDataset(ann_file=str(shared_data / file)))) == count


def test_shared_visible_only_file(shared_data):
    file = shared_data / 'coco_modal/annotations/instances.json'
    found = instances(AmodalCocoDataset(ann_file=str(file), visible_only=True))
    assert (len(found), sum(i['ignore_flag'] for i in found)) == (3370, 36)
