"""Imperfect masks: how far borders move, and what stays true."""

import numpy as np
import pytest

from mmamodal.datasets.completion.mask_jitter import (CloseGaps, JitterMasks, displaced, simplified,
                                                      smooth_noise)


def rectangle(x1: int, y1: int, x2: int, y2: int, size: int = 64) -> np.ndarray:
    mask = np.zeros((size, size), np.uint8)
    mask[y1:y2, x1:x2] = 1
    return mask


SQUARE = rectangle(16, 16, 48, 48)


@pytest.mark.parametrize('inwards, expected', [
    (0, SQUARE), (0.4, SQUARE), (-0.4, SQUARE), (1, rectangle(17, 17, 47, 47)),
    (5, rectangle(21, 21, 43, 43))])
def test_the_border_moves_by_so_many_pixels(inwards, expected):
    np.testing.assert_array_equal(displaced(SQUARE, inwards), expected)


def test_outwards_it_adds_a_rim_with_round_corners():
    wider = displaced(SQUARE, -3)
    assert wider.dtype == np.uint8 and wider[30, 13:51].all() and wider[30].sum() == 38
    assert not wider[13, 13] and (wider & rectangle(13, 13, 51, 51)).sum() == wider.sum()


def test_each_place_of_the_border_moves_by_its_own():
    inwards = np.zeros((64, 64), np.float32)
    inwards[:, :32], inwards[:, 32:] = 4, -4
    moved = displaced(SQUARE, inwards)
    assert np.flatnonzero(moved[32]).tolist() == list(range(20, 52))


def test_the_rim_of_the_patch_is_no_border():
    half = rectangle(0, 0, 30, 64)
    np.testing.assert_array_equal(displaced(half, 5), rectangle(0, 0, 25, 64))
    whole = np.ones((64, 64), np.uint8)
    np.testing.assert_array_equal(displaced(whole, 5), whole)
    assert not displaced(1 - whole, -5).any()


@pytest.mark.parametrize('width, left', [(4, 2), (8, 4), (3, 1)])
def test_narrow_objects_lose_less(width, left):
    """4 pixels: 4 off each side leave none, 2 none, 1 two of them."""
    bar = rectangle(10, 2, 10 + width, 62)
    assert displaced(bar, 4)[32].sum() == left


def test_simple_outlines_have_few_corners_and_keep_holes():
    y, x = np.mgrid[:64, :64]
    ring = ((np.hypot(x - 32, y - 32) < 28) & (np.hypot(x - 32, y - 32) > 10)).astype(np.uint8)
    simple = simplified(ring, 3)
    assert not simple[32, 32] and simple[32, 14] and 0 < (simple != ring).mean() < 0.15
    np.testing.assert_array_equal(simplified(SQUARE, 2), SQUARE)
    assert not simplified(np.zeros_like(ring), 2).any()


@pytest.mark.parametrize('size', [16, 64, 100])
def test_noise_is_smooth_and_of_unit_deviation(size):
    np.random.seed(0)
    noise = np.stack([smooth_noise(size) for _ in range(100)])
    assert noise.shape == (100, size, size) and 0.6 < noise.std() < 1.1
    steps = np.diff(noise, axis=2)
    assert steps.std() < 0.3 * noise.std()


def sample() -> dict:
    """B right of A, both ending at column 40."""
    return dict(mask=rectangle(8, 8, 40, 56), occluder=rectangle(40, 4, 62, 60),
                target=rectangle(8, 8, 50, 56))


def gap_of(results: dict) -> int:
    row = results['mask'][32].astype(int) + 2 * results['occluder'][32]
    return int(np.flatnonzero(row == 2)[0] - np.flatnonzero(row == 1)[-1] - 1)


PLAIN = dict(prob=1.0, ragged=0.0, tolerance=0.0)


@pytest.mark.parametrize('erosion, gap', [(0, 0), (3, 6), (7, 14)])
def test_both_sides_make_the_gap(erosion, gap):
    results = JitterMasks(erosion=(erosion, erosion), **PLAIN)(sample())
    assert gap_of(results) == gap


def test_the_target_stays_true_and_inputs_stay_as_they_were():
    np.random.seed(0)
    for _ in range(20):
        given = sample()
        results = JitterMasks(prob=1.0)(dict(given))
        for key, mask in sample().items():
            np.testing.assert_array_equal(given[key], mask)
        np.testing.assert_array_equal(results['target'], sample()['target'])
        assert not (results['mask'] & results['occluder']).any() and results['mask'].any()
        assert results['mask'].dtype == results['occluder'].dtype == np.uint8


def test_gaps_from_one_source_are_even_and_others_are_not():
    np.random.seed(0)
    for together, even in ((1.0, True), (0.0, False)):
        gaps = {gap_of(JitterMasks(together=together, erosion=(0, 6), **PLAIN)(sample())) % 2
                for _ in range(60)}
        assert gaps == ({0} if even else {0, 1})


def test_what_is_added_to_the_occluder_is_taken_from_the_mask():
    results = JitterMasks(erosion=(-3, -3), **PLAIN)(sample())
    assert results['mask'][32, 5:37].all() and not results['mask'][32, 37:].any()
    assert results['occluder'][32, 37:].all()


def test_only_a_part_is_changed():
    np.random.seed(0)
    same = [(JitterMasks(prob=0.3)(sample())['mask'] == sample()['mask']).all()
            for _ in range(300)]
    assert np.mean(same) == pytest.approx(0.7, abs=0.08)


def test_a_mask_that_vanishes_is_drawn_again():
    hidden = dict(sample(), mask=rectangle(45, 20, 58, 30))
    assert JitterMasks(erosion=(-3, -3), **PLAIN)(hidden) is None


@pytest.mark.parametrize('erosion, left', [(0, 0), (3, 0), (6, 0), (7, 14)])
def test_gaps_are_closed_in_the_middle_where_they_are_no_wider(erosion, left):
    results = JitterMasks(erosion=(erosion, erosion), **PLAIN)(sample())
    far_side = np.flatnonzero(results['mask'][32])[0]
    closed = CloseGaps(12)(results)
    assert gap_of(closed) == left and np.flatnonzero(closed['mask'][32])[0] == far_side
    assert np.flatnonzero(closed['mask'][32])[-1] == (39 if left == 0 else 32)
    np.testing.assert_array_equal(closed['target'], sample()['target'])
