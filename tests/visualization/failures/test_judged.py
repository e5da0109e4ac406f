"""Who is matched with whom: on masks of a 10×10 image."""

import pytest
from boxes_as_masks import BOTH, HALF, LEFT, NOWHERE, RIGHT, THIRD, mask, predicted_of, truth_of

from mmamodal.visualization.failures.judged import Judged, confusion, judge, predicted_rates


@pytest.mark.parametrize('truth, predicted, expected', [
    (truth_of(LEFT, RIGHT), predicted_of(RIGHT, LEFT), [1, 0]),
    (truth_of(LEFT), predicted_of(LEFT, LEFT), [0, -1]),  # one for each object
    (truth_of(LEFT), predicted_of(HALF, LEFT, scores=(0.9, 0.8)), [0, -1]),  # by score, not by IoU
    (truth_of(LEFT), predicted_of((0, 0, 4, 1)), [-1]),
    (truth_of(LEFT), predicted_of(HALF), [0]),  # at exactly 0.5
    (truth_of(LEFT), predicted_of(LEFT, labels=[1]), [-1]),
    (truth_of(LEFT, LEFT, labels=[1, 0]), predicted_of(LEFT, LEFT, labels=[0, 1]), [1, 0]),
    (truth_of(LEFT, crowd=[0]), predicted_of(LEFT, HALF), [0, 0]),  # a crowd takes several
    (truth_of(BOTH, LEFT, crowd=[0]), predicted_of(LEFT), [1]),  # an object comes first
    (truth_of(), predicted_of(LEFT), [-1]),
    (truth_of(LEFT), predicted_of(), []),
])
def test_matches_are_those_of_coco(truth, predicted, expected):
    judged = judge(truth, predicted, 0.5)
    assert judged.matches.tolist() == expected
    assert judged.is_found.tolist() == [place in expected for place in range(len(truth.labels))]


def test_detections_are_taken_by_score():
    predicted = predicted_of(LEFT, RIGHT, HALF, scores=(0.4, 0.6, 0.8), invisible=[HALF] * 3)
    judged = judge(truth_of(LEFT), predicted, 0.5)
    assert judged.predicted.scores.tolist() == [0.8, 0.6]
    assert judged.predicted.amodal == [mask(HALF), mask(RIGHT)]
    assert judged.predicted.visible is None and judged.matches.tolist() == [0, -1]
    assert judge(truth_of(LEFT), predicted, 0.6).predicted.scores.tolist() == [0.8, 0.6]
    many = predicted_of(*[LEFT] * 150)
    assert len(judge(truth_of(LEFT), many, 0.5).matches) == 150


@pytest.mark.parametrize('predicted, expected', [
    (predicted_of(LEFT), None),
    (predicted_of(LEFT, visible=[HALF]), [0.5]),
    (predicted_of(LEFT, visible=[BOTH]), [0.0]),
    (predicted_of(LEFT, invisible=[HALF]), [0.5]),
    (predicted_of(LEFT, visible=[LEFT], invisible=[THIRD]), [0.75]),  # what is said directly
    (predicted_of(LEFT, invisible=[BOTH]), [1.0]),
    (predicted_of(NOWHERE, invisible=[LEFT]), [0.0]),
])
def test_predicted_rates(predicted, expected):
    rates = predicted_rates(predicted)
    assert rates is None if expected is None else rates.tolist() == expected


def judged_pair() -> Judged:
    """LEFT is seen whole and predicted half hidden; RIGHT is hidden and predicted so."""
    truth = truth_of(LEFT, RIGHT, visible=[LEFT, (6, 0, 10, 2)])
    return judge(truth, predicted_of(LEFT, RIGHT, invisible=[HALF, (6, 2, 10, 4)]), 0.5)


def test_confusion_counts_matched_objects():
    none = judge(truth_of(LEFT), predicted_of(LEFT), 0.5)
    unmatched = judge(truth_of(LEFT, crowd=[0]), predicted_of(LEFT, RIGHT, visible=[HALF] * 2), 0.5)
    empty = judge(truth_of(), predicted_of(RIGHT, visible=[HALF]), 0.5)
    assert confusion([judged_pair(), none, unmatched, empty], 0.05).tolist() == [[0, 1], [0, 1]]
    assert confusion([judged_pair()] * 2, 0.5).tolist() == [[4, 0], [0, 0]]
    assert confusion([], 0.05).tolist() == [[0, 0], [0, 0]]
