"""Predictions in a file, for evaluation elsewhere."""

from typing import Optional, Sequence

from mmdet.evaluation import DumpDetResults
from mmdet.registry import METRICS

PATCH_MAPS = ('uncertainty', 'evidence')


@METRICS.register_module()
class DumpPredictions(DumpDetResults):
    """Like mmdet's DumpDetResults, but without a completer's maps on patches.

    They would take a hundred times the room of its masks, in memory too.
    """

    default_prefix = 'predictions'

    def process(self, data_batch: Optional[dict], data_samples: Sequence[dict]) -> None:
        """Keep the predictions of a batch, masks as RLE."""
        super().process(data_batch, [without_patch_maps(sample) for sample in data_samples])


def without_patch_maps(sample: dict) -> dict:
    """The data sample without what lies on patches."""
    instances = sample.get('pred_instances', {})
    kept = {key: value for key, value in instances.items() if key not in PATCH_MAPS}
    return dict(sample, pred_instances=kept)
