"""Every reader on the published layout of its data set: one sample structure, exact masks."""

from pathlib import Path
from typing import Dict, Tuple

import numpy as np
import published_files
import pytest
import torch
from mmdet.structures import DetDataSample
from published_datasets import PIPELINE, change, read, records
from published_files import NAMES, pictures

from mmamodal.datasets import AmodalCocoDataset
from mmamodal.datasets.loading import decode_instance
from mmamodal.evaluation.pseudo_labels.writer import PseudoLabelWriter
from mmamodal.models import HullCompleter
from mmamodal.structures.amodal_masks import AmodalMasks

RECORD = dict(img_path=str, file_name=str, ann_file=str, img_id=int, height=int, width=int,
              visible_only=bool, sample_idx=int, instances=list)
INSTANCE = dict(bbox=list, bbox_label=int, category_id=int, ann_id=int, ignore_flag=int,
                mask=(list, dict))
OPTIONAL = dict(visible_mask=(list, dict), order=int, cluster=int, is_stuff=int)
PACKED = dict(bboxes=(torch.float32, (4, )), labels=(torch.int64, ()), ann_ids=(torch.int64, ()),
              category_ids=(torch.int64, ()))
BAD_PATHS = ['../x.jpg', '/x.jpg', 'a/../../x.jpg', '..\\x.jpg', 'a\\..\\..\\x.jpg', '\\x.jpg',
             'C:\\x.jpg', 'C:/x.jpg', 's3://bucket/x.jpg', '..', '.', './']


def masks(dataset: AmodalCocoDataset) -> Dict[Tuple[int, int], Tuple[np.ndarray, np.ndarray]]:
    """Amodal and visible mask by image and annotation id."""
    return {(record['img_id'], instance['ann_id']):
            decode_instance(instance, record['height'], record['width'])
            for record in records(dataset) for instance in record['instances']}


def assert_record(record: dict, picture: published_files.Picture) -> None:
    assert {key: type(record[key]) for key in RECORD} == RECORD
    assert set(record) - {'canvas_origin'} == set(RECORD)
    assert record['file_name'] == picture.file_name and Path(record['img_path']).is_file()
    assert (record['height'], record['width']) == picture.amodal.shape[1:]
    assert len(record['instances']) == len(picture.things)
    for instance, mask in zip(record['instances'], picture.amodal):
        assert set(INSTANCE) <= set(instance) <= set(INSTANCE) | set(OPTIONAL)
        types = {**INSTANCE, **OPTIONAL}
        assert all(isinstance(value, types[key]) for key, value in instance.items())
        x, y, w, h = published_files.bbox_xywh(mask)
        np.testing.assert_allclose(instance['bbox'], (x, y, x + w, y + h), atol=1)  # an outline's


def assert_packed(sample: DetDataSample, picture: published_files.Picture) -> None:
    """Masks are those drawn; what they belong to has the types that models expect."""
    crowd = np.array([thing.tag == 'crowd' for thing in picture.things])
    for instances, chosen in ((sample.gt_instances, ~crowd), (sample.ignored_instances, crowd)):
        assert set(instances.keys()) == {*PACKED, 'masks'}
        for key, (dtype, shape) in PACKED.items():
            value = instances[key].tensor if key == 'bboxes' else instances[key]
            assert (value.dtype, value.shape) == (dtype, (chosen.sum(), *shape))
        assert type(instances.masks) is AmodalMasks
        np.testing.assert_array_equal(instances.masks.masks, picture.amodal[chosen])
        np.testing.assert_array_equal(instances.masks.visible.masks, picture.visible[chosen])
    assert sample.ori_shape == sample.img_shape == picture.amodal.shape[1:]
    assert sample.file_name == picture.file_name


@pytest.mark.parametrize('split', ['train', 'val'])
@pytest.mark.parametrize('name', NAMES)
def test_every_reader_yields_the_same_samples(published, name, split):
    dataset, shown = read(name, published, split), pictures(name, split)
    if name == 'coco':  # no more than what is visible
        shown = [picture._replace(amodal=picture.visible) for picture in shown]
    assert len(dataset) == len(shown)
    ids = [category['id'] for category in dataset.metainfo['categories']]
    for index, picture in enumerate(shown):
        record = dataset.get_data_info(index)
        assert_record(record, picture)
        assert_packed(dataset[index]['data_samples'], picture)
        for instance, thing in zip(record['instances'], picture.things):
            assert instance['category_id'] == published_files.LAYOUTS[name].kinds[thing.kind]
            assert ids[instance['bbox_label']] == instance['category_id']
        assert dataset.read_image(index).shape == (*picture.amodal.shape[1:], 3)
    found = [(r['img_id'], i['ann_id']) for r in records(dataset) for i in r['instances']]
    assert len({ann for _, ann in found}) == len(found) and min(ann for _, ann in found) > 0
    assert len({image for image, _ in found}) == len(dataset)


@pytest.mark.parametrize('name', ['kins2020', 'd2sa', 'cocoa'])
def test_order_is_that_of_the_scene(published, name):
    """Of two that overlap, the one in front has the smaller order."""
    compared = 0
    for record, picture in zip(records(read(name, published)), pictures(name)):
        overlap = np.einsum('ihw,jhw->ij', picture.amodal.astype(int), picture.amodal) > 0
        for front, back in np.argwhere(np.triu(overlap, 1)):
            first, second = record['instances'][front], record['instances'][back]
            if 'order' in first:
                assert first['order'] < second['order']
                assert first.get('cluster') == second.get('cluster')
                compared += 1
    assert compared >= 5


@pytest.mark.parametrize('name', NAMES)
def test_visible_only_holds_no_amodal_truth(published, name):
    for record, picture in zip(records(read(name, published, visible_only=True)), pictures(name)):
        assert record['visible_only'] is True
        seen = [visible for visible in picture.visible if visible.any()]
        assert len(record['instances']) == len(seen)  # what is hidden has no visible mask
        for instance, visible in zip(record['instances'], seen):
            assert set(instance) == set(INSTANCE)
            amodal, _ = decode_instance(instance, record['height'], record['width'])
            assert (amodal & ~visible).sum() <= 1  # KINS's masks disagree by a pixel
            assert (visible <= amodal).all()


@pytest.mark.parametrize('name', NAMES)
def test_pseudo_labels_load_again(published, tmp_path, name):
    dataset = read(name, published)
    samples = [dataset[index]['data_samples'] for index in range(len(dataset))]
    writer = PseudoLabelWriter(str(tmp_path / 'labels.json'),
                               dict(fingerprint='f', images=len(dataset)))
    writer.dataset_meta = dataset.metainfo
    writer.process(None, [sample.to_dict() for sample in HullCompleter().test_step(
        dict(data_samples=samples))])
    writer.evaluate(len(dataset))
    again = AmodalCocoDataset(ann_file=str(tmp_path / 'labels.json'), pipeline=PIPELINE,
                              test_mode=True, serialize_data=False)
    assert again.metainfo['categories'] == list(dataset.metainfo['categories'])
    truth, labels = masks(dataset), masks(again)
    assert set(labels) == {key for key, (_, visible) in truth.items() if visible.any()}
    for key, (amodal, visible) in labels.items():
        assert np.count_nonzero(visible != truth[key][1]) <= 1  # KINS's pixel is not clipped
        assert (visible <= amodal).all()
    for index in range(len(again)):
        assert type(again[index]['data_samples'].gt_instances.masks) is AmodalMasks


@pytest.mark.parametrize('name, moves', [
    ('kins', {'instances_train.json': 'annotations/instances_train.json'}),
    ('kins2020', {'update_train_2020.json': 'annotations/update_train_2020.json'}),
    ('d2sa', {'d2s_amodal_annotations_v1': 'annotations',
              'd2s_amodal_images_v1/images': 'images'}),
])
def test_other_layout_of_the_folders_is_found(data, name, moves):
    root = Path(published_files.dataset_config(name, data)['data_root'])
    for source, target in moves.items():
        (root / target).parent.mkdir(exist_ok=True)
        (root / source).rename(root / target)
    for record, picture in zip(records(read(name, data)), pictures(name)):
        assert_record(record, picture)


@pytest.mark.parametrize('name', NAMES)
def test_missing_file_is_named_as_it_was_asked_for(published, name):
    asked = published_files.dataset_config(name, published)['ann_file'].replace('train', 'trian')
    with pytest.raises(FileNotFoundError, match=asked):
        read(name, published, ann_file=asked)


@pytest.mark.parametrize('regions, per_image', [('all', [4, 4, 3, 3]), ('things', [3, 4, 3, 3]),
                                                ('stuff', [1, 0, 0, 0])])
def test_cocoa_regions(published, regions, per_image):
    found = records(read('cocoa', published, regions=regions))
    assert [len(record['instances']) for record in found] == per_image


def test_cocoa_takes_the_first_annotator(data, log):
    change('cocoa', data, lambda coco: coco['annotations'].append(
        dict(coco['annotations'][0], id=99, author='another')))
    assert [len(record['instances']) for record in records(read('cocoa', data))] == [4, 4, 3, 3]
    assert [line for line in log if '1 annotations are left out' in line]


@pytest.mark.parametrize('name', NAMES)
def test_image_ids_choose_images(published, tmp_path, name):
    everything = records(read(name, published))
    wanted = [everything[3]['img_id'], everything[1]['img_id']]
    path = tmp_path / 'ids.txt'
    path.write_text('\n'.join(map(str, wanted)))
    chosen = records(read(name, published, image_ids=str(path)))
    assert [r['file_name'] for r in chosen] == [everything[k]['file_name'] for k in (1, 3)]
    assert [r['instances'] for r in chosen] == [everything[k]['instances'] for k in (1, 3)]
    path.write_text('987654')
    with pytest.raises(ValueError, match='no image .*987654'):
        read(name, published, image_ids=str(path))


@pytest.mark.parametrize('path', BAD_PATHS)
@pytest.mark.parametrize('name', NAMES)
def test_image_paths_stay_inside_the_image_folder(data, name, path):
    change(name, data, lambda coco: coco['images'][1].update(file_name=path))
    number = pictures(name)[1].image_id
    with pytest.raises(ValueError, match=rf'image {number} of .*\.json.*inside the image folder'):
        read(name, data)
