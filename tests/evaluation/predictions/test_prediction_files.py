"""Objects and detections from files: what stands in for what, and what is refused."""

import math
from typing import Dict, List, Optional

import numpy as np
import pytest

from mmamodal.evaluation.detection.amodal_overlaps import Predicted
from mmamodal.evaluation.predictions.prediction_files import (About, predictions_of_entries,
                                                              truth_of_instances)
from mmamodal.structures.segmentation import decode, encode

SIZE = (4, 6)
ABOUT = About(sizes={3: SIZE, 8: (5, 5)}, labels={7: 0, 2: 1})


def mask(rows: int, size: tuple = SIZE) -> dict:
    """The upper rows."""
    pixels = np.zeros(size, np.uint8)
    pixels[:rows] = 1
    return encode(pixels)


def entry(**changes: object) -> dict:
    """A good entry; None takes a key out."""
    changed = dict(dict(image_id=3, category_id=7, score=0.5, segmentation=mask(3)), **changes)
    return {key: value for key, value in changed.items() if value is not None}


def read(*entries: dict) -> Dict[int, Predicted]:
    return predictions_of_entries(list(entries), ABOUT, 'p.json')


def rows_of(masks: Optional[List[dict]]) -> Optional[List[int]]:
    """How many rows each mask has."""
    return None if masks is None else [
        int(decode(rle, *rle['size'])[:, 0].sum()) for rle in masks]


def test_images_and_labels():
    found = read(entry(category_id=2, score=1), entry(image_id=8, segmentation=mask(1, (5, 5))),
                 entry(score=0.25))
    assert sorted(found) == [3, 8]
    assert found[3].labels.tolist() == [1, 0] and found[3].scores.tolist() == [1, 0.25]
    assert found[8].labels.tolist() == [0] and rows_of(found[8].amodal) == [1]
    assert read() == {}


@pytest.mark.parametrize('entries, amodal, visible, invisible', [
    ([dict()], [3], None, None),
    ([dict(visible_mask=mask(2))], [3], [2], None),
    ([dict(visible_mask=mask(2), invisible_mask=mask(1))], [3], [2], [1]),
    # An entry without a visible mask, among others with one, sees all; without an invisible one
    # it hides nothing.
    ([dict(visible_mask=mask(2)), dict()], [3, 3], [2, 3], None),
    ([dict(), dict(invisible_mask=mask(1))], [3, 3], None, [0, 1]),
    # A model of visible masks alone: they stand for both, and nothing visible is predicted apart.
    ([dict(segmentation=None, visible_mask=mask(2))], [2], None, None),
    ([dict(segmentation=None, visible_mask=mask(2)), dict()], [2, 3], [2, 3], None)])
def test_what_stands_in_for_what(entries: List[dict], amodal: list, visible: Optional[list],
                                 invisible: Optional[list]):
    found = read(*(entry(**changes) for changes in entries))[3]
    assert rows_of(found.amodal) == amodal
    assert rows_of(found.visible) == visible and rows_of(found.invisible) == invisible


@pytest.mark.parametrize('segmentation', [
    dict(size=[4, 6], counts=[0, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]),
    dict(size=[4, 6], counts=mask(3)['counts'].encode()), [[0, 0, 6, 0, 6, 3, 0, 3]],
    [0, 0, 6, 0, 6, 3, 0, 3]])
def test_masks_in_other_forms(segmentation: object):
    assert rows_of(read(entry(segmentation=segmentation))[3].amodal) == [3]


WRONG = [
    (dict(image_id=4), "expected as 'image_id' one of the 2 ids of the ground truth, got 4"),
    (dict(image_id=None), "expected as 'image_id' .* got None"),
    (dict(image_id='3'), "expected as 'image_id' .* got '3'"),
    (dict(image_id=[3]), r"expected as 'image_id' .* got \[3\]"),
    (dict(image_id=True), "expected as 'image_id' .* got True"),
    (dict(category_id=1), "expected as 'category_id' one of the 2 ids .* got 1"),
    (dict(score=None), "expected a finite number as 'score', got None"),
    (dict(score=math.nan), "expected a finite number as 'score', got nan"),
    (dict(score=math.inf), "expected a finite number as 'score', got inf"),
    (dict(score='high'), "expected a finite number as 'score', got 'high'"),
    (dict(score=True), "expected a finite number as 'score', got True"),
    (dict(segmentation=None), r"expected a mask as 'segmentation' or 'visible_mask', got only "
     r"\['category_id', 'image_id', 'score'\]"),
    (dict(segmentation=mask(1, (5, 5))), r"'segmentation': expected an RLE of size \[4, 6\]"),
    (dict(visible_mask=mask(1, (6, 4))), r"'visible_mask': expected an RLE of size \[4, 6\]"),
    (dict(invisible_mask=mask(1, (5, 6))), r"'invisible_mask': expected an RLE of size \[4, 6\]"),
    (dict(segmentation='mask'), "'segmentation': expected a polygon, a list of polygons or an RLE"),
    (dict(segmentation=dict(size=[4, 6], counts='1')), "'segmentation': the runs of an RLE fill 1"),
    (dict(visible_mask=dict(size=[4, 6], counts='oP')), "'visible_mask': the counts of an RLE"),
    (dict(segmentation=dict(size=[4, 6])), "'segmentation': expected an RLE .* no counts"),
]


@pytest.mark.parametrize('changes, message', WRONG)
def test_wrong_entries_are_named(changes: dict, message: str):
    with pytest.raises(ValueError, match=f'^entry 2 of p.json: {message}'):
        read(entry(), entry(visible_mask=mask(1)), entry(**changes), entry())


@pytest.mark.parametrize('content', [dict(annotations=[]), None, 'text', 5])
def test_what_is_no_list(content: object):
    with pytest.raises(ValueError, match='p.json holds a .*: expected a COCO result list'):
        predictions_of_entries(content, ABOUT, 'p.json')


def test_an_entry_that_is_no_dict():
    with pytest.raises(ValueError, match=r'^entry 1 of p.json: expected a dict, got \[1, 2\]'):
        predictions_of_entries([entry(), [1, 2]], ABOUT, 'p.json')


# Objects


def instance(**changes: object) -> dict:
    """A good instance of a record."""
    return dict(dict(bbox_label=1, ann_id=5, ignore_flag=0, mask=mask(3)), **changes)


def test_objects_of_a_record():
    truth = truth_of_instances(
        [instance(), instance(visible_mask=mask(1), ignore_flag=1, is_stuff=1),
         instance(mask=[[0, 0, 6, 0, 6, 2, 0, 2]], visible_mask=None, is_stuff=0, bbox_label=0)],
        *SIZE)
    assert truth.labels.tolist() == [1, 1, 0] and truth.crowd.tolist() == [False, True, False]
    assert truth.stuff.tolist() == [-1, 1, 0]
    assert rows_of(truth.amodal) == [3, 3, 2] and rows_of(truth.visible) == [3, 1, 2]
    assert truth.visible[0] is truth.amodal[0] and truth.visible[2] is truth.amodal[2]


def test_no_objects():
    truth = truth_of_instances([], *SIZE)
    assert truth.labels.shape == truth.crowd.shape == truth.stuff.shape == (0, )


@pytest.mark.parametrize('changes, message', [
    (dict(mask=dict(size=[4, 6], counts='1')), 'the runs of an RLE fill 1 pixels'),
    (dict(visible_mask=dict(size=[4, 6], counts='oP')), 'the counts of an RLE are no'),
    (dict(visible_mask=[[0, 0]]), 'at least three points'),
    (dict(mask=None), 'expected a polygon, a list of polygons or an RLE, got None'),
    (dict(mask=mask(1, (6, 4))), r'expected an RLE of size \[4, 6\]')])
def test_broken_objects_are_named(changes: dict, message: str):
    with pytest.raises(ValueError, match=f'^annotation 9: .*{message}'):
        truth_of_instances([instance(), instance(ann_id=9, **changes), instance()], *SIZE)
