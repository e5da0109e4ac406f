"""How good completions and orders are, given the visible masks."""

from collections import OrderedDict
from typing import Dict, List, Optional, Sequence

import numpy as np
from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric

from ..structures import occlusion


def completion_areas(predicted: np.ndarray, amodal: np.ndarray,
                     visible: np.ndarray) -> np.ndarray:
    """Intersections and unions of each object, whole and hidden part.

    Args:
        predicted: (N, H, W) uint8 in {0, 1}, completed masks.
        amodal: (N, H, W) uint8 in {0, 1}, the truth.
        visible: (N, H, W) uint8 in {0, 1}, what was given.

    Returns:
        (N, 5) int64 pixels: |P∧A|, |P∨A|, |P∧A∧¬V|, |(P∨A)∧¬V|, |A∧¬V|.
    """
    rows = [_areas(*masks) for masks in zip(predicted, amodal, visible)]
    return np.array(rows, dtype=np.int64).reshape(-1, 5)


def _areas(predicted: np.ndarray, amodal: np.ndarray, visible: np.ndarray) -> List[int]:
    both, either, hidden = predicted & amodal, predicted | amodal, 1 - visible
    return [np.count_nonzero(area) for area in
            (both, either, both & hidden, either & hidden, amodal & hidden)]


@METRICS.register_module()
class CompletionMetric(BaseMetric):
    """mIoU, inv_mIoU and O_Acc of completers, in percent (ASBU, Table 1).

    ``mIoU`` = Σ|P∧A| / Σ|P∨A| and ``inv_mIoU``, the same outside the visible masks, are
    pooled over all objects of all images, as the published evaluation does;
    ``mIoU_instance`` and ``inv_mIoU_instance`` are means over objects, the latter over those
    with a hidden part; ``…_occluded`` are over objects with a hidden part. ``O_Acc`` is the
    part of the pairs with a true order whose order is right. A figure without an object or
    pair to measure is NaN.

    Args:
        collect_device: as in mmengine.
        prefix: as in mmengine.

    Raises:
        ValueError: a sample's dataset has visible masks only.
    """

    default_prefix: Optional[str] = 'completion'

    def __init__(self, collect_device: str = 'cpu', prefix: Optional[str] = None) -> None:
        super().__init__(collect_device, prefix)

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Adds one entry a sample: (N, 5) areas and (right, all) pairs."""
        for sample in data_samples:
            if sample.get('visible_only'):
                raise ValueError(f"image {sample['img_id']} has visible masks only: "
                                 'completions can be scored on amodal truth alone')
            truth = sample['gt_instances']['masks']
            predicted = np.asarray(sample['pred_instances']['masks']).astype(np.uint8)
            areas = completion_areas(predicted, truth.masks, truth.visible.masks)
            true_order = occlusion.order_from_masks(truth.visible.masks, truth.masks)
            pairs = occlusion.pair_accuracy(np.asarray(sample['pred_order']), true_order)
            self.results.append((areas, pairs))

    def compute_metrics(self, results: list) -> Dict[str, float]:
        """The figures of :func:`completion_figures`."""
        areas = np.concatenate([areas for areas, _ in results])
        return completion_figures(areas, np.sum([pairs for _, pairs in results], axis=0))


def completion_figures(areas: np.ndarray, pairs: Sequence[int]) -> Dict[str, float]:
    """All figures, in percent.

    Args:
        areas: (N, 5) of :func:`completion_areas`.
        pairs: (right, all) pairs.
    """
    occluded = areas[areas[:, 4] > 0]
    return OrderedDict(
        mIoU=_pooled(areas[:, 0], areas[:, 1]),
        inv_mIoU=_pooled(areas[:, 2], areas[:, 3]),
        O_Acc=_pooled(pairs[0], pairs[1]),
        mIoU_instance=_mean(areas[:, 0], areas[:, 1]),
        inv_mIoU_instance=_mean(occluded[:, 2], occluded[:, 3]),
        mIoU_occluded=_pooled(occluded[:, 0], occluded[:, 1]),
        inv_mIoU_occluded=_pooled(occluded[:, 2], occluded[:, 3]),
        mIoU_instance_occluded=_mean(occluded[:, 0], occluded[:, 1]))


def _pooled(part: np.ndarray, whole: np.ndarray) -> float:
    total = np.sum(whole)
    return float(100 * np.sum(part) / total) if total else float('nan')


def _mean(part: np.ndarray, whole: np.ndarray) -> float:
    return float(100 * np.mean(part / np.maximum(whole, 1))) if len(part) else float('nan')
