"""D2S amodal: objects beyond the photo, several files as one."""

import cv2
import numpy as np
import published_files
import pytest
import torch
from mmdet.models.roi_heads.mask_heads.fcn_mask_head import _do_paste_mask
from mmdet.structures.mask import mask_target
from mmengine.config import ConfigDict
from published_datasets import PIPELINE, read, records
from published_files import pictures


@pytest.mark.parametrize('split', ['train', 'val'])
def test_d2sa_keeps_what_lies_beyond_the_photo(published, split):
    """Training photos end where the camera did, those of validation are padded."""
    pipeline = [dict(type='LoadImageFromFile'), dict(type='PadToCanvas', pad_val=0),
                dict(type='LoadAmodalAnnotations'), dict(type='Resize', scale_factor=2.),
                dict(type='RandomFlip', prob=1.), dict(type='PackDetInputs')]
    dataset = read('d2sa', published, split, pipeline=pipeline)
    for index, picture in enumerate(pictures('d2sa', split)):
        inputs, sample = dataset[index].values()
        expected = np.kron(picture.amodal, np.ones((2, 2), np.uint8))[..., ::-1]
        found = sample.gt_instances
        np.testing.assert_array_equal(found.masks.masks, expected)
        np.testing.assert_array_equal(
            found.masks.visible.masks,
            np.kron(picture.visible, np.ones((2, 2), np.uint8))[..., ::-1])
        boxes = [(x, y, x + w, y + h) for x, y, w, h in map(published_files.bbox_xywh, expected)]
        np.testing.assert_array_equal(found.bboxes.tensor.numpy(), boxes)
        assert inputs.shape[1:] == expected.shape[1:] == sample.img_shape
        assert inputs[:, 2 * picture.photo_height + 4:].max() <= 12  # black, but for JPEG


def test_d2sa_targets_of_a_region_beyond_the_photo(published):
    """The third object of the first image is a rectangle that goes on 6 rows below the photo."""
    sample = read('d2sa', published)[0]['data_samples']
    target = mask_target([torch.tensor([[44., 41., 62., 55.]])], [torch.tensor([2])],
                         [sample.gt_instances.masks], ConfigDict(mask_size=28))
    assert sample.gt_instances.masks.masks[2, 48:].sum() == 6 * 18
    assert target.shape == (1, 28, 28)
    assert target[0, :26].all() and not target[0, 26:].any()  # 13 of its 14 rows


def test_d2sa_predictions_are_pasted_beyond_the_photo(published):
    """Test pictures, too, have the size of the canvas, on which a mask head pastes."""
    pipeline = [dict(type='LoadImageFromFile'), dict(type='PadToCanvas'),
                dict(type='Resize', scale_factor=2.), *PIPELINE]
    inputs, sample = read('d2sa', published, pipeline=pipeline)[0].values()
    masks = pictures('d2sa')[0].amodal
    assert sample.ori_shape == masks.shape[1:]
    assert tuple(inputs.shape[1:]) == sample.img_shape == (2 * 56, 2 * 64)
    pasted, _ = _do_paste_mask(torch.ones(1, 1, 28, 28), torch.tensor([[44., 41., 62., 54.]]),
                               *sample.ori_shape, skip_empty=False)
    np.testing.assert_array_equal(pasted[0] >= 0.5, masks[2])


@pytest.mark.parametrize('size', [(80, 64), (56, 80), (64, 48)])
def test_d2sa_photo_of_another_size_is_named(data, size):
    folder = data / 'D2SA/d2s_amodal_images_v1/images'
    cv2.imwrite(str(folder / 'D2S_000001.jpg'), np.zeros((*size, 3), np.uint8))
    dataset = read('d2sa', data, pipeline=[dict(type='LoadImageFromFile'),
                                           dict(type='PadToCanvas')])
    for load in (dataset.prepare_data, dataset.read_image):
        with pytest.raises(ValueError, match=r'D2S_000001.jpg.*annotations say \(56, 64\)'):
            load(0)


def test_d2sa_photo_lies_where_photo_origin_says(data):
    picture = pictures('d2sa')[0]
    dataset = read('d2sa', data, photo_origin=(0, 8))
    image = dataset.read_image(0)
    assert dataset.get_data_info(0)['canvas_origin'] == (0, 8)
    assert not image[:8].any() and image[8:].any(axis=(1, 2)).all()
    assert image.shape[:2] == picture.amodal.shape[1:]


def test_d2sa_files_are_joined_by_place_though_their_ids_are_the_same(published):
    found = records(read('d2sa', published))
    assert [record['img_id'] for record in found] == [1, 2, 3, 4]
    alone = read('d2sa', published, more_ann_files=[])
    assert [record['instances'] for record in records(alone)] == [
        record['instances'] for record in found[:2]]
