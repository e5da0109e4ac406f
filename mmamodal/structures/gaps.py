"""Contact across a gap: masks of detectors and annotators seldom abut.

Letters: S patch side. Lengths are pixels of the patch.
"""

from typing import Tuple

import cv2
import numpy as np

from .occlusion import touching_pairs


def bridge_gap(mask: np.ndarray, occluder: np.ndarray, gap: float) -> np.ndarray:
    """The occluder, reaching across narrow gaps to the object.

    A pixel of neither is given to the occluder where the way over it, from the one to the
    other, crosses at most ``gap`` pixels: a straight gap as wide as that closes, a wider one
    stays as it is.

    Args:
        mask: (S, S) uint8 in {0, 1}, the object.
        occluder: (S, S) uint8 in {0, 1}.
        gap: widest gap that is closed; 0 for none.

    Returns:
        (S, S) uint8 in {0, 1}; ``occluder`` itself where ``gap`` is 0.

    Raises:
        ValueError: ``gap`` is negative.
    """
    if gap < 0:
        raise ValueError(f'expected a gap of at least 0 pixels, got {gap}')
    if gap == 0:
        return occluder
    way = _distance_to(mask) + _distance_to(occluder)
    return occluder | ((way <= gap + 1) & (mask == 0)).astype(np.uint8)


def close_gaps(masks: np.ndarray, boxes: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """Masks that meet in the middle of the gaps between them.

    How wide a gap is closed depends on the pair: up to one and a half times as wide as where it
    is narrowest, and an eighth of the reach. Masks that touch would else be joined where they
    part, too.

    Args:
        masks: (N, H, W) uint8 in {0, 1}.
        boxes: (N, 4) xyxy, their tight boxes.
        reach: (N,) pixels; a gap that is wider than the reach of either is left.

    Returns:
        (N, H, W) uint8 in {0, 1}; each pixel of a gap belongs to the nearest mask.
    """
    nearest = np.full(masks.shape[1:], np.inf, np.float32)
    owner = np.full(masks.shape[1:], -1)
    for i, j in touching_pairs(masks, boxes, reach):
        widest = max(reach[i], reach[j])
        window = _common_window(boxes[i], boxes[j], widest)
        away = [_distance_to(masks[k][window]) for k in (i, j)]
        narrowest = max(away[0][masks[j][window] > 0].min() - 1, 0)
        way = min(widest, 1.5 * narrowest + widest / 8) + 1
        for k, distance in zip((i, j), away):
            closer = (away[0] + away[1] <= way) & (distance < nearest[window])
            nearest[window][closer], owner[window][closer] = distance[closer], k
    owner[masks.any(axis=0)] = -1
    closed = masks.copy()
    y, x = np.nonzero(owner >= 0)
    closed[owner[y, x], y, x] = 1
    return closed


def _common_window(a: np.ndarray, b: np.ndarray, reach: float) -> Tuple[slice, slice]:
    """Where pixels lie that are near both of two boxes, and the parts of masks next to them."""
    rim = int(np.ceil(reach)) + 1
    x1, y1 = np.maximum(np.maximum(a[:2], b[:2]) - 2 * rim, 0)
    x2, y2 = np.minimum(a[2:], b[2:]) + 2 * rim
    return np.s_[y1:y2, x1:x2]


def _distance_to(mask: np.ndarray) -> np.ndarray:
    """(S, S) float32 pixels to the nearest one of the mask, huge where it is empty."""
    return cv2.distanceTransform(1 - mask, cv2.DIST_L2, cv2.DIST_MASK_5)
