"""Masks as annotation files write them: polygons and run-length codes (RLE).

Letters: H×W image.
"""

from typing import Tuple, Union

import cv2
import numpy as np
from pycocotools import mask as mask_utils

Segmentation = Union[list, dict]

# pycocotools walks along every edge: a coordinate of 1e9 ends the process without a word.
FAR_OUT = 1_000_000


def to_rle(segmentation: Segmentation, height: int, width: int) -> dict:
    """Any segmentation of an annotation file as a compressed RLE.

    Args:
        segmentation: one flat polygon ``[x, y, ...]``, a list of polygons, or
            an RLE ``dict(size=[H, W], counts=...)`` whose counts are a list, a
            string or bytes. Polygon coordinates are image pixels.
        height: H in pixels.
        width: W in pixels.

    Returns:
        ``dict(size=[H, W], counts=str)``.

    Raises:
        ValueError: it is neither; a polygon has fewer than three points, an
            odd number of coordinates or one that is not finite; the RLE is of
            another size or its runs do not fill it.
    """
    if isinstance(segmentation, dict):
        runs = _runs(segmentation, height, width)
        if isinstance(segmentation['counts'], list):
            segmentation = mask_utils.frPyObjects(
                dict(size=[height, width], counts=runs.tolist()), height, width)
        return dict(size=[height, width], counts=_text(segmentation['counts']))
    rle = mask_utils.merge(mask_utils.frPyObjects(_polygons(segmentation), height, width))
    return dict(size=[height, width], counts=_text(rle['counts']))


def decode(segmentation: Segmentation, height: int, width: int) -> np.ndarray:
    """The segmentation as an (H, W) uint8 mask in {0, 1}; see :func:`to_rle`."""
    return np.ascontiguousarray(mask_utils.decode(to_rle(segmentation, height, width)))


def decode_tight(segmentation: Segmentation, height: int,
                 width: int) -> Tuple[np.ndarray, Tuple[int, int]]:
    """Like :func:`decode`, but only the tight box of the mask: cost goes with the object.

    Returns:
        mask: (h, w) uint8, no empty row or column at its rim; (0, 0) if nothing is set.
        origin: (x, y) of its upper left pixel in the image.
    """
    if isinstance(segmentation, dict):
        mask, origin = _decode_columns(_runs(segmentation, height, width), height)
    else:
        mask, origin = _decode_polygon(segmentation, height, width)
    x, y, w, h = cv2.boundingRect(mask) if mask.size else (0, 0, 0, 0)
    return mask[y:y + h, x:x + w], (origin[0] + x, origin[1] + y)


def rle_bbox_xywh(rle: dict, height: int, width: int) -> list:
    """Tight box [x, y, w, h] of an RLE, all zero if nothing is set; nothing is decoded.

    Not pycocotools' toBbox, which an empty run of the mask leads astray. Raises as :func:`to_rle`.
    """
    starts, ends = _filled(_runs(rle, height, width))
    if not len(starts):
        return [0, 0, 0, 0]
    first, last = starts // height, (ends - 1) // height
    if (first != last).any():  # a run over the end of a column fills its last and the first row
        top, bottom = 0, height
    else:
        top, bottom = (starts % height).min(), ((ends - 1) % height).max() + 1
    return [int(first[0]), int(top), int(last[-1] + 1 - first[0]), int(bottom - top)]


def encode(mask: np.ndarray) -> dict:
    """An (H, W) mask as a compressed RLE that JSON can hold; inverse of :func:`decode`."""
    if mask.ndim != 2:
        raise ValueError(f'expected one (H, W) mask, got shape {mask.shape}')
    rle = mask_utils.encode(np.asfortranarray(mask, dtype=np.uint8))
    return dict(size=list(mask.shape), counts=_text(rle['counts']))


def _checked_polygon(polygon: list) -> list:
    try:
        points = np.asarray(polygon, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError('expected a polygon of numbers [x, y, ...], got '
                         f'{_shortened(polygon)}') from None
    if points.ndim != 1 or len(points) < 6 or len(points) % 2:
        raise ValueError('expected a polygon [x, y, ...] of at least three points, got '
                         f'{_shortened(polygon)}')
    if not (np.abs(points) < FAR_OUT).all():
        raise ValueError('a polygon has a coordinate that is NaN, infinite or more than '
                         f'{FAR_OUT:,} pixels away')
    return points.tolist()


def _runs(rle: dict, height: int, width: int) -> np.ndarray:
    """Lengths of all runs of an RLE, checked; the first is of zeros."""
    size, counts = rle.get('size'), rle.get('counts')
    if counts is None or not isinstance(size, (list, tuple)) or list(size) != [height, width]:
        raise ValueError(f'expected an RLE of size [{height}, {width}] with counts, got size '
                         f'{size!s:.60} and {"no counts" if counts is None else "counts"}')
    if isinstance(counts, list):
        if any(not isinstance(run, (int, np.integer)) or run < 0 for run in counts):
            raise ValueError('an RLE has a run that is not a whole number >= 0')
    elif isinstance(counts, (str, bytes)):
        counts = _uncompressed(counts)
    else:
        raise ValueError(f'expected RLE counts as list or string, got {type(counts).__name__}')
    filled = sum(counts) if isinstance(counts, list) else int(counts.sum())
    if filled != height * width:
        raise ValueError(f'the runs of an RLE fill {filled} pixels, its size [{height}, {width}] '
                         f'has {height * width}')
    return np.asarray(counts, dtype=np.int64)


def _filled(runs: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Where runs of ones that are not empty start and end: pixels counted down the columns."""
    ends = np.cumsum(runs)[1::2]
    lengths = runs[1::2]
    kept = lengths > 0
    return (ends - lengths)[kept], ends[kept]


def _decode_columns(runs: np.ndarray, height: int) -> Tuple[np.ndarray, Tuple[int, int]]:
    """The columns that hold the mask: runs go down columns."""
    starts, filled_ends = _filled(runs)
    if not len(starts):
        return np.zeros((0, 0), np.uint8), (0, 0)
    left, right = int(starts[0] // height), int(-(-filled_ends[-1] // height))
    ends = np.clip(np.cumsum(runs), left * height, right * height)
    lengths = np.diff(ends, prepend=left * height)
    columns = np.repeat((np.arange(len(runs)) & 1).astype(np.uint8), lengths)
    return np.ascontiguousarray(columns.reshape(right - left, height).T), (left, 0)


def _decode_polygon(segmentation: list, height: int,
                    width: int) -> Tuple[np.ndarray, Tuple[int, int]]:
    """Polygons drawn on a canvas of their own box: a shift by whole pixels changes
    none, or one where an edge passes halfway between two (one mask in thousands)."""
    polygons = [_snapped(np.asarray(polygon)) for polygon in _polygons(segmentation)]
    points = np.concatenate(polygons).reshape(-1, 2)
    left, top = np.maximum(np.floor(points.min(0)), 0).astype(int)
    right, bottom = np.minimum(np.ceil(points.max(0)) + 1, (width, height)).astype(int)
    if right <= left or bottom <= top:
        return np.zeros((0, 0), np.uint8), (0, 0)
    shifted = [(polygon.reshape(-1, 2) - (left, top)).ravel().tolist() for polygon in polygons]
    rles = mask_utils.frPyObjects(shifted, int(bottom - top), int(right - left))
    return np.ascontiguousarray(mask_utils.decode(mask_utils.merge(rles))), (left, top)


def _snapped(points: np.ndarray) -> np.ndarray:
    """Coordinates on the fifths of a pixel to which pycocotools rounds them: rounded only after
    a shift, some that lie halfway (every tenth of COCO's) would fall to the other side."""
    return np.where(points > 0, np.trunc(5 * points + 0.5) / 5, points)


def _polygons(segmentation: Segmentation) -> list:
    if not isinstance(segmentation, (list, tuple)) or not len(segmentation):
        raise ValueError('expected a polygon, a list of polygons or an RLE, '
                         f'got {_shortened(segmentation)}')
    parts = [segmentation] if np.isscalar(segmentation[0]) else segmentation
    return [_checked_polygon(part) for part in parts]


def _uncompressed(counts: Union[str, bytes]) -> np.ndarray:
    """Run lengths of compressed counts: LEB128-like, each past the second a difference."""
    text = counts.encode() if isinstance(counts, str) else counts
    codes = np.frombuffer(text, dtype=np.uint8).astype(np.int64) - 48
    if len(codes) == 0 or codes.min() < 0 or codes.max() > 63 or codes[-1] & 32:
        raise ValueError('the counts of an RLE are no compressed run lengths')
    ends = np.flatnonzero((codes & 32) == 0)
    starts = np.concatenate([[0], ends[:-1] + 1])
    place = np.arange(len(codes)) - np.repeat(starts, ends - starts + 1)
    if place.max() > 6:
        raise ValueError('the counts of an RLE are no compressed run lengths')
    values = np.add.reduceat((codes & 31) << (5 * place), starts)
    negative = (codes[ends] & 16) != 0
    values[negative] -= 1 << (5 * (place[ends][negative] + 1))
    # x[i] += x[i - 2] from the fourth run on: two interleaved running sums.
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    if values.min() < 0:
        raise ValueError('the counts of an RLE give a negative run')
    return values


def _text(counts: Union[str, bytes]) -> str:
    return counts.decode('ascii') if isinstance(counts, bytes) else counts


def _shortened(value: object, length: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= length else text[:length] + '…'
