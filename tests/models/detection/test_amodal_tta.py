"""Views of an image, merged: told by hand."""

import copy

import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData
from torch import nn

from mmamodal.models.detection.amodal_tta import AmodalTTAModel

CONFIG = ConfigDict(nms=dict(type='nms', iou_threshold=0.5), max_per_img=2)
SHAPE = (4, 6)


class Views(nn.Module):
    """Predicts what it is given."""

    def test_step(self, data: dict) -> list:
        return [copy.deepcopy(sample) for sample in data['data_samples']]


def view(direction: str, boxes: list, scores: list, rates: list) -> DetDataSample:
    """A view, flipped unless ``direction`` is empty; masks fill their boxes, one pixel visible."""
    masks = torch.zeros(len(boxes), *SHAPE, dtype=torch.bool)
    visible = masks.clone()
    for i, (x1, y1, x2, y2) in enumerate(boxes):
        masks[i, y1:y2, x1:x2], visible[i, y1, x1] = True, True
    instances = InstanceData(
        bboxes=torch.tensor(boxes).float().reshape(-1, 4), scores=torch.tensor(scores),
        labels=torch.zeros(len(boxes), dtype=torch.long), masks=masks, visible_masks=visible,
        invisible_masks=masks & ~visible, occlusion_rates=torch.tensor(rates))
    meta = dict(ori_shape=SHAPE, flip=bool(direction), flip_direction=direction or None)
    return DetDataSample(metainfo=meta, pred_instances=instances)


def merge(*views: DetDataSample) -> InstanceData:
    model = AmodalTTAModel(tta_cfg=CONFIG, module=Views())
    data = dict(inputs=[None] * len(views), data_samples=[[one] for one in views])
    (merged, ) = model.test_step(data)
    return merged.pred_instances


@pytest.mark.parametrize('direction, box, seen', [
    ('horizontal', [1, 0, 4, 2], (0, 4)), ('vertical', [2, 2, 5, 4], (1, 2)),
    ('diagonal', [1, 2, 4, 4], (1, 4))])
def test_flipped_views_are_flipped_back(direction, box, seen):
    # On the image the object is at [2, 0, 5, 2]; a flipped view finds it at its own place.
    merged = merge(view('', [[2, 0, 5, 2]], [0.5], [0.1]), view(direction, [box], [0.9], [0.7]))
    assert merged.bboxes.tolist() == [[2, 0, 5, 2]]
    assert merged.visible_masks[0].nonzero().tolist() == [list(seen)]
    assert merged.scores.tolist() == pytest.approx([0.9])
    assert merged.occlusion_rates.tolist() == pytest.approx([0.7])
    assert merged.masks[0].nonzero().tolist() == [[y, x] for y in (0, 1) for x in (2, 3, 4)]
    assert (merged.masks == (merged.visible_masks | merged.invisible_masks)).all()


def test_best_of_all_views_are_kept():
    merged = merge(view('', [[0, 0, 2, 2], [4, 0, 6, 2]], [0.3, 0.4], [0.3, 0.4]),
                   view('horizontal', [[0, 2, 2, 4]], [0.5], [0.5]))
    assert merged.occlusion_rates.tolist() == pytest.approx([0.5, 0.4])
    assert merged.bboxes.tolist() == [[4, 2, 6, 4], [4, 0, 6, 2]]
    assert merged.masks.shape == (2, *SHAPE)


def test_nothing_in_any_view():
    merged = merge(view('', [], [], []), view('horizontal', [], [], []))
    assert len(merged) == 0 and merged.invisible_masks.shape == (0, *SHAPE)
