"""Gaps between masks, closed in the middle."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmamodal.structures.gaps import close_gaps
from mmamodal.structures.occlusion import tight_boxes, touching_pairs


def closed(masks: np.ndarray, reach: object) -> np.ndarray:
    return close_gaps(masks, tight_boxes(masks), np.broadcast_to(reach, len(masks)).astype(float))


def row_of(text: str) -> np.ndarray:
    """(N, 3, W) masks, three equal rows; digits are objects."""
    count = max(int(letter) for letter in text if letter != '.')
    row = np.array([[letter == str(i + 1) for letter in text] for i in range(count)])
    return np.repeat(row[:, None], 3, axis=1).astype(np.uint8)


@pytest.mark.parametrize('text, reach, expected', [
    ('11....22', 4, '11112222'),
    ('11....22', 3.9, '11....22'),
    ('11....22', (0, 4), '11112222'),
    ('11...22', 4, '1111222'),  # the middle is the first one's
    ('.11..22.', 4, '.111222.'),  # what is not between two masks stays
    ('11..22..33', 2, '1112222333'),
    ('1122', 4, '1122'),
    ('11', 4, '11'),
])
def test_a_gap_is_shared_by_the_masks_beside_it(text, reach, expected):
    np.testing.assert_array_equal(closed(row_of(text), reach), row_of(expected))


def test_a_third_mask_in_the_gap_takes_its_part():
    """Each pixel belongs to the nearest mask, whichever pair it lies between."""
    np.testing.assert_array_equal(closed(row_of('1..3..2'), 9), row_of('1133322'))


def opening(widths: list) -> np.ndarray:
    """Object left, object right, rows with gaps of so many pixels between them."""
    masks = np.zeros((2, len(widths), 40), np.uint8)
    masks[0, :, :10] = 1
    for row, width in enumerate(widths):
        masks[1, row, 10 + width:] = 1
    return masks


def test_a_gap_closes_as_far_as_it_is_narrow_for_its_pair():
    """Where masks touch, the wedge beside is closed up to an eighth of the reach; an even gap is
    closed in full."""
    wedge = opening([0] * 20 + list(range(1, 17)))
    added = (closed(wedge, 16) - wedge).any(0).sum(1)
    assert not added[:20].any() and added[21] == 2 and not added[24:].any()
    even = opening([8] * 36)
    assert ((closed(even, 16) - even).any(0).sum(1) == 8).all()


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 10**6))
def test_closing_only_adds_and_only_where_nothing_is(seed):
    rng = np.random.default_rng(seed)
    masks = (rng.random((rng.integers(0, 5), 12, 12)) < 0.05).astype(np.uint8)
    after = closed(masks, rng.choice([0, 1, 3, 8], len(masks)))
    assert after.dtype == np.uint8 and (after >= masks).all()
    added = after - masks
    assert not (added & masks.any(axis=0)).any() and added.sum(axis=0).max(initial=0) <= 1
    before = {tuple(pair) for pair in touching_pairs(masks)}
    assert before <= {tuple(pair) for pair in touching_pairs(after)}


def test_nothing_is_closed_without_reach():
    masks = row_of('11..22')
    np.testing.assert_array_equal(closed(masks, 0), masks)
