"""Which objects touch, where, and which of them is in front.

Letters: N instances, H×W image, S patch side, P pairs. An order matrix O is (N, N) int8:
``O[i, j]`` is +1 where i is in front of j, -1 where it is behind, 0 where neither.
"""

from typing import Tuple

import cv2
import numpy as np

CONTEXTS = ('neighbours', 'parents', 'ancestors')


def tight_boxes(masks: np.ndarray) -> np.ndarray:
    """(N, H, W) uint8 masks -> (N, 4) int xyxy tight boxes, all zero for an empty mask."""
    boxes = [cv2.boundingRect(np.ascontiguousarray(mask)) for mask in masks]
    x, y, w, h = np.array(boxes, dtype=np.int64).reshape(-1, 4).T
    return np.stack([x, y, x + w, y + h], axis=1)


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


def touching_pairs(masks: np.ndarray) -> np.ndarray:
    """Pairs of masks that overlap or share a pixel's side.

    One pass over a label map instead of a dilation for every pair; where masks overlap, the
    map has a layer for each mask that covers the pixel.

    Args:
        masks: (N, H, W) uint8 in {0, 1}.

    Returns:
        (P, 2) int64, sorted, i < j.
    """
    layers = _label_layers(masks)
    codes = [_codes(a, b, len(masks)) for k, a in enumerate(layers) for b in layers[k + 1:]]
    for a in layers:
        for b in layers:
            codes.append(_codes(a[:, :-1], b[:, 1:], len(masks)))
            codes.append(_codes(a[:-1], b[1:], len(masks)))
    codes = np.unique(np.concatenate(codes)) if codes else np.zeros(0, np.int64)
    return np.stack(np.divmod(codes, max(len(masks), 1)), axis=1)


def _label_layers(masks: np.ndarray) -> list:
    """Label maps (H, W) int32, 0 = empty, i + 1 = instance i; the k-th holds, at each pixel,
    the k-th mask that covers it."""
    layers = []
    for label, (mask, (x1, y1, x2, y2)) in enumerate(zip(masks, tight_boxes(masks)), start=1):
        left_over = mask[y1:y2, x1:x2] > 0
        depth = 0
        while left_over.any():
            if depth == len(layers):
                layers.append(np.zeros(mask.shape, np.int32))
            view = layers[depth][y1:y2, x1:x2]
            free = left_over & (view == 0)
            view[free] = label
            left_over &= ~free
            depth += 1
    return layers


def _codes(a: np.ndarray, b: np.ndarray, count: int) -> np.ndarray:
    """Pairs of unlike labels at the same place of two maps, each as smaller * N + larger."""
    unlike = (a != b) & (a > 0) & (b > 0)
    first, second = a[unlike].astype(np.int64) - 1, b[unlike].astype(np.int64) - 1
    return np.unique(np.minimum(first, second) * count + np.maximum(first, second))


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
    for i, j in touching_pairs(visible):
        hides = _shared_area(visible[i], amodal[j], boxes[i])
        hidden = _shared_area(visible[j], amodal[i], boxes[j])
        if hides or hidden:
            order[i, j] = 1 if hides >= hidden else -1
            order[j, i] = -order[i, j]
    return order


def _shared_area(a: np.ndarray, b: np.ndarray, box: np.ndarray) -> int:
    x1, y1, x2, y2 = box
    return int(np.count_nonzero(a[y1:y2, x1:x2] & b[y1:y2, x1:x2]))


def depth_ranks(order: np.ndarray) -> np.ndarray:
    """How far back each object lies among those that it hides or is hidden by.

    Args:
        order: (N, N) int8, +1 where the row is in front of the column, -1 where behind.

    Returns:
        (N,) int64: 1 where nothing is in front, else one more than the farthest of those in
        front, 0 for an object without any order. Of objects in a ring the one with the fewest
        in front counts as the first.
    """
    behind, left = order == -1, (order != 0).any(1)
    ranks = np.zeros(len(order), np.int64)
    while left.any():
        waits_for = (behind & left).sum(1)
        free = np.flatnonzero(left & (waits_for == waits_for[left].min()))
        free = free if waits_for[free[0]] == 0 else free[:1]
        ranks[free] = 1 + (behind[free] * ranks).max(1)
        left[free] = False
    return ranks


def in_front(order: np.ndarray, context: str) -> np.ndarray:
    """Who counts as each object's occluder, given the order.

    Args:
        order: (N, N) int8.
        context: ``'neighbours'``: all in an order with it; ``'parents'``: those in front of
            it; ``'ancestors'``: those in front of these, too, and so on (PCNet).

    Returns:
        (N, N) bool, row i = the occluders of i, never i itself.

    Raises:
        ValueError: another context.
    """
    if context not in CONTEXTS:
        raise ValueError(f'expected context to be one of {CONTEXTS}, got {context!r}')
    if context == 'neighbours':
        return order != 0
    front = order == -1
    if context == 'ancestors':
        front = _transitive_closure(front)
    return front & ~np.eye(len(order), dtype=bool)


def _transitive_closure(relation: np.ndarray) -> np.ndarray:
    while True:
        wider = relation | (relation.astype(np.float32) @ relation.astype(np.float32) > 0)
        if (wider == relation).all():
            return relation
        relation = wider


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


def growth_inside(completed: np.ndarray, visible: np.ndarray,
                  pairs: np.ndarray) -> np.ndarray:
    """How far each object of a pair grows into the visible part of the other.

    Args:
        completed: (N, H, W) uint8 in {0, 1}, amodal masks.
        visible: (N, H, W) uint8 in {0, 1}.
        pairs: (P, 2) int.

    Returns:
        (N, N) int64 pixels for :func:`order_from_growth`.
    """
    growth = np.zeros((len(visible), len(visible)), np.int64)
    boxes = tight_boxes(visible)
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
