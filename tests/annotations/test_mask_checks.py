"""What an annotation says about itself, held against its masks."""

import json
from pathlib import Path
from typing import Callable

import numpy as np
import pytest
from faulty_annotations import (BARE, BEHIND, FRONT, SHOWN, changed, clean, drawn, flipped, kinds,
                                put, rectangle)

from mmamodal.annotations.checks import check_dataset
from mmamodal.structures.segmentation import encode


@pytest.mark.parametrize('change', [
    lambda c, f, b: put(b, visible_mask=flipped(SHOWN, (10, 2), (10, 3), (10, 4), (11, 4)),
                        invisible_mask=None),
    lambda c, f, b: put(b, invisible_mask=flipped(BEHIND & FRONT, (3, 2), (4, 2))),
    lambda c, f, b: put(b, bbox=[2.5, 1.2, 7.9, 7.3]),
    lambda c, f, b: put(b, area=50.5),
    lambda c, f, b: put(f, segmentation=[[-0.8, 1, 6, 1, 6, 6, -0.8, 6]], area=34,
                        bbox=[-0.8, 1, 6.8, 5]),
])
def test_a_polygon_is_uncertain_along_its_rim(change: Callable) -> None:
    assert kinds(changed(change, drawn)) == {}


@pytest.mark.parametrize('kind, change', [
    ('visible', lambda c, f, b: put(f, visible_mask=encode(FRONT | rectangle(7, 2, 10, 5)))),
    ('visible', lambda c, f, b: put(f, visible_mask=encode(rectangle(5, 4, 8, 5)),
                                    occlude_rate=None)),  # thin, but most of it
    ('invisible', lambda c, f, b: put(b, invisible_mask=encode(BEHIND & rectangle(3, 5, 12, 10)))),
    ('bbox', lambda c, f, b: put(b, bbox=[1.9, 2, 8, 6])),
    ('area', lambda c, f, b: put(b, area=56)),
    ('occlude_rate', lambda c, f, b: put(b, occlude_rate=0.7)),
    ('outside', lambda c, f, b: put(f, segmentation=[[-1.5, 1, 6, 1, 6, 6, -1.5, 6]], area=None,
                                    bbox=[-1.5, 1, 7.5, 5])),
])
def test_a_polygon_is_not_uncertain_beyond_it(kind: str, change: Callable) -> None:
    assert kinds(changed(change, drawn)) == {kind: 1}


def test_polygons_may_reach_into_a_margin() -> None:
    coco = changed(lambda c, f, b: put(f, segmentation=[[-3, 1, 6, 1, 6, 6, -3, 6]], area=None,
                                       bbox=[-3, 1, 9, 5]), drawn)
    assert [kinds(coco, margin=margin) for margin in (0, 1, 2)] == [{'outside': 1}] * 2 + [{}]


def test_a_polygon_of_two_parts_that_overlap_may_count_the_overlap_twice() -> None:
    parts = [[1, 1, 6, 1, 6, 6, 1, 6]] * 2
    assert kinds(changed(lambda c, f, b: put(f, segmentation=parts, area=50), drawn)) == {}
    assert kinds(changed(lambda c, f, b: put(f, segmentation=parts, area=80), drawn)) == {'area': 1}


def test_an_overlap_of_two_pixels_says_nothing_about_the_order() -> None:
    front, behind = rectangle(0, 0, 5, 9), rectangle(3, 0, 9, 9)
    coco = clean()
    for ann, mask in zip(coco['annotations'], (front, behind)):
        ann.update(segmentation=encode(mask), visible_mask=encode(mask), invisible_mask=None,
                   bbox=None, area=None, occlude_rate=0)
    assert kinds(coco) == {}
    coco['annotations'][0].update(segmentation=encode(front | rectangle(5, 4, 6, 7)),
                                  visible_mask=None)
    assert kinds(coco) == {'order': 1}


def test_the_order_of_many_is_checked_by_pairs() -> None:
    """Four stacked squares, ranks reversed: each of the six pairs contradicts."""
    coco = clean()
    masks = [rectangle(k, 0, k + 7, 7) for k in range(4)]
    coco['annotations'] = [
        dict(BARE, id=k + 1, order=-k, segmentation=encode(mask),
             visible_mask=encode(mask & (1 - np.clip(sum(masks[:k]), 0, 1)) if k else mask))
        for k, mask in enumerate(masks)]
    found = [violation for violation in check_dataset(coco) if violation.kind == 'order']
    # Of the second and on only strips of one pixel are seen: all contradict the first.
    assert [violation.id for violation in found] == [1, 1, 1]


def test_a_reversed_order_is_found_in_real_data(shared_data: Path) -> None:
    coco = json.loads((shared_data / 'composites/val/amodal.json').read_text())
    for ann in coco['annotations']:
        ann['order'] = -ann['order']
    hidden = [ann for ann in coco['annotations'] if ann['occlude_rate'] > 0.1]
    found = [violation for violation in check_dataset(coco) if violation.kind == 'order']
    # Whoever hides something now shows where it should be covered.
    assert len(found) >= len(hidden) and set(kinds(coco)) == {'order'}
