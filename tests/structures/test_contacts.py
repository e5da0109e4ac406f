"""Contacts: two objects by hand, and crossing ones of scenes whose truth is how they were made."""

import cv2
import numpy as np
import pytest

from mmamodal.datasets.scenes.dataset import SceneDataset
from mmamodal.datasets.scenes.drawing import lifted_crossing, seen_masks
from mmamodal.structures.contacts import find_contacts, front_signs, with_mutual
from mmamodal.structures.occlusion import (growth_inside, order_from_growth, order_from_masks,
                                           touching_pairs)
from mmamodal.structures.order_graph import back_to_front, in_front


def woven() -> tuple:
    """Amodal and visible masks of a bar and a bracket that cross twice: the bar (0) is in front
    at the left, the bracket (1) at the right."""
    bar, bracket = np.zeros((2, 24, 40), np.uint8)
    bar[8:14] = 1
    bracket[2:20, 6:12] = bracket[2:20, 28:34] = bracket[2:6, 6:34] = 1
    crossing = bar & bracket
    seen = [bar.copy(), bracket.copy()]
    seen[1][:, :20] &= 1 - crossing[:, :20]
    seen[0][:, 20:] &= 1 - crossing[:, 20:]
    return np.stack([bar, bracket]), np.stack(seen)


def complete(visible: np.ndarray, amodal: np.ndarray, occluders: np.ndarray) -> np.ndarray:
    """A completer that knows the truth, but looks under an object's occluders (N, N) only."""
    under = [np.any(visible[row], axis=0) for row in occluders]
    return visible | (amodal & np.array(under, np.uint8))


@pytest.fixture(scope='module')
def scenes() -> list:
    """(scene, amodal) of 30 scenes with mutual occlusion."""
    dataset = SceneDataset(num_scenes=30, mutual=True, num_objects=(2, 4), split='test',
                           pipeline=[], lazy_init=True)
    return [dataset.compose(index) for index in range(30)]


# By hand


def test_each_side_has_its_own_owner():
    amodal, visible = woven()
    contacts = find_contacts(visible, amodal)
    assert {(contact.first, contact.second) for contact in contacts} == {(0, 1)}
    owners = [(contact.front, contact.points[:, 0].min(), contact.points[:, 0].max())
              for contact in contacts if contact.front >= 0]
    assert all(right < 20 for front, _, right in owners if front == 0)
    assert all(left >= 20 for front, left, _ in owners if front == 1)
    assert {front for front, _, _ in owners} == {0, 1}
    # At the left the bar's two long sides, at the right the bracket's.
    rows = np.concatenate([contact.points for contact in contacts if contact.front == 0])[:, 1]
    assert set(rows.tolist()) == {7, 8, 13, 14}
    columns = np.concatenate([contact.points for contact in contacts if contact.front == 1])[:, 0]
    assert set(columns.tolist()) == {27, 28, 33, 34}


def test_points_are_pixels_of_the_image():
    amodal, visible = (np.pad(masks, ((0, 0), (5, 2), (9, 1))) for masks in woven())
    here = find_contacts(visible, amodal)
    there = find_contacts(woven()[1], woven()[0])
    for one, other in zip(here, there, strict=True):
        np.testing.assert_array_equal(one.points, other.points + [9, 5])


def test_a_window_over_all_gives_the_order_of_growth():
    amodal, visible = woven()
    amodal[1, 13:15, 6:12] = 1
    signs = front_signs(visible, amodal, 101)
    order = order_from_growth(growth_inside(amodal, visible, np.array([(0, 1)])))
    assert (signs == order[0, 1]).all()


def test_where_nothing_grows_nobody_is_in_front():
    amodal, visible = woven()
    assert {contact.front for contact in find_contacts(visible, visible)} == {-1}
    assert find_contacts(visible[:1], amodal[:1]) == []
    assert find_contacts(visible[:0], amodal[:0]) == []


def test_pairs_apart_have_no_contact_unless_it_is_wide():
    amodal = np.zeros((2, 8, 16), np.uint8)
    amodal[0, :, :6] = amodal[1, :, 8:] = 1
    assert find_contacts(amodal, amodal) == []
    pairs = np.array([(1, 0)])
    assert find_contacts(amodal, amodal, pairs) == []
    grown = amodal.copy()
    grown[0, :, 6:10] = 1
    wide, = find_contacts(amodal, grown, pairs, width=5, window=5)
    assert (wide.first, wide.second, wide.front) == (0, 1, 1)
    amodal[0, :, 1:6] = 0
    assert find_contacts(amodal, amodal, pairs) == []


@pytest.mark.parametrize('options', [dict(window=4), dict(window=0), dict(width=2)])
def test_squares_without_a_middle_are_refused(options):
    amodal, visible = woven()
    with pytest.raises(ValueError, match='expected an odd'):
        find_contacts(visible, amodal, **options)


@pytest.mark.parametrize('least, expected', [(0.2, -1), (0.4, -1), (0.6, 1)])
def test_mutual_is_minus_one_both_ways(least, expected):
    amodal, visible = woven()
    order = with_mutual(np.array([(0, 1), (-1, 0)]), find_contacts(visible, amodal), least)
    assert order.dtype == np.int8
    np.testing.assert_array_equal(order, [(0, expected), (-1, 0)])


def test_mutual_leaves_all_else():
    order = np.array([(0, 1, 0), (-1, 0, 1), (0, -1, 0)], np.int8)
    np.testing.assert_array_equal(with_mutual(order, []), order)


# Against the scenes' truth


def fronts_by_making(scene: dict, amodal: np.ndarray) -> tuple:
    """Who is in front at the crossing nearest to each pixel (H, W), and how far that is."""
    lifted = lifted_crossing(scene, amodal)
    others = amodal[0] & amodal[1] & (1 - lifted)
    near, far = (cv2.distanceTransform(1 - piece, cv2.DIST_L2, 5) for piece in (lifted, others))
    return (near < far).astype(int), np.minimum(near, far)


def test_one_sign_for_a_pair_completes_one_of_them_and_neighbours_complete_both(scenes):
    for scene, amodal in scenes:
        visible = seen_masks(scene, amodal)
        pairs = touching_pairs(visible)
        graph = order_from_growth(growth_inside(amodal, visible, pairs))  # from the truth itself
        np.testing.assert_array_equal(graph, -graph.T)
        assert graph[0, 1] == order_from_masks(visible, amodal)[0, 1] == 1
        by_graph = complete(visible, amodal, in_front(graph, 'ancestors'))
        assert by_graph[0].sum() == visible[0].sum() < amodal[0].sum()
        touching = np.zeros(graph.shape, bool)
        touching[tuple(pairs.T)] = touching[tuple(pairs.T[::-1])] = True
        np.testing.assert_array_equal(complete(visible, amodal, touching)[:2], amodal[:2])


def test_contacts_tell_who_is_in_front_at_each_crossing(scenes):
    right = owned = 0
    for scene, amodal in scenes:
        visible = seen_masks(scene, amodal)
        truth, distance = fronts_by_making(scene, amodal)
        contacts = [contact for contact in find_contacts(visible, amodal)
                    if (contact.first, contact.second) == (0, 1)]
        assert {0, 1} <= {contact.front for contact in contacts}
        for contact in contacts:
            x, y = contact.points.T
            near = distance[y, x] <= 2  # elsewhere they touch, and nothing is hidden
            right += np.count_nonzero(truth[y, x][near] == contact.front)
            owned += np.count_nonzero(near)
    assert owned > 3000 and right / owned > 0.99


def test_contacts_make_a_graph_that_completes_both(scenes):
    found = 0
    for scene, amodal in scenes:
        visible = seen_masks(scene, amodal)
        order = with_mutual(order_from_masks(visible, amodal), find_contacts(visible, amodal),
                            least=0.1)
        if order[0, 1] == order[1, 0] == -1:
            found += 1
            assert [0, 1] in back_to_front(order)[1]
            by_graph = complete(visible, amodal, in_front(order, 'ancestors'))
            np.testing.assert_array_equal(by_graph[:2], amodal[:2])
    assert found >= 27
