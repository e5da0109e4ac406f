"""The square patch around an object: where it lies, crop into it, paste back from it.

Letters: H×W image, S patch side. A patch is a square of whole image pixels that may leave
the image; boxes are xyxy. Geometry of PCNet (CVPR'20), which ASBU shares.
"""

from typing import Sequence, Tuple

import cv2
import numpy as np

MARGIN = 1.1  # least side of a patch over the longer side of its box


def square_patch(bbox: Sequence[float], enlarge: float = 3.0,
                 shift: Tuple[float, float] = (0.0, 0.0), zoom: float = 1.0) -> np.ndarray:
    """The square patch around one box.

    Its side is ``max(sqrt(enlarge * w * h), MARGIN * w, MARGIN * h) / zoom``, truncated.

    Args:
        bbox: (4,) tight xyxy box of the visible mask, image pixels.
        enlarge: area of the patch over the area of the box.
        shift: (x, y) move of its centre in units of its side before ``zoom``.
        zoom: above 1 the object fills more of the patch.

    Returns:
        (4,) int64 xyxy, empty (x1 == x2) where the box is.
    """
    x1, y1, x2, y2 = (float(edge) for edge in bbox)
    w, h = x2 - x1, y2 - y1
    side = max(np.sqrt(enlarge * w * h), MARGIN * w, MARGIN * h)
    x, y = x1 + w / 2 + shift[0] * side, y1 + h / 2 + shift[1] * side
    side /= zoom
    # int() and not floor: the published geometry truncates towards zero.
    left, top, side = int(x - side / 2), int(y - side / 2), int(side)
    return np.array([left, top, left + side, top + side], dtype=np.int64)


def crop_window(image: np.ndarray, patch: Sequence[int],
                origin: Tuple[int, int] = (0, 0)) -> np.ndarray:
    """The pixels of a patch, zero where it leaves the image.

    Args:
        image: (H, W) or (H, W, C).
        patch: (4,) int xyxy.
        origin: (x, y) of the image's upper left pixel in the frame of ``patch``.

    Returns:
        (y2 - y1, x2 - x1) or with C behind, same dtype.
    """
    left, top, right, bottom = patch
    out = np.zeros((bottom - top, right - left) + image.shape[2:], image.dtype)
    left, top = left - origin[0], top - origin[1]
    x1, y1 = max(left, 0), max(top, 0)
    x2, y2 = min(right - origin[0], image.shape[1]), min(bottom - origin[1], image.shape[0])
    if x2 > x1 and y2 > y1:
        out[y1 - top:y2 - top, x1 - left:x2 - left] = image[y1:y2, x1:x2]
    return out


def crop_mask(mask: np.ndarray, patch: Sequence[int], size: int, smooth: bool = False,
              origin: Tuple[int, int] = (0, 0)) -> np.ndarray:
    """Crop a mask and scale it to S×S; inverse of :func:`paste_into`.

    Args:
        mask: (H, W) uint8 in {0, 1}.
        patch: (4,) int xyxy, not empty.
        size: S in pixels.
        smooth: bilinear and thresholded at a half (PCNet's completion) instead of the
            nearest pixel (its training and its ordering).
        origin: as in :func:`crop_window`.

    Returns:
        (S, S) uint8 in {0, 1}.
    """
    return resize_mask(crop_window(mask, patch, origin), size, smooth)


def crop_image(image: np.ndarray, patch: Sequence[int], size: int) -> np.ndarray:
    """Crop an image (H, W, 3) uint8 and scale it to (S, S, 3) bicubically, black outside."""
    return cv2.resize(crop_window(image, patch), (size, size), interpolation=cv2.INTER_CUBIC)


def paste_into(out: np.ndarray, mask_patch: np.ndarray, patch: Sequence[int]) -> None:
    """Put a patch's mask back at its place; inverse of :func:`crop_mask`.

    Args:
        out: (H, W) uint8, written over inside the patch.
        mask_patch: (S, S) uint8 or bool in {0, 1}.
        patch: (4,) int xyxy, not empty; what lies outside the image is cut off.
    """
    left, top, right, bottom = patch
    x1, y1 = max(left, 0), max(top, 0)
    x2, y2 = min(right, out.shape[1]), min(bottom, out.shape[0])
    if x2 > x1 and y2 > y1:
        window = resize_mask(np.asarray(mask_patch, np.uint8), int(right - left), smooth=True)
        out[y1:y2, x1:x2] = window[y1 - top:y2 - top, x1 - left:x2 - left]


def resize_mask(window: np.ndarray, side: int, smooth: bool) -> np.ndarray:
    """A square mask (s, s) uint8 scaled to (side, side): nearest pixel, or bilinear and
    thresholded at a half."""
    if not smooth:
        return cv2.resize(window, (side, side), interpolation=cv2.INTER_NEAREST)
    soft = cv2.resize(window.astype(np.float32), (side, side), interpolation=cv2.INTER_LINEAR)
    return (soft > 0.5).astype(np.uint8)
