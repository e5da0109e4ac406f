"""Gaps between masks, closed in the middle."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmamodal.datasets.completion.mask_jitter import moved_border
from mmamodal.structures.gaps import close_gaps, gap_along, lacking_rim, nearest_gaps
from mmamodal.structures.occlusion import tight_boxes, touching_pairs


def closed(masks: np.ndarray, reach: object, cautious: bool = False,
           with_rim: bool = False) -> np.ndarray:
    return close_gaps(masks, tight_boxes(masks), np.broadcast_to(reach, len(masks)).astype(float),
                      cautious, with_rim)


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


def test_a_gap_closes_as_far_as_gaps_are_wide_in_the_image():
    """Where masks touch, the wedge beside is closed up to a sixteenth of the reach; an even gap is
    closed in full."""
    wedge = opening([0] * 60 + list(range(1, 17)))
    added = (closed(wedge, 32) - wedge).any(0).sum(1)
    assert not added[:60].any() and (added[60], added[61]) == (1, 2) and not added[63:].any()
    even = opening([8] * 36)
    assert ((closed(even, 16) - even).any(0).sum(1) == 8).all()


def test_no_way_over_a_closed_gap_is_longer_than_the_reach():
    """Against distances to every pixel of either, by hand; OpenCV's are within 2 % of them."""
    ends = np.random.default_rng(0).integers((6, 13), (12, 19), (24, 2))
    left, right = (np.arange(24) < end[:, None] for end in ends.T)
    masks = np.stack([left, ~right]).astype(np.uint8)
    yx = np.stack(np.nonzero(np.ones_like(masks[0])), axis=1)
    away = np.stack([np.linalg.norm(yx[:, None] - np.argwhere(mask), axis=2).min(1)
                     for mask in masks]).reshape(masks.shape)
    added = (closed(masks, 6) - masks).astype(bool)
    assert added.any(axis=(1, 2)).all()
    for mine, own, other in zip(added, away, away[::-1]):
        assert ((own + other)[mine] <= 7 * 1.02).all()
        assert (own[mine] <= 1.04 * other[mine]).all()


@pytest.mark.parametrize('text, expected', [
    ('11...22..33.....44', '11112222333.....44'),  # nearest: 3, 2, 2, 5; 1.5 × 2 + 0.5 < 5
    ('1122....33....44....55', '1122....33....44....55'),  # two of five touch
    ('1122....33....44....55....66....77....88',  # two of eight
     '1122223333334444445555556666667777778888'),
])
def test_the_usual_gap_says_which_gaps_are_contacts(text, expected):
    np.testing.assert_array_equal(closed(row_of(text), 8), row_of(expected))


@pytest.mark.parametrize('first, second, most, expected', [
    ('.##....', '....##.', 3, [1, 1, 2, 2]),  # columns 2 and 4 are a gap of 1 apart, 1 and 5 of 2
    ('.##....', '....##.', 1, [1, 1]),
    ('.#.....', '.....#.', 1, [3, 3]),
    ('.##....', '..##...', 3, [0, 0, 0, 0]),
    ('##.....', '...####', 3, [1, 1]),  # where the image ends there is no border
])
def test_the_gap_along_two_borders(first, second, most, expected):
    masks = [np.array([[letter == '#' for letter in text]], np.uint8) for text in (first, second)]
    away = [np.abs(np.arange(7) - np.flatnonzero(mask)[:, None]).min(0)[None] for mask in masks]
    np.testing.assert_allclose(sorted(gap_along(masks, away, most)), expected)


def test_masks_that_touch_here_and_there_are_closed_where_they_do_not():
    """What is usual is 3 pixels, as most rows are apart, and not 0, as two of them."""
    ragged = opening(([0] + [3] * 29) * 2)
    added = (closed(ragged, 8) - ragged).any(0)
    assert added[:, 10:13].sum() == added.sum() == 3 * 58


@pytest.mark.parametrize('pairs, widths, expected', [
    ([(0, 1), (1, 2), (5, 6)], [3.0, 1.0, 4.0], [3, 1, 1, 4, 4]),
    ([(0, 1), (0, 2), (0, 3)], [0.0, 2.0, 6.0], [0, 0, 2, 6]),
])
def test_nearest_gaps(pairs, widths, expected):
    np.testing.assert_array_equal(nearest_gaps(np.array(pairs), np.array(widths)), expected)


@pytest.mark.parametrize('width', [1, 2, 4])
def test_masks_that_lost_a_rim_get_it_back(width):
    """Nine squares side by side, and a tenth by itself at the rim of the image: all but the
    corners, of whose w² pixels the disc that they are grown by covers π/4."""
    masks = np.zeros((10, 100, 80), np.uint8)
    for i in range(9):
        y, x = 10 + 20 * (i // 3), 10 + 20 * (i % 3)
        masks[i, y:y + 20, x:x + 20] = 1
    masks[9, 80:, 40:60] = 1
    given = np.array([moved_border(mask, width) for mask in masks])
    assert (given.sum(axis=(1, 2)) < masks.sum(axis=(1, 2))).all()
    off = (closed(given, 10, cautious=True, with_rim=True) != masks).sum(axis=(1, 2))
    assert off.max() <= (4 - np.pi) * width**2 + 4


@pytest.mark.parametrize('widths, rim', [
    ([4, 4, 4], 2), ([6, 4, 9, 5], 2), ([4, 5, 7], 0), ([0, 4, 4, 4], 0), ([4, 4], 0), ([], 0)])
def test_the_rim_that_masks_lack(widths, rim):
    """Half of the narrowest gap, if two more are no wider than a quarter and a pixel above it."""
    assert lacking_rim([np.full(20, width) for width in widths]) == rim


@pytest.mark.parametrize('text, reach, expected', [
    ('11....22', 9, '11....22'),  # a third of the reach is 3
    ('11....22', 12, '11112222'),
    ('11....22....33....44', 9, '11112222223333334444'),
])
def test_one_or_two_gaps_do_not_say_what_is_usual(text, reach, expected):
    np.testing.assert_array_equal(closed(row_of(text), reach, cautious=True), row_of(expected))


@pytest.mark.parametrize('cautious, text, expected', [
    (True, '.11..22..33..44.', '1111222233334444'),  # three gaps say what all masks lack
    (True, '..11..22....', '..111222....'),
    (False, '..11..22....', '.11112222...'),  # a single one, where they are known to lack a rim
])
def test_what_all_masks_lack_is_added_on_their_other_sides(cautious, text, expected):
    found = closed(row_of(text), 12, cautious, with_rim=True)
    np.testing.assert_array_equal(found, row_of(expected))


def test_masks_that_fill_the_image():
    masks = np.ones((2, 6, 6), np.uint8)
    np.testing.assert_array_equal(closed(masks, 3), masks)


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 10**6))
def test_closing_only_adds_and_only_where_nothing_is(seed):
    rng = np.random.default_rng(seed)
    masks = (rng.random((rng.integers(0, 5), 12, 12)) < 0.05).astype(np.uint8)
    after = closed(masks, rng.choice([0, 1, 3, 8], len(masks)), *rng.random(2) < 0.5)
    assert after.dtype == np.uint8 and (after >= masks).all()
    added = after - masks
    assert not (added & masks.any(axis=0)).any() and added.sum(axis=0).max(initial=0) <= 1
    before = {tuple(pair) for pair in touching_pairs(masks)}
    assert before <= {tuple(pair) for pair in touching_pairs(after)}


def test_nothing_is_closed_without_reach():
    masks = row_of('11..22')
    np.testing.assert_array_equal(closed(masks, 0), masks)
