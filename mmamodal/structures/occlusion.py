"""Which objects touch, where, and which of them is in front.

Letters: N instances, H×W image, S patch side, P pairs. An order matrix O is (N, N) int8:
``O[i, j]`` is +1 where i is in front of j, -1 where it is behind, 0 where neither.
"""

from typing import Optional, Tuple

import cv2
import numpy as np


def tight_boxes(masks: np.ndarray) -> np.ndarray:
    """(N, H, W) uint8 masks -> (N, 4) int xyxy tight boxes, all zero for an empty mask."""
    boxes = np.zeros((len(masks), 4), np.int64)
    for box, mask in zip(boxes, masks):
        # Three times as fast as boundingRect on all of a large image.
        columns = np.flatnonzero(np.bitwise_or.reduce(mask, axis=0))
        if len(columns):
            x1, x2 = columns[0], columns[-1] + 1
            _, y, _, h = cv2.boundingRect(mask[:, x1:x2])
            box[:] = x1, y, x2, y + h
    return boxes


def occlusion_boundary(occluder: np.ndarray, mask: np.ndarray, width: int = 5) -> np.ndarray:
    """Where an object and its occluder touch: both dilated, intersected (ASBU, §3.1).

    Two half planes that abut give a band of ``width - 1`` pixels, a gap of ``width - 1``
    pixels between them none.

    Args:
        occluder: (S, S) uint8 in {0, 1}.
        mask: (S, S) uint8 in {0, 1}.
        width: side of the square dilation in pixels, odd.

    Returns:
        (S, S) uint8 in {0, 1}.

    Raises:
        ValueError: ``width`` is even or not positive.
    """
    if width < 1 or width % 2 == 0:
        raise ValueError(f'expected an odd boundary width, got {width}')
    kernel = np.ones((width, width), np.uint8)
    return cv2.dilate(occluder, kernel) & cv2.dilate(mask, kernel)


def touching_pairs(masks: np.ndarray, boxes: Optional[np.ndarray] = None,
                   reach: Optional[np.ndarray] = None) -> np.ndarray:
    """Pairs of masks that overlap, share a pixel's side, or are near each other.

    One pass over a label map instead of a dilation for every pair; pixels that more than one
    mask covers are looked at one by one.

    Args:
        masks: (N, H, W) uint8 in {0, 1}.
        boxes: (N, 4) their tight boxes, if known.
        reach: (N,) pixels; two masks are near where the gap between them is no wider than the
            reach of either. None: only those that touch.

    Returns:
        (P, 2) int64, sorted, i < j.
    """
    boxes = tight_boxes(masks) if boxes is None else boxes
    labels, covered = _label_map(masks, boxes)
    layers = [labels.ravel()]
    codes = [_codes(layers[0][:-step], layers[0][step:], len(masks))
             for step in (1, labels.shape[1])]
    for places, others in covered:
        layers.append(np.zeros_like(layers[0]))
        layers[-1][places] = others
        for layer in layers:
            for step in (0, 1, -1, labels.shape[1], -labels.shape[1]):
                codes.append(_codes(others, layer[places + step], len(masks)))
    if reach is not None:
        maps = [layer.reshape(labels.shape)[1:-1, 1:-1] for layer in layers]
        codes += [_near_codes(maps, masks, boxes, i, reach[i]) for i in np.flatnonzero(reach)]
    codes = np.unique(np.concatenate(codes))
    return np.stack(np.divmod(codes, max(len(masks), 1)), axis=1)


def _label_map(masks: np.ndarray, boxes: np.ndarray) -> Tuple[np.ndarray, list]:
    """Which mask covers each pixel, and which ones it hides there.

    Returns:
        labels: (H + 2, W + 2) int32, 0 = empty, i + 1 = instance i, the last one that covers
            the pixel, with a rim of zeros.
        covered: the others as (places, labels); places are flat indices into the map. The k-th
            entry has one label for each pixel that at least k + 2 masks cover.
    """
    labels = np.zeros((masks.shape[1] + 2, masks.shape[2] + 2), np.int32)
    windows = [np.s_[y1:y2, x1:x2] for x1, y1, x2, y2 in boxes]
    inside = labels[1:-1, 1:-1]
    for label, (mask, window) in enumerate(zip(masks, windows), start=1):
        np.copyto(inside[window], label, where=mask[window] > 0)
    places, hidden = [], []
    for label, (mask, window, box) in enumerate(zip(masks, windows, boxes), start=1):
        y, x = np.nonzero((mask[window] > 0) & (inside[window] != label))
        places.append((y + box[1] + 1) * labels.shape[1] + x + box[0] + 1)
        hidden.append(np.full(len(y), label, np.int32))
    return labels, _one_a_place(np.concatenate(places or [[]]).astype(np.int64),
                                np.concatenate(hidden or [[]]))


def _one_a_place(places: np.ndarray, labels: np.ndarray) -> list:
    """Splits (place, label) couples so that no part has a place twice."""
    parts = []
    while len(places):
        _, first = np.unique(places, return_index=True)
        parts.append((places[first], labels[first]))
        places, labels = np.delete(places, first), np.delete(labels, first)
    return parts


def _codes(a: np.ndarray, b: np.ndarray, count: int) -> np.ndarray:
    """Pairs of unlike labels at the same place of two maps, each as smaller * N + larger."""
    unlike = np.flatnonzero(a != b)
    first, second = a[unlike].astype(np.int64) - 1, b[unlike].astype(np.int64) - 1
    both = (first >= 0) & (second >= 0)
    return np.unique((np.minimum(first, second) * count + np.maximum(first, second))[both])


def _near_codes(maps: list, masks: np.ndarray, boxes: np.ndarray, index: int,
                reach: float) -> np.ndarray:
    """Pairs of one mask with the labels of maps that are at most ``reach`` pixels off."""
    x1, y1, x2, y2 = boxes[index]
    if x1 == x2:
        return np.zeros(0, np.int64)
    rim = int(np.ceil(reach)) + 1
    window = np.s_[max(y1 - rim, 0):y2 + rim, max(x1 - rim, 0):x2 + rim]
    distance = cv2.distanceTransform(1 - masks[index][window], cv2.DIST_L2, cv2.DIST_MASK_5)
    near = distance <= reach + 1  # between the centres of pixels
    labels = np.concatenate([np.unique(layer[window][near]) for layer in maps])
    return _codes(labels, np.full_like(labels, index + 1), len(masks))


def order_from_growth(growth: np.ndarray) -> np.ndarray:
    """The order of pairs from how far each object grows into its partner (ASBU, Eq. 3).

    Args:
        growth: (N, N), ``growth[i, j]`` = pixels of j that i's completion adds to i.

    Returns:
        (N, N) int8 order: the one that grows more is behind, equal growth is no order.
    """
    return np.sign(growth.T - growth).astype(np.int8)


def order_from_masks(visible: np.ndarray, amodal: np.ndarray) -> np.ndarray:
    """The true order of touching pairs: in front is what is seen where the other goes on.

    Of two objects that each hide a part of the other the one that hides more is in front,
    the first one on a tie, as PCNet's evaluation has it.

    Args:
        visible: (N, H, W) uint8 in {0, 1}.
        amodal: (N, H, W) uint8 in {0, 1}.

    Returns:
        (N, N) int8 order, 0 for pairs that do not touch or hide nothing of each other.
    """
    order = np.zeros((len(visible), len(visible)), np.int8)
    boxes = tight_boxes(visible)
    for i, j in touching_pairs(visible, boxes):
        hides = _shared_area(visible[i], amodal[j], boxes[i])
        hidden = _shared_area(visible[j], amodal[i], boxes[j])
        if hides or hidden:
            order[i, j] = 1 if hides >= hidden else -1
            order[j, i] = -order[i, j]
    return order


def _shared_area(a: np.ndarray, b: np.ndarray, box: np.ndarray) -> int:
    x1, y1, x2, y2 = box
    return cv2.countNonZero(cv2.bitwise_and(a[y1:y2, x1:x2], b[y1:y2, x1:x2]))


def pairs_as_matrix(pairs: np.ndarray, count: int) -> np.ndarray:
    """(P, 2) pairs -> (N, N) bool, symmetric."""
    matrix = np.zeros((count, count), dtype=bool)
    matrix[pairs[:, 0], pairs[:, 1]] = matrix[pairs[:, 1], pairs[:, 0]] = True
    return matrix


def hulls(masks: np.ndarray) -> np.ndarray:
    """(N, H, W) uint8 masks -> their convex hulls, same shape (OpenCV's rasteriser)."""
    out = np.zeros(masks.shape, np.uint8)
    for mask, hull in zip(masks, out):
        points = cv2.findNonZero(np.ascontiguousarray(mask))
        if points is not None:
            cv2.fillConvexPoly(hull, cv2.convexHull(points), 1)
    return out


def growth_inside(completed: np.ndarray, visible: np.ndarray, pairs: np.ndarray,
                  boxes: Optional[np.ndarray] = None) -> np.ndarray:
    """How far each object of a pair grows into the visible part of the other.

    Args:
        completed: (N, H, W) uint8 in {0, 1}, amodal masks.
        visible: (N, H, W) uint8 in {0, 1}.
        pairs: (P, 2) int.
        boxes: (N, 4) tight boxes of the visible masks, if known.

    Returns:
        (N, N) int64 pixels for :func:`order_from_growth`.
    """
    growth = np.zeros((len(visible), len(visible)), np.int64)
    boxes = tight_boxes(visible) if boxes is None else boxes
    for i, j in np.concatenate([pairs, pairs[:, ::-1]]):
        x1, y1, x2, y2 = boxes[j]
        window = np.s_[y1:y2, x1:x2]
        added = completed[i][window] & ~visible[i][window] & visible[j][window]
        growth[i, j] = np.count_nonzero(added)
    return growth


def pair_accuracy(order: np.ndarray, truth: np.ndarray) -> Tuple[int, int]:
    """(right, all) over unordered pairs that have a true order (PCNet's O-Acc)."""
    known = truth != 0
    return int(np.sum((order == truth) & known)) // 2, int(np.sum(known)) // 2
