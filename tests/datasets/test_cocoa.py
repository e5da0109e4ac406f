import copy
import json
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.logging import MMLogger

from mmamodal.datasets.cocoa import COCOADataset
from mmamodal.structures.segmentation import decode, encode

CONFIGS = Path(__file__).parents[2] / 'configs/_base_/datasets'
VISIBLE = np.zeros((4, 6), np.uint8)
VISIBLE[1:3, 3:5] = 1
RLE = encode(VISIBLE)
FRONT, BACK = [0., 0., 3., 0., 3., 4., 0., 4.], [1., 1., 5., 1., 5., 3., 1., 3.]


def region(order, **fields):
    """An unoccluded region; the second in depth lies behind the first."""
    return dict(segmentation=[FRONT, BACK][order - 1], name='thing ', area=8, isStuff=0,
                occlude_rate=0, order=order) | fields


COCOA = dict(
    images=[
        dict(id=7, file_name='a.jpg', height=4, width=6),
        dict(id=3, file_name='b.jpg', height=4, width=6)
    ],
    annotations=[
        dict(id=1, image_id=3, author='x', size=1, regions=[region(1, isStuff=1)]),
        dict(id=2, image_id=7, author='x', size=2, depth_constraint='1-2', regions=[
            region(1), region(2, occlude_rate=0.5, visible_mask=RLE, invisible_mask=RLE)]),
    ])


def load(folder, cocoa=COCOA, **options):
    path = folder / 'cocoa.json'
    path.write_text(json.dumps(cocoa))
    return COCOADataset(ann_file=str(path), serialize_data=False, **options)


def instances(dataset):
    return {info['img_id']: info['instances']
            for info in (dataset.get_data_info(i) for i in range(len(dataset)))}


def test_regions_are_joined_by_image_id(tmp_path):
    assert instances(load(tmp_path)) == {
        7: [
            dict(bbox=[0, 0, 3, 4], bbox_label=0, category_id=1, ann_id=2, ignore_flag=0,
                 mask=[FRONT], order=1, is_stuff=0),
            dict(bbox=[1, 1, 5, 3], bbox_label=0, category_id=1, ann_id=3, ignore_flag=0,
                 mask=[BACK], visible_mask=RLE, order=2, is_stuff=0)
        ],
        3: [
            dict(bbox=[0, 0, 3, 4], bbox_label=0, category_id=1, ann_id=1, ignore_flag=0,
                 mask=[FRONT], order=1, is_stuff=1)
        ]
    }


def test_one_foreground_class(tmp_path):
    metainfo = load(tmp_path).metainfo
    assert metainfo['classes'] == ('object', )
    assert metainfo['categories'] == [dict(id=1, name='object')]


def test_read_coco_is_amodal_coco(tmp_path):
    ann = load(tmp_path).read_coco()['annotations'][2]
    assert ann == dict(id=3, image_id=7, category_id=1, iscrowd=0, segmentation=[BACK],
                       bbox=[1, 1, 4, 2], area=8, name='thing ', isStuff=0, order=2,
                       occlude_rate=0.5, visible_mask=RLE, invisible_mask=RLE)


def test_ids_do_not_depend_on_stuff(tmp_path):
    found = instances(load(tmp_path, regions='things'))
    assert {k: [i['ann_id'] for i in v] for k, v in found.items()} == {7: [2, 3], 3: []}


def test_image_without_annotation_is_kept_for_testing(tmp_path):
    cocoa = dict(COCOA, images=COCOA['images'] + [dict(COCOA['images'][0], id=5)])
    assert instances(load(tmp_path, cocoa, test_mode=True))[5] == []
    assert len(load(tmp_path, cocoa, filter_cfg=dict(filter_empty_gt=True))) == 2


def test_first_annotator_is_taken(tmp_path, monkeypatch):
    lines = []
    monkeypatch.setattr(MMLogger.get_current_instance(), 'handle',
                        lambda record: lines.append(record.getMessage()))
    second = dict(COCOA['annotations'][0], id=9, author='y')
    cocoa = dict(COCOA, annotations=[COCOA['annotations'][0], second, COCOA['annotations'][1]])
    found = instances(load(tmp_path, cocoa))
    assert {k: [i['ann_id'] for i in v] for k, v in found.items()} == {7: [3, 4], 3: [1]}
    assert len(lines) == 1 and '1 annotations are left out' in lines[0]


def test_visible_only(tmp_path):
    behind = instances(load(tmp_path, visible_only=True))[7][1]
    assert (behind['mask'], behind['bbox']) == (RLE, [3, 1, 5, 3])


@pytest.mark.parametrize('change, message', [
    (dict(segmentation=[1, 1, 5, 3]), 'annotation 3 .*image 7.*three points'),
    (dict(segmentation=BACK[:-1] + [float('nan')]), 'annotation 3 .*image 7.*finite'),
    (dict(segmentation=None), "annotation 3 .*image 7.*expected a 'segmentation'"),
    (dict(visible_mask=None), 'annotation 3 .*visible_mask'),
    (dict(visible_mask=dict(RLE, size=[6, 4])), r'annotation 3 .*size \[4, 6\]'),
])
def test_bad_region_is_named(tmp_path, change, message):
    cocoa = copy.deepcopy(COCOA)
    cocoa['annotations'][1]['regions'][1].update(change)
    with pytest.raises(ValueError, match=message) as error:
        load(tmp_path, cocoa)
    assert str(tmp_path / 'cocoa.json') in str(error.value) and '\n' not in str(error.value)


@pytest.mark.parametrize('change, message', [
    (dict(image_id=99), 'annotation 2 .*image_id 99'),
    (dict(regions=None), "annotation 2 .*no list 'regions'.*AmodalCocoDataset"),
])
def test_bad_annotation_is_named(tmp_path, change, message):
    cocoa = copy.deepcopy(COCOA)
    cocoa['annotations'][1].update(change)
    with pytest.raises(ValueError, match=message):
        load(tmp_path, cocoa)


def test_only_stuff_without_stuff_is_empty(tmp_path):
    cocoa = dict(COCOA, annotations=COCOA['annotations'][:1])
    with pytest.raises(ValueError, match='has no annotations'):
        load(tmp_path, cocoa, regions='things')


@pytest.fixture
def sample(shared_data):
    """Keywords for a dataset of the three official images."""
    return dict(data_root=str(shared_data / 'cocoa_sample'),
                ann_file='annotations/COCO_amodal_val2014.json',
                data_prefix=dict(img='val2014/'))


def test_sample_counts_and_images(sample):
    dataset = COCOADataset(**sample)
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    assert {i['img_id']: len(i['instances']) for i in infos} == {188819: 2, 343254: 11, 6608: 19}
    for idx, info in enumerate(infos):
        assert dataset.read_image(idx).shape == (info['height'], info['width'], 3)


def test_sample_visible_is_amodal_minus_what_is_in_front(sample):
    """spec of the files: visible == polygon minus the union of those of smaller order."""
    coco = COCOADataset(**sample).read_coco()
    for image in coco['images']:
        size = image['height'], image['width']
        anns = [ann for ann in coco['annotations'] if ann['image_id'] == image['id']]
        in_front = np.zeros(size, bool)
        for ann in sorted(anns, key=lambda ann: ann['order']):
            amodal = decode(ann['segmentation'], *size) > 0
            visible = decode(ann.get('visible_mask', ann['segmentation']), *size) > 0
            assert (visible == amodal & ~in_front).all()
            assert ann['area'] == amodal.sum()
            assert ann['occlude_rate'] == pytest.approx(1 - visible.sum() / amodal.sum(), abs=1e-9)
            in_front |= amodal


@pytest.mark.parametrize('name', ['cocoa_completion', 'cocoa_instance'])
def test_configs_read_the_sample(sample, name):
    config = Config.fromfile(CONFIGS / f'{name}.py')
    for loader in (config.val_dataloader, config.test_dataloader):
        options = dict(loader.dataset, **sample)
        assert options.pop('type') == 'COCOADataset' and options.pop('pipeline')
        assert len(COCOADataset(**options)) == 3


def test_training_of_stage_1_reads_visible_masks_only():
    for name in ('cocoa_completion', 'coco_completion'):
        config = Config.fromfile(CONFIGS / f'{name}.py')
        assert config.train_dataloader.dataset.dataset.visible_only is True
