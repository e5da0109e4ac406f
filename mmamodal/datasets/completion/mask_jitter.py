"""Masks as detectors and annotators draw them: too small or too large, ragged, with few corners.

Letters: S patch side, H×W image. Masks are uint8 in {0, 1}, lengths pixels.
"""

from typing import Optional, Tuple

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS

from ...structures.gaps import close_gaps
from ...structures.occlusion import tight_boxes

LEAST_LEFT = 0.2  # of a mask's area; narrow ones are eroded less
WAVELENGTH = 8  # of the raggedness


def moved_border(mask: np.ndarray, inwards: np.ndarray) -> np.ndarray:
    """The mask with its border moved inwards by so many pixels, outwards where negative; the rim
    of the image is no border.

    Args:
        mask: (H, W) uint8 in {0, 1}.
        inwards: (H, W) float, pixels, or one number.

    Returns:
        (H, W) uint8 in {0, 1}.
    """
    inside = _depth(mask) - _depth(1 - mask) + 0.5 - mask
    return (inside > np.asarray(inwards, np.float32)).astype(np.uint8)


def _depth(mask: np.ndarray) -> np.ndarray:
    """(H, W) distance to the nearest zero, limited where there is none."""
    far = float(sum(mask.shape))
    return np.minimum(cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_5), far)


def displaced(mask: np.ndarray, inwards: np.ndarray) -> np.ndarray:
    """Like :func:`moved_border`, but where hardly anything would be left of the mask, the border
    moves by a half, a quarter, or not at all."""
    for part in (1.0, 0.5, 0.25):
        moved = moved_border(mask, part * np.asarray(inwards))
        if cv2.countNonZero(moved) >= LEAST_LEFT * cv2.countNonZero(mask):
            return moved
    return mask


def simplified(mask: np.ndarray, tolerance: float) -> np.ndarray:
    """The mask as a polygon of few corners, whose border is off by up to ``tolerance`` pixels."""
    contours, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    corners = [cv2.approxPolyDP(contour, tolerance, True) for contour in contours]
    return cv2.fillPoly(np.zeros_like(mask), corners, 1) if corners else mask


def smooth_noise(size: int) -> np.ndarray:
    """(S, S) float32 normal noise of about unit deviation, alike over ``WAVELENGTH`` pixels."""
    side = -(-size // WAVELENGTH) + 1
    coarse = np.random.standard_normal((side, side)).astype(np.float32)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)


@TRANSFORMS.register_module()
class CloseGaps(BaseTransform):
    """Has ``mask`` and ``occluder`` meet in the middle of the gap between them, as prediction does
    with ``contact_gap`` of the completer in images of many pairs.

    Args:
        gap: widest gap that is closed, pixels of the patch.
    """

    def __init__(self, gap: float) -> None:
        self.gap = gap

    def transform(self, results: dict) -> dict:
        """Changes mask and occluder."""
        masks = np.stack([results['mask'], results['occluder']])
        closed = close_gaps(masks, tight_boxes(masks), np.full(2, self.gap), cautious=False,
                            with_rim=False)
        results.update(mask=closed[0], occluder=closed[1])
        return results


@TRANSFORMS.register_module()
class JitterMasks(BaseTransform):
    """Makes ``mask`` and ``occluder`` imperfect and leaves ``target`` true.

    Both lose a rim, so that a gap opens between them, or gain one; their borders get ragged and
    their outlines simple. The network learns to complete what detectors and annotators give.
    Gives None, so that the dataset draws again, if nothing is left of the mask.

    Args:
        prob: part of the samples that is changed at all.
        erosion: (least, greatest) width of the rim that goes, negative for one that is added.
        together: probability that both lose or gain the same, as from one source; else each
            draws by itself.
        ragged: greatest deviation of the borders from a rim of even width.
        tolerance: greatest error of a simplified outline, which a third of the masks gets.
    """

    def __init__(self, prob: float = 0.7, erosion: Tuple[float, float] = (-1.5, 6.0),
                 together: float = 0.7, ragged: float = 1.5, tolerance: float = 3.0) -> None:
        self.prob, self.erosion, self.together = prob, erosion, together
        self.ragged, self.tolerance = ragged, tolerance

    def transform(self, results: dict) -> Optional[dict]:
        """Changes mask and occluder."""
        if np.random.rand() >= self.prob:
            return results
        widths = np.random.uniform(*self.erosion, 2)
        if np.random.rand() < self.together:
            widths[1] = widths[0]
        mask, occluder = (self._jittered(results[key], width)
                          for key, width in zip(('mask', 'occluder'), widths))
        results.update(mask=mask & (1 - occluder), occluder=occluder)
        return results if results['mask'].any() else None

    def _jittered(self, mask: np.ndarray, width: float) -> np.ndarray:
        if np.random.rand() < 1 / 3:
            mask = simplified(mask, np.random.uniform(0, self.tolerance))
        return displaced(mask, width + np.random.uniform(0, self.ragged) * smooth_noise(len(mask)))
