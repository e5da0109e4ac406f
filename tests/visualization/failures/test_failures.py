"""Who is matched with whom, and what counts as a failure: on masks of a 10×10 image."""

from typing import List

import pytest
from boxes_as_masks import BOTH, HALF, LEFT, NOWHERE, RIGHT, THIRD, predicted_of, truth_of

from mmamodal.evaluation.detection.amodal_overlaps import Predicted, Truth
from mmamodal.visualization.failures.failures import (Failure, failures_of_image, merged, missed,
                                                      ranked)
from mmamodal.visualization.failures.judged import judge

CLASSES = ('cup', 'hat')


def failures(truth: Truth, predicted: Predicted, kind: str, min_rate: float = 0.05,
             score_thr: float = 0.5) -> List[Failure]:
    judged = judge(truth, predicted, score_thr)
    return [item for item in failures_of_image(7, judged, CLASSES, min_rate) if item.kind == kind]


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
