"""Completers that learn nothing: the visible mask, its hull, the hull kept behind occluders."""

from typing import List, Optional, Sequence

import numpy as np
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.model import BaseModel
from mmengine.structures import InstanceData
from torch import Tensor

from ..structures import occlusion


@MODELS.register_module()
class HullCompleter(BaseModel):
    """PCNet's baselines, with the order from how far hulls grow into their neighbours.

    Args:
        method: ``'raw'``: the visible mask; ``'convex'``: its hull; ``'convexr'``: the hull
            inside the visible mask and its occluders', the ancestors in the order.

    Raises:
        ValueError: another method.
    """

    def __init__(self, method: str = 'convexr') -> None:
        super().__init__()
        if method not in ('raw', 'convex', 'convexr'):
            raise ValueError(f"expected method 'raw', 'convex' or 'convexr', got {method!r}")
        self.method = method

    def forward(self, inputs: Optional[Sequence[Tensor]] = None,
                data_samples: Optional[List[DetDataSample]] = None,
                mode: str = 'predict') -> List[DetDataSample]:
        """Adds ``pred_instances`` and ``pred_order``, as MaskCompleter.predict does."""
        if mode != 'predict':
            raise ValueError("HullCompleter has nothing to learn: expected mode 'predict', got "
                             f'{mode!r}; test it, do not train it')
        for sample in data_samples:
            truth = sample.gt_instances
            masks, order = self.complete(truth.masks.visible.masks)
            sample.pred_instances = InstanceData(
                masks=torch.from_numpy(masks.astype(bool)), labels=truth.labels,
                scores=torch.ones(len(masks)))
            if 'ann_ids' in truth:
                sample.pred_instances.ann_ids = truth.ann_ids
            sample.set_field(torch.from_numpy(order), 'pred_order', dtype=Tensor)
        return data_samples

    def complete(self, visible: np.ndarray) -> tuple:
        """(N, H, W) uint8 visible masks -> their completions, same shape; (N, N) int8 order."""
        hulls = occlusion.hulls(visible)
        pairs = occlusion.touching_pairs(visible)
        order = occlusion.order_from_growth(occlusion.growth_inside(hulls, visible, pairs))
        if self.method == 'raw':
            return visible, order
        if self.method == 'convex':
            return hulls, order
        front = occlusion.in_front(order, 'ancestors')
        allowed = [visible[i] | visible[row].any(axis=0) for i, row in enumerate(front)]
        return hulls & np.array(allowed, np.uint8).reshape(hulls.shape), order
