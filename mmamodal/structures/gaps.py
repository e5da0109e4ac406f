"""Gaps closed between masks: those of detectors and annotators seldom abut.

Letters: N instances, H×W image or patch.
"""

from typing import Sequence, Tuple

import cv2
import numpy as np

from .occlusion import touching_pairs


def close_gaps(masks: np.ndarray, boxes: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """Masks that meet in the middle of the gaps between them.

    Whoever draws masks too small leaves gaps of a like width all over the image; where most
    objects touch another, a gap is what one sees between them. So gaps are closed up to one and
    a half times as wide as :func:`usual_gap`, plus a sixteenth of the reach.

    Args:
        masks: (N, H, W) uint8 in {0, 1}.
        boxes: (N, 4) xyxy, their tight boxes.
        reach: (N,) pixels; a gap that is wider than the reach of both is left.

    Returns:
        (N, H, W) uint8 in {0, 1}; each pixel of a gap belongs to the nearest mask.
    """
    pairs = touching_pairs(masks, boxes, reach)
    most = reach[pairs].max(axis=1)
    windows = [_common_window(*boxes[pair], rim) for pair, rim in zip(pairs, most)]
    parts = [[masks[k][window] for k in pair] for pair, window in zip(pairs, windows)]
    away = [[_distance_to(part) for part in both] for both in parts]
    gaps = [gap_along(both, far, widest) for both, far, widest in zip(parts, away, most)]
    usual = usual_gap(pairs, np.array([np.percentile(gap, 25) for gap in gaps]))
    most = np.minimum(most, 1.5 * usual + reach[pairs].min(axis=1) / 16)
    nearest = np.full(masks.shape[1:], np.inf, np.float32)
    owner = np.full(masks.shape[1:], -1)
    for p in np.flatnonzero([gap.min() <= widest for gap, widest in zip(gaps, most)]):
        for k, distance in zip(pairs[p], away[p]):
            closer = (sum(away[p]) <= most[p] + 1) & (distance < nearest[windows[p]])
            nearest[windows[p]][closer], owner[windows[p]][closer] = distance[closer], k
    owner[masks.any(axis=0)] = -1
    closed = masks.copy()
    y, x = np.nonzero(owner >= 0)
    closed[owner[y, x], y, x] = 1
    return closed


def gap_along(masks: Sequence[np.ndarray], away: Sequence[np.ndarray], most: float) -> np.ndarray:
    """How wide the gap between two masks is, along their borders.

    Args:
        masks: two of (H, W) uint8 in {0, 1}, not empty.
        away: (H, W) pixels to the nearest one of each.
        most: pixels; where the gap is wider, it is none, unless it is wider everywhere.

    Returns:
        (D,) pixels, of each pixel of a border that is near the other mask; 0 where they touch.
    """
    to_other = [distance[_border(mask)] for mask, distance in zip(masks, reversed(away))]
    gap = np.maximum(np.concatenate(to_other) - 1, 0)
    return gap[gap <= max(most, gap.min())]


def usual_gap(pairs: np.ndarray, widths: np.ndarray) -> float:
    """The median, over objects, of the gap to the nearest other one; 0 without pairs.

    Args:
        pairs: (P, 2) int, who is near whom.
        widths: (P,) pixels, the gaps between them.
    """
    objects, places = np.unique(pairs, return_inverse=True)
    nearest = np.full(len(objects), np.inf)
    np.minimum.at(nearest, places.reshape(pairs.shape), widths[:, None])
    return float(np.median(nearest)) if len(nearest) else 0.0


def _border(mask: np.ndarray) -> np.ndarray:
    """(H, W) bool, pixels of the mask beside one that is not of it."""
    inner = cv2.erode(mask, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT,
                      borderValue=0)
    return mask > inner


def _common_window(a: np.ndarray, b: np.ndarray, reach: float) -> Tuple[slice, slice]:
    """Where pixels lie that are near both of two boxes, and the parts of masks next to them."""
    rim = int(np.ceil(reach)) + 1
    x1, y1 = np.maximum(np.maximum(a[:2], b[:2]) - 2 * rim, 0)
    x2, y2 = np.minimum(a[2:], b[2:]) + 2 * rim
    return np.s_[y1:y2, x1:x2]


def _distance_to(mask: np.ndarray) -> np.ndarray:
    """(H, W) float32 pixels to the nearest one of the mask, huge where it is empty."""
    return cv2.distanceTransform(1 - mask, cv2.DIST_L2, cv2.DIST_MASK_5)
