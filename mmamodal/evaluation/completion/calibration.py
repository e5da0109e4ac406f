"""How far probabilities are from frequencies, and uncertainty from errors: sums that add up over
images, and figures of them.

Letters: K pixels; m (K,) in [0, 1] is the probability of a completion, t (K,) in {0, 1} the truth,
u (K,) >= 0 the uncertainty. B bins of m or u, R finer ones, for ranks.
"""

from typing import Dict, Optional, Sequence

import numpy as np

BINS = 15
RANKS = 50


def calibration_sums(probability: np.ndarray, truth: np.ndarray,
                     uncertainty: Optional[np.ndarray] = None) -> Dict[str, np.ndarray]:
    """What some pixels add to each figure; those of others can be added to it.

    Returns:
        ``reliability`` (3, B): number, Σm, Σt by m; ``squared_error``: Σ(t - m)²; and with u
        ``doubt`` (3, B): number, Σu², Σ|t - m| by u; ``ranks`` (R, R) number by u and √|t - m|;
        ``wrong`` (2, R) number by whether |t - m| > 0.5 and by u. Values from 1 on are in the
        last bin.
    """
    m, t = np.asarray(probability, np.float64), np.asarray(truth, np.float64)
    error = np.abs(t - m)
    sums = dict(reliability=_by_bin(m, m, t), squared_error=np.square(error).sum())
    if uncertainty is not None:
        u = np.asarray(uncertainty, np.float64)
        fine, fine_error = _bins(u, RANKS), _bins(np.sqrt(error), RANKS)
        sums['doubt'] = _by_bin(u, u**2, error)
        sums['ranks'] = _counts(fine * RANKS + fine_error, RANKS**2).reshape(RANKS, RANKS)
        sums['wrong'] = _counts((error > 0.5) * RANKS + fine, 2 * RANKS).reshape(2, RANKS)
    return sums


def add_sums(images: Sequence[Dict[str, np.ndarray]]) -> Dict[str, np.ndarray]:
    """The sums of all images."""
    return {name: np.sum([image[name] for image in images], axis=0) for name in images[0]}


def calibration_figures(sums: Dict[str, np.ndarray]) -> Dict[str, float]:
    """All figures of some sums; NaN where there is nothing to measure.

    Returns:
        ``pixels``; ``mean_m`` and ``mean_t``; ``ECE``, ``MCE`` and ``Brier`` of m; and with u
        ``u_ECE``, the mean of |u² - |t - m|| over bins of u, ``u_spearman``, the rank correlation
        of u and |t - m|, and ``u_AUROC``, of u telling |t - m| > 0.5.
    """
    count, total_m, total_t = sums['reliability'].sum(axis=1)
    figures = dict(pixels=float(count), mean_m=_ratio(total_m, count),
                   mean_t=_ratio(total_t, count), ECE=expected_gap(sums['reliability']),
                   MCE=largest_gap(sums['reliability']),
                   Brier=_ratio(sums['squared_error'], count))
    if 'doubt' in sums:
        figures.update(u_ECE=expected_gap(sums['doubt']),
                       u_spearman=rank_correlation(sums['ranks']),
                       u_AUROC=area_under_roc(*sums['wrong']))
    return figures


def expected_gap(bins: np.ndarray) -> float:
    """Σ (n_b / n) |mean a - mean b| over bins: the expected calibration error (Guo et al., 2017).

    Args:
        bins: (3, B): number, Σa, Σb.
    """
    return _ratio(np.abs(bins[1] - bins[2]).sum(), bins[0].sum())


def largest_gap(bins: np.ndarray) -> float:
    """The largest |mean a - mean b| of a bin that is not empty; see :func:`expected_gap`."""
    count, a, b = bins[:, bins[0] > 0]
    return float(np.max(np.abs(a - b) / count, initial=0)) if len(count) else float('nan')


def rank_correlation(counts: np.ndarray) -> float:
    """Spearman's correlation of two binned values, ties at their mean rank.

    Args:
        counts: (R, R), number by the bin of the one and of the other.
    """
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    x, y = _centred_ranks(rows), _centred_ranks(columns)
    spread = np.sqrt((rows @ x**2) * (columns @ y**2))
    return _ratio(x @ counts @ y, spread)


def area_under_roc(right: np.ndarray, wrong: np.ndarray) -> float:
    """The chance that u of a wrong pixel is above that of a right one, ties half.

    Args:
        right: (R,) number of right pixels by their u.
        wrong: (R,) the same of wrong ones.
    """
    below = np.cumsum(right) - 0.5 * right
    return _ratio(wrong @ below, right.sum() * wrong.sum())


def _bins(values: np.ndarray, number: int) -> np.ndarray:
    return np.minimum((values * number).astype(np.int64), number - 1)


def _counts(bins: np.ndarray, number: int) -> np.ndarray:
    return np.bincount(bins, minlength=number).astype(np.int32)


def _by_bin(by: np.ndarray, *values: np.ndarray) -> np.ndarray:
    """(1 + len(values), B): the number, and the sum of each value, by the bin of ``by``."""
    bins = _bins(by, BINS)
    return np.stack([np.bincount(bins, weights, BINS) for weights in (np.ones(len(by)), *values)])


def _centred_ranks(counts: np.ndarray) -> np.ndarray:
    """The mean rank of each bin's values, less that of all."""
    return np.cumsum(counts) - 0.5 * counts - 0.5 * counts.sum()


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float('nan')
