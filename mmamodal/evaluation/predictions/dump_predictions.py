"""Predictions in a file, for evaluation elsewhere."""

from typing import Optional, Sequence

import torch
from mmdet.evaluation import DumpDetResults
from mmdet.registry import METRICS
from mmdet.structures.mask import encode_mask_results

PATCH_MAPS = ('uncertainty', 'evidence', 'probability')
OTHER_MASKS = ('visible_masks', 'invisible_masks')  # beside those that mmdet encodes


@METRICS.register_module()
class DumpPredictions(DumpDetResults):
    """Like mmdet's DumpDetResults, but all kinds of masks are RLEs, and without a completer's maps
    on patches.

    They would take a hundred times the room of its masks, in memory too.
    """

    default_prefix = 'predictions'

    def process(self, data_batch: Optional[dict], data_samples: Sequence[dict]) -> None:
        """Keep the predictions of a batch, masks as RLE."""
        super().process(data_batch, [compact(sample) for sample in data_samples])


def compact(sample: dict) -> dict:
    """The data sample without what lies on patches, visible and invisible masks as RLEs."""
    instances = sample.get('pred_instances', {})
    kept = {key: value for key, value in instances.items() if key not in PATCH_MAPS}
    for key in OTHER_MASKS:
        if key in kept and not isinstance(kept[key], list):
            kept[key] = encode_mask_results(torch.as_tensor(kept[key]).cpu().numpy())
    return dict(sample, pred_instances=kept)
