"""Test-time augmentation of detectors with masks."""

from typing import List

import torch
from mmcv.ops import batched_nms
from mmdet.models.test_time_augs import DetTTAModel
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import bbox_flip
from mmengine.structures import InstanceData

FLIPPED = dict(horizontal=(-1, ), vertical=(-2, ), diagonal=(-2, -1))


@MODELS.register_module()
class AmodalTTAModel(DetTTAModel):
    """Like mmdet's DetTTAModel, which refuses masks, but each detection keeps all that it has.

    Detections of all views, flipped back, go through non-maximum suppression together; what
    remains has the masks, of whatever kind, of the view that it comes from.
    """

    def _merge_single_sample(self, data_samples: List[DetDataSample]) -> DetDataSample:
        merged = InstanceData.cat([_unflipped(sample) for sample in data_samples])
        if len(merged) > 0:
            boxes, keep = batched_nms(merged.bboxes, merged.scores, merged.labels,
                                      self.tta_cfg.nms)
            most = self.tta_cfg.max_per_img
            merged = merged[keep[:most]]
            merged.scores = boxes[:most, -1]
        data_samples[0].pred_instances = merged
        return data_samples[0]


def _unflipped(sample: DetDataSample) -> InstanceData:
    """The predictions of a view on the original image, unflipped."""
    instances = sample.pred_instances
    if sample.metainfo.get('flip', False):
        direction = sample.flip_direction
        instances.bboxes = bbox_flip(instances.bboxes, sample.ori_shape, direction)
        for name in instances.keys():
            if name == 'masks' or name.endswith('_masks'):
                setattr(instances, name, torch.flip(instances[name], FLIPPED[direction]))
    return instances
