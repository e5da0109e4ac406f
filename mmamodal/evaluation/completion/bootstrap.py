"""Confidence intervals and p-values over images: the bootstrap (Efron & Tibshirani, 1993).

Images are drawn with replacement, as many as there are, and each figure is taken of the drawn
ones; objects of one image stay together. All rows of a table see the same draws, so that their
differences are paired.

Letters: K rows, I images, F figures, R resamples. Sums are (K, I, F, 2): part and whole of each
figure on each image; a figure is 100 Σ part / Σ whole, in percent.
"""

from typing import Tuple

import numpy as np

RESAMPLES, SEED = 10_000, 0
CHUNK = 500  # resamples at a time, to bound the memory


def figures_of_sums(totals: np.ndarray) -> np.ndarray:
    """(..., 2) part and whole -> (...) percent, NaN where the whole is 0."""
    part, whole = np.moveaxis(np.asarray(totals, dtype=float), -1, 0)
    return np.divide(100 * part, whole, out=np.full(part.shape, np.nan), where=whole > 0)


def resampled_figures(sums: np.ndarray, resamples: int = RESAMPLES) -> np.ndarray:
    """The figures of each row on images drawn with replacement, the same for all rows.

    Args:
        sums: (K, I, F, 2).
        resamples: R.

    Returns:
        (K, R, F) percent.

    Raises:
        ValueError: there is no image.
    """
    rows, images, figures, _ = sums.shape
    if images == 0:
        raise ValueError('expected sums of at least one image, got none')
    rng = np.random.default_rng(SEED)
    flat = np.ascontiguousarray(np.moveaxis(sums, 1, 0), dtype=float).reshape(images, -1)
    out = np.empty((resamples, rows, figures))
    for start in range(0, resamples, CHUNK):
        drawn = rng.integers(images, size=(min(CHUNK, resamples - start), images))
        cells = drawn + images * np.arange(len(drawn))[:, None]
        counts = np.bincount(cells.ravel(), minlength=drawn.size).reshape(drawn.shape)
        totals = (counts.astype(float) @ flat).reshape(-1, rows, figures, 2)
        out[start:start + len(drawn)] = figures_of_sums(totals)
    return np.moveaxis(out, 1, 0)


def interval(samples: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """The 95 % percentile interval along the first axis: (R, ...) -> low (...), high (...).

    Resamples without the figure (NaN) are left out; NaN where none has it.
    """
    missing = np.isnan(samples).all(axis=0)
    filled = np.where(missing, 0, samples)
    low, high = np.nanpercentile(filled, [2.5, 97.5], axis=0)
    return np.where(missing, np.nan, low), np.where(missing, np.nan, high)


def p_value(differences: np.ndarray) -> np.ndarray:
    """Two-sided p-values along the first axis: (R, ...) -> (...).

    Twice the share of resamples in which the difference is not of the more frequent sign; below
    0.05 where the 95 % interval leaves out 0. No smaller than 2 / (R + 1); 1 where nothing
    differs, NaN where there is no figure.
    """
    known = np.count_nonzero(~np.isnan(differences), axis=0)
    fewer = np.minimum(np.count_nonzero(differences <= 0, axis=0),
                       np.count_nonzero(differences >= 0, axis=0))
    return np.where(known > 0, np.minimum(1, 2 * (fewer + 1) / (known + 1)), np.nan)
