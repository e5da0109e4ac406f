"""ORCNN: a RoI head with one mask head for the amodal and one for the visible mask.

"Learning to See the Invisible: End-to-End Trainable Amodal Instance Segmentation", WACV 2019.
"""

import copy
from typing import Dict, List, Optional, Sequence, Tuple, Union

import torch
from mmdet.models.roi_heads import CascadeRoIHead, StandardRoIHead
from mmdet.models.task_modules.samplers import SamplingResult
from mmdet.registry import MODELS
from mmdet.structures.bbox import bbox2roi
from mmdet.structures.mask import BitmapMasks
from mmdet.utils import InstanceList
from mmengine.config import ConfigDict
from mmengine.logging import print_log
from mmengine.structures import InstanceData
from torch import Tensor, nn

from ...structures.amodal_masks import AmodalMasks
from .duplicate_mask_head import start_both_heads
from .orcnn_masks import (class_logits, invisible_logits, invisible_target, occlusion_rates,
                          paste_masks)
from .weighted_mask_head import WeightedMaskHead


class TwoMaskHeads:
    """What ORCNN adds to a RoI head of mmdet, whether it has one stage or several.

    The visible mask head stands beside the amodal one, on the same features. The logits of the
    invisible mask are ``amodal - relu(visible)``. All three masks are learned inside RoIs of the
    amodal box, by the mean binary cross-entropy of the true class. Ground truth is AmodalMasks,
    of LoadAmodalAnnotations. With WeightedMaskHeads the amodal and the invisible loss are weighted
    by how certain the labels are; what is visible is known.

    A prediction has ``masks`` (amodal), ``visible_masks`` and ``invisible_masks``, (M, H, W) bool,
    and ``occlusion_rates`` (M, ) float32, the share of the amodal mask that is invisible.

    The paper's rows: ORCNN is the default; (w/o L_V) ``with_visible_loss=False``; (w/o L_IV)
    ``with_invisible_loss=False``; (independent) ``independent=True``; (agn)
    ``mask_head.class_agnostic=True``. Without L_V no gradient reaches the visible head where its
    logits are negative, and its masks mean nothing.

    Args:
        mask_head: the amodal mask head, an FCNMaskHead or like it.
        visible_mask_head: the visible mask head, with as many classes; None: one like the amodal.
        with_visible_loss: learn from the visible masks.
        with_invisible_loss: learn from the invisible masks.
        independent: the visible and invisible masks teach the visible head alone: all else
            learns as Mask R-CNN does on amodal masks.
        relu: False leaves the ReLU out of the invisible logits.
        invisible: ``'direct'``: the invisible masks are those of their own logits;
            ``'difference'``: predicted amodal and not predicted visible.
        consistent: visible masks are cut to the amodal ones, and the invisible ones are what is
            left of these.
        init_visible_from_amodal: weights without a visible head, such as those of mmdet's Mask
            R-CNN, are fitted to this model when they are loaded, and start both heads.
        init_classes: for each class the one, or those, that it begins with in such weights. None:
            the same number of classes are the same classes; of a single class, all others.
        **kwargs: those of mmdet's RoI head.

    Raises:
        ValueError: an option is unknown, nothing would teach the visible head, the heads differ
            in classes, ``init_classes`` is not of their number, there is no mask head, or
            ``test_cfg.mask_thr_binary`` asks for soft masks.
    """

    def __init__(self, *, mask_head: Optional[ConfigDict] = None,
                 visible_mask_head: Optional[ConfigDict] = None, with_visible_loss: bool = True,
                 with_invisible_loss: bool = True, independent: bool = False, relu: bool = True,
                 invisible: str = 'direct', consistent: bool = False,
                 init_visible_from_amodal: bool = True,
                 init_classes: Optional[Sequence] = None, **kwargs) -> None:
        if mask_head is None:
            raise ValueError('expected a mask_head, as a Mask R-CNN has: a detector of boxes alone '
                             'cannot be made an ORCNN')
        if 'num_stages' in kwargs and not isinstance(self, CascadeRoIHead):
            raise ValueError(f'{type(self).__name__} has one stage, got num_stages='
                             f"{kwargs['num_stages']}: use CascadeORCNNRoIHead")
        visible_mask_head = copy.deepcopy(visible_mask_head or mask_head)
        super().__init__(mask_head=mask_head, **kwargs)
        self.with_visible_loss, self.with_invisible_loss = with_visible_loss, with_invisible_loss
        self.independent, self.relu = independent, relu
        self.invisible, self.consistent = invisible, consistent
        self.init_visible_from_amodal, self.init_classes = init_visible_from_amodal, init_classes
        self.visible_mask_head = self._build_visible(visible_mask_head)
        self._check_options()

    def _check_options(self) -> None:
        if self.invisible not in ('direct', 'difference'):
            raise ValueError("expected invisible to be 'direct' or 'difference', got "
                             f'{self.invisible!r}')
        if not (self.with_visible_loss or self.with_invisible_loss):
            raise ValueError('nothing would teach the visible mask head: expected '
                             'with_visible_loss or with_invisible_loss to be True; for amodal '
                             'masks alone use StandardRoIHead')
        amodal, visible = _classes(self.mask_head), _classes(self.visible_mask_head)
        if amodal != visible:
            raise ValueError('expected mask_head and visible_mask_head to have the same '
                             f'num_classes and class_agnostic, got {amodal} and {visible}')
        if self.init_classes is not None and len(self.init_classes) != amodal[0][0]:
            raise ValueError(f'expected init_classes for each of {amodal[0][0]} classes, got '
                             f'{len(self.init_classes)}: {list(self.init_classes)}')
        threshold = (self.test_cfg or {}).get('mask_thr_binary', 0.5)
        if threshold < 0:
            raise ValueError('expected test_cfg.mask_thr_binary to be at least 0, got '
                             f'{threshold}: three soft masks cannot be had')

    def _load_from_state_dict(self, state_dict: Dict[str, Tensor], prefix: str, *args) -> None:
        """Like torch's, but weights without a visible head are fitted to this model first."""
        fitted = self.fitted_weights(state_dict, prefix)
        if fitted:
            state_dict.update(fitted)
            print_log('The visible mask head begins with the weights of the amodal one.',
                      logger='current')
        super()._load_from_state_dict(state_dict, prefix, *args)

    def fitted_weights(self, weights: Dict[str, Tensor], prefix: str) -> Dict[str, Tensor]:
        """Those of this head, whose names begin with ``prefix``, as they are when they are loaded,
        if they are without a visible head; else none."""
        own = {name: value for name, value in weights.items() if name.startswith(prefix)}
        has_one_head = (any(name.startswith(f'{prefix}mask_head.') for name in own)
                        and not any(name.startswith(f'{prefix}visible_mask_head.') for name in own))
        if not (self.init_visible_from_amodal and has_one_head):
            return {}
        (classes, class_agnostic), *_ = _classes(self.mask_head)
        return start_both_heads(own, classes, class_agnostic, self.init_classes)

    def _both(self, features: Tensor, head: nn.Module, visible_head: nn.Module) -> dict:
        """Logits (N, C, h, w) of both heads on the same RoI features."""
        fast = _fast_layout(features)
        # In training the amodal head computes to the bit what Mask R-CNN's does.
        return dict(mask_feats=features,
                    mask_preds=head(features if torch.is_grad_enabled() else fast),
                    visible_preds=visible_head(fast.detach() if self.independent else fast))

    def _three_losses(self, logits: Dict[str, Tensor], head: nn.Module, visible_head: nn.Module,
                      sampling_results: List[SamplingResult], truth: InstanceList,
                      train_cfg: ConfigDict) -> Dict[str, Tensor]:
        """Losses of the positive RoIs by name. Without any they are zeros that reach every
        parameter: processes that train together wait for all gradients of each."""
        labels = torch.cat([res.pos_gt_labels for res in sampling_results])
        amodal = class_logits(logits['mask_preds'], labels)
        visible = class_logits(logits['visible_preds'], labels)
        amodal_truth, visible_truth = _split(truth)
        amodal_target = head.get_targets(sampling_results, amodal_truth, train_cfg)
        visible_target = head.get_targets(sampling_results, visible_truth, train_cfg)
        weight = (head.get_weights(sampling_results, truth, train_cfg)
                  if isinstance(head, WeightedMaskHead) else None)
        losses = dict(loss_mask=_mask_loss(head, amodal, amodal_target, weight))
        if self.with_visible_loss:
            losses['loss_visible_mask'] = _mask_loss(visible_head, visible, visible_target)
        if self.with_invisible_loss:
            amodal = amodal.detach() if self.independent else amodal
            losses['loss_invisible_mask'] = _mask_loss(
                visible_head, invisible_logits(amodal, visible, self.relu),
                invisible_target(amodal_target, visible_target), weight)
        return losses

    def predict_mask(self, x: Tuple[Tensor, ...], batch_img_metas: List[dict],
                     results_list: InstanceList, rescale: bool = False) -> InstanceList:
        """Like mmdet's, but adds three masks and the occlusion rate to each detection.

        Args:
            x: feature maps.
            batch_img_metas: with ``ori_shape`` and ``scale_factor``.
            results_list: detections with boxes on the network's input.
            rescale: boxes and masks are of the original image, not of the network's input.
        """
        rois = bbox2roi([results.bboxes for results in results_list])
        labels = torch.cat([results.labels for results in results_list])
        stages = [self._probabilities(logits, labels) for logits in self._stages(x, rois)]
        probabilities = torch.stack(stages).mean(dim=0).split([len(r) for r in results_list])
        for results, image, meta in zip(results_list, probabilities, batch_img_metas):
            self._add_masks(results, image, meta, rescale)
        return results_list

    def _probabilities(self, logits: Dict[str, Tensor], labels: Tensor) -> Tensor:
        """Amodal, visible and, unless it is a difference, invisible: (N, 2 | 3, h, w) float32."""
        amodal = class_logits(logits['mask_preds'], labels)
        visible = class_logits(logits['visible_preds'], labels)
        kinds = [amodal, visible]
        if not self._takes_difference:
            kinds.append(invisible_logits(amodal, visible, self.relu))
        return torch.cat(kinds, dim=1).sigmoid()

    def _add_masks(self, results: InstanceData, probabilities: Tensor, meta: dict,
                   rescale: bool) -> None:
        """Paste the masks; rescale the boxes, which mmdet leaves to the mask branch."""
        scale_wh, (height, width) = meta['scale_factor'], meta['ori_shape'][:2]
        if rescale:
            results.bboxes = results.bboxes / results.bboxes.new_tensor(scale_wh).repeat(2)
        else:
            width, height = int(round(width * scale_wh[0])), int(round(height * scale_wh[1]))
        amodal, visible, *direct = paste_masks(probabilities, results.bboxes, (height, width),
                                               self.test_cfg.mask_thr_binary)
        if self.consistent:
            visible &= amodal
        invisible = amodal & ~visible if self._takes_difference else direct[0]
        results.masks, results.visible_masks, results.invisible_masks = amodal, visible, invisible
        results.occlusion_rates = occlusion_rates(amodal, invisible)

    @property
    def _takes_difference(self) -> bool:
        return self.consistent or self.invisible == 'difference'


@MODELS.register_module()
class ORCNNRoIHead(TwoMaskHeads, StandardRoIHead):
    """Like mmdet's StandardRoIHead, but with a visible mask head: ORCNN. See TwoMaskHeads."""

    def _build_visible(self, config: ConfigDict) -> nn.Module:
        return MODELS.build(config)

    def _mask_forward(self, x: Tuple[Tensor, ...], rois: Optional[Tensor] = None,
                      pos_inds: Optional[Tensor] = None,
                      bbox_feats: Optional[Tensor] = None) -> Dict[str, Tensor]:
        """Like mmdet's, but adds ``visible_preds``, from the same RoI features."""
        if rois is None:
            features = bbox_feats[pos_inds]
        else:
            features = self.mask_roi_extractor(x[:self.mask_roi_extractor.num_inputs], rois)
            features = self.shared_head(features) if self.with_shared_head else features
        return self._both(features, self.mask_head, self.visible_mask_head)

    def _stages(self, x: Tuple[Tensor, ...], rois: Tensor) -> List[Dict[str, Tensor]]:
        return [self._mask_forward(x, rois)]

    def mask_loss(self, x: Tuple[Tensor, ...], sampling_results: List[SamplingResult],
                  bbox_feats: Tensor, batch_gt_instances: InstanceList) -> dict:
        """Like mmdet's, but with the losses of all three masks."""
        if self.share_roi_extractor:
            positive = torch.cat([torch.arange(len(res.priors)) < len(res.pos_priors)
                                  for res in sampling_results]).to(bbox_feats.device)
            results = self._mask_forward(x, pos_inds=positive, bbox_feats=bbox_feats)
        else:
            results = self._mask_forward(x, bbox2roi([res.pos_priors for res in sampling_results]))
        results['loss_mask'] = self._three_losses(
            results, self.mask_head, self.visible_mask_head, sampling_results, batch_gt_instances,
            self.train_cfg)
        return results


@MODELS.register_module()
class CascadeORCNNRoIHead(TwoMaskHeads, CascadeRoIHead):
    """Like mmdet's CascadeRoIHead, but with a visible mask head at each stage. See TwoMaskHeads.

    ``mask_head`` and ``visible_mask_head`` are one config for all stages or a list. The
    probabilities of each kind of mask are averaged over the stages.
    """

    def _build_visible(self, config: Union[ConfigDict, list]) -> nn.Module:
        stages = config if isinstance(config, list) else [config] * self.num_stages
        return nn.ModuleList(MODELS.build(stage) for stage in stages)

    def _mask_forward(self, stage: int, x: Tuple[Tensor, ...], rois: Tensor) -> Dict[str, Tensor]:
        """Like mmdet's, but adds ``visible_preds``, from the same RoI features."""
        extractor = self.mask_roi_extractor[stage]
        features = extractor(x[:extractor.num_inputs], rois)
        return self._both(features, self.mask_head[stage], self.visible_mask_head[stage])

    def _stages(self, x: Tuple[Tensor, ...], rois: Tensor) -> List[Dict[str, Tensor]]:
        return [self._mask_forward(stage, x, rois) for stage in range(self.num_stages)]

    def mask_loss(self, stage: int, x: Tuple[Tensor, ...], sampling_results: List[SamplingResult],
                  batch_gt_instances: InstanceList) -> dict:
        """Like mmdet's, but with the losses of all three masks."""
        rois = bbox2roi([res.pos_priors for res in sampling_results])
        results = self._mask_forward(stage, x, rois)
        results['loss_mask'] = self._three_losses(
            results, self.mask_head[stage], self.visible_mask_head[stage], sampling_results,
            batch_gt_instances, self.train_cfg[stage])
        return results


def _mask_loss(head: nn.Module, logits: Tensor, target: Tensor,
               weight: Optional[Tensor] = None) -> Tensor:
    """A head's loss of (N, 1, h, w) logits, 0 without any."""
    if len(logits) == 0:
        return logits.sum()
    if weight is not None:
        return head.weighted_loss(logits, target, weight)
    return head.loss_mask(logits, target, target.new_zeros(len(target), dtype=torch.long))


def _fast_layout(features: Tensor) -> Tensor:
    """Channels last on a CPU, where a mask head then takes up to half the time."""
    if features.device.type != 'cpu':
        return features
    return features.contiguous(memory_format=torch.channels_last)


def _split(truth: InstanceList) -> Tuple[InstanceList, InstanceList]:
    """Amodal and visible masks, each by themselves: cropping AmodalMasks would crop both.

    Raises:
        ValueError: an image has masks without visible parts.
    """
    for instances in truth:
        if not isinstance(instances.masks, AmodalMasks):
            raise ValueError('expected ground truth of AmodalMasks, got '
                            f'{type(instances.masks).__name__}, which has no visible masks: load '
                            'annotations with LoadAmodalAnnotations')
    masks = [instances.masks for instances in truth]
    amodal = [InstanceData(masks=BitmapMasks(m.masks, m.height, m.width)) for m in masks]
    return amodal, [InstanceData(masks=m.visible) for m in masks]


def _classes(head: nn.Module) -> List[Tuple[int, bool]]:
    """Number of classes and whether class-agnostic, of each stage."""
    stages = head if isinstance(head, nn.ModuleList) else [head]
    return [(stage.num_classes, stage.class_agnostic) for stage in stages]
