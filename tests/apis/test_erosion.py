"""Completers on eroded masks."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.structures import InstanceData

from mmamodal.apis.erosion import eroded, erosion_curve, hull_curve
from mmamodal.apis.running.command_line import load_config
from mmamodal.structures.amodal_masks import AmodalMasks

CONFIGS = Path(__file__).parents[2] / 'configs/baselines'


def rectangle(x1: int, y1: int, x2: int, y2: int) -> np.ndarray:
    mask = np.zeros((40, 40), np.uint8)
    mask[y1:y2, x1:x2] = 1
    return mask


def sample_of(*visible: np.ndarray) -> DetDataSample:
    masks = AmodalMasks(np.stack(visible), 40, 40, np.stack(visible))
    return DetDataSample(gt_instances=InstanceData(
        masks=masks, labels=torch.zeros(len(visible), dtype=torch.long)))


@pytest.mark.parametrize('width, expected', [
    (0, rectangle(10, 10, 30, 30)), (1, rectangle(11, 11, 29, 29)),
    (4, rectangle(14, 14, 26, 26)), (10, rectangle(0, 0, 0, 0))])
def test_visible_masks_lose_a_rim_and_nothing_else_changes(width, expected):
    sample = sample_of(rectangle(10, 10, 30, 30), rectangle(2, 2, 5, 5))
    given = eroded(sample, width)
    np.testing.assert_array_equal(given.gt_instances.masks.visible.masks[0], expected)
    np.testing.assert_array_equal(given.gt_instances.masks.masks, sample.gt_instances.masks.masks)
    np.testing.assert_array_equal(sample.gt_instances.masks.visible.masks[0],
                                  rectangle(10, 10, 30, 30))


def scenes(name: str = 'convexr') -> Config:
    return load_config(str(CONFIGS / f'{name}_scenes.py'), {
        'test_dataloader.dataset.num_scenes': 4, 'test_dataloader.num_workers': 0,
        'test_dataloader.persistent_workers': False})


def test_figures_are_against_the_true_masks():
    """Of raw masks: what they lose of the object is lost, the hidden part is never found."""
    cfg = scenes('raw')
    whole, less = erosion_curve(cfg, 'none', [0, 3])
    assert 0 < less['mIoU'] < whole['mIoU'] - 5
    assert whole['inv_mIoU'] == less['inv_mIoU'] == 0


def test_hulls_are_told_of_the_gaps():
    told = hull_curve(scenes(), [0, 2])
    untold = erosion_curve(scenes(), 'none', [0, 2])
    assert told[0] == untold[0]
    assert told[1]['O_Acc'] > untold[1]['O_Acc'] and told[1]['inv_mIoU'] > untold[1]['inv_mIoU']


def test_visible_masks_alone_are_refused():
    cfg = scenes()
    cfg.test_dataloader.dataset.visible_only = True
    with pytest.raises(ValueError, match='convexr_scenes has no test set with amodal truth'):
        erosion_curve(cfg, 'none', [0])
