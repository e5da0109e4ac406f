"""Two masks as the fields of an annotation."""

import numpy as np
import pytest

from mmamodal.structures.annotation import annotation_of_masks
from mmamodal.structures.segmentation import decode

AMODAL = np.array([[0, 0, 0, 0, 0],
                   [0, 1, 1, 1, 1],
                   [0, 1, 1, 1, 1]], np.uint8)
VISIBLE = np.array([[0, 0, 0, 0, 0],
                    [0, 1, 1, 1, 0],
                    [0, 1, 1, 1, 0]], np.uint8)


def test_fields_follow_from_the_masks():
    ann = annotation_of_masks(AMODAL, VISIBLE)
    assert (ann['bbox'], ann['area'], ann['iscrowd']) == ([1, 1, 4, 2], 8, 0)
    assert ann['occlude_rate'] == 0.25
    assert (decode(ann['segmentation'], 3, 5) == AMODAL).all()
    assert (decode(ann['visible_mask'], 3, 5) == VISIBLE).all()


def test_wholly_hidden_and_wholly_visible():
    assert annotation_of_masks(AMODAL, 0 * AMODAL)['occlude_rate'] == 1
    assert annotation_of_masks(AMODAL > 0, AMODAL > 0)['occlude_rate'] == 0


def test_refuses_what_is_no_object():
    with pytest.raises(ValueError, match='empty: expected one pixel'):
        annotation_of_masks(0 * AMODAL, 0 * AMODAL)
    with pytest.raises(ValueError, match='2 of 8 visible pixels are outside'):
        annotation_of_masks(VISIBLE, AMODAL)
