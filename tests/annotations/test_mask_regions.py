"""Masks that may be broken in any way."""

import numpy as np
import pytest
from faulty_annotations import BEHIND, EMPTY, FRONT, SHOWN, H, W, rectangle

from mmamodal.annotations.mask_regions import (enclosed_area, finite, is_thick, read_region,
                                               read_regions, rim, visible_region, whole)
from mmamodal.structures.segmentation import encode


@pytest.mark.parametrize('mask, thick', [
    (np.ones((2, 9)), False), (np.ones((3, 3)), True), (np.ones((9, 2)), False),
    (np.eye(9), False), (np.zeros((4, 4)), False), (np.zeros((0, 0)), False)])
def test_is_thick(mask: np.ndarray, thick: bool) -> None:
    assert is_thick(mask.astype(np.uint8)) == thick


@pytest.mark.parametrize('segmentation', [
    [[10**6 - 1, 0, -10**6 + 1, 0] * 2 + [0, 5]], [['1'] * 6], [10**400] * 6, [[True] * 6],
    [float('nan')] * 6, dict(size=[H, W], counts=[True, -1]), dict(size=None), {'counts': '0'}, ''])
def test_read_region_refuses(segmentation: object) -> None:
    with pytest.raises(ValueError):
        read_region(segmentation, H, W)


def test_a_region_on_other_boxes():
    region = read_region(encode(rectangle(1, 2, 4, 5)), H, W)
    assert region.box == (1, 2, 4, 5) and region.mask.all() and not region.outlines
    np.testing.assert_array_equal(region.on_box((0, 0, W, H)), rectangle(1, 2, 4, 5))
    assert region.on_box((3, 4, 6, 6)).tolist() == [[1, 0, 0], [0, 0, 0]]
    assert region.on_box((5, 5, 7, 6)).tolist() == [[0, 0]]
    assert region.on_box((-2, 1, 2, 3)).tolist() == [[0] * 4, [0, 0, 0, 1]]


@pytest.mark.parametrize('ann, expected', [
    (dict(visible_mask=encode(FRONT)), FRONT),
    (dict(invisible_mask=encode(FRONT)), SHOWN),
    (dict(visible_mask='broken', invisible_mask=encode(FRONT)), SHOWN),
    ({}, BEHIND), (dict(visible_mask='broken'), None), (dict(
        visible_mask='broken', invisible_mask=EMPTY), None)])
def test_what_is_visible(ann, expected):
    ann = dict(ann, segmentation=encode(BEHIND))
    regions, _ = read_regions(ann, H, W)
    seen = visible_region(regions, ann)
    assert seen is expected is None or (seen.on_box((0, 0, W, H)) == expected).all()


def test_what_cannot_be_read_is_told():
    regions, findings = read_regions(dict(visible_mask=None, invisible_mask=5), H, W)
    assert regions == {} and [kind for kind, _ in findings] == ['broken_mask'] * 2
    assert [words.split()[0] for _, words in findings] == ['segmentation', 'invisible_mask']


def test_outlines_by_hand():
    square = [[0, 0, 4, 0, 4, 3, 0, 3], [5, 5, 8, 5, 8, 9]]
    region = read_region(square, H, W)
    assert [enclosed_area(outline) for outline in region.outlines] == [12, 6]
    assert rim(region) == (14 + 3 + 4 + 5) / 2
    assert rim(read_region(encode(FRONT), H, W)) == 0


@pytest.mark.parametrize('value, is_whole, is_finite', [
    (3, True, True), (True, False, False), (3.0, False, True), (2**63, False, True),
    (10**400, False, False), (float('nan'), False, False), ('3', False, False),
    (None, False, False)])
def test_numbers(value, is_whole, is_finite):
    assert (whole(value), finite(value)) == (is_whole, is_finite)
