"""Whole objects cut out of their images and pasted in front of others: what is hidden is known.

Layers lie in the order in which they were pasted, the last one in front; a layer knows what is
still seen of it. Masks are uint8 in {0, 1}, images uint8 BGR, x and y image pixels.

Letters: N layers, H×W image, h×w tight box of one object.
"""

from dataclasses import dataclass
from typing import Optional, Sequence, Tuple

import cv2
import numpy as np


@dataclass
class Pasted:
    """A whole object at its place, and what is left to be seen of it.

    Attributes:
        mask: (h, w), amodal, within the image.
        x, y: upper left pixel of ``mask`` in the image.
        visible: (h, w), what later layers left of it; ``cover`` writes into it.
        source: place of its cut-out in a bank.
        angle, scale: as its cut-out was turned and scaled.
    """

    mask: np.ndarray
    x: int
    y: int
    visible: np.ndarray
    source: int = -1
    angle: float = 0.0
    scale: float = 1.0


def turn_mask(mask: np.ndarray, angle: float, scale: float) -> np.ndarray:
    """A mask scaled, then turned: the pixels covered by half or more, (h, w), tight.

    (0, 0) where nothing is left of it. Not turned, not scaled, it is just made tight.
    """
    cover = _cover(mask, angle, scale)
    x, y, w, h = cv2.boundingRect(cover)
    return cover[y:y + h, x:x + w]


def turn_cut_out(bgr: np.ndarray, mask: np.ndarray, angle: float,
                 scale: float) -> Tuple[np.ndarray, np.ndarray]:
    """A cut-out scaled by a factor, then turned counter-clockwise by degrees.

    Args:
        bgr: (h, w, 3), the object and what is around it.
        mask: (h, w).
        angle: degrees.
        scale: factor of lengths.

    Returns:
        The same of the turned object; the mask is that of :func:`turn_mask`.
    """
    cover = _cover(mask, angle, scale)
    x, y, w, h = cv2.boundingRect(cover)
    turned = _turn(bgr, angle, scale, cv2.BORDER_REPLICATE)
    return turned[y:y + h, x:x + w], cover[y:y + h, x:x + w]


def _cover(mask: np.ndarray, angle: float, scale: float) -> np.ndarray:
    turned = _turn(mask * np.uint8(255), angle, scale, cv2.BORDER_CONSTANT)
    return (turned >= 128).astype(np.uint8)


def _turn(picture: np.ndarray, angle: float, scale: float, border: int) -> np.ndarray:
    """A picture scaled and turned, on a canvas that holds all of it."""
    if scale != 1:
        size_wh = [max(round(side * scale), 1) for side in picture.shape[1::-1]]
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        picture = cv2.resize(picture, size_wh, interpolation=method)
    if angle == 0:
        return picture
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1)
    cos, sin = np.abs(matrix[0, :2])
    # The small share keeps quarter turns, whose cosine is not quite 0, on the pixel grid.
    size_wh = np.ceil([width * cos + height * sin - 1e-6, width * sin + height * cos - 1e-6])
    matrix[:, 2] += (size_wh - (width, height)) / 2
    return cv2.warpAffine(picture, matrix, size_wh.astype(int).tolist(), flags=cv2.INTER_LINEAR,
                          borderMode=border)


def may_cover(layers: Sequence[Pasted], front: Pasted, max_occlusion: float,
              min_visible: int) -> bool:
    """Whether a layer may come in front: of each one that it takes pixels from, at most
    ``max_occlusion`` is hidden then and at least ``min_visible`` pixels are left."""
    for layer in layers:
        lost = taken(layer, front)
        if lost:
            left, area = np.count_nonzero(layer.visible) - lost, np.count_nonzero(layer.mask)
            if left < min_visible or area - left > max_occlusion * area:
                return False
    return True


def cover(layers: Sequence[Pasted], front: Pasted) -> None:
    """Take the pixels of a layer that comes in front from what is visible of the others."""
    for layer in layers:
        window = _shared_box(layer, front)
        if window:
            _crop(layer.visible, layer, window)[:] &= 1 - _crop(front.mask, front, window)


def taken(layer: Pasted, front: Pasted) -> int:
    """How many visible pixels of a layer another one in front of it would hide."""
    window = _shared_box(layer, front)
    if not window:
        return 0
    hidden = _crop(layer.visible, layer, window) & _crop(front.mask, front, window)
    return int(np.count_nonzero(hidden))


def _shared_box(a: Pasted, b: Pasted) -> Optional[Tuple[int, int, int, int]]:
    """Where the boxes of two layers overlap, (x1, y1, x2, y2) in the image; None: nowhere."""
    (ah, aw), (bh, bw) = a.mask.shape, b.mask.shape
    x1, y1 = max(a.x, b.x), max(a.y, b.y)
    x2, y2 = min(a.x + aw, b.x + bw), min(a.y + ah, b.y + bh)
    return (x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None


def _crop(patch: np.ndarray, layer: Pasted, window: Tuple[int, int, int, int]) -> np.ndarray:
    """The part of a layer's patch (h, w) in a window of the image; a view."""
    x1, y1, x2, y2 = window
    return patch[y1 - layer.y:y2 - layer.y, x1 - layer.x:x2 - layer.x]


def may_go_on(tight: Sequence[Tuple[np.ndarray, Tuple[int, int]]], place: int) -> Optional[str]:
    """Why a visible mask may not be all of its object: the object goes on behind others; None if
    nothing says so.

    Args:
        tight: tight mask and its (x, y) of each object of the image.
        place: of the object among them.
    """
    mask, (x, y) = tight[place]
    padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    if cv2.connectedComponents(padded, connectivity=8)[0] > 2:
        return 'in several pieces'
    grown = cv2.dilate(padded, np.ones((3, 3), np.uint8))
    rim = Pasted(grown, x - 1, y - 1, grown)
    others = (Pasted(other, *start, other) for i, (other, start) in enumerate(tight) if i != place)
    return 'touching others' if any(taken(other, rim) for other in others) else None


def paste_pixels(image: np.ndarray, bgr: np.ndarray, layer: Pasted) -> None:
    """Paint a turned cut-out into the image (H, W, 3), in place.

    The rim of the mask is mixed with what lies beneath, at most by half; outside of the mask
    no pixel changes.
    """
    height, width = layer.mask.shape
    target = image[layer.y:layer.y + height, layer.x:layer.x + width]
    alpha = feather(layer.mask)[..., None]
    mixed = target + alpha * (bgr.astype(np.float32) - target)
    whole = np.issubdtype(image.dtype, np.integer)
    target[:] = np.rint(mixed) if whole else mixed


def feather(mask: np.ndarray) -> np.ndarray:
    """Opacity (h, w) float32 of an object: 1 inside, 0.5 to 1 on its outermost pixels, else 0."""
    padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    soft = cv2.blur(padded.astype(np.float32), (3, 3))[1:-1, 1:-1]
    return np.maximum(soft, 0.5) * mask


def canvas_mask(patch: np.ndarray, layer: Pasted, size: Tuple[int, int]) -> np.ndarray:
    """A mask (h, w) at the place of its layer in the image, (H, W)."""
    canvas = np.zeros(size, np.uint8)
    canvas[layer.y:layer.y + patch.shape[0], layer.x:layer.x + patch.shape[1]] = patch
    return canvas
