"""Result lists, written and checked."""

import numpy as np
import pytest

from mmamodal.evaluation.detection.amodal_overlaps import Predicted
from mmamodal.evaluation.predictions.result_lists import by_image, check_entries, result_entries
from mmamodal.structures.segmentation import decode, encode

RLE = dict(size=[1, 4], counts=[1, 3])


@pytest.mark.parametrize('entries, message', [
    (dict(annotations=[]), 'x.json holds a dict: expected a COCO result list'),
    ([7], 'entry 0 of x.json: expected a dict, got 7'),
    ([dict(image_id='a')], "expected a whole number as 'image_id', got 'a'"),
    ([dict(image_id=True)], "whole number as 'image_id', got True"),
    ([dict(image_id=1)], "whole number as 'category_id', got None"),
    ([dict(image_id=1, category_id=1, score=float('nan'))], "finite number as 'score', got nan"),
    ([dict(image_id=1, category_id=1, score=1)], "as 'segmentation' an RLE, .*got None"),
    ([dict(image_id=1, category_id=1, score=1, segmentation=[[0, 0, 4, 0, 4, 4]])],
     "as 'segmentation' an RLE"),
    ([dict(image_id=1, category_id=1, score=1, segmentation=dict(size=[1, '4'], counts='1'))],
     "as 'segmentation' an RLE"),
    ([dict(image_id=1, category_id=1, score=1, segmentation=RLE),
      dict(image_id=1, category_id=1, score=1, segmentation=dict(size=[1, 4], counts=[1, 2]))],
     "entry 1 of x.json: 'segmentation': the runs of an RLE fill 3 pixels"),
    ([dict(image_id=1, category_id=1, score=1, segmentation=RLE),
      dict(image_id=1, category_id=1, score=1, segmentation=dict(size=[1, 4], counts='11'))],
     "entry 1 of x.json: 'segmentation': the runs of an RLE fill 2 pixels")])
def test_result_lists_that_are_none(entries, message):
    with pytest.raises(ValueError, match=message):
        check_entries(entries, 'x.json')


def test_counts_in_a_list_are_compressed():
    entry, = check_entries([dict(image_id=1, category_id=1, score=1, segmentation=RLE)], 'x.json')
    assert isinstance(entry['segmentation']['counts'], str)
    assert decode(entry['segmentation'], 1, 4).tolist() == [[0, 1, 1, 1]]


def test_entries_of_an_image():
    masks = [encode(np.eye(2, dtype=np.uint8)), encode(np.ones((2, 2), np.uint8))]
    predicted = Predicted(np.array([1, 0]), np.array([0.5, 0.25]), masks, None, masks[::-1])
    boxes = np.array([[0, 0, 2, 2], [0.126, 1, 2, 1.999]])
    entries = result_entries(predicted, boxes, 7, [10, 20])
    assert entries == [
        dict(image_id=7, category_id=20, score=0.5, bbox=[0, 0, 2, 2], segmentation=masks[0],
             invisible_mask=masks[1]),
        dict(image_id=7, category_id=10, score=0.25, bbox=[0.13, 1, 1.87, 1],
             segmentation=masks[1], invisible_mask=masks[0])]
    assert check_entries(entries, 'x.json') == entries
    assert by_image(entries) == {7: entries} and by_image([]) == {}
