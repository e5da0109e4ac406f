"""Bootstrap intervals: no chance without a choice, the ends by hand of a few images, refusals."""

import amodal_scenes
import numpy as np
import pytest

from mmamodal.evaluation.detection.amodal_coco_eval import evaluate
from mmamodal.evaluation.detection.amodal_figures import MAIN, figures
from mmamodal.evaluation.detection.amodal_intervals import intervals
from mmamodal.evaluation.detection.amodal_overlaps import (Overlaps, Predicted, Truth,
                                                           overlaps_of_image)
from mmamodal.evaluation.detection.amodal_rules import AmodalRules
from mmamodal.structures.segmentation import encode

RULES = AmodalRules()


def image(found: bool) -> Overlaps:
    """One object, half of it hidden, which is found as it is, or not at all."""
    amodal, visible = np.zeros((2, 8, 8), np.uint8)
    amodal[2:6, 2:6] = visible[2:6, 2:4] = 1
    masks = [encode(mask) for mask in (amodal, visible, amodal - visible)]
    truth = Truth(np.zeros(1, np.int64), [masks[0]], [masks[1]], np.zeros(1, bool),
                  np.zeros(1, np.int64))
    predicted = Predicted(np.zeros(int(found), np.int64), np.ones(int(found)),
                          *([mask] * found for mask in masks))
    return overlaps_of_image(truth, predicted, RULES)


@pytest.mark.parametrize('found, value', [(True, 100.0), (False, 0.0)])
def test_images_that_are_all_alike_have_no_spread(found: bool, value: float):
    for ends in intervals([image(found)] * 3, 1, RULES, 4).values():
        assert ends == pytest.approx((value, value))


def test_draws_reach_from_no_image_found_to_all():
    # Of two images a draw takes one twice in half of the cases: none found, or all.
    ends = intervals([image(True), image(False)], 1, RULES, 100)
    assert set(ends) == set(MAIN)
    assert all(low == pytest.approx(0) and high == pytest.approx(100)
               for low, high in ends.values())


def test_an_interval_holds_the_figure_and_depends_on_the_seed_alone():
    scenes = amodal_scenes.random_scenes(5, 30)
    images = [overlaps_of_image(amodal_scenes.truth_of(scene), amodal_scenes.predicted_of(scene),
                                RULES) for scene in scenes]
    named = figures(evaluate(list(enumerate(images)), 2, RULES))
    ends = intervals(images, 2, RULES, 60)
    assert all(low <= named[name] <= high for name, (low, high) in ends.items())
    assert any(low < high for low, high in ends.values())
    assert ends == intervals(images, 2, RULES, 60)
    assert ends != intervals(images, 2, RULES, 60, seed=1)


@pytest.mark.parametrize('images, draws', [(0, 10), (2, 1), (2, -5)])
def test_what_gives_no_interval_is_refused(images: int, draws: int):
    with pytest.raises(ValueError, match='2 draws or more'):
        intervals([image(True)] * images, 1, RULES, draws)
