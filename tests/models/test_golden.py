"""The published code's numbers on three COCOA images (masks only, no weights)."""

import json

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from torch import nn
from torch.nn import functional as F

from mmamodal.evaluation.completion.completion_metric import completion_areas
from mmamodal.models import HullCompleter, MaskCompleter
from mmamodal.structures import occlusion, segmentation
from mmamodal.structures.amodal_masks import AmodalMasks

IMAGE_IDS = (188819, 343254, 6608)


@MODELS.register_module()
class PooledMask(nn.Module):
    """Predicts the mask, the evidence or both, grown by a square, at 256 px of patch."""

    def __init__(self, rule: str) -> None:
        super().__init__()
        self.rule = rule

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(P, 2, S, S) -> background and foreground logits of probability 0.007 and 0.993."""
        mask, evidence = (x > 0).float().split(1, dim=1)
        grown = {'mask': lambda: pool(mask, 31),
                 'mask in occluder': lambda: torch.maximum(mask, pool(mask, 61) * evidence),
                 'boundary': lambda: torch.maximum(mask, pool(evidence, 61))}[self.rule]()
        foreground = (2 * grown - 1) * 2.5
        return torch.cat([-foreground, foreground], dim=1)


def pool(x: torch.Tensor, size: int) -> torch.Tensor:
    """Largest value in a square, along rows and then along columns."""
    rows = F.max_pool2d(x, (1, size), stride=1, padding=(0, size // 2))
    return F.max_pool2d(rows, (size, 1), stride=1, padding=(size // 2, 0))


@pytest.fixture(scope='module')
def scenes(shared_data) -> list:
    """(visible, amodal) masks of each image."""
    with open(shared_data / 'cocoa_sample/annotations/COCO_amodal_val2014.json') as file:
        data = json.load(file)
    sizes = {image['id']: (image['height'], image['width']) for image in data['images']}
    regions = {annotation['image_id']: annotation['regions'] for annotation in data['annotations']}
    return [masks_of(regions[i], *sizes[i]) for i in IMAGE_IDS]


def masks_of(regions: list, height: int, width: int) -> tuple:
    amodal = [segmentation.decode(region['segmentation'], height, width) for region in regions]
    visible = [segmentation.decode(region.get('visible_mask', region['segmentation']), height,
                                   width) for region in regions]
    return np.stack(visible), np.stack(amodal)


def test_counts_of_the_sample(scenes):
    assert [len(visible) for visible, _ in scenes] == [2, 11, 19]
    assert [len(occlusion.touching_pairs(visible)) for visible, _ in scenes] == [1, 10, 23]


def run(model: nn.Module, visible: np.ndarray, amodal: np.ndarray) -> tuple:
    """Right pairs, right pairs of all, (4,) pooled areas."""
    masks = AmodalMasks(amodal, *amodal.shape[1:], visible=visible)
    sample = DetDataSample(gt_instances=InstanceData(
        masks=masks, labels=torch.zeros(len(amodal), dtype=torch.long)))
    model.eval()(data_samples=[sample], mode='predict')
    truth = occlusion.order_from_masks(visible, amodal)
    order = sample.pred_order.numpy()
    all_pairs = (np.sum(order == truth) - len(order)) // 2
    areas = completion_areas(sample.pred_instances.masks.numpy().astype(np.uint8), amodal, visible)
    return (*occlusion.pair_accuracy(order, truth), all_pairs, areas.sum(0)[:4])


@pytest.mark.parametrize('method, right, union_tolerance, expected', [
    ('raw', None, 0, [(162858, 193212, 0, 30354), (102307, 136220, 0, 33913),
                      (115572, 145874, 0, 30302)]),
    ('convex', 26, 0.005, [(178182, 202534, 15324, 39676), (132708, 153328, 30401, 51021),
                           (139314, 182668, 23742, 67096)]),
    ('convexr', 26, 0.005, [(178182, 193212, 15324, 30354), (132659, 136373, 30352, 34066),
                            (138808, 154466, 23236, 38894)]),
])
def test_baselines(scenes, method, right, union_tolerance, expected):
    results = [run(HullCompleter(method), *scene) for scene in scenes]
    assert [total for _, total, _, _ in results] == [1, 10, 23]
    if right is not None:
        assert sum(row[0] for row in results) == right
    for (*_, areas), wanted in zip(results, expected):
        np.testing.assert_allclose(areas, wanted, rtol=union_tolerance)


@pytest.mark.parametrize('order, right', [
    ('area_smaller', [0, 5, 15]), ('area_larger', [1, 5, 8]), ('yaxis', [0, 5, 12]),
    ('hull', [1, 8, 17])])
def test_orders_of_the_baselines(scenes, order, right):
    results = [run(HullCompleter('raw', order), *scene) for scene in scenes]
    assert [row[0] for row in results] == right


# evidence, rule, context, order, right of 34, right of 227, areas of each image or their sums
PIPELINES = [
    ('mask', 'mask', 'ancestors', 'pairs', 23, 216,
     [(177742, 300927, 14884, 138069), (130258, 229107, 27951, 126800),
      (139493, 269749, 23921, 154177)]),
    ('mask', 'mask', 'neighbours', 'pairs', 23, 216,
     [(177742, 300927, 14884, 138069), (130258, 229107, 27951, 126800),
      (139493, 269749, 23921, 154177)]),
    ('mask', 'mask in occluder', 'ancestors', 'pairs', 18, 211,
     [(162373, 238335, 69, 75477), (130410, 156030, 28299, 53723),
      (133498, 220954, 18354, 105382)]),
    ('mask', 'mask in occluder', 'neighbours', 'pairs', 18, 211,
     [(466112, 659519, 86355, 278782)]),
    ('boundary', 'boundary', 'ancestors', 'pairs', 18, 211,
     [(162444, 262752, 69, 99894), (130537, 207335, 28315, 105028),
      (139366, 300174, 23958, 184602)]),
    ('boundary', 'boundary', 'parents', 'pairs', 18, 211, [(425731, 758158, 45784, 377421)]),
    ('boundary', 'boundary', 'neighbours', 'pairs', 18, 211, [(469476, 863907, 89243, 483170)]),
]


@pytest.mark.parametrize('evidence, rule, context, order, right, right_of_all, expected', PIPELINES)
def test_pipeline_with_a_fake_network(scenes, evidence, rule, context, order, right, right_of_all,
                                      expected):
    model = MaskCompleter(network=dict(type='PooledMask', rule=rule), evidence=evidence,
                          loss=dict(type='RegionWeightedCrossEntropy'), context=context,
                          order=order)
    results = [run(model, *scene) for scene in scenes]
    areas = np.array([areas for *_, areas in results])
    if len(expected) == 1:
        areas = areas.sum(0, keepdims=True)
    np.testing.assert_allclose(areas, expected, rtol=1e-3)
    assert sum(row[0] for row in results) == right
    assert sum(row[2] for row in results) == right_of_all
