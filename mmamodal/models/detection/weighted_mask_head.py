"""A mask head that learns less from pixels whose label is uncertain.

Letters: N positive RoIs, C classes of the head (1 if class-agnostic), h×w its grid (28×28).
"""

from typing import List

import torch
from mmdet.models.roi_heads.mask_heads import FCNMaskHead
from mmdet.models.task_modules.samplers import SamplingResult
from mmdet.registry import MODELS
from mmdet.structures.mask import mask_target
from mmdet.utils import InstanceList
from mmengine.config import ConfigDict
from torch import Tensor
from torch.nn import functional as F

from .orcnn_masks import class_logits


def label_weight(levels: Tensor) -> Tensor:
    """How much a pixel of a label counts: 1 - 2u², not below 0.

    At the best u of Eq. (1) u² is what the completer expects to be wrong by, |t - m|: from 0
    where it is sure to a half where it tosses a coin, where nothing can be learned.

    Args:
        levels: of u, 256 for u = 1, any shape.

    Returns:
        float of that shape in [0, 1].
    """
    return (1 - 2 * (levels / 256)**2).clamp(min=0)


def weighted_bce(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Σ w · BCE / number of pixels; (N, h, w) each -> scalar."""
    return F.binary_cross_entropy_with_logits(logits, target, weight=weight)


@MODELS.register_module()
class WeightedMaskHead(FCNMaskHead):
    """Like mmdet's FCNMaskHead, but each pixel of the loss has the weight of its label.

    Ground truth is AmodalMasks with uncertainty, of
    ``LoadAmodalAnnotations(with_uncertainty=True)``. With all labels certain the loss is
    FCNMaskHead's to the bit.

    Raises:
        ValueError: ``loss_mask`` is no binary cross-entropy without class weights.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if not getattr(self.loss_mask, 'use_mask', False) or self.loss_mask.class_weight:
            raise ValueError("WeightedMaskHead expects loss_mask=dict(type='CrossEntropyLoss', "
                             'use_mask=True) without class_weight')

    def loss_and_target(self, mask_preds: Tensor, sampling_results: List[SamplingResult],
                        batch_gt_instances: InstanceList, rcnn_train_cfg: ConfigDict) -> dict:
        """Like FCNMaskHead's, but weighted."""
        truth = (sampling_results, batch_gt_instances, rcnn_train_cfg)
        target, weight = self.get_targets(*truth), self.get_weights(*truth)
        labels = torch.cat([result.pos_gt_labels for result in sampling_results])
        loss = self.weighted_loss(class_logits(mask_preds, labels), target, weight)
        return dict(loss_mask=dict(loss_mask=loss), mask_targets=target)

    def weighted_loss(self, logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """The loss of (N, 1, h, w) logits of the true class, 0 without any."""
        if len(logits) == 0:
            return logits.sum()
        return self.loss_mask.loss_weight * weighted_bce(logits[:, 0], target, weight)

    def get_weights(self, sampling_results: List[SamplingResult],
                    batch_gt_instances: InstanceList, rcnn_train_cfg: ConfigDict) -> Tensor:
        """(N, h, w) weights, cropped as the targets are.

        Raises:
            ValueError: an image's masks have no uncertainty.
        """
        unsure = [getattr(instances.masks, 'uncertainty', None) for instances in batch_gt_instances]
        if any(levels is None for levels in unsure):
            raise ValueError(
                'WeightedMaskHead expects ground truth with uncertainty: load it with '
                'LoadAmodalAnnotations(with_uncertainty=True), and leave out transforms that '
                'build masks anew, such as AmodalCopyPaste')
        return label_weight(mask_target(
            [result.pos_priors for result in sampling_results],
            [result.pos_assigned_gt_inds for result in sampling_results], unsure,
            ConfigDict(mask_size=rcnn_train_cfg.mask_size, soft_mask_target=True)))
