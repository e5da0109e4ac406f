"""Masks that reach beyond the photo."""

import json

import cv2
import numpy as np
import pytest

from mmamodal.datasets.amodal_coco import AmodalCocoDataset
from mmamodal.datasets.canvas import as_annotated, reaches_out
from mmamodal.structures.segmentation import decode, encode

# On a photo 6 wide and 4 high: from 2 left of it to 3 inside, and a block inside.
LEFT = [-2, 1, 3, 1, 3, 3, -2, 3]
INSIDE = np.pad(np.ones((2, 2), np.uint8), ((1, 1), (3, 1)))
PIPELINE = [
    dict(type='LoadImageFromFile'),
    dict(type='PadToCanvas'),
    dict(type='LoadAmodalAnnotations'),
    dict(type='PackAmodalInputs')
]


def dataset(tmp_path, **options) -> AmodalCocoDataset:
    annotations = [
        dict(id=1, image_id=1, category_id=1, segmentation=LEFT, bbox=[-2, 1, 5, 2]),
        dict(id=2, image_id=1, category_id=1, segmentation=encode(INSIDE), visible_mask=encode(
            0 * INSIDE)),
    ]
    coco = dict(
        images=[dict(id=1, file_name='a.png', height=4, width=6)],
        annotations=annotations,
        categories=[dict(id=1, name='cup')])
    path = tmp_path / 'coco.json'
    path.write_text(json.dumps(coco))
    cv2.imwrite(str(tmp_path / 'a.png'), np.full((4, 6, 3), 200, np.uint8))
    return AmodalCocoDataset(ann_file=str(path), data_prefix=dict(img=str(tmp_path)),
                             pipeline=PIPELINE, **options)


def test_margin_keeps_what_reaches_beyond_the_photo(tmp_path):
    sample = dataset(tmp_path, margin=3)[0]
    truth = sample['data_samples'].gt_instances
    image = sample['inputs'].numpy()[0]
    assert image.shape == (10, 12) and image[3:7, 3:9].min() == 200 and image.sum() == 200 * 24
    assert truth.masks.areas.tolist() == [10, 4]
    assert truth.masks.masks[0, 4:6, 1:6].all()  # x from -2 to 3, moved by 3
    assert truth.bboxes.tensor[0].tolist() == [1, 4, 6, 6]
    assert truth.masks.visible.areas.tolist() == [6, 0]  # nothing is visible outside the photo
    assert (truth.masks.masks[1] == np.pad(INSIDE, 3)).all()


def test_visible_masks_end_at_the_photo(tmp_path):
    sample = dataset(tmp_path, margin=3, visible_only=True)[0]
    assert sample['data_samples'].gt_instances.masks.areas.tolist() == [6]


def test_a_forgotten_pad_is_named(tmp_path):
    data = dataset(tmp_path, margin=3)
    del data.pipeline.transforms[1]
    with pytest.raises(ValueError, match='masks lie on .*put PadToCanvas behind LoadImageFromFile'):
        data[0]


def test_without_a_margin_it_is_cut_off_and_the_log_says_so(tmp_path, log):
    data = dataset(tmp_path)
    assert '1 polygons reach beyond their images' in log[-1]
    assert data[0]['data_samples'].gt_instances.masks.areas.tolist() == [6, 4]


def test_margin_makes_the_log_silent(tmp_path, log):
    dataset(tmp_path, margin=1)
    assert not any('reach beyond' in line for line in log)


@pytest.mark.parametrize('margin', [-1, 1.5, None])
def test_margin_is_whole_pixels(tmp_path, margin):
    with pytest.raises(ValueError, match='margin of whole pixels'):
        dataset(tmp_path, margin=margin)


def test_broken_rle_with_a_margin_names_the_annotation(tmp_path):
    path = tmp_path / 'coco.json'
    dataset(tmp_path)
    coco = json.loads(path.read_text())
    coco['annotations'][1]['segmentation']['counts'] = '1'
    path.write_text(json.dumps(coco))
    with pytest.raises(ValueError, match='annotation 2 of .*coco.json.*runs of an RLE'):
        AmodalCocoDataset(ann_file=str(path), margin=2)


@pytest.mark.parametrize('polygon, out', [
    ([0, 0, 6, 0, 6, 4], False),
    ([-1, 0, 7, 0, 6, 5], False),  # a pixel is rounding
    ([-1.5, 0, 6, 0, 6, 4], True),
    ([0, 0, 7.5, 0, 6, 4], True),
    ([0, 0, 6, 0, 6, 5.5], True),
])
def test_reaches_out(polygon, out):
    assert reaches_out([polygon], 4, 6) == out


def test_rle_cannot_reach_out():
    assert not reaches_out(encode(INSIDE), 4, 6)


def test_photo_at_its_place():
    record = dict(height=3, width=4, canvas_origin=(1, 2), img_path='a.jpg')
    out = as_annotated(np.ones((1, 2, 3), np.uint8), record, pad_val=7)
    assert out[..., 0].tolist() == [[7, 7, 7, 7], [7, 7, 7, 7], [7, 1, 1, 7]]
    same = np.ones((3, 4, 3), np.uint8)
    assert as_annotated(same, record) is same


@pytest.mark.parametrize('size, record', [
    ((2, 2), dict(canvas_origin=(1, 2))),  # does not fit there
    ((4, 4), dict(canvas_origin=(0, 0))),
    ((2, 2), dict()),
])
def test_refuses_a_photo_that_does_not_fit(size, record):
    with pytest.raises(ValueError, match=r'a.jpg has \(height, width\).*annotations say \(3, 4\)'):
        as_annotated(np.ones((*size, 3), np.uint8),
                     dict(record, height=3, width=4, img_path='a.jpg'))


def test_rle_moves_with_the_margin(tmp_path):
    instance = dataset(tmp_path, margin=2).get_data_info(0)['instances'][1]
    assert decode(instance['mask'], 8, 10)[3:5, 5:7].all()
