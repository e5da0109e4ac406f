"""The benchmark of stage 1: what it measures is what it says."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from mmamodal.structures.amodal_masks import AmodalMasks

TOOL = Path(__file__).parents[2] / 'tools/benchmarks/stage1.py'


@pytest.fixture(scope='module')
def stage1() -> ModuleType:
    """The tool as a module."""
    spec = importlib.util.spec_from_file_location('stage1_benchmark', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.HEIGHT, module.WIDTH = 60, 80
    return module


class Fixed:
    """Predicts the same for every sample."""

    def __init__(self, masks: np.ndarray, probability: float) -> None:
        self.masks, self.probability = torch.from_numpy(masks), probability

    def predict(self, samples: list) -> list:
        """As MaskCompleter does."""
        for sample in samples:
            sample.pred_instances = InstanceData(
                masks=self.masks, probability=torch.full((2, 8, 8), self.probability))
        return samples


def test_ellipses_hide_each_other(stage1):
    visible, amodal = stage1.ellipses(12)
    assert visible.shape == amodal.shape == (12, 60, 80)
    assert (visible <= amodal).all() and visible.sum(0).max() == 1
    np.testing.assert_array_equal(visible.any(0), amodal.any(0))
    assert (amodal.sum(0) > 1).any() and amodal.any((1, 2)).all()


def test_difference_of_two_completers(stage1):
    masks = np.zeros((2, 10, 10), bool)
    masks[0, :4], masks[1, 5:] = True, True  # 40 and 50 pixels
    less = masks.copy()
    less[1, 5] = False
    sample = DetDataSample(gt_instances=InstanceData(
        masks=AmodalMasks(masks.astype(np.uint8), 10, 10, None), labels=torch.zeros(2)))
    assert stage1.difference(Fixed(masks, 0.5), Fixed(masks, 0.5), [sample]) == (0, 0)
    largest, apart = stage1.difference(Fixed(masks, 0.5), Fixed(less, 0.75), [sample])
    assert (largest, apart) == (0.25, pytest.approx(100 / 9))


def test_it_prints_a_line_for_each_number_of_objects(stage1, capsys):
    stage1.main(['--only', 'pairs', '--objects', '3', '150', '--seconds', '0'])
    lines = capsys.readouterr().out.splitlines()[-2:]
    assert lines[0].startswith('   3 objects, 80x60: pairs') and 'aim' not in lines[0]
    assert lines[1].startswith(' 150 objects') and '(aim: below 50)' in lines[1]
