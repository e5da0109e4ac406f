"""Thresholds: chosen by the right figure, on data that are not reported."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.structures import InstanceData
from torch import nn

from mmamodal.apis.held_out import held_out_pairs, synthetic_samples
from mmamodal.apis.running.command_line import load_config
from mmamodal.apis.thresholds import Remembering, best, choose_thresholds, sweep
from mmamodal.models import CompletionUNet
from mmamodal.structures.amodal_masks import AmodalMasks

CONFIGS = Path(__file__).parents[2] / 'configs'
SCENES = CONFIGS / 'asbu/asbu_unet_scenes.py'


def config(name: str, **options) -> Config:
    return load_config(str(CONFIGS / f'{name}.py'), options)


class Certain:
    """A model that is sure of a growth by 4 of 4 hidden pixels up to 0.6, of 2 up to 0.8, and of
    no more than the truth from 0.3 on; knows the order below 0.5."""

    order, order_thr, amodal_thr = 'pairs', 0.5, 0.5

    def __init__(self) -> None:
        self.network = Remembering(nn.Identity())

    def test_step(self, batch: dict) -> list:
        (sample, ) = batch['data_samples']
        known = self.order_thr < 0.5
        sample.set_field(torch.tensor([(0, -known), (known, 0)]), 'pred_order',
                         dtype=torch.Tensor)
        grown = 6 if self.amodal_thr < 0.3 else 4 if self.amodal_thr <= 0.6 else 2
        masks = sample.gt_instances.masks.visible.masks.copy()
        masks[0, 0, :4 + grown] = 1
        sample.pred_instances = InstanceData(masks=torch.from_numpy(masks))
        return [sample]


@pytest.fixture
def batches() -> list:
    """One picture: 4 of 8 pixels of an object are hidden by another."""
    amodal = np.array([[[1] * 8 + [0] * 4], [[0] * 4 + [1] * 4 + [0] * 4]], np.uint8)
    visible = amodal & np.array([[[1] * 4 + [0] * 8], [[1] * 12]], np.uint8)
    masks = AmodalMasks(amodal, 1, 12, visible=visible)
    return [dict(data_samples=[DetDataSample(gt_instances=InstanceData(masks=masks),
                                             metainfo=dict(img_id=1))])]


def test_each_threshold_is_chosen_by_its_own_figure(batches):
    order = sweep(Certain(), batches, 'order_thr', [0.1, 0.4, 0.5])
    assert (order.name, order.value) == ('order_thr', 0.4)
    assert {value: row['O_Acc'] for value, row in order.figures.items()} == {
        0.1: 100, 0.4: 100, 0.5: 0}
    amodal = sweep(Certain(), batches, 'amodal_thr', [0.2, 0.4, 0.6, 0.7])
    assert amodal.value == 0.4  # as good as 0.6, and as near to 0.5: the first of them
    assert [round(row['inv_mIoU'], 1) for row in amodal.figures.values()] == [66.7, 100, 100, 50]


def test_of_equal_values_the_middle_one():
    figures = {value: dict(O_Acc=accuracy) for value, accuracy in
               ((0.1, 90.0), (0.4, 90.0), (0.8, 90.0), (0.5, 89.0))}
    assert best(figures, 'O_Acc') == 0.4


def test_nothing_to_choose_by():
    with pytest.raises(ValueError, match='nothing to measure O_Acc on'):
        best({0.5: dict(O_Acc=float('nan'))}, 'O_Acc')


def test_the_network_computes_each_input_once():
    inputs = []

    class Counting(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            inputs.append(x)
            return x + 1

    network = Remembering(Counting())
    ones, zeros = torch.ones(2, 3), torch.zeros(2, 3)
    for x in (ones, zeros, ones.clone()):
        torch.testing.assert_close(network(x), x + 1)
    copy.deepcopy(network)(ones)
    assert len(inputs) == 2
    network.memory.clear()
    network(ones)
    assert len(inputs) == 3


def test_a_model_without_thresholds_is_refused():
    with pytest.raises(ValueError, match='HullCompleter: expected a MaskCompleter'):
        choose_thresholds(config('baselines/raw_scenes'), 'none')


# Of real models, small ones


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple:
    """A config on tiny scenes and a checkpoint of a network that has learned nothing."""
    monkeypatch.chdir(tmp_path)
    options = {'model.network.base_channels': 4, 'model.patch_size': 32, 'model.cpu_bf16': False}
    options.update({f'{split}_dataloader.{key}': value for split in ('train', 'val', 'test')
                    for key, value in dict(num_workers=0, persistent_workers=False).items()})
    cfg = load_config(str(SCENES), options)
    for split in ('val', 'test'):
        cfg[f'{split}_dataloader'].dataset.num_scenes = 3
    cfg.work_dir = str(tmp_path / 'work')
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    path = tmp_path / 'weights.pth'
    torch.save(dict(state_dict=model.state_dict(), meta={}), path)
    return cfg, str(path)


@pytest.mark.parametrize('options, names', [
    (dict(context='ancestors'), ['order_thr', 'amodal_thr']),
    (dict(context='ancestors', order_thr=None), ['amodal_thr']),
    (dict(context='neighbours'), ['amodal_thr'])])
def test_thresholds_of_a_model(small, options, names):
    cfg, checkpoint = small
    cfg.model.update(options)
    choices = choose_thresholds(cfg, checkpoint, (0.3, 0.5, 0.7))
    assert [choice.name for choice in choices] == names
    assert all(choice.value in (0.3, 0.5, 0.7) for choice in choices)
    assert list(choices[0].figures) == [0.3, 0.5, 0.7]


def test_a_model_computes_once_for_all_thresholds(small, monkeypatch):
    cfg, checkpoint = small
    shapes = []
    real = CompletionUNet.forward
    monkeypatch.setattr(CompletionUNet, 'forward',
                        lambda self, x: shapes.append(x.shape) or real(self, x))
    choose_thresholds(cfg, checkpoint, (0.5, ))
    once = len(shapes)
    shapes.clear()
    choose_thresholds(cfg, checkpoint, (0.5, 0.501, 0.502))
    # Where another threshold changes the order, objects are completed behind others.
    assert 0 < once <= len(shapes) < 2 * once


def test_thresholds_on_synthetic_occlusions(small, tmp_path):
    cfg, checkpoint = small
    rings = [dict(id=k, image_id=1, category_id=1, iscrowd=0, bbox=[x, 10, 20, 30], area=600,
                  segmentation=[[x, 10, x + 20, 10, x + 20, 40, x, 40]])
             for k, x in enumerate((5, 30, 60), 1)]
    (tmp_path / 'held_out.json').write_text(json.dumps(dict(
        images=[dict(id=1, file_name='a.jpg', height=50, width=90)], annotations=rings,
        categories=[dict(id=1, name='thing')])))
    cfg.train_dataloader.dataset.dataset = dict(type='AmodalCocoDataset', ann_file='train.json')
    dataset = held_out_pairs(cfg, str(tmp_path / 'held_out.json'))
    first, again = (synthetic_samples(dataset, 4) for _ in range(2))
    for one, other in zip(first, again):
        masks = [batch['data_samples'][0].gt_instances.masks for batch in (one, other)]
        np.testing.assert_array_equal(masks[0].masks, masks[1].masks)
        hidden = masks[0].masks & ~masks[0].visible.masks
        assert hidden[0].any() and not hidden[1].any()
    choices = choose_thresholds(cfg, checkpoint, (0.4, 0.6), str(tmp_path / 'held_out.json'), 4)
    assert [choice.name for choice in choices] == ['order_thr', 'amodal_thr']
