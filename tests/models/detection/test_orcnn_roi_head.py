"""ORCNN against the paper and against Mask R-CNN with the same weights."""

import copy
import math
import multiprocessing
from pathlib import Path
from types import SimpleNamespace
from typing import List, Optional, Tuple

import numpy as np
import pytest
import torch
from mmdet.registry import DATASETS, MODELS
from mmdet.structures import DetDataSample
from mmdet.structures.mask import BitmapMasks
from mmengine.config import Config, ConfigDict
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmengine.runner.checkpoint import load_state_dict
from mmengine.structures import InstanceData
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

import mmamodal  # noqa: F401  registers data sets
from mmamodal.apis.running.checkpoints import check_start
from mmamodal.models.detection import orcnn_roi_head  # noqa: F401  registers heads
from mmamodal.structures.amodal_masks import AmodalMasks

REPO = Path(__file__).parents[3]
FIELDS = {'bboxes', 'labels', 'scores', 'masks', 'visible_masks', 'invisible_masks',
          'occlusion_rates'}
LOSSES = ['loss_mask', 'loss_visible_mask', 'loss_invisible_mask']
MASK_HEAD = dict(num_convs=1, in_channels=16, conv_out_channels=16)


def tiny(roi_head: str, **options) -> ConfigDict:
    """The detector of scenes with an eighth of its channels, as a config."""
    cfg = Config.fromfile(str(REPO / 'configs/mask_rcnn/mask-rcnn_r18_fpn_scenes.py'))
    cfg.merge_from_dict(dict(model=dict(
        backbone=dict(base_channels=8, stem_channels=8),
        neck=dict(in_channels=[8, 16, 32, 64], out_channels=16),
        rpn_head=dict(in_channels=16, feat_channels=16),
        roi_head=dict(
            type=roi_head, bbox_roi_extractor=dict(out_channels=16),
            mask_roi_extractor=dict(out_channels=16),
            bbox_head=dict(in_channels=16, fc_out_channels=16), mask_head=MASK_HEAD),
        test_cfg=dict(rcnn=dict(max_per_img=8)))))
    cfg.model.roi_head.update(copy.deepcopy(options))
    return cfg.model


def cascade(roi_head: str, **options) -> ConfigDict:
    """The same with two stages."""
    cfg = tiny(roi_head, num_stages=2, stage_loss_weights=[1, 0.5], **options)
    cfg.type = 'CascadeRCNN'
    cfg.roi_head.bbox_head = [cfg.roi_head.bbox_head, copy.deepcopy(cfg.roi_head.bbox_head)]
    cfg.train_cfg.rcnn = [cfg.train_cfg.rcnn, copy.deepcopy(cfg.train_cfg.rcnn)]
    return cfg


def agnostic(roi_head: str, **options) -> ConfigDict:
    """The same with one mask for all classes."""
    cfg = tiny(roi_head, **options)
    cfg.roi_head.mask_head.class_agnostic = True
    return cfg


def build(cfg: ConfigDict, weights: Optional[dict] = None) -> nn.Module:
    """A model that is sure of its masks; its weights, or those of another."""
    torch.manual_seed(0)
    model = MODELS.build(cfg)
    for name, value in model.named_parameters():
        if 'conv_logits' in name:
            value.data *= 30
    if weights is not None:
        assert not model.load_state_dict(weights, strict=False).unexpected_keys
    return model


def detector(roi_head: str = 'ORCNNRoIHead', weights: Optional[dict] = None,
             **options) -> nn.Module:
    return build(tiny(roi_head, **options), weights)


@pytest.fixture(scope='module')
def scenes() -> list:
    """Four training samples, 64×64."""
    init_default_scope('mmdet')  # this is made before each test's own fixture
    cfg = Config.fromfile(str(REPO / 'configs/_base_/datasets/scenes_instance.py'))
    dataset = DATASETS.build(dict(cfg.train_dataloader.dataset, num_scenes=4, image_size=(64, 64),
                                  num_objects=(3, 4)))
    np.random.seed(0)
    return [dataset[i] for i in range(4)]


def losses_of(model: nn.Module, samples: list) -> dict:
    """Losses by name, with the same proposals each time."""
    torch.manual_seed(0)
    np.random.seed(0)
    data = model.data_preprocessor(pseudo_collate(copy.deepcopy(samples)), True)
    return model(**data, mode='loss')


def gradients(model: nn.Module, samples: list) -> dict:
    model.zero_grad()
    model.train().parse_losses(losses_of(model, samples))[0].backward()
    return {name: value.grad for name, value in model.named_parameters()}


def image(height: int = 64, width: int = 64, scale: Tuple[float, float] = (1, 1),
          seed: int = 0) -> dict:
    """A test sample: noise that was resized by ``scale`` (w, h) to height×width."""
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (3, height, width), generator=generator, dtype=torch.uint8)
    meta = dict(img_id=seed, img_shape=(height, width), scale_factor=scale,
                ori_shape=(round(height / scale[1]), round(width / scale[0])))
    return dict(inputs=pixels, data_samples=DetDataSample(metainfo=meta))


def predictions(model: nn.Module, *samples: dict, rescale: bool = True) -> List[InstanceData]:
    with torch.no_grad():
        data = model.eval().data_preprocessor(pseudo_collate(copy.deepcopy(list(samples))), False)
        found = model.predict(data['inputs'], data['data_samples'], rescale=rescale)
    return [sample.pred_instances for sample in found]


# Losses, on one RoI of 2×2


def bce(logits: list, target: list) -> float:
    return np.mean([math.log1p(math.exp(x)) - t * x for x, t in zip(logits, target)])


def losses_by_hand(roi_head: nn.Module) -> tuple:
    """Losses of one object of class 1 on a 2×2 image, and the logits."""
    roi_head.train_cfg.mask_size = 2
    amodal, visible = (torch.zeros(1, 6, 2, 2, requires_grad=True) for _ in range(2))
    amodal.data[0, 1] = torch.tensor([[2., -1.], [0.5, -3.]])
    visible.data[0, 1] = torch.tensor([[1., -2.], [0.2, -1.]])
    amodal.data[0, 0], visible.data[0, 0] = 9, 9  # another class
    masks = AmodalMasks([np.uint8([[1, 1], [1, 0]])], 2, 2, [np.uint8([[1, 0], [0, 0]])])
    found = SimpleNamespace(pos_priors=torch.tensor([[0., 0., 2., 2.]]),
                            pos_assigned_gt_inds=torch.tensor([0]),
                            pos_gt_labels=torch.tensor([1]))
    losses = roi_head._three_losses(
        dict(mask_preds=amodal, visible_preds=visible), roi_head.mask_head,
        roi_head.visible_mask_head, [found], [InstanceData(masks=masks)], roi_head.train_cfg)
    return losses, amodal, visible


def test_losses_by_hand():
    losses, _, _ = losses_by_hand(detector().roi_head)
    assert {name: value.item() for name, value in losses.items()} == pytest.approx({
        'loss_mask': bce([2, -1, 0.5, -3], [1, 1, 1, 0]),
        'loss_visible_mask': bce([1, -2, 0.2, -1], [1, 0, 0, 0]),
        'loss_invisible_mask': bce([2 - 1, -1, 0.5 - 0.2, -3], [0, 1, 1, 0])})


def test_without_relu():
    losses, _, _ = losses_by_hand(detector(relu=False).roi_head)
    assert losses['loss_invisible_mask'].item() == pytest.approx(
        bce([2 - 1, -1 + 2, 0.5 - 0.2, -3 + 1], [0, 1, 1, 0]))


def test_without_visible_loss_nothing_is_learned_where_visible_logits_are_negative():
    losses, amodal, visible = losses_by_hand(detector(with_visible_loss=False).roi_head)
    assert list(losses) == ['loss_mask', 'loss_invisible_mask']
    sum(losses.values()).backward()
    assert (visible.grad[0, 1] != 0).tolist() == [[True, False], [True, False]]
    assert (amodal.grad[0, 1] != 0).all()
    assert not visible.grad[0, 0].any()  # another class


def test_without_invisible_loss():
    losses, _, _ = losses_by_hand(detector(with_invisible_loss=False).roi_head)
    assert list(losses) == ['loss_mask', 'loss_visible_mask']


def test_independent_losses_are_the_same_and_do_not_reach_amodal_logits():
    losses, amodal, visible = losses_by_hand(detector(independent=True).roi_head)
    expected, _, _ = losses_by_hand(detector().roi_head)
    assert losses == expected
    sum(value for name, value in losses.items() if name != 'loss_mask').backward()
    assert amodal.grad is None and visible.grad.any()


# Gradients of the whole detector


@pytest.mark.parametrize('config', [tiny, agnostic])
def test_independent_learns_as_mask_rcnn_does(scenes, config):
    """Bit by bit, in every parameter but the visible head's; before gradients are clipped."""
    arcnn = build(config('StandardRoIHead'))
    weights, expected = arcnn.state_dict(), gradients(arcnn, scenes)
    found = gradients(build(config('ORCNNRoIHead', independent=True), weights), scenes)
    visible = {name for name in found if 'visible_mask_head' in name}
    assert visible and set(found) - visible == set(expected)
    for name, value in expected.items():
        assert torch.equal(found[name], value), name
    assert all(found[name].any() for name in visible)
    together = build(config('ORCNNRoIHead'), weights)
    # Its amodal head computes the same; only what comes back differs.
    assert torch.equal(losses_of(together.train(), scenes)['loss_mask'],
                       losses_of(arcnn, scenes)['loss_mask'])
    together = gradients(together, scenes)
    assert not torch.equal(together['neck.fpn_convs.0.conv.weight'],
                           expected['neck.fpn_convs.0.conv.weight'])


@pytest.mark.parametrize('options, names', [
    (dict(), LOSSES), (dict(independent=True), LOSSES),
    (dict(with_visible_loss=False), LOSSES[::2]), (dict(with_invisible_loss=False), LOSSES[:2])])
def test_without_positives_all_losses_are_zero_and_all_parameters_get_gradients(
        scenes, options, names):
    model = detector(**options).train()
    losses = losses_of(model, [without_objects(scenes[0])])
    assert [name for name in losses if name.startswith('loss') and 'mask' in name] == names
    assert all(losses[name].sum() == 0 for name in names)
    found = gradients(model, [without_objects(scenes[0])])
    assert [name for name, value in found.items() if value is None] == []
    assert not any(value.any() for name, value in found.items() if 'mask_head' in name)


def without_objects(sample: dict) -> dict:
    sample = copy.deepcopy(sample)
    sample['data_samples'].gt_instances = sample['data_samples'].gt_instances[:0]
    return sample


def test_features_of_boxes_serve_masks_where_there_is_no_mask_extractor(scenes):
    options = dict(mask_roi_extractor=None)
    arcnn = tiny('StandardRoIHead', **options)
    arcnn.train_cfg.rcnn.mask_size = 14
    arcnn = build(arcnn)
    cfg = tiny('ORCNNRoIHead', independent=True, **options)
    cfg.train_cfg.rcnn.mask_size = 14
    expected, found = gradients(arcnn, scenes), gradients(build(cfg, arcnn.state_dict()), scenes)
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_features_are_extracted_once(scenes):
    model, calls = detector(), []
    model.roi_head.mask_roi_extractor.register_forward_hook(lambda *args: calls.append(args))
    losses_of(model.train(), scenes)
    assert len(calls) == 1
    predictions(model, image(), image(seed=1))
    assert len(calls) == 2


def test_twenty_steps_lower_all_three_losses(scenes):
    model = detector().train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    values = []
    for _ in range(20):
        losses = losses_of(model, scenes)
        optimizer.zero_grad()
        model.parse_losses(losses)[0].backward()
        optimizer.step()
        values.append([losses[name].item() for name in LOSSES])
    first, last = np.mean(values[:3], axis=0), np.mean(values[-3:], axis=0)
    assert (last < 0.8 * first).all(), (first, last)
    (found, ) = predictions(model, image())
    assert_well_formed(found, (64, 64))


def test_mask_branch_under_autocast(scenes):
    """mmcv's non-maximum suppression on a CPU knows float32 only, hence not the whole detector."""
    roi_head = detector().roi_head
    x = tuple(torch.randn(1, 16, side, side, requires_grad=True) for side in (16, 8, 4, 2))
    truth = scenes[0]['data_samples'].gt_instances
    found = SimpleNamespace(priors=truth.bboxes.tensor, pos_priors=truth.bboxes.tensor,
                            pos_assigned_gt_inds=torch.arange(len(truth)),
                            pos_gt_labels=truth.labels)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = roi_head.mask_loss(x, [found], None, [truth])['loss_mask']
    sum(losses.values()).sum().backward()
    with torch.no_grad():
        exact = roi_head.mask_loss(x, [found], None, [truth])['loss_mask']
    for name in LOSSES:
        assert losses[name].dtype == torch.float32
        assert losses[name].item() == pytest.approx(exact[name].item(), rel=0.05)
    assert all(value.grad.isfinite().all() for value in roi_head.visible_mask_head.parameters())
    results = InstanceData(bboxes=truth.bboxes.tensor, labels=truth.labels,
                           scores=torch.ones(len(truth)))
    with torch.no_grad(), torch.autocast('cpu', dtype=torch.bfloat16):
        (found, ) = roi_head.predict_mask(x, [image()['data_samples'].metainfo], [results])
    assert_well_formed(found, (64, 64))


# Predictions


def assert_well_formed(found: InstanceData, size: Tuple[int, int]) -> None:
    assert set(found.keys()) == FIELDS
    for name in ('masks', 'visible_masks', 'invisible_masks'):
        assert found[name].shape == (len(found), *size) and found[name].dtype == torch.bool
    assert found.occlusion_rates.shape == (len(found), )
    assert found.occlusion_rates.dtype == torch.float32
    assert not (found.invisible_masks & ~found.masks).any()
    areas = found.masks.sum(dim=(1, 2)).clamp(min=1)
    assert torch.equal(found.occlusion_rates, found.invisible_masks.sum(dim=(1, 2)) / areas)


def nearly_equal(masks: Tensor, others: Tensor) -> bool:
    """Up to rounding: on a CPU the heads compute in another order than mmdet's."""
    return masks.shape == others.shape and (masks != others).sum() <= 1e-4 * masks.numel()


@pytest.mark.parametrize('scale, rescale', [
    ((1, 1), True), ((0.5, 0.8), True), ((2, 1.5), True), ((0.5, 0.8), False)])
@pytest.mark.parametrize('config, plain, ours', [
    (tiny, 'StandardRoIHead', 'ORCNNRoIHead'), (agnostic, 'StandardRoIHead', 'ORCNNRoIHead'),
    (cascade, 'CascadeRoIHead', 'CascadeORCNNRoIHead')])
def test_boxes_and_amodal_masks_are_those_of_mask_rcnn(config, plain, ours, scale, rescale):
    expected = build(config(plain))
    model = build(config(ours, init_visible_from_amodal=False), expected.state_dict())
    sample = image(64, 96, scale)
    (wanted, ), (found, ) = (predictions(one, sample, rescale=rescale) for one in (expected, model))
    assert len(found) == 8
    for name in ('bboxes', 'scores', 'labels'):
        assert torch.equal(found[name], wanted[name]), name
    assert nearly_equal(found.masks, wanted.masks) and found.masks.any()
    size = sample['data_samples'].ori_shape if rescale else (64, 96)
    assert_well_formed(found, size)


def test_visible_masks_are_those_of_the_visible_head():
    """A Mask R-CNN whose mask head is the visible one predicts them as its masks."""
    model = detector()
    weights = {name.replace('visible_mask_head', 'mask_head'): value
               for name, value in model.state_dict().items() if '.mask_head' not in name}
    sample = image(64, 64, (0.5, 0.8))
    (wanted, ) = predictions(detector('StandardRoIHead', weights), sample)
    (found, ) = predictions(model, sample)
    assert nearly_equal(found.visible_masks, wanted.masks)
    assert not torch.equal(found.visible_masks, found.masks)


class Fixed(nn.Module):
    """A mask head that gives class 2 the same logits in every RoI, and 9 to all others."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.logits = logits

    def forward(self, features: Tensor) -> Tensor:
        out = torch.full((len(features), 6, 28, 28), 9.)
        out[:, 2] = self.logits
        return out


@pytest.mark.parametrize('relu', [True, False])
def test_masks_of_known_logits(relu):
    """On a box of 28×28 pixels of the original image the masks are those of the grid."""
    torch.manual_seed(0)
    amodal, visible = 6 * torch.randn(28, 28), 6 * torch.randn(28, 28)
    amodal[0, 0], visible[0, 0] = -5, -20
    roi_head = detector(relu=relu).roi_head
    roi_head.mask_head, roi_head.visible_mask_head = Fixed(amodal), Fixed(visible)
    results = InstanceData(bboxes=torch.tensor([[2., 3., 16., 59.]]), labels=torch.tensor([2]),
                           scores=torch.ones(1))
    x = tuple(torch.zeros(1, 16, side, side) for side in (16, 8, 4, 2))
    meta = dict(ori_shape=(40, 50), scale_factor=(0.5, 2))
    with torch.no_grad():
        (found, ) = roi_head.predict_mask(x, [meta], [results], rescale=True)
    assert found.bboxes.tolist() == [[4, 1.5, 32, 29.5]]
    # Half a pixel lies between the rows of the grid and those of the image.
    logits = [amodal, visible, amodal - visible.clamp(min=0 if relu else -1e9)]
    for masks, grid in zip((found.masks, found.visible_masks, found.invisible_masks), logits):
        share = grid.sigmoid()
        between = (share[1:] + share[:-1]) / 2
        assert torch.equal(masks[0, 2:29, 4:32], between >= 0.5)
        assert not masks[0, :1].any() and not masks[0, :, :4].any()


def test_difference_and_consistency():
    model = detector()
    (direct, ) = predictions(model, image())
    model.roi_head.invisible = 'difference'
    (difference, ) = predictions(model, image())
    model.roi_head.consistent = True
    (consistent, ) = predictions(model, image())
    for found in (difference, consistent):
        assert torch.equal(found.masks, direct.masks)
        assert torch.equal(found.invisible_masks, direct.masks & ~direct.visible_masks)
        assert_well_formed(found, (64, 64))
    assert torch.equal(difference.visible_masks, direct.visible_masks)
    assert torch.equal(consistent.visible_masks, direct.visible_masks & direct.masks)
    assert not torch.equal(direct.invisible_masks, difference.invisible_masks)
    whole = consistent.visible_masks | consistent.invisible_masks
    assert torch.equal(whole, consistent.masks)


@pytest.mark.parametrize('rescale', [True, False])
def test_images_without_detections_have_the_same_fields(monkeypatch, rescale):
    model = detector()
    samples = [image(64, 64, (0.5, 0.8), seed) for seed in range(3)]
    size = samples[0]['data_samples'].ori_shape if rescale else (64, 64)
    plain = model.roi_head.predict_bbox

    def nothing_on(*empty: int) -> list:
        def predict_bbox(*args, **kwargs) -> list:
            found = plain(*args, **kwargs)
            return [one[:0] if i in empty else one for i, one in enumerate(found)]
        monkeypatch.setattr(model.roi_head, 'predict_bbox', predict_bbox)
        return predictions(model, *samples, rescale=rescale)

    for empty in ((1, ), (0, 1, 2)):
        found = nothing_on(*empty)
        assert [len(one) for one in found] == [0 if i in empty else 8 for i in range(3)]
        for one in found:
            assert_well_formed(one, size)
        assert len(InstanceData.cat(found)) == 8 * (3 - len(empty))


def test_batch_predicts_what_single_images_do():
    model = detector()
    samples = [image(64, 64, (0.5, 0.8), 1), image(64, 64, (2, 2), 2)]
    together = predictions(model, *samples)
    for sample, found in zip(samples, together):
        (alone, ) = predictions(model, sample)
        assert found.masks.shape == alone.masks.shape
        assert torch.allclose(found.bboxes, alone.bboxes, atol=1e-3)


# Cascade


def test_cascade_learns_three_masks_at_each_stage(scenes):
    arcnn = build(cascade('CascadeRoIHead'))
    expected = gradients(arcnn, scenes)
    model = build(cascade('CascadeORCNNRoIHead', independent=True), arcnn.state_dict())
    losses, plain = losses_of(model, scenes), losses_of(arcnn, scenes)
    assert {f's{stage}.{name}' for stage in (0, 1) for name in LOSSES} <= set(losses)
    assert all(torch.equal(losses[name], plain[name]) for name in ('s0.loss_mask', 's1.loss_mask'))
    found = gradients(model, scenes)
    assert all(torch.equal(found[name], value) for name, value in expected.items())
    assert all(found[name].any() for name in found if 'visible_mask_head.1' in name)


def test_cascade_takes_heads_stage_by_stage():
    heads = [dict(type='FCNMaskHead', num_classes=6, **dict(MASK_HEAD, num_convs=count))
             for count in (1, 2)]
    model = build(cascade('CascadeORCNNRoIHead', visible_mask_head=heads))
    assert [len(head.convs) for head in model.roi_head.visible_mask_head] == [1, 2]
    (found, ) = predictions(model, image())
    assert_well_formed(found, (64, 64))


# What is refused


@pytest.mark.parametrize('options, message', [
    (dict(invisible='indirect'), "expected invisible to be 'direct' or 'difference', got 'indir"),
    (dict(with_visible_loss=False, with_invisible_loss=False), 'nothing would teach the visible'),
    (dict(visible_mask_head=dict(type='FCNMaskHead', num_classes=5)),
     r'same num_classes and class_agnostic, got \[\(6, False\)\] and \[\(5, False\)\]')])
def test_options_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        detector(**options)


def test_soft_masks_are_refused():
    cfg = tiny('ORCNNRoIHead')
    cfg.test_cfg.rcnn.mask_thr_binary = -1
    with pytest.raises(ValueError, match='mask_thr_binary to be at least 0, got -1'):
        build(cfg)


def test_ground_truth_without_visible_masks_is_refused(scenes):
    sample = copy.deepcopy(scenes[0])
    masks = sample['data_samples'].gt_instances.masks
    sample['data_samples'].gt_instances.masks = BitmapMasks(masks.masks, 64, 64)
    with pytest.raises(ValueError, match='got BitmapMasks, .*with LoadAmodalAnnotations'):
        losses_of(detector(), [sample])


# Weights


@pytest.mark.parametrize('load', [load_state_dict, lambda model, weights:
                                  model.load_state_dict(weights, strict=False)])
def test_mask_rcnn_starts_both_heads(load):
    weights = detector('StandardRoIHead').state_dict()
    model = MODELS.build(tiny('ORCNNRoIHead'))
    load(model, weights)
    loaded = model.state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in weights.items())
    amodal = {name: value for name, value in weights.items() if '.mask_head.' in name}
    assert len(amodal) == 6
    for name, value in amodal.items():
        assert torch.equal(loaded[name.replace('mask_head', 'visible_mask_head')], value)


def test_cascade_starts_both_heads_of_each_stage():
    weights = build(cascade('CascadeRoIHead')).state_dict()
    model = MODELS.build(cascade('CascadeORCNNRoIHead'))
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not missing and not unexpected


def test_own_weights_are_loaded_as_they_are():
    weights = detector().state_dict()
    model = MODELS.build(tiny('ORCNNRoIHead'))
    assert str(model.load_state_dict(weights)) == '<All keys matched successfully>'
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


def test_visible_head_is_not_started_if_it_should_not_be():
    weights = detector('StandardRoIHead').state_dict()
    model = detector(init_visible_from_amodal=False)
    missing = model.load_state_dict(weights, strict=False).missing_keys
    assert len(missing) == 6 and all('visible_mask_head' in name for name in missing)


@pytest.mark.parametrize('options, classes, agnostic, masks, classifier', [
    (dict(), 1, False, [3.5], [3.5 + math.log(6), 0]),
    (dict(), 6, True, [3.5], [1, 2, 3, 4, 5, 6, 0]),
    (dict(init_classes=[5, [0, 1]]), 2, False, [6, 1.5], [6, 1.5 + math.log(2), 0]),
    (dict(init_classes=[1, 0, 2, 3, 4, 5]), 6, False, [2, 1, 3, 4, 5, 6], [2, 1, 3, 4, 5, 6, 0])])
def test_weights_of_other_classes_are_fitted(options, classes, agnostic, masks, classifier):
    weights = detector('StandardRoIHead').state_dict()
    ordinal = torch.arange(1., 7)
    weights['roi_head.mask_head.conv_logits.bias'] = ordinal
    weights['roi_head.bbox_head.fc_cls.bias'] = torch.cat([ordinal, torch.zeros(1)])
    cfg = tiny('ORCNNRoIHead', **options)
    cfg.roi_head.mask_head.update(num_classes=classes, class_agnostic=agnostic)
    cfg.roi_head.bbox_head.num_classes = classes
    model = MODELS.build(cfg)
    assert str(model.load_state_dict(weights)) == '<All keys matched successfully>'
    for head in (model.roi_head.mask_head, model.roi_head.visible_mask_head):
        assert head.conv_logits.bias.tolist() == masks
    assert model.roi_head.bbox_head.fc_cls.bias.tolist() == pytest.approx(classifier)


def test_weights_to_begin_with_are_counted_as_they_are_fitted(tmp_path, capsys):
    torch.save(detector('StandardRoIHead').state_dict(), tmp_path / 'mask_rcnn.pth')
    cfg = tiny('ORCNNRoIHead')
    cfg.roi_head.bbox_head.num_classes = cfg.roi_head.mask_head.num_classes = 1
    model = MODELS.build(cfg)
    check_start(model, str(tmp_path / 'mask_rcnn.pth'))
    count = len(model.state_dict())
    assert f'{count} of {count} parameters have their like' in capsys.readouterr().out


def test_backbone_alone_is_loaded_whatever_the_classes():
    model = detector(init_classes=[7] * 6)
    weights = {name: value for name, value in model.state_dict().items() if 'backbone' in name}
    model.load_state_dict(weights, strict=False)


@pytest.mark.parametrize('options, message', [
    (dict(init_classes=[0, 1]), r'init_classes for each of 6 classes, got 2: \[0, 1\]'),
    (dict(mask_head=None), 'expected a mask_head, as a Mask R-CNN has'),
    (dict(num_stages=3), 'num_stages=3: use CascadeORCNNRoIHead')])
def test_what_cannot_be_built_says_why(options, message):
    with pytest.raises(ValueError, match=message):
        detector(**options)


# Two processes


def one_of_two(rank: int, folder: str, samples: list, queue: multiprocessing.Queue) -> None:
    distributed.init_process_group('gloo', f'file://{folder}/meet', rank=rank, world_size=2)
    model = DistributedDataParallel(detector().train())  # find_unused_parameters=False
    data = model.module.data_preprocessor(pseudo_collate([samples[rank]]), True)
    loss, logs = model.module.parse_losses(model(**data, mode='loss'))
    loss.backward()
    grads = [float(value.grad.abs().sum()) for value in model.parameters()]
    queue.put((rank, grads, sorted(logs)))
    distributed.destroy_process_group()


@pytest.mark.skipif('fork' not in multiprocessing.get_all_start_methods(), reason='needs fork')
def test_two_processes_of_which_one_has_no_objects(tmp_path, scenes):
    fork = multiprocessing.get_context('fork')
    queue = fork.Queue()
    samples = [scenes[0], without_objects(scenes[1])]
    processes = [fork.Process(target=one_of_two, args=(rank, str(tmp_path), samples, queue),
                              daemon=True) for rank in (0, 1)]
    for process in processes:
        process.start()
    (_, grads, names), (_, others, same_names) = (queue.get(timeout=60) for _ in processes)
    for process in processes:
        process.join(timeout=60)
    assert grads == others and all(math.isfinite(value) for value in grads)
    assert names == same_names and set(LOSSES) <= set(names)
