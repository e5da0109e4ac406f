"""Completers that learn nothing: the visible mask, its hull, the hull kept behind occluders.

Letters: N instances, H×W image, P touching pairs.
"""

from typing import List, Optional, Sequence, Tuple

import numpy as np
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.model import BaseModel
from mmengine.structures import InstanceData
from torch import Tensor

from ...structures import occlusion
from ...structures.gaps import close_gaps
from ...structures.order_graph import in_front
from .completer import add_predictions
from .options import check_choice, check_gap

METHODS = ('raw', 'convex', 'convexr')
ORDERS = ('hull', 'area_smaller', 'area_larger', 'yaxis')


@MODELS.register_module()
class HullCompleter(BaseModel):
    """PCNet's baselines (CVPR'20, §4): a completion and an order, each from visible masks alone.

    Args:
        method: ``'raw'``: the visible mask; ``'convex'``: its hull; ``'convexr'``: the hull
            inside the visible mask and its occluders', the ancestors in the order.
        order: who of a touching pair is in front: ``'hull'``: the one whose hull grows less
            into the other; ``'area_smaller'`` (PCNet on COCOA) and ``'area_larger'`` (on KINS):
            by visible area; ``'yaxis'``: the lower one in the image, by the mean of its rows.
        contact_gap: widest gap between masks that is closed, pixels of the image, before hulls
            are drawn, and masks get the rim that they lack
            (:func:`~mmamodal.structures.gaps.close_gaps`). At 0 none is.

    Raises:
        ValueError: another method or order, or a gap below 0.
    """

    def __init__(self, method: str = 'convexr', order: str = 'hull',
                 contact_gap: float = 0.0) -> None:
        super().__init__()
        check_gap(contact_gap)
        check_choice('method', method, METHODS)
        check_choice('order', order, ORDERS)
        self.method, self.order, self.contact_gap = method, order, contact_gap

    def forward(self, inputs: Optional[Sequence[Tensor]] = None,
                data_samples: Optional[List[DetDataSample]] = None,
                mode: str = 'predict') -> List[DetDataSample]:
        """Adds ``pred_instances``, with nothing on patches, and ``pred_order``."""
        if mode != 'predict':
            raise ValueError("HullCompleter has nothing to learn: expected mode 'predict', got "
                             f'{mode!r}; test it, do not train it')
        for sample in data_samples:
            masks, order = self.complete(sample.gt_instances.masks.visible.masks)
            add_predictions(sample, InstanceData(masks=torch.from_numpy(masks.astype(bool))), order)
        return data_samples

    def complete(self, visible: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """(N, H, W) uint8 visible masks -> their completions, same shape; (N, N) int8 order."""
        closed = self.closed(visible)
        hulls = occlusion.hulls(closed)
        order = baseline_order(self.order, closed, hulls, occlusion.touching_pairs(closed))
        if self.method == 'raw':
            return visible, order
        if self.method == 'convex':
            return hulls, order
        return hulls_behind(hulls, closed, in_front(order, 'ancestors')), order

    def closed(self, visible: np.ndarray) -> np.ndarray:
        """(N, H, W) uint8 visible masks as prediction takes them: see ``contact_gap``."""
        if not self.contact_gap:
            return visible
        reach = np.full(len(visible), self.contact_gap)
        return close_gaps(visible, occlusion.tight_boxes(visible), reach, cautious=False)


def baseline_order(kind: str, visible: np.ndarray, hulls: np.ndarray,
                   pairs: np.ndarray) -> np.ndarray:
    """The order of touching pairs by one of ORDERS, ties as in PCNet's code.

    Args:
        kind: see :class:`HullCompleter`. Of equal objects the second is in front by
            ``'area_smaller'``, the first by ``'area_larger'`` and ``'yaxis'``, none by ``'hull'``.
        visible: (N, H, W) uint8 in {0, 1}.
        hulls: (N, H, W) uint8 in {0, 1}, of the visible masks.
        pairs: (P, 2) int, i < j.

    Returns:
        (N, N) int8 order.
    """
    if kind == 'hull':
        return occlusion.order_from_growth(occlusion.growth_inside(hulls, visible, pairs))
    rows = np.count_nonzero(visible, axis=2)
    areas = rows.sum(axis=1)
    if kind == 'yaxis':
        heights = np.arange(rows.shape[1])
        return order_by(rows @ heights / np.maximum(areas, 1), pairs)
    larger = order_by(areas, pairs)
    return larger if kind == 'area_larger' else -larger


def order_by(score: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Of each pair i < j the one with the higher score is in front, the first on a tie.

    Args:
        score: (N,) of each object.
        pairs: (P, 2) int.

    Returns:
        (N, N) int8 order.
    """
    order = np.zeros((len(score), len(score)), np.int8)
    i, j = pairs.T
    order[i, j] = np.where(score[i] >= score[j], 1, -1)
    order[j, i] = -order[i, j]
    return order


def hulls_behind(hulls: np.ndarray, visible: np.ndarray, front: np.ndarray) -> np.ndarray:
    """Hulls, kept inside the visible mask and its occluders' (PCNet's convexR).

    Args:
        hulls: (N, H, W) uint8 in {0, 1}, of the visible masks.
        visible: (N, H, W) uint8 in {0, 1}.
        front: (N, N) bool, row i = the occluders of i.
    """
    kept = hulls & visible
    for i, (x1, y1, x2, y2) in enumerate(occlusion.tight_boxes(visible)):
        occluders = visible[front[i], y1:y2, x1:x2].any(axis=0).view(np.uint8)
        kept[i, y1:y2, x1:x2] |= hulls[i, y1:y2, x1:x2] & occluders
    return kept
