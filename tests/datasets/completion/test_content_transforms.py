"""Training samples of content completion, and what hidden parts of drawn objects look like."""

import cv2
import numpy as np
import pytest
from mmdet.registry import DATASETS

from mmamodal.datasets import (LoadSceneContent, LoadSceneImage, LoadSceneImageOnce,
                               PackContentInputs, PlaceOccluder, SceneDataset)
from mmamodal.datasets.completion.content_transforms import hidden_content
from mmamodal.datasets.scenes.drawing import draw_scene, visible_masks


def left_half(size: int = 32) -> np.ndarray:
    mask = np.zeros((size, size), np.uint8)
    mask[4:28, 4:28] = 1
    return mask


def results(**changes) -> dict:
    image = np.arange(32 * 32 * 3, dtype=np.uint32).reshape(32, 32, 3).astype(np.uint8)
    return dict(dict(image=image, visible=left_half(), other_visible=left_half(),
                     instance=dict(category_id=7)), **changes)


def test_the_hole_is_where_the_other_covers():
    np.random.seed(0)
    placed = PlaceOccluder(front_prob=1.0).transform(results())
    packed = PackContentInputs().transform(placed)
    assert list(packed) == ['inputs']
    inputs = {key: value.numpy() for key, value in packed['inputs'].items()}
    assert np.array_equal(inputs['hole'], placed['target'] & placed['occluder'])
    assert np.array_equal(inputs['hole'] + inputs['mask'], placed['target'])
    assert 0 < inputs['hole'].sum() < placed['target'].sum()
    assert inputs['category'] == 7
    assert np.array_equal(inputs['image'].transpose(1, 2, 0), placed['image'])
    assert {key: value.dtype for key, value in inputs.items() if key != 'category'} == dict(
        image=np.uint8, mask=np.uint8, hole=np.uint8)


def test_without_a_hole_there_is_no_sample():
    np.random.seed(0)
    assert PackContentInputs().transform(PlaceOccluder(front_prob=0.0).transform(results())) is None


def test_without_images_it_says_what_is_missing():
    with pytest.raises(ValueError, match='image_loader=dict'):
        PackContentInputs().transform(dict(target=left_half()))


SCENES = dict(split='val', num_scenes=3, image_size=(96, 96), num_objects=(3, 4),
              object_size=(0.4, 0.6))


def test_a_training_sample_of_scenes():
    pipeline = [dict(type='CropPair', patch_size=32, image_loader=dict(type='LoadSceneImageOnce')),
                dict(type='PlaceOccluder', front_prob=1.0), dict(type='PackContentInputs')]
    pairs = DATASETS.build(dict(type='InstancePairDataset', pipeline=pipeline, dataset=dict(
        type='SceneDataset', visible_only=True, **SCENES)))
    np.random.seed(0)
    inputs = pairs[0]['inputs']
    assert inputs['image'].shape == (3, 32, 32) and inputs['hole'].any()


def test_images_of_what_hides_are_not_read():
    class Counting(LoadSceneImage):
        reads = 0

        def transform(self, results: dict) -> dict:
            Counting.reads += 1
            return super().transform(results)

    pipeline = [dict(type='CropPair', patch_size=32, cache_mb=0),
                dict(type='PlaceOccluder', front_prob=1.0), dict(type='PackContentInputs')]
    pairs = DATASETS.build(dict(
        type='InstancePairDataset', pipeline=pipeline, num_others=3,
        dataset=dict(type='SceneDataset', visible_only=True, **SCENES)))
    pairs.pipeline.transforms[0].image_loader = Counting()
    np.random.seed(0)
    samples = [pairs[index] for index in range(5)]
    assert all(sample['inputs']['hole'].any() for sample in samples) and Counting.reads == 5


def test_objects_look_as_in_the_image_where_nothing_is_near():
    """But for the image's noise and for shadows, which the scene's front objects do not get."""
    scene, amodal = SceneDataset(**SCENES).compose(0)
    alone, image = hidden_content(scene, in_shadow=False), draw_scene(scene)
    assert alone.shape == (len(amodal), 96, 96, 3) and alone.dtype == np.uint8
    front = amodal[0] > 0
    assert np.abs(alone[0][front].astype(int) - image[front]).mean() < 5
    behind = (amodal[1:] & (1 - visible_masks(amodal)[1:])).any(0)
    assert behind.any()
    assert np.abs(alone[0][~front].astype(int) - image[~front]).mean() > 20
    single = dict(scene, objects=scene['objects'][1:2])
    assert np.array_equal(hidden_content(single)[0], alone[1])


def test_shadows_are_those_of_the_visible_part():
    scene, amodal = SceneDataset(**SCENES).compose(0)
    image, visible = draw_scene(scene).astype(int), visible_masks(amodal)
    inside = [cv2.erode(mask, np.ones((3, 3), np.uint8)) > 0 for mask in visible]
    for shaded, alone, where in zip(hidden_content(scene), hidden_content(scene, False), inside):
        assert np.abs(shaded[where] - image[where]).mean() < 5
        assert (shaded <= alone).all()
    hidden = (amodal[1:] > visible[1:])
    darker = hidden_content(scene, False)[1:][hidden] - hidden_content(scene)[1:][hidden]
    assert darker.mean() > 20  # half the light goes where something lies on it


def test_content_is_in_the_order_of_the_instances():
    dataset = SceneDataset(**SCENES)
    record = dataset.get_data_info(0)
    alone = hidden_content(record['scene'])
    record['instances'] = [record['instances'][2], record['instances'][0]]
    content = LoadSceneContent().transform(record)['gt_content']
    assert np.array_equal(content, alone[[2, 0]])
    with pytest.raises(ValueError, match='photo.jpg has no'):
        LoadSceneContent().transform(dict(img_path='photo.jpg'))


def test_scenes_are_drawn_once(monkeypatch):
    dataset, once = SceneDataset(**SCENES), LoadSceneImageOnce()
    records = [dataset.get_data_info(i) for i in (0, 1, 0)]
    expected = [LoadSceneImage().transform(dict(record))['img'] for record in records]
    first = once.transform(dict(records[0]))
    assert first['img_shape'] == first['ori_shape'] == (96, 96)
    first['img'][:] = 0  # what others do to it later
    once.transform(dict(records[1]))
    monkeypatch.setattr('mmamodal.datasets.scenes.dataset.draw_scene',
                        lambda scene: pytest.fail('again'))
    for record, image in zip(records, expected):
        assert np.array_equal(once.transform(dict(record))['img'], image)
