"""The weighted mask loss by hand, against mmdet's, and its gradients."""

import math
from types import SimpleNamespace
from typing import Optional

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures.mask import BitmapMasks
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mmamodal.models.detection.orcnn_roi_head import TwoMaskHeads
from mmamodal.models.detection.weighted_mask_head import label_weight
from mmamodal.structures.amodal_masks import AmodalMasks

AMODAL = np.uint8([[[1, 1], [1, 0]]])
VISIBLE = np.uint8([[[1, 0], [0, 0]]])
LOGITS = torch.tensor([[2., -1.], [0.5, -3.]])


def head(kind: str = 'WeightedMaskHead', **options) -> nn.Module:
    return MODELS.build(dict(type=kind, num_convs=1, in_channels=4, conv_out_channels=4,
                             num_classes=3, **options))


def found(number: int) -> SimpleNamespace:
    """Positive RoIs of 2×2 pixels, of class 1."""
    return SimpleNamespace(pos_priors=torch.tensor([[0., 0., 2., 2.]] * number).reshape(-1, 4),
                           pos_assigned_gt_inds=torch.zeros(number, dtype=torch.long),
                           pos_gt_labels=torch.ones(number, dtype=torch.long))


def truth(levels: Optional[list]) -> InstanceData:
    levels = None if levels is None else np.array([levels], np.uint8)
    return InstanceData(masks=AmodalMasks(AMODAL, 2, 2, VISIBLE, levels))


def loss_of(module: nn.Module, logits: Tensor, levels: Optional[list]) -> Tensor:
    result = module.loss_and_target(logits, [found(len(logits))], [truth(levels)],
                                    ConfigDict(mask_size=2))
    assert result['mask_targets'].tolist() == AMODAL.tolist() * len(logits)
    return result['loss_mask']['loss_mask']


def logits_of(channels: int = 3, number: int = 1) -> Tensor:
    logits = torch.full((number, channels, 2, 2), 7.)
    logits[:, min(1, channels - 1)] = LOGITS
    return logits.requires_grad_()


@pytest.mark.parametrize('level, weight', [
    (0, 1), (91, 1 - 2 * (91 / 256)**2), (128, 0.5), (182, 0), (255, 0)])
def test_weight_of_a_level(level, weight):
    assert label_weight(torch.tensor([float(level)])).item() == pytest.approx(weight)


@pytest.mark.parametrize('channels, options', [(3, {}), (1, dict(class_agnostic=True))])
def test_loss_by_hand(channels, options):
    levels = [[0, 128], [182, 128]]
    terms = [math.log1p(math.exp(x)) - t * x for x, t in zip(LOGITS.ravel().tolist(),
                                                             AMODAL.ravel().tolist())]
    expected = (terms[0] + 0.5 * terms[1] + 0 * terms[2] + 0.5 * terms[3]) / 4
    assert loss_of(head(**options), logits_of(channels), levels).item() == pytest.approx(expected)


def test_nothing_is_learned_where_nothing_is_known():
    logits = logits_of()
    loss_of(head(), logits, [[0, 182], [200, 128]]).backward()
    assert (logits.grad[0, 1] != 0).tolist() == [[True, False], [False, True]]
    assert not logits.grad[0, [0, 2]].any()  # other classes


@pytest.mark.parametrize('options', [
    {}, dict(class_agnostic=True),
    dict(loss_mask=dict(type='CrossEntropyLoss', use_mask=True, loss_weight=0.3))])
@pytest.mark.parametrize('number', [0, 1, 5])
def test_with_certain_labels_it_is_the_plain_loss_to_the_bit(options, number):
    torch.manual_seed(0)
    channels = 1 if options.get('class_agnostic') else 3
    values = torch.randn(number, channels, 2, 2)
    losses, gradients = [], []
    for kind in ('WeightedMaskHead', 'FCNMaskHead'):
        logits = values.clone().requires_grad_()
        loss = loss_of(head(kind, **options), logits, [[0, 0], [0, 0]]).sum()
        loss.backward()
        losses.append(loss)
        gradients.append(logits.grad)
    assert torch.equal(*losses) and torch.equal(*gradients)


def test_weights_are_cropped_as_targets_are():
    """The RoI is the unsure right column; samples a quarter of a pixel from it are less so."""
    sampled = found(1)
    sampled.pos_priors = torch.tensor([[1., 0., 2., 2.]])
    weights = head().get_weights([sampled], [truth([[0, 128], [0, 128]])],
                                 ConfigDict(mask_size=2))
    assert weights.tolist() == [[[1 - 2 * 0.375**2, 0.5], [1 - 2 * 0.375**2, 0.5]]]


@pytest.mark.parametrize('masks', [
    AmodalMasks(AMODAL, 2, 2, VISIBLE), BitmapMasks(AMODAL, 2, 2)], ids=['amodal', 'plain'])
def test_truth_without_uncertainty_is_refused(masks):
    with pytest.raises(ValueError, match='with_uncertainty=True'):
        head().get_weights([found(1)], [InstanceData(masks=masks)], ConfigDict(mask_size=2))


@pytest.mark.parametrize('loss_mask', [
    dict(type='CrossEntropyLoss', use_mask=True, class_weight=[1, 2, 3]),
    dict(type='CrossEntropyLoss', use_sigmoid=True), dict(type='DiceLoss')])
def test_other_losses_are_refused(loss_mask):
    with pytest.raises(ValueError, match='WeightedMaskHead expects loss_mask'):
        head(loss_mask=loss_mask)


def orcnn_losses(kind: str, levels: Optional[list]) -> dict:
    roi_head = TwoMaskHeads.__new__(TwoMaskHeads)
    vars(roi_head).update(with_visible_loss=True, with_invisible_loss=True, independent=False,
                          relu=True)
    visible = torch.full((1, 3, 2, 2), 0.3)
    return roi_head._three_losses(
        dict(mask_preds=logits_of(), visible_preds=visible), head(kind), head(kind), [found(1)],
        [truth(levels)], ConfigDict(mask_size=2))


def test_orcnn_weighs_what_is_not_visible():
    plain, certain, unsure = (orcnn_losses(*case) for case in (
        ('FCNMaskHead', None), ('WeightedMaskHead', [[0, 0], [0, 0]]),
        ('WeightedMaskHead', [[182, 182], [182, 182]])))
    for name, value in plain.items():
        assert torch.equal(certain[name].reshape(()), value.reshape(()))
    assert unsure['loss_mask'] == unsure['loss_invisible_mask'] == 0
    assert torch.equal(unsure['loss_visible_mask'], plain['loss_visible_mask'])
