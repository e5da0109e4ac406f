"""Gaps closed between masks, and the rims that they lack: those of detectors and annotators
seldom abut.

Letters: N instances, H×W image or patch.
"""

from typing import Sequence, Tuple

import cv2
import numpy as np

from .occlusion import touching_pairs


ENOUGH = 3  # pairs, to tell gaps of the drawing from those between things


def close_gaps(masks: np.ndarray, boxes: np.ndarray, reach: np.ndarray,
               cautious: bool = True, with_rim: bool = True) -> np.ndarray:
    """Masks that meet in the middle of the gaps between them, and have the rim that they lack.

    Whoever draws masks too small leaves gaps of a like width all over the image; where some
    objects touch others, a gap is what one sees between them. So gaps are closed up to one and a
    half times as wide as is usual, the lower quartile of :func:`nearest_gaps`, plus a sixteenth
    of the reach. And all masks grow by their :func:`lacking_rim`.

    Args:
        masks: (N, H, W) uint8 in {0, 1}.
        boxes: (N, 4) xyxy, their tight boxes.
        reach: (N,) pixels; a gap that is wider than the reach of both is left.
        cautious: one or two pairs do not tell what is usual: gaps of more than a third of the
            reach are left. And three gaps have to agree for a rim; otherwise the narrowest decides.
            To be unset where objects are known to touch.
        with_rim: grow the rim that all masks lack.

    Returns:
        (N, H, W) uint8 in {0, 1}; each pixel that is added goes to the nearest mask.
    """
    pairs = touching_pairs(masks, boxes, reach)
    if not len(pairs):
        return masks.copy()
    most, least = reach[pairs].max(axis=1), reach[pairs].min(axis=1)
    windows = [_common_window(*boxes[pair], rim) for pair, rim in zip(pairs, most)]
    away = [[_distance_to(masks[k][window]) for k in pair] for pair, window in zip(pairs, windows)]
    gaps = [gap_along([masks[k][window] for k in pair], far, widest)
            for pair, window, far, widest in zip(pairs, windows, away, most)]
    nearest = nearest_gaps(pairs, np.array([np.percentile(gap, 25) for gap in gaps]))
    usual = np.full(len(pairs), 1.5 * np.quantile(nearest, 0.25))
    if cautious and len(pairs) < ENOUGH:
        usual = np.minimum(usual, least / 3)
    most = np.minimum(most, usual + least / 16)
    owners = _Owners(masks)
    for p in np.flatnonzero([gap.min() <= widest for gap, widest in zip(gaps, most)]):
        for k, distance in zip(pairs[p], away[p]):
            owners.claim(k, windows[p], distance, sum(away[p]) <= most[p] + 1)
    rim = lacking_rim(gaps, ENOUGH if cautious else 1) if with_rim else 0
    for k in np.flatnonzero(boxes[:, 2]) if rim >= 1 else ():
        window = _common_window(boxes[k], boxes[k], rim)
        distance = _distance_to(masks[k][window])
        owners.claim(k, window, distance, distance <= rim)
    return owners.grown()


def lacking_rim(gaps: Sequence[np.ndarray], enough: int = ENOUGH) -> float:
    """The width of the rim that all masks of an image lack, in pixels.

    Masks that were drawn too small are so on the sides as well where no other is near: by half
    of the gap between those that ought to touch. Gaps between things differ; where three pairs
    have about the same, and none a narrower one, it is a gap of the drawing.

    Args:
        gaps: of each pair, as :func:`gap_along` gives them.
        enough: pairs that have to agree.
    """
    narrowest = np.sort([np.percentile(gap, 10) for gap in gaps])[:enough]
    agree = len(narrowest) == enough and narrowest[-1] <= 1.25 * narrowest[0] + 1
    return float(narrowest[0] / 2) if agree else 0.0


class _Owners:
    """Which mask is the nearest of those that claim a pixel beside all masks.

    Args:
        masks: (N, H, W) uint8 in {0, 1}.
    """

    def __init__(self, masks: np.ndarray) -> None:
        self.masks = masks
        self.nearest = np.where(masks.any(axis=0), np.float32(0), np.float32(np.inf))
        self.owner = np.full(masks.shape[1:], -1)

    def claim(self, index: int, window: Tuple[slice, slice], distance: np.ndarray,
              where: np.ndarray) -> None:
        """A mask claims pixels of a window; of equally near ones the first has them.

        Args:
            index: of the mask.
            window: rows and columns of the image, (h, w).
            distance: (h, w) of each pixel to the mask.
            where: (h, w) bool, what is claimed.
        """
        closer = where & (distance < self.nearest[window])
        self.nearest[window][closer], self.owner[window][closer] = distance[closer], index

    def grown(self) -> np.ndarray:
        """(N, H, W), the masks with what they own."""
        grown = self.masks.copy()
        y, x = np.nonzero(self.owner >= 0)
        grown[self.owner[y, x], y, x] = 1
        return grown


def gap_along(masks: Sequence[np.ndarray], away: Sequence[np.ndarray], most: float) -> np.ndarray:
    """How wide the gap between two masks is, along their borders.

    Args:
        masks: two of (H, W) uint8 in {0, 1}, not empty.
        away: (H, W) pixels to the nearest one of each.
        most: pixels; where the gap is wider, it is none, unless it is wider everywhere.

    Returns:
        (D,) pixels, of each pixel of a border that is near the other mask; 0 where they touch, and
        for two that fill the image, which have no border.
    """
    to_other = [distance[_border(mask)] for mask, distance in zip(masks, reversed(away))]
    gap = np.maximum(np.concatenate(to_other) - 1, 0)
    return gap[gap <= max(most, gap.min())] if len(gap) else np.zeros(1)


def nearest_gaps(pairs: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """The gap to the nearest other one of each object that is in a pair, (M,) pixels.

    Args:
        pairs: (P, 2) int, who is near whom.
        widths: (P,) pixels, the gaps between them.
    """
    objects, places = np.unique(pairs, return_inverse=True)
    nearest = np.full(len(objects), np.inf)
    np.minimum.at(nearest, places.reshape(pairs.shape), widths[:, None])
    return nearest


def _border(mask: np.ndarray) -> np.ndarray:
    """(H, W) bool, pixels of the mask beside one that is not of it. Where the image ends is no
    border."""
    inner = cv2.erode(mask, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT,
                      borderValue=1)
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
