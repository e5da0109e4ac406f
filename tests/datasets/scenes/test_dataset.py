import copy
import json

import cv2
import numpy as np
import pytest
from mmdet.registry import DATASETS
from mmengine.registry import init_default_scope

from mmamodal.datasets.loading import LoadAmodalAnnotations
from mmamodal.datasets.scenes.dataset import LoadSceneImage, SceneDataset
from mmamodal.datasets.scenes.drawing import amodal_masks, seen_masks, silhouette, visible_masks
from mmamodal.datasets.scenes.shapes import SHAPES
from mmamodal.structures.segmentation import decode, encode


def make(**options) -> SceneDataset:
    options.setdefault('serialize_data', False)
    options.setdefault('num_scenes', 3)
    return SceneDataset(pipeline=options.pop('pipeline', []), **options)


@pytest.fixture(scope='module')
def coco() -> dict:
    return make(num_scenes=40).read_coco()


def load_masks(dataset: SceneDataset, index: int):
    return LoadAmodalAnnotations()(dataset.get_data_info(index))['gt_masks']


def by_image(coco: dict) -> list:
    return [[ann for ann in coco['annotations'] if ann['image_id'] == image['id']]
            for image in coco['images']]


# Determinism


def test_same_options_give_the_same_scenes_and_images():
    one, other = make(seed=5), make(seed=5)
    assert one.read_coco() == other.read_coco()
    np.testing.assert_array_equal(one.read_image(1), other.read_image(1))


def test_scenes_stay_the_same_over_versions():
    scene, amodal = make().compose(0)
    shapes = [item['shape'] for item in scene['objects']]
    assert shapes == ['cactus', 'star', 'fish', 'banana', 'banana', 'cactus']
    np.testing.assert_allclose(amodal.sum((1, 2)), [526, 728, 1040, 756, 545, 1037], atol=5)


def test_a_longer_dataset_begins_like_a_shorter_one():
    assert make(num_scenes=4).read_coco()['images'][:2] == make(num_scenes=2).read_coco()['images']


def test_splits_and_seeds_have_no_scene_in_common():
    datasets = [make(split=split, seed=seed, num_scenes=1) for split in ('train', 'val', 'test')
                for seed in (0, 1)]
    assert len({repr(dataset.compose(i)[0]) for dataset in datasets for i in range(3)}) == 18
    assert len({dataset.get_data_info(0)['file_name'] for dataset in datasets}) == 6


# Truth


def test_visible_is_amodal_without_what_is_in_front(coco):
    occluded = 0
    for annotations in by_image(coco):
        assert [ann['order'] for ann in annotations] == list(range(1, len(annotations) + 1))
        in_front = np.zeros((128, 128), np.uint8)
        for ann in annotations:
            amodal = decode(ann['segmentation'], 128, 128)
            expected = amodal & (1 - in_front)
            visible = decode(ann.get('visible_mask', ann['segmentation']), 128, 128)
            np.testing.assert_array_equal(visible, expected)
            assert ('visible_mask' in ann) == bool((amodal & in_front).any())
            assert ann['occlude_rate'] == pytest.approx(1 - expected.sum() / amodal.sum())
            in_front |= amodal
            occluded += 'visible_mask' in ann
    assert occluded > 0.5 * len(coco['annotations'])


def test_annotations_are_coco(coco):
    assert [image['id'] for image in coco['images']] == list(range(1, 41))
    assert [ann['id'] for ann in coco['annotations']] == list(
        range(1, len(coco['annotations']) + 1))
    assert [category['id'] for category in coco['categories']] == list(range(1, len(SHAPES) + 1))
    for ann in coco['annotations']:
        amodal = decode(ann['segmentation'], 128, 128)
        rows, columns = np.nonzero(amodal)
        x, y = columns.min(), rows.min()
        assert ann['bbox'] == [x, y, columns.max() + 1 - x, rows.max() + 1 - y]
        assert ann['area'] == amodal.sum() and ann['iscrowd'] == 0
    json.dumps(coco)


def test_every_object_is_visible_enough_and_inside(coco):
    rates = [ann['occlude_rate'] for ann in coco['annotations']]
    visible = [decode(ann.get('visible_mask', ann['segmentation']), 128, 128).sum()
               for ann in coco['annotations']]
    assert max(rates) <= 0.7 and min(visible) >= 40
    assert np.mean([0.3 < rate for rate in rates]) > 0.3
    assert {len(annotations) for annotations in by_image(coco)} == set(range(2, 9))
    assert {ann['category_id'] for ann in coco['annotations']} == set(range(1, len(SHAPES) + 1))
    for scene in (image['scene'] for image in coco['images']):
        for item in scene['objects']:
            patch = silhouette(item)
            assert item['x'] >= 0 and item['x'] + patch.shape[1] <= 128
            assert item['y'] >= 0 and item['y'] + patch.shape[0] <= 128
            assert not patch[[0, -1]].any() and not patch[:, [0, -1]].any()


# Options


@pytest.mark.parametrize('options, size', [
    (dict(image_size=(64, 96), num_objects=(1, 1)), (64, 96)),
    (dict(image_size=[160, 120], num_objects=[8, 8], object_size=[0.2, 0.3]), (160, 120)),
])
def test_number_and_size_are_as_asked_for(options, size):
    dataset = make(**options)
    for index in range(3):
        record = dataset.get_data_info(index)
        assert (record['height'], record['width']) == size
        assert dataset.read_image(index).shape == (*size, 3)
        assert len(record['instances']) == options['num_objects'][0]
        low, high = (share * min(size) for share in options.get('object_size', (0.3, 0.5)))
        assert all(low <= item['size'] <= high for item in record['scene']['objects'])


def test_occlusion_is_as_asked_for():
    def rates(**options):
        anns = make(num_scenes=12, num_objects=(4, 4), **options).read_coco()['annotations']
        return np.array([ann['occlude_rate'] for ann in anns if ann['order'] > 1])

    assert rates(occlusion=(0.5, 0.6), occluded_share=1.0).min() >= 0.5
    assert rates(occlusion=(0.5, 0.6), occluded_share=1.0).max() <= 0.6
    assert rates(occluded_share=0.0, object_size=(0.2, 0.25)).max() == 0


def test_angle_is_as_asked_for():
    items = [item for scene in make(max_angle=0).read_coco()['images']
             for item in scene['scene']['objects']]
    assert {item['angle'] for item in items} == {0.0}


@pytest.mark.parametrize('options, message', [
    (dict(split='training'), "split='training'"),
    (dict(num_scenes=0), 'num_scenes=0'),
    (dict(num_scenes=2.5), 'num_scenes=2.5'),
    (dict(seed=-1), 'seed=-1'),
    (dict(image_size=128), 'image_size=128'),
    (dict(image_size=(128, 8)), 'image_size'),
    (dict(num_objects=(0, 3)), 'num_objects'),
    (dict(num_objects=(4, 2)), r'num_objects=\(4, 2\): expected \(least, greatest\)'),
    (dict(num_objects=(2.5, 4)), 'num_objects'),
    (dict(object_size=(0.3, 1.5)), 'object_size'),
    (dict(object_size=('a', 'b')), 'object_size'),
    (dict(occlusion=(0.1, 0.95)), 'occlusion'),
    (dict(occluded_share=2), 'occluded_share=2'),
    (dict(occluded_share=True), 'occluded_share=True'),
    (dict(min_visible=0), 'min_visible=0'),
    (dict(max_angle=-1), 'max_angle=-1'),
])
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)


# Images


def test_load_scene_image_equals_read_image():
    dataset = make(num_scenes=2)
    results = LoadSceneImage()(dataset.get_data_info(1))
    np.testing.assert_array_equal(results['img'], dataset.read_image(1))
    assert results['img'].dtype == np.uint8
    assert results['img_shape'] == results['ori_shape'] == (128, 128)


def test_load_scene_image_wants_a_scene():
    with pytest.raises(ValueError, match="a.jpg has no 'scene'.*LoadImageFromFile"):
        LoadSceneImage()(dict(img_path='a.jpg'))


def test_pipeline_from_the_registry_to_packed_samples():
    init_default_scope('mmdet')
    pipeline = [dict(type='LoadSceneImage'), dict(type='LoadAmodalAnnotations'),
                dict(type='RandomFlip', prob=1.0), dict(type='PackAmodalInputs')]
    dataset = DATASETS.build(dict(type='SceneDataset', num_scenes=2, pipeline=pipeline))
    sample, record = dataset[0], dataset.get_data_info(0)
    instances = sample['data_samples'].gt_instances
    assert sample['inputs'].shape == (3, 128, 128)
    assert instances.ann_ids.tolist() == [instance['ann_id'] for instance in record['instances']]
    np.testing.assert_array_equal(instances.masks.masks[..., ::-1], amodal_masks(record['scene']))
    assert dataset.metainfo['classes'] == tuple(SHAPES)


# Mutual occlusion


@pytest.fixture(scope='module')
def woven() -> SceneDataset:
    return make(num_scenes=16, mutual=True, num_objects=(2, 4))


def test_two_objects_hide_parts_of_each_other(woven):
    for index in range(16):
        masks = load_masks(woven, index)
        whole, seen = masks.masks, masks.visible.masks
        np.testing.assert_array_equal(whole.any(0), seen.sum(0))
        hidden = whole[:2] & (1 - seen[:2])
        assert (hidden.sum((1, 2)) >= 0.1 * whole[:2].sum((1, 2))).all()
        np.testing.assert_array_equal(hidden[0] & seen[1], hidden[0])
        np.testing.assert_array_equal(hidden[1] & seen[0], hidden[1])
        assert hidden[0].sum() <= hidden[1].sum()
        count, pieces = cv2.connectedComponents(whole[0] & whole[1])
        owners = [set(seen[0][pieces == piece].tolist()) for piece in range(1, count)]
        assert sorted(map(list, owners)) == [[0]] + [[1]] * (count - 2) and count > 2


def test_mutual_is_off_unless_asked_for_and_has_its_own_names(woven):
    assert 'lifted_at' not in make().compose(0)[0]
    plain = make(num_scenes=1, num_objects=(2, 4)).get_data_info(0)
    assert plain['file_name'] != woven.get_data_info(0)['file_name']
    scene, amodal = make().compose(0)
    np.testing.assert_array_equal(seen_masks(scene, amodal), visible_masks(amodal))


def test_mutual_needs_two_that_can_cross():
    with pytest.raises(ValueError, match='mutual=True: expected at least two objects'):
        make(mutual=True, num_objects=(1, 3))
    with pytest.raises(ValueError, match='no two objects that cross twice.*larger objects'):
        make(mutual=True, occlusion=(0.8, 0.85))


# Annotations from elsewhere


def test_visible_only_has_no_amodal_truth():
    whole, dataset = make(), make(visible_only=True)
    for index in range(3):
        record = dataset.get_data_info(index)
        assert record['visible_only']
        assert not any('visible_mask' in instance for instance in record['instances'])
        np.testing.assert_array_equal(load_masks(dataset, index).masks,
                                      load_masks(whole, index).visible.masks)
        np.testing.assert_array_equal(dataset.read_image(index), whole.read_image(index))


def write_labels(path, coco: dict) -> str:
    """Pseudo-labels, whose amodal masks are the visible ones but for one more pixel."""
    coco = copy.deepcopy(coco)
    for image in coco['images']:
        del image['scene']
    for ann in coco['annotations']:
        ann.setdefault('visible_mask', ann['segmentation'])
        mask = decode(ann['visible_mask'], 128, 128)
        mask[0, 0] = 1
        ann.update(segmentation=encode(mask), area=int(mask.sum()), bbox=[0, 0, 128, 128])
    path.write_text(json.dumps(coco))
    return str(path)


def test_annotations_from_a_file_are_joined_by_image_id(tmp_path):
    truth = make()
    labels = truth.read_coco()
    labels['images'] = labels['images'][::-1][:2]
    kept = {image['id'] for image in labels['images']}
    labels['annotations'] = [ann for ann in labels['annotations'] if ann['image_id'] in kept]
    dataset = make(ann_file=write_labels(tmp_path / 'labels.json', labels))
    assert [dataset.get_data_info(i)['img_id'] for i in range(len(dataset))] == [3, 2]
    assert dataset.get_data_info(0)['scene'] == truth.get_data_info(2)['scene']
    masks, true_masks = load_masks(dataset, 0), load_masks(truth, 2)
    np.testing.assert_array_equal(masks.visible.masks, true_masks.visible.masks)
    np.testing.assert_array_equal(masks.masks[:, 1:], true_masks.visible.masks[:, 1:])
    assert masks.masks[:, 0, 0].all()
    np.testing.assert_array_equal(dataset.read_image(0), truth.read_image(2))


@pytest.mark.parametrize('options, message', [
    (dict(num_scenes=2), 'image 3 of .*labels.json is not among the 2 scenes.*num_scenes'),
    (dict(seed=1), 'image 1 of .*labels.json has file_name .*another split, seed or option'),
    (dict(split='val'), 'another split, seed or option'),
    (dict(object_size=(0.3, 0.4)), 'another split, seed or option'),
    (dict(image_size=(128, 160)), 'another split, seed or option'),
])
def test_annotations_of_other_scenes_are_refused(tmp_path, options, message):
    path = write_labels(tmp_path / 'labels.json', make().read_coco())
    with pytest.raises(ValueError, match=message):
        make(ann_file=path, **options)


def test_a_file_that_is_no_coco_is_refused(tmp_path):
    (tmp_path / 'list.json').write_text('[1]')
    with pytest.raises(ValueError, match='list.json holds a list'):
        make(ann_file=str(tmp_path / 'list.json'))
    with pytest.raises(FileNotFoundError, match='missing.json'):
        make(ann_file=str(tmp_path / 'missing.json'))
