"""The functions behind ORCNN's masks, by hand and against mmdet's own pasting."""

import pytest
import torch
from mmdet.models.roi_heads.mask_heads import FCNMaskHead
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData

from mmamodal.models.detection import orcnn_masks
from mmamodal.models.detection.orcnn_masks import (class_logits, invisible_logits, invisible_target,
                                                   occlusion_rates, paste_masks)

HEIGHT, WIDTH = 40, 56


@pytest.mark.parametrize('amodal, visible, relu, expected', [
    (-5, -20, True, -5), (-5, -20, False, 15), (14, 10, True, 4), (10, 14, True, -4),
    (3, -1, True, 3), (0, 0, True, 0)])
def test_invisible_logits(amodal, visible, relu, expected):
    logits = invisible_logits(torch.tensor([float(amodal)]), torch.tensor([float(visible)]), relu)
    assert logits.item() == expected


def test_paper_s_example_of_two_scales():
    """14 against 10 is a false occlusion of 0.982: what the invisible loss is for."""
    logit = invisible_logits(torch.tensor(14.0), torch.tensor(10.0))
    assert logit.sigmoid().item() == pytest.approx(0.982, abs=5e-4)


def grids() -> tuple:
    torch.manual_seed(0)
    return 6 * torch.randn(20, 1, 28, 28), 6 * torch.randn(20, 1, 28, 28)


def test_direct_contains_the_difference_and_stays_inside_amodal():
    amodal, visible = grids()
    direct = invisible_logits(amodal, visible) >= 0
    difference = (amodal >= 0) & (visible < 0)
    assert (difference <= direct).all() and direct.sum() > difference.sum()
    assert torch.equal(direct & ~difference, (amodal >= 0) & (visible >= 0) & (visible <= amodal))
    assert not (direct & (amodal < 0)).any()


def test_target_is_amodal_and_not_visible():
    amodal = torch.tensor([[1., 1, 0], [1, 0, 0]])
    visible = torch.tensor([[1., 0, 0], [1, 1, 0]])  # one pixel outside, as rounding may leave it
    assert invisible_target(amodal, visible).tolist() == [[0, 1, 0], [0, 0, 0]]


def test_logits_of_the_class():
    logits = torch.arange(2 * 3 * 2 * 2).reshape(2, 3, 2, 2).bfloat16()
    chosen = class_logits(logits, torch.tensor([2, 0]))
    assert chosen.dtype == torch.float32
    assert torch.equal(chosen[:, 0], torch.stack([logits[0, 2], logits[1, 0]]).float())
    agnostic = logits[:, :1]
    assert torch.equal(class_logits(agnostic, torch.tensor([2, 0])), agnostic.float())
    assert class_logits(logits[:0], torch.zeros(0, dtype=torch.long)).shape == (0, 1, 2, 2)


def boxes_and_probabilities() -> tuple:
    torch.manual_seed(1)
    corners = torch.rand(30, 2, 2) * torch.tensor([WIDTH, HEIGHT])
    boxes = torch.cat([corners.amin(dim=1), corners.amax(dim=1)], dim=1)
    return boxes, torch.rand(30, 3, 14, 14)


def test_all_kinds_are_pasted_as_mmdet_pastes_each():
    boxes, probabilities = boxes_and_probabilities()
    pasted = paste_masks(probabilities, boxes, (HEIGHT, WIDTH), 0.4)
    meta = dict(scale_factor=(1.0, 1.0), ori_shape=(HEIGHT, WIDTH))
    for kind, masks in enumerate(pasted):
        results = InstanceData(bboxes=boxes.clone(), labels=torch.zeros(30, dtype=torch.long))
        FCNMaskHead(num_classes=1).predict_by_feat(
            [probabilities[:, kind:kind + 1]], [results], [meta],
            ConfigDict(mask_thr_binary=0.4), activate_map=True)
        assert torch.equal(masks, results.masks) and masks.any()


def test_windows_of_a_gpu_give_the_same(monkeypatch):
    boxes, probabilities = boxes_and_probabilities()
    expected = paste_masks(probabilities, boxes, (HEIGHT, WIDTH))
    monkeypatch.setattr(orcnn_masks, '_windows', lambda *args: [
        (slice(0, 20), (0, 0, WIDTH, HEIGHT)), (slice(20, 30), (0, 0, WIDTH, HEIGHT))])
    assert torch.equal(paste_masks(probabilities, boxes, (HEIGHT, WIDTH)), expected)


def test_pasting_keeps_what_lies_inside_inside():
    boxes, _ = boxes_and_probabilities()
    amodal, visible = (grid.repeat(2, 1, 1, 1)[:30] for grid in grids())
    kinds = torch.cat([amodal, invisible_logits(amodal, visible)], dim=1).sigmoid()
    amodal_masks, invisible_masks = paste_masks(kinds, boxes, (HEIGHT, WIDTH))
    assert invisible_masks.any() and not (invisible_masks & ~amodal_masks).any()


@pytest.mark.parametrize('box', [
    (5, 5, 5, 20), (5, 5, 20, 5), (60, 5, 70, 20), (-30, 5, -10, 20), (5, -30, 20, -10)])
def test_nothing_is_pasted_without_area_or_outside(box):
    pasted = paste_masks(torch.ones(1, 2, 4, 4), torch.tensor([box]).float(), (HEIGHT, WIDTH))
    assert pasted.shape == (2, 1, HEIGHT, WIDTH) and not pasted.any()


def test_no_objects():
    pasted = paste_masks(torch.zeros(0, 3, 28, 28), torch.zeros(0, 4), (HEIGHT, WIDTH))
    assert pasted.shape == (3, 0, HEIGHT, WIDTH) and pasted.dtype == torch.bool
    assert occlusion_rates(pasted[0], pasted[1]).shape == (0, )


def test_occlusion_rates():
    amodal = torch.tensor([[[1, 1, 1, 1]], [[1, 1, 0, 0]], [[0, 0, 0, 0]], [[1, 0, 0, 0]]]).bool()
    hidden = torch.tensor([[[0, 0, 0, 1]], [[0, 0, 0, 0]], [[0, 0, 0, 0]], [[1, 1, 0, 0]]]).bool()
    rates = occlusion_rates(amodal, hidden)
    assert rates.dtype == torch.float32
    assert rates.tolist() == [0.25, 0, 0, 1]
