"""Touching, boundaries and orders: literal masks, pairwise dilation as oracle."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmamodal.structures import occlusion
from mmamodal.structures.occlusion import (growth_inside, hulls, occlusion_boundary,
                                           order_from_growth, order_from_masks, pair_accuracy,
                                           pairs_as_matrix, tight_boxes, touching_pairs)


def rectangle(x1: int, y1: int, x2: int, y2: int, size: int = 64) -> np.ndarray:
    mask = np.zeros((size, size), np.uint8)
    mask[y1:y2, x1:x2] = 1
    return mask


def masks_of(text: str, count: int) -> np.ndarray:
    """(count, H, W) masks from digits: 1 is a pixel of the first mask, and so on."""
    rows = np.array([list(row) for row in text.split()])
    return np.stack([rows == str(i + 1) for i in range(count)]).astype(np.uint8)


# Boxes


def test_tight_boxes_of_none_one_and_empty():
    assert tight_boxes(np.zeros((0, 5, 5), np.uint8)).shape == (0, 4)
    masks = np.stack([rectangle(1, 2, 4, 5, 8), rectangle(0, 0, 0, 0, 8), rectangle(0, 0, 8, 8, 8),
                      rectangle(7, 7, 8, 8, 8)])
    np.testing.assert_array_equal(tight_boxes(masks), [(1, 2, 4, 5), (0, 0, 0, 0), (0, 0, 8, 8),
                                                       (7, 7, 8, 8)])


# Boundary

OBJECT, OTHER = rectangle(8, 16, 40, 48), rectangle(28, 24, 60, 56)


def test_boundary_gold_case():
    case_1 = occlusion_boundary(OTHER, OBJECT & (1 - OTHER))
    case_2 = occlusion_boundary(OTHER & (1 - OBJECT), OBJECT)
    assert (OBJECT.sum(), OTHER.sum()) == (1024, 1024)
    assert (OBJECT & (1 - OTHER)).sum() == (OTHER & (1 - OBJECT)).sum() == 736
    assert case_1.dtype == np.uint8 and case_1.max() == 1
    assert case_1.sum() == 160 and case_2.sum() == 160


@pytest.mark.parametrize('gap', range(6))
@pytest.mark.parametrize('width', [1, 3, 5, 7])
def test_boundary_is_as_wide_as_dilation_less_the_gap(gap, width):
    left, right = rectangle(0, 0, 20, 64), rectangle(20 + gap, 0, 64, 64)
    band = occlusion_boundary(left, right, width)
    assert band.sum() == 64 * max(width - 1 - gap, 0)
    np.testing.assert_array_equal(band, occlusion_boundary(right, left, width))


def test_boundary_where_object_and_image_end():
    # Nothing comes in over the rim of the patch.
    band = occlusion_boundary(rectangle(0, 0, 2, 2, 8), rectangle(2, 0, 4, 2, 8))
    np.testing.assert_array_equal(band, rectangle(0, 0, 4, 4, 8))


def test_boundary_with_nothing_is_empty():
    nothing = np.zeros((64, 64), np.uint8)
    assert not occlusion_boundary(nothing, OBJECT).any()
    assert not occlusion_boundary(OBJECT, nothing).any()


@pytest.mark.parametrize('width', [0, 2, 4, -1])
def test_boundary_width_must_be_odd(width):
    with pytest.raises(ValueError, match=f'expected an odd boundary width, got {width}'):
        occlusion_boundary(OTHER, OBJECT, width)


# Touching pairs


def pairwise_oracle(masks: np.ndarray) -> list:
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    grown = [cv2.dilate(mask, cross) for mask in masks]
    return [(i, j) for i in range(len(masks)) for j in range(i + 1, len(masks))
            if (grown[i] & masks[j]).any()]


@pytest.mark.parametrize('masks, expected', [
    (np.zeros((0, 4, 4), np.uint8), []),
    (np.zeros((3, 4, 4), np.uint8), []),
    (np.ones((1, 4, 4), np.uint8), []),
    (np.ones((3, 4, 4), np.uint8), [(0, 1), (0, 2), (1, 2)]),
    (masks_of('11.. 11.. ..22 ..22', 2), []),  # corners do not touch
    (masks_of('11.. 1122 ..22', 2), [(0, 1)]),
    (masks_of('1.2. 1.2.', 2), []),
    (masks_of('12 .. 33 33', 3), [(0, 1)]),
    (masks_of('22 11 33 33', 3), [(0, 1), (0, 2)]),
    (masks_of('1..2 .... 3..4', 4), []),  # no neighbours over the rim
])
def test_touching_pairs_by_hand(masks, expected):
    pairs = touching_pairs(masks)
    assert pairs.dtype == np.int64
    np.testing.assert_array_equal(pairs, np.array(expected, np.int64).reshape(-1, 2))


def test_touching_pairs_of_nested_masks():
    masks = np.stack([rectangle(0, 0, 8, 8, 9), rectangle(2, 2, 6, 6, 9), rectangle(3, 3, 4, 4, 9),
                      rectangle(8, 8, 9, 9, 9), np.zeros((9, 9), np.uint8)])
    np.testing.assert_array_equal(touching_pairs(masks), [(0, 1), (0, 2), (1, 2)])


@pytest.mark.parametrize('kind', ['rectangles', 'noise', 'partition'])
def test_touching_pairs_are_those_of_pairwise_dilation(kind):
    rng = np.random.default_rng(0)
    for _ in range(60):
        count = rng.integers(1, 12)
        if kind == 'rectangles':  # overlapping, nested, empty
            corners = rng.integers(0, 20, (count, 2))
            masks = np.stack([rectangle(*corner, *(corner + rng.integers(0, 9, 2)), 24)
                              for corner in corners])
        elif kind == 'noise':
            masks = (rng.random((count, 9, 9)) < 0.04).astype(np.uint8)
        else:
            labels = cv2.resize(rng.integers(0, 15, (5, 5)).astype(np.uint8), (20, 20),
                                interpolation=cv2.INTER_NEAREST)
            masks = np.stack([labels == i for i in range(count)]).astype(np.uint8)
        assert [tuple(pair) for pair in touching_pairs(masks)] == pairwise_oracle(masks)


@st.composite
def random_masks(draw: st.DrawFn, most: int = 6, size: int = 7) -> np.ndarray:
    """(N, S, S) masks that overlap, some of them empty."""
    count = draw(st.integers(0, most))
    density = draw(st.sampled_from((0.02, 0.2, 0.7)))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    return (rng.random((count, size, size)) < density).astype(np.uint8)


@settings(deadline=None, max_examples=200)
@given(random_masks())
def test_touching_pairs_of_any_masks(masks):
    assert [tuple(pair) for pair in touching_pairs(masks)] == pairwise_oracle(masks)
    np.testing.assert_array_equal(touching_pairs(masks, tight_boxes(masks)),
                                  touching_pairs(masks))


@settings(deadline=None, max_examples=100)
@given(random_masks(4), st.integers(0, 10**6))
def test_near_pairs_are_those_no_farther_than_the_reach_of_either(masks, seed):
    """Against the distance between the centres of all pixels of both."""
    reach = np.random.default_rng(seed).choice([0, 1, 2.5, 4], len(masks))
    expected = []
    for i in range(len(masks)):
        for j in range(i + 1, len(masks)):
            a, b = (np.argwhere(masks[k]) for k in (i, j))
            away = np.sqrt(((a[:, None] - b[None])**2).sum(-1))
            if away.size and away.min() <= max(reach[i], reach[j]) + 1:
                expected.append((i, j))
    assert [tuple(pair) for pair in touching_pairs(masks, reach=reach)] == expected


def test_a_gap_is_bridged_by_the_reach_of_either():
    masks = masks_of('11..22', 2)
    for reach, near in (((0, 0), 0), ((1.9, 1.9), 0), ((2, 0), 1), ((0, 2), 1)):
        assert len(touching_pairs(masks, reach=np.array(reach, float))) == near


def test_pairs_as_matrix():
    np.testing.assert_array_equal(pairs_as_matrix(np.array([(0, 2), (1, 2)]), 3),
                                  [(0, 0, 1), (0, 0, 1), (1, 1, 0)])
    assert pairs_as_matrix(np.zeros((0, 2), np.int64), 0).shape == (0, 0)


# Orders


def test_who_grows_more_is_behind_and_a_tie_is_no_order():
    growth = np.array([(0, 5, 0, 3), (2, 0, 0, 0), (0, 0, 0, 1), (3, 0, 0, 0)])
    order = order_from_growth(growth)
    assert order.dtype == np.int8
    np.testing.assert_array_equal(order, [(0, -1, 0, 0), (1, 0, 0, 0), (0, 0, 0, -1),
                                          (0, 0, 1, 0)])
    np.testing.assert_array_equal(order, -order.T)
    np.testing.assert_array_equal(order_from_growth(growth / 7), order)
    assert order_from_growth(np.zeros((0, 0))).shape == (0, 0)


def front_and_behind() -> tuple:
    """Visible and amodal masks: 0 in front of 1, 2 touches 1 without hiding it, 3 is apart."""
    amodal = np.stack([rectangle(4, 0, 10, 4, 20), rectangle(0, 2, 8, 8, 20),
                       rectangle(0, 8, 4, 12, 20), rectangle(15, 15, 18, 18, 20)])
    visible = amodal.copy()
    visible[1] &= 1 - amodal[0]
    return visible, amodal


def test_true_order():
    visible, amodal = front_and_behind()
    order = order_from_masks(visible, amodal)
    assert order.dtype == np.int8
    expected = np.zeros((4, 4))
    expected[0, 1], expected[1, 0] = 1, -1
    np.testing.assert_array_equal(order, expected)
    np.testing.assert_array_equal(order_from_masks(visible[::-1], amodal[::-1]),
                                  expected[::-1, ::-1])


@settings(deadline=None, max_examples=100)
@given(random_masks(), st.integers(0, 10**6))
def test_true_order_of_any_masks(visible, seed):
    """Against PCNet's definition, in full images."""
    amodal = visible | (np.random.default_rng(seed).random(visible.shape) < 0.2).astype(np.uint8)
    expected = np.zeros((len(visible), len(visible)))
    for i, j in pairwise_oracle(visible):
        hides, hidden = (visible[i] & amodal[j]).sum(), (visible[j] & amodal[i]).sum()
        if hides or hidden:
            expected[i, j] = 1 if hides >= hidden else -1
            expected[j, i] = -expected[i, j]
    np.testing.assert_array_equal(order_from_masks(visible, amodal), expected)


@pytest.mark.parametrize('hides, hidden, expected', [(3, 1, 1), (1, 3, -1), (2, 2, 1)])
def test_true_order_of_two_that_hide_parts_of_each_other(hides, hidden, expected):
    visible = masks_of('1111122222', 2)
    amodal = visible.copy()
    amodal[1][:, :hides] = 1
    amodal[0][:, 5:5 + hidden] = 1
    np.testing.assert_array_equal(order_from_masks(visible, amodal),
                                  [(0, expected), (-expected, 0)])


def test_true_order_is_of_touching_pairs_only():
    # Amodal masks overlap, visible ones are apart, as behind a third object.
    visible = masks_of('1.2', 2)
    amodal = np.stack([masks_of('11.', 1)[0], masks_of('.11', 1)[0]])
    assert not order_from_masks(visible, amodal).any()


def test_growth_is_counted_inside_the_partner_only():
    visible = masks_of('1122.33', 3)
    completed = visible.copy()
    completed[0][:, 2:] = 1  # over all of 2, the gap and 3
    completed[1][:, 1:5] = 1  # one pixel of 1
    growth = growth_inside(completed, visible, np.array([(0, 1)]))
    assert growth.dtype == np.int64
    np.testing.assert_array_equal(growth, [(0, 2, 0), (1, 0, 0), (0, 0, 0)])


def test_growth_leaves_out_what_was_already_visible():
    visible = np.stack([rectangle(0, 0, 4, 4, 6), rectangle(2, 0, 6, 4, 6)])
    completed = np.stack([rectangle(0, 0, 5, 4, 6), rectangle(2, 0, 6, 4, 6)])
    np.testing.assert_array_equal(growth_inside(completed, visible, np.array([(0, 1)])),
                                  [(0, 4), (0, 0)])


def test_growth_without_pairs():
    none = np.zeros((0, 2), np.int64)
    assert growth_inside(np.zeros((0, 4, 4), np.uint8), np.zeros((0, 4, 4), np.uint8),
                         none).shape == (0, 0)
    assert not growth_inside(np.ones((2, 4, 4), np.uint8), np.ones((2, 4, 4), np.uint8), none).any()


def test_pair_accuracy_counts_pairs_with_a_true_order():
    truth = np.array([(0, 1, 0), (-1, 0, -1), (0, 1, 0)], np.int8)
    wrong_one = np.array([(0, 1, 1), (-1, 0, 1), (-1, -1, 0)], np.int8)
    assert pair_accuracy(truth, truth) == (2, 2)
    assert pair_accuracy(wrong_one, truth) == (1, 2)
    assert pair_accuracy(np.zeros((3, 3), np.int8), truth) == (0, 2)
    assert pair_accuracy(truth, np.zeros((3, 3), np.int8)) == (0, 0)
    assert pair_accuracy(np.zeros((0, 0)), np.zeros((0, 0))) == (0, 0)


# Hulls


def test_hulls():
    masks = np.stack([masks_of('1..1 .... 1..1', 1)[0], masks_of('1... 1... 111.', 1)[0],
                      np.zeros((3, 4), np.uint8), masks_of('.... .1.. ....', 1)[0]])
    filled = hulls(masks)
    assert filled.dtype == np.uint8 and filled.shape == masks.shape
    np.testing.assert_array_equal(filled[0], np.ones((3, 4)))
    np.testing.assert_array_equal(filled[1], masks_of('1... 11.. 111.', 1)[0])
    np.testing.assert_array_equal(filled[2:], masks[2:])
    assert not (masks & (1 - filled)).any()
    assert occlusion.hulls(np.zeros((0, 3, 4), np.uint8)).shape == (0, 3, 4)
