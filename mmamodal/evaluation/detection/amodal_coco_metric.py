"""The amodal metrics for mmdet's evaluators."""

from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np
import torch
from mmdet.registry import METRICS
from mmdet.structures.mask import encode_mask_results
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from ..predictions.prediction_files import truth_of_instances
from .amodal_coco_eval import Evaluation, evaluate
from .amodal_figures import class_figures, class_table, figures, table
from .amodal_overlaps import Overlaps, Predicted, Truth, overlaps_of_image
from .amodal_rules import AmodalRules

PREDICTED = ('masks', 'visible_masks', 'invisible_masks')


@METRICS.register_module()
class AmodalCocoMetric(BaseMetric):
    """AP and AR of amodal (A), visible (V) and both masks (AV), on all and on occluded objects,
    and AP50 of invisible masks, in percent ("Learning to See the Invisible", WACV 2019).

    The truth comes from the dataset, in whatever format its files are: from the ``instances``
    that PackAmodalInputs hands on. Of predictions ``masks`` are the amodal ones;
    ``visible_masks`` and ``invisible_masks`` may be there. A model that predicts only one of the
    first two is taken to mean it for both. Overlaps are computed in each process as predictions
    come in, so that little has to be kept and collected.

    Figures have the names that :func:`~mmamodal.evaluation.detection.amodal_figures.figures`
    gives them, such as ``amodal/AP_AV_occluded``, and are in percent, other than those of mmdet's
    CocoMetric. One with nothing to find is NaN. The table is logged. ``evaluation`` keeps the
    curves afterwards, on the main process.

    Args:
        classwise: measure each class, too.
        max_dets, occ_thr, occ_bins, iv_gate, iv_gate_once, iv_gate_any_class, iv_drop_empty: see
            :class:`~mmamodal.evaluation.detection.amodal_rules.AmodalRules`.
        collect_device: as in mmengine.
        prefix: as in mmengine.

    Raises:
        ValueError: an option is out of its range; in use: a sample has no amodal truth, or
            predictions of another size, class or number than they should have; names the image.
    """

    default_prefix: Optional[str] = 'amodal'

    def __init__(self, classwise: bool = False, max_dets: Sequence[int] = (1, 10, 100),
                 occ_thr: float = 0.0, occ_bins: Sequence[float] = (1e-5, 0.25),
                 iv_gate: float = 0.5, iv_gate_once: bool = False,
                 iv_gate_any_class: bool = False, iv_drop_empty: bool = False,
                 collect_device: str = 'cpu', prefix: Optional[str] = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.classwise = classwise
        self.rules = AmodalRules(max_dets, occ_thr, occ_bins, iv_gate, iv_gate_once,
                                 iv_gate_any_class, iv_drop_empty)
        self.evaluation: Optional[Evaluation] = None

    def process(self, data_batch: Optional[dict], data_samples: Sequence[dict]) -> None:
        """Add one entry a sample: image id and overlaps."""
        for sample in data_samples:
            try:
                truth = truth_of_sample(sample)
                predicted = predictions_of_sample(sample, len(self.dataset_meta['classes']))
            except ValueError as error:
                source = self.dataset_meta.get('ann_file') or 'the dataset'
                raise ValueError(f"image {sample.get('img_id')} of {source}: {error}") from None
            self.results.append((sample['img_id'],
                                 overlaps_of_image(truth, predicted, self.rules)))

    def compute_metrics(self, results: List[Tuple[int, Overlaps]]) -> Dict[str, float]:
        """Match, accumulate, log the table."""
        classes = self.dataset_meta['classes']
        self.evaluation = evaluate(results, len(classes), self.rules)
        print_log(f'amodal metrics\n{table(self.evaluation)}', logger='current')
        named = figures(self.evaluation)
        if self.classwise:
            print_log(f'by class\n{class_table(self.evaluation, classes)}', logger='current')
            named.update(class_figures(self.evaluation, classes))
        return named


def truth_of_sample(sample: dict) -> Truth:
    """The objects of a data sample.

    Raises:
        ValueError: there are none, or visible ones alone.
    """
    if 'instances' not in sample or 'ori_shape' not in sample:
        raise ValueError('expected the instances of its record; load it with an '
                         'AmodalCocoDataset or one of its kind, and pack it with '
                         'PackAmodalInputs')
    if sample.get('visible_only'):
        raise ValueError('its annotations are visible masks only: amodal masks can be measured '
                         'on amodal truth alone')
    height, width = map(int, sample['ori_shape'][:2])
    return truth_of_instances(sample['instances'], height, width)


def predictions_of_sample(sample: dict, num_classes: int) -> Predicted:
    """The detections of a data sample.

    Raises:
        ValueError: they do not belong to such an image, or to one another.
    """
    predicted = sample['pred_instances']
    labels, scores = (torch.as_tensor(predicted[key]).cpu().numpy() for key in ('labels',
                                                                                'scores'))
    if len(labels) and not 0 <= labels.min() <= labels.max() < num_classes:
        raise ValueError(f'expected labels from 0 to {num_classes - 1}, got {labels.min()} to '
                         f'{labels.max()}: model and dataset have other classes')
    if not np.isfinite(scores).all():
        raise ValueError('expected finite scores of its predictions, got NaN or infinity')
    height, width = map(int, sample['ori_shape'][:2])
    amodal, visible, invisible = (_encoded(predicted, key, len(labels), height, width)
                                  for key in PREDICTED)
    if amodal is None:
        amodal, visible = visible, None
    if amodal is None:
        raise ValueError(f"expected 'masks' of its predictions, got only {sorted(predicted)}: "
                         'the model predicts no masks')
    return Predicted(labels.astype(np.int64), scores.astype(np.float64), amodal, visible,
                     invisible)


def _encoded(predicted: dict, key: str, count: int, height: int,
             width: int) -> Optional[List[dict]]:
    """Masks as RLEs, if there are such: from bitmaps (D, H, W), or as an earlier metric left
    them."""
    masks = predicted.get(key)
    if masks is None:
        return None
    if not isinstance(masks, list):
        masks = torch.as_tensor(masks).cpu().numpy()
        if masks.shape != (count, height, width):
            raise ValueError(f'expected {key!r} of shape {(count, height, width)}, got '
                             f'{masks.shape}')
        return encode_mask_results(masks)
    sizes = {tuple(mask['size']) for mask in masks}
    if len(masks) != count or sizes - {(height, width)}:
        raise ValueError(f'expected {count} RLEs of size {(height, width)} as {key!r}, got '
                         f'{len(masks)} of {sorted(sizes)}')
    return masks
