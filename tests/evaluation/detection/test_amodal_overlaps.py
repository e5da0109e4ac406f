"""What an image brings to the amodal metrics."""

import numpy as np
from amodal_scenes import RULES, one_image, rle

from mmamodal.evaluation.detection.amodal_overlaps import Predicted, Truth, overlaps_of_image


def test_visible_masks_that_leave_their_amodal_ones_hide_nothing_outside():
    """Neither true nor predicted masks are invisible outside the amodal ones."""
    overlaps = overlaps_of_image(
        Truth(np.zeros(1, int), [rle('11110000', '1')], [rle('00111100', '1')],
              np.zeros(1, bool), np.full(1, -1)),
        Predicted(np.zeros(1, int), np.ones(1), [rle('11110000', '1')], [rle('00110011', '1')],
                  None), RULES)
    assert overlaps.rates.tolist() == [0.5]
    assert overlaps.hidden.ious['IV_diff'].tolist() == [[1]]


def test_areas_of_nothing_to_judge():
    _, overlaps = one_image(['AAAA'], ['AAAA', 'AA..'], invisible=['....', '....'])
    hidden = overlaps.hidden
    assert hidden.scores.shape == (0, ) and hidden.same.shape == (0, 0)
    assert {way: ious.shape for way, ious in hidden.ious.items()} == dict(IV=(0, 0),
                                                                         IV_diff=(0, 0))
