"""The predictions of a detector as a COCO result list."""

from pathlib import Path
from typing import Dict, List, Optional, Sequence

import torch
from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from ...files import check_output, write_json
from ..detection.amodal_coco_metric import predictions_of_sample
from .result_lists import result_entries


@METRICS.register_module()
class ResultWriter(BaseMetric):
    """Writes detections with all their masks, as ``eval_predictions.py`` and others read them.

    Other than the files of mmdet's CocoMetric, those of this have the visible and invisible masks
    and the category ids of the annotations, whatever the dataset reads.

    Args:
        out_file: path of the file, ``.json``.
        collect_device: as in mmengine.

    Raises:
        ValueError: ``out_file`` ends in something else; in use: predictions are not of the
            image's size or the dataset's classes; names the image.
    """

    default_prefix: Optional[str] = 'results'

    def __init__(self, out_file: str, collect_device: str = 'cpu') -> None:
        super().__init__(collect_device=collect_device)
        check_output(out_file)
        self.out_file = Path(out_file)

    def process(self, data_batch: Optional[dict], data_samples: Sequence[dict]) -> None:
        """Add the entries of each sample."""
        category_ids = [category['id'] for category in self.dataset_meta['categories']]
        for sample in data_samples:
            try:
                predicted = predictions_of_sample(sample, len(category_ids))
            except ValueError as error:
                raise ValueError(f"image {sample.get('img_id')}: {error}") from None
            boxes = torch.as_tensor(sample['pred_instances']['bboxes']).cpu().numpy()
            self.results.append(result_entries(predicted, boxes, int(sample['img_id']),
                                               category_ids))

    def compute_metrics(self, results: List[List[dict]]) -> Dict[str, float]:
        """Write the file."""
        entries = [entry for some in results for entry in some]
        write_json(self.out_file, entries)
        print_log(f'{self.out_file} is written: {len(entries)} detections', logger='current')
        return {}
