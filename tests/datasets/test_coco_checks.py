"""The content of COCO files, checked, chosen and merged."""

import numpy as np
import pytest

from mmamodal.datasets.coco_checks import (check_segmentation, choose_categories, choose_images,
                                           group_annotations, mask_bbox_xywh, merge_coco)
from mmamodal.structures.segmentation import encode

VISIBLE = np.zeros((4, 6), np.uint8)
VISIBLE[1:3, 1:3] = 1
RLE = encode(VISIBLE)
SQUARE = [1., 1., 5., 1., 5., 3., 1., 3.]


@pytest.mark.parametrize('segmentation, bbox', [
    ([SQUARE], [1, 1, 4, 2]),
    ([SQUARE, [0, 0, 1, 0, 0, 1.5]], [0, 0, 5, 3]),
    (RLE, [1, 1, 2, 2]),
    (dict(size=[4, 6], counts=[5, 2, 2, 2, 13]), [1, 1, 2, 2]),
])
def test_mask_bbox_xywh(segmentation, bbox):
    assert mask_bbox_xywh(check_segmentation(segmentation, 'mask', 4, 6), 4, 6) == bbox


def test_group_annotations_keeps_the_order():
    anns = [dict(id=i, image_id=image_id) for i, image_id in ((5, 2), (1, 1), (3, 2))]
    grouped = group_annotations([dict(id=1), dict(id=2), dict(id=9)], anns, 'x')
    assert {k: [a['id'] for a in v] for k, v in grouped.items()} == {1: [1], 2: [5, 3], 9: []}


def test_choose_categories():
    cup, box = dict(id=20, name='cup'), dict(id=10, name='box')
    assert choose_categories([cup, box], None, 'x') == [cup, box]
    assert choose_categories([cup, box], ['box'], 'x') == [box]


def coco(images: list, annotations: list) -> dict:
    return dict(
        images=[dict(id=i) for i in images],
        annotations=[dict(id=i, image_id=image) for i, image in annotations])


def test_merge_keeps_ids_that_are_free():
    merged = merge_coco(dict(a=coco([1, 2], [(1, 1), (2, 2)]), b=coco([3], [(7, 3)])))
    assert [i['id'] for i in merged['images']] == [1, 2, 3]
    assert [(a['id'], a['image_id']) for a in merged['annotations']] == [(1, 1), (2, 2), (7, 3)]


def test_merge_numbers_on_where_one_is_taken(log):
    merged = merge_coco(dict(a=coco([1, 5], [(4, 5)]), b=coco([5, 7], [(4, 7), (6, 5)])))
    assert log[0].startswith('b: 1 is added to the ids of its images')
    assert [i['id'] for i in merged['images']] == [1, 5, 6, 8]
    assert [(a['id'], a['image_id']) for a in merged['annotations']] == [(4, 5), (5, 8), (7, 6)]


def test_chosen_images_come_with_their_annotations():
    chosen = choose_images(coco([1, 2, 3], [(1, 1), (2, 3), (3, 3)]), [3, 2], 'x.json')
    assert chosen == coco([2, 3], [(2, 3), (3, 3)])


@pytest.mark.parametrize('ids', [[1, 4], []])
def test_ids_of_other_images(ids):
    with pytest.raises(ValueError, match='x.json has no image'):
        choose_images(coco([1], []), ids, 'x.json')
