"""What images bring to the evaluation of one class, by hand."""

import numpy as np
import pytest
from amodal_scenes import one_image

from mmamodal.evaluation.detection.class_shares import HiddenShare, Share, hidden_shares, shares

# Of class 0 an occluded object and its detection, of class 1 a detection without any object.
IMAGE = one_image(['AAaa....'], ['AAaa....', '....AAA.'], labels=([0], [0, 1]),
                  scores=[0.5, 0.75], invisible=['..aa....', '.......a'])[1]


def test_shares_by_class():
    (first, ), (second, ), empty = shares([IMAGE], 3)
    assert empty == []
    assert (first.scores, first.areas, first.true_areas) == (
        [0.5], dict(A=[4], V=[2]), dict(A=[4], V=[2]))
    assert first.objects == [(0.5, False, False, -1)]
    assert first.ious == dict(A=[[1.0]], V=[[1.0]], AV=[[1.0]])
    assert (second.scores, second.objects, second.ious['AV']) == ([0.75], [], [])


def test_shares_of_images_follow_each_other():
    missed = one_image(['AAA.....'], [])[1]
    found = shares([IMAGE, missed], 2)[0]
    assert [share.scores for share in found] == [[0.5], []]
    assert [len(share.objects) for share in found] == [1, 1]


SHARE = Share([0.9], dict(A=[7], V=[5]), [(0.0, False, False, 1), (0.5, True, False, 0),
                                          (0.5, False, True, -1)],
              dict(A=[10, 20, 30], V=[10, 10, 15]), {})


def test_detections_have_the_area_in_question():
    assert [found['area'] for found in SHARE.detections_of('V') + SHARE.detections_at(0.25)] == [
        5, 0.25]


@pytest.mark.parametrize('low, high, ignored', [(0, 1, [False, False, True]),
                                                (0.1, 1, [True, False, True]),
                                                (0, 0.1, [False, True, True])])
def test_objects_outside_a_range_of_rates_are_ignored(low, high, ignored):
    objects = SHARE.objects_by_size('V', low, high)
    assert [true['ignore'] for true in objects] == ignored
    assert [true['area'] for true in objects] == [10, 10, 15]
    assert [true['iscrowd'] for true in objects] == [False, True, False]


@pytest.mark.parametrize('kind, ignored', [
    ('', [False, False, True]), ('things', [True, False, True]), ('stuff', [False, True, True])])
def test_objects_of_another_kind_are_ignored(kind, ignored):
    """What the annotation does not tell is a thing."""
    assert [true['ignore'] for true in SHARE.objects_by_rate(kind)] == ignored
    assert [true['area'] for true in SHARE.objects_by_rate(kind)] == [0, 0.5, 0.5]


def test_hidden_shares_are_of_what_passed_the_gate():
    (share, ), second = hidden_shares([IMAGE], 2)
    assert second == [] and share.scores.tolist() == [0.5] and share.same.tolist() == [[True]]
    assert {way: ious.tolist() for way, ious in share.ious.items()} == dict(IV=[[1]],
                                                                           IV_diff=[[1]])


HIDDEN = HiddenShare(np.array([0.9, 0.5]), np.array([[False, True], [True, False]]),
                     dict(IV=np.array([[0.8, 0.4], [0.2, 0.0]])), dict(IV=np.array([False, True])))


@pytest.mark.parametrize('way, same, drop, scores, ious', [
    ('IV', False, False, [0.9, 0.5], [[0.8, 0.4], [0.2, 0.0]]),
    ('IV', True, False, [0.9, 0.5], [[0.0, 0.4], [0.2, 0.0]]),
    ('IV', False, True, [0.9], [[0.8, 0.4]]),
    ('IV_diff', False, False, [0.9, 0.5], [[0, 0], [0, 0]]),
    ('IV_diff', False, True, [], [])])
def test_problems_of_invisible_masks(way, same, drop, scores, ious):
    problem = HIDDEN.problem(way, same, drop)
    assert [found['score'] for found in problem.detections] == scores
    assert len(problem.objects) == 2 and problem.ious == ious
