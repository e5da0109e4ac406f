"""Who is matched with whom, and what counts as a failure: on masks of a 10×10 image."""

from typing import List, Optional, Sequence, Tuple

import numpy as np
import pytest

from mmamodal.evaluation.detection.amodal_overlaps import Predicted, Truth
from mmamodal.structures.segmentation import encode
from mmamodal.visualization.failures.failures import (Failure, failures_of_image, merged, missed,
                                                      ranked)
from mmamodal.visualization.failures.judged import Judged, confusion, judge, predicted_rates

CLASSES = ('cup', 'hat')
Box = Tuple[int, int, int, int]
LEFT, RIGHT, BOTH = (0, 0, 4, 4), (6, 0, 10, 4), (0, 0, 10, 4)  # xyxy
HALF, THIRD = (0, 0, 4, 2), (0, 0, 4, 3)  # of LEFT: its upper half, and three quarters
NOWHERE = (0, 0, 0, 0)


def mask(box: Box) -> dict:
    x1, y1, x2, y2 = box
    out = np.zeros((10, 10), np.uint8)
    out[y1:y2, x1:x2] = 1
    return encode(out)


def truth_of(*amodal: Box, visible: Optional[Sequence[Box]] = None, labels: Sequence[int] = (),
             crowd: Sequence[int] = ()) -> Truth:
    whole = [mask(box) for box in amodal]
    return Truth(np.array(labels or [0] * len(whole), np.int64), whole,
                 whole if visible is None else [mask(box) for box in visible],
                 np.array([place in crowd for place in range(len(whole))], bool),
                 np.full(len(whole), -1))


def predicted_of(*amodal: Box, visible: Optional[Sequence[Box]] = None,
                 invisible: Optional[Sequence[Box]] = None, labels: Sequence[int] = (),
                 scores: Sequence[float] = ()) -> Predicted:
    count = len(amodal)
    return Predicted(np.array(labels or [0] * count, np.int64),
                     np.array(scores or [0.9] * count, np.float64), [mask(box) for box in amodal],
                     *(boxes if boxes is None else [mask(box) for box in boxes]
                       for boxes in (visible, invisible)))


def failures(truth: Truth, predicted: Predicted, kind: str, min_rate: float = 0.05,
             score_thr: float = 0.5) -> List[Failure]:
    judged = judge(truth, predicted, score_thr)
    return [item for item in failures_of_image(7, judged, CLASSES, min_rate) if item.kind == kind]


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


def test_missed_objects_and_how_much_of_them_is_seen():
    truth = truth_of(LEFT, RIGHT, visible=[HALF, RIGHT])
    found = failures(truth, predicted_of(), 'missed')
    assert [(item.objects, item.severity, item.detection, item.words) for item in found] == [
        ((0, ), 0.08, None, 'cup: no detection'), ((1, ), 0.16, None, 'cup: no detection')]
    assert {item.image for item in found} == {7}


@pytest.mark.parametrize('predicted, words', [
    (predicted_of(LEFT, labels=[1]), 'cup: nearest is hat 0.90, IoU 1.00'),
    (predicted_of((0, 0, 4, 1), (0, 0, 4, 1), labels=[1, 0]), 'cup: nearest is hat 0.90, IoU 0.25'),
    (predicted_of((0, 0, 1, 1)), 'cup: no detection'),  # too far to be meant for it
    (predicted_of(LEFT, scores=[0.4]), 'cup: no detection'),
])
def test_the_nearest_detection_is_told(predicted, words):
    assert [item.words for item in failures(truth_of(LEFT), predicted, 'missed')] == [words]


def test_a_detection_of_another_object_is_not_the_nearest():
    judged = judge(truth_of(LEFT, THIRD), predicted_of(LEFT), 0.5)
    item, = missed(0, judged, CLASSES)
    assert item.objects == (1, ) and item.detection is None


def test_what_is_ignored_cannot_be_missed():
    truth = truth_of(LEFT, NOWHERE, crowd=[0])
    assert failures(truth, predicted_of(), 'missed') == []


def test_false_occlusions():
    truth = truth_of(LEFT, RIGHT, visible=[LEFT, (6, 0, 10, 2)])
    predicted = predicted_of(LEFT, RIGHT, visible=[HALF, (6, 0, 10, 1)])
    item, = failures(truth, predicted, 'false_occlusion')
    assert (item.objects, item.detection, item.severity) == ((0, ), 0, 0.5)
    assert item.words == 'cup 0.90: 50 % hidden, in truth 0 %'


@pytest.mark.parametrize('visible, min_rate, count', [
    (HALF, 0.5, 0), (HALF, 0.49, 1), (LEFT, 0.0, 0), (THIRD, 0.24, 1), (THIRD, 0.25, 0)])
def test_small_rates_are_no_occlusion(visible, min_rate, count):
    predicted = predicted_of(LEFT, visible=[visible])
    assert len(failures(truth_of(LEFT), predicted, 'false_occlusion', min_rate)) == count


@pytest.mark.parametrize('truth, predicted', [
    (truth_of(LEFT), predicted_of(LEFT)),  # nothing is said of occlusion
    (truth_of(LEFT), predicted_of(RIGHT, visible=[NOWHERE])),  # matches nothing
    (truth_of(LEFT, crowd=[0]), predicted_of(LEFT, visible=[NOWHERE])),
    (truth_of(), predicted_of(LEFT, visible=[NOWHERE])),
    (truth_of(LEFT), predicted_of()),
])
def test_no_false_occlusions(truth, predicted):
    assert failures(truth, predicted, 'false_occlusion') == []


def test_a_detection_of_two_objects_is_merged():
    truth = truth_of(LEFT, (6, 0, 10, 3), labels=[0, 1])
    item, = failures(truth, predicted_of(BOTH), 'merged')
    assert (item.objects, item.detection) == ((0, 1), 0)
    assert item.severity == pytest.approx(12 / 40)
    assert item.words == 'cup 0.90 covers cup and hat'


def test_three_objects_are_named():
    truth = truth_of((0, 0, 4, 4), (4, 0, 7, 4), (7, 0, 10, 4), labels=[0, 1, 1])
    item, = failures(truth, predicted_of(BOTH), 'merged')
    assert item.words == 'cup 0.90 covers cup, hat and hat' and item.objects == (0, 1, 2)


@pytest.mark.parametrize('truth, predicted', [
    (truth_of(LEFT, RIGHT), predicted_of(LEFT, RIGHT)),
    (truth_of(LEFT, RIGHT), predicted_of((0, 0, 8, 4))),  # half of it is not more than half
    (truth_of(LEFT, RIGHT), predicted_of(BOTH, visible=[LEFT])),  # it sees but one
    (truth_of(LEFT, RIGHT, crowd=[1]), predicted_of(BOTH)),
    (truth_of(BOTH, HALF, visible=[RIGHT, HALF]), predicted_of(BOTH)),  # the other is in front
    (truth_of(LEFT, RIGHT, visible=[LEFT, NOWHERE]), predicted_of(BOTH)),  # and cannot be seen
    (truth_of(LEFT), predicted_of((6, 6, 9, 9))),
    (truth_of(), predicted_of(LEFT)),
])
def test_nothing_is_merged(truth, predicted):
    assert merged(0, judge(truth, predicted, 0.5), CLASSES) == []


def test_the_severest_come_first_and_ties_by_place():
    items = [Failure('missed', severity, '', image, (place, ))
             for severity, image, place in ((0.1, 0, 0), (0.5, 3, 1), (0.5, 1, 2), (0.5, 1, 0))]
    chosen = ranked(items, 3)
    assert [(item.image, item.objects) for item in chosen['missed']] == [(1, (0, )), (1, (2, )),
                                                                        (3, (1, ))]
    assert chosen['false_occlusion'] == [] and list(chosen) == ['missed', 'false_occlusion',
                                                                'merged']


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
