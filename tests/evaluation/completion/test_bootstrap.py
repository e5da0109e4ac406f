"""The bootstrap: against SciPy's, and on sums whose answer is known."""

import numpy as np
import pytest
from scipy import stats

from mmamodal.evaluation.completion.bootstrap import (figures_of_sums, interval, p_value,
                                                      resampled_figures)


def sums_of(*rows: list) -> np.ndarray:
    """Rows of (part, whole), one an image, of a single figure -> (K, I, 1, 2)."""
    return np.array(rows, dtype=float)[:, :, None, :]


def test_figures_by_hand():
    np.testing.assert_array_equal(figures_of_sums([(1, 4), (0, 0), (0, 5)]), [25, np.nan, 0])


def test_one_image_is_always_drawn():
    figures = resampled_figures(sums_of([(1, 4)], [(2, 4)]), 7)
    assert figures.shape == (2, 7, 1)
    np.testing.assert_array_equal(figures[0], 25)
    np.testing.assert_array_equal(figures[1], 50)


def test_two_images_are_drawn_as_often_as_chance_has_it():
    figures = resampled_figures(sums_of([(0, 1), (1, 1)]), 4000)[0, :, 0]
    values, counts = np.unique(figures, return_counts=True)
    np.testing.assert_array_equal(values, [0, 50, 100])
    np.testing.assert_allclose(counts / 4000, [0.25, 0.5, 0.25], atol=0.03)


def test_all_rows_see_the_same_draws():
    row = [(i, 10) for i in range(9)]
    better = [(i + 1, 10) for i in range(9)]
    worse, same, more = resampled_figures(sums_of(row, row, better), 700)  # more than a chunk
    np.testing.assert_array_equal(worse, same)
    np.testing.assert_allclose(more - worse, 10)
    np.testing.assert_array_equal(resampled_figures(sums_of(row), 700)[0], worse)


def test_nothing_to_draw_from():
    with pytest.raises(ValueError, match='at least one image'):
        resampled_figures(np.zeros((2, 0, 3, 2)))


def test_interval_of_known_samples():
    low, high = interval(np.array([np.arange(101.0), np.full(101, np.nan)]).T)
    np.testing.assert_allclose(low, [2.5, np.nan])
    np.testing.assert_allclose(high, [97.5, np.nan])
    assert interval(np.array([1.0, np.nan, 1.0])) == (1, 1)


@pytest.mark.parametrize('differences, expected', [
    ([1, 2, 3, -1], 2 * 2 / 5), ([-1, -2, -3, 1], 2 * 2 / 5), ([1] * 99, 2 / 100),
    ([0, 0, 0], 1), ([np.nan, 1, 1, 1], 2 / 4), ([np.nan] * 2, np.nan)])
def test_p_value_by_hand(differences, expected):
    np.testing.assert_allclose(p_value(np.array(differences)), expected)


def test_intervals_agree_with_scipy():
    rng = np.random.default_rng(3)
    whole = rng.integers(50, 200, 60)
    ours, theirs = (rng.binomial(whole, rate) for rate in (0.7, 0.6))

    def difference(a: np.ndarray, b: np.ndarray, c: np.ndarray, axis: int) -> np.ndarray:
        return 100 * (a.sum(axis) - b.sum(axis)) / c.sum(axis)

    oracle = stats.bootstrap((ours, theirs, whole), difference, paired=True, vectorized=True,
                             n_resamples=10_000, method='percentile',
                             random_state=np.random.default_rng(4))
    first, second = resampled_figures(sums_of(np.stack([ours, whole], 1),
                                              np.stack([theirs, whole], 1)))
    low, high = interval(first - second)
    np.testing.assert_allclose([low[0], high[0]], oracle.confidence_interval, atol=0.15)
    assert p_value(first - second)[0] < 0.001


def test_equal_rows_differ_as_seldom_as_the_level_says():
    rng = np.random.default_rng(5)
    parts = rng.binomial(100, 0.5, (1000, 80))
    sums = np.stack([parts, np.full_like(parts, 100)], axis=-1)[:, :, None]
    figures = resampled_figures(sums, 1000)[:, :, 0]
    found = p_value((figures[:500] - figures[500:]).T) < 0.05
    assert 0.02 < found.mean() < 0.08, found.mean()
