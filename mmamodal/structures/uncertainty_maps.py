"""The uncertainty of a completion on the image and in a file.

Letters: H×W image, S patch side. u >= 0 is a completer's uncertainty, 0 where it is certain. In
8 bits 256 stands for u = 1. A file has five levels, even steps of u², which is the error to expect
(ASBU, Eq. 1, at its best u) and at most a half: few levels make few and long runs.
"""

from typing import List, Sequence, Tuple

import cv2
import numpy as np

from .patches import crop_window
from .segmentation import decode, encode

STEP = 0.125  # of u²
LEVELS = np.ceil(256 * np.sqrt(np.arange(5) * STEP)).astype(np.uint8)  # 0, 91, 128, 157, 182


def uncertainty_on_image(uncertainty_patch: np.ndarray, patch: Sequence[int],
                         out_shape: Tuple[int, int]) -> np.ndarray:
    """A patch's u, scaled bilinearly and put back at its place.

    Args:
        uncertainty_patch: (S, S) float.
        patch: (4,) int xyxy; what lies outside the image is cut off.
        out_shape: (H, W).

    Returns:
        (H, W) float32, 0 outside the patch.
    """
    side = int(patch[2] - patch[0])
    if side == 0:
        return np.zeros(out_shape, np.float32)
    window = cv2.resize(np.asarray(uncertainty_patch, np.float32), (side, side),
                        interpolation=cv2.INTER_LINEAR)
    return crop_window(window, (0, 0, out_shape[1], out_shape[0]), (patch[0], patch[1]))


def encode_uncertainty(uncertainty: np.ndarray) -> List[dict]:
    """u (H, W), rounded to levels, as ``dict(level=…, size=…, counts=…)`` for each level above 0
    that occurs: the RLE of the pixels of that level or a higher one. So each contour is stored
    once. :func:`decode_levels` reads it."""
    steps = np.clip(np.rint(uncertainty**2 / STEP), 0, len(LEVELS) - 1)
    return [dict(level=int(LEVELS[step]), **encode(steps >= step))
            for step in range(1, int(steps.max(initial=0)) + 1)]


def decode_levels(encoded: Sequence[dict], height: int, width: int) -> np.ndarray:
    """The levels of :func:`encode_uncertainty`, (H, W) uint8.

    Raises:
        ValueError: it is no such list, or one of its RLEs is broken or of another size.
    """
    if not isinstance(encoded, list) or not all(
            isinstance(entry, dict) and entry.get('level') in range(256) for entry in encoded):
        raise ValueError('expected a list of RLEs, each with a whole number from 0 to 255 as '
                         f"'level', got {encoded!r:.60}; write the labels again")
    levels = np.zeros((height, width), np.uint8)
    for entry in encoded:
        np.maximum(levels, entry['level'] * decode(entry, height, width), out=levels)
    return levels
