"""Masks and numbers of annotation files that may be broken in any way.

Letters: H×W image, h×w tight box of a mask.
"""

import math
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import cv2
import numpy as np

from ..structures.segmentation import Segmentation, decode_tight

Finding = Tuple[str, str]  # kind, sentence
Box = Tuple[int, int, int, int]

MASK_KEYS = ('segmentation', 'visible_mask', 'invisible_mask')
LONGEST_OUTLINE = 1_000_000  # pixels: what is longer is broken, and takes forever to fill


class Region(NamedTuple):
    """A mask where it has pixels: (h, w) uint8, its upper left pixel in the image, and the
    outlines (K, 2) that it was filled from, none for an RLE."""
    mask: np.ndarray
    x: int
    y: int
    outlines: Sequence[np.ndarray]

    @property
    def box(self) -> Box:
        """Tight box, xyxy in image pixels."""
        height, width = self.mask.shape
        return self.x, self.y, self.x + width, self.y + height

    def on_box(self, box: Box) -> np.ndarray:
        """The mask on another box (xyxy) of the image: 0 where it has no pixel."""
        x1, y1, x2, y2 = box
        out = np.zeros((y2 - y1, x2 - x1), np.uint8)
        left, top, right, bottom = shared_box(box, self.box)
        if left < right and top < bottom:
            out[top - y1:bottom - y1, left - x1:right - x1] = self.mask[
                top - self.y:bottom - self.y, left - self.x:right - self.x]
        return out


def read_region(segmentation: Segmentation, height: int, width: int) -> Region:
    """A segmentation of an H×W image, decoded.

    Raises:
        ValueError: it is broken, in whatever way.
    """
    try:
        outlines = _outlines(segmentation)
        with np.errstate(all='ignore'):  # what is not finite is refused below
            if sum(map(_length, outlines)) > LONGEST_OUTLINE:
                raise ValueError(f'its outline is longer than {LONGEST_OUTLINE:,} pixels')
        mask, (x, y) = decode_tight(segmentation, height, width)
    except (TypeError, LookupError, ArithmeticError, AttributeError, MemoryError) as error:
        raise ValueError(f'{type(error).__name__}: {error}') from None
    return Region(mask, int(x), int(y), outlines)


def read_regions(ann: dict, height: int, width: int) -> Tuple[Dict[str, Region], List[Finding]]:
    """The masks of an annotation by their keys, and what is wrong with those not among them."""
    regions, findings = {}, []
    for key in MASK_KEYS:
        if ann.get(key) is None and key != 'segmentation':
            continue
        try:
            regions[key] = read_region(ann.get(key), height, width)
        except ValueError as error:
            findings.append(('broken_mask', f'{key} cannot be read: {error}'))
    return regions, findings


def visible_region(regions: Dict[str, Region], ann: dict) -> Optional[Region]:
    """The visible mask of an annotation whose amodal one can be read.

    Where it has none, what an invisible mask leaves of the amodal one, or all of it. None where
    it has one that is broken, and nothing to take in its place.
    """
    amodal, invisible = regions['segmentation'], regions.get('invisible_mask')
    if 'visible_mask' in regions:
        return regions['visible_mask']
    if invisible is not None and (invisible.mask.size or ann.get('visible_mask') is None):
        rest = amodal.mask & (1 - invisible.on_box(amodal.box))
        return Region(rest, amodal.x, amodal.y, amodal.outlines)
    return amodal if ann.get('visible_mask') is None else None


def shared_box(a: Box, b: Box) -> Box:
    """Where two boxes (xyxy) overlap; its sides are not positive where they do not."""
    return max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])


def is_thick(mask: np.ndarray) -> bool:
    """Whether an (h, w) mask holds a square of three by three pixels."""
    if min(mask.shape) < 3 or not mask.any():
        return False
    kernel = np.ones((3, 3), np.uint8)
    return bool(cv2.erode(mask, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0).any())


def rim(region: Region) -> float:
    """Pixels that are in doubt along the outlines of a mask: half of those they pass."""
    return sum(map(_length, region.outlines)) / 2


def enclosed_area(outline: np.ndarray) -> float:
    """Area of a polygon (the shoelace formula), as COCO counts it."""
    (x, y), (u, v) = outline.T, np.roll(outline, 1, axis=0).T
    return float(abs(np.dot(x, v) - np.dot(y, u)) / 2)


def whole(value: object) -> bool:
    """Whether a value of a JSON file is a whole number (True is none) that int64 can hold."""
    return isinstance(value, int) and not isinstance(value, bool) and -2**63 <= value < 2**63


def finite(value: object) -> bool:
    """Whether a value of a JSON file is a number, neither NaN nor too large for a float."""
    try:
        return is_number(value) and math.isfinite(value)
    except OverflowError:
        return False


def is_number(value: object) -> bool:
    """Whether a value of a JSON file is a number (True is none)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def short(value: object) -> str:
    """A value as messages show it."""
    return f'{value!r:.60}'


def _outlines(segmentation: object) -> List[np.ndarray]:
    """Corner points (K, 2) of each polygon; none of an RLE, or of what decoding will refuse."""
    if not isinstance(segmentation, (list, tuple)) or not segmentation:
        return []
    parts = [segmentation] if is_number(segmentation[0]) else segmentation
    for part in parts:
        if not isinstance(part, (list, tuple)) or not all(map(is_number, part)):
            raise ValueError(f'expected polygons of numbers, got {short(part)}')
    if any(len(part) % 2 for part in parts):
        return []
    return [np.asarray(part, dtype=np.float64).reshape(-1, 2) for part in parts]


def _length(outline: np.ndarray) -> float:
    """Length of a closed outline in pixels."""
    return float(np.hypot(*(outline - np.roll(outline, 1, axis=0)).T).sum())
