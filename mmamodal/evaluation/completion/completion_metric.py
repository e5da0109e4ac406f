"""How good completions and orders are, given the visible masks."""

from typing import Dict, List, Optional, Sequence

import numpy as np
from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric

from ...files import write_json
from ...structures import occlusion
from ...structures.amodal_masks import AmodalMasks
from .bootstrap import figures_of_sums


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
        out_file: JSON file for the sums of each image, a list of ``dict(img_id=..., mIoU=[part,
            whole], ...)``: a figure is 100 Σ part / Σ whole. None: none is written.
        collect_device: as in mmengine.
        prefix: as in mmengine.

    Raises:
        ValueError: a sample's dataset has visible masks only.
    """

    default_prefix: Optional[str] = 'completion'

    def __init__(self, out_file: Optional[str] = None, collect_device: str = 'cpu',
                 prefix: Optional[str] = None) -> None:
        super().__init__(collect_device, prefix)
        self.out_file = out_file

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Adds one entry a sample: image id and sums."""
        for sample in data_samples:
            self.results.append(dict(img_id=sample['img_id'], **sums_of_sample(sample)))

    def compute_metrics(self, results: List[dict]) -> Dict[str, float]:
        """The figures, on the main process; writes the sums they are made of."""
        if self.out_file is not None:
            write_json(self.out_file, results)
        return completion_figures(results)


def sums_of_sample(sample: dict) -> Dict[str, Sequence[float]]:
    """:func:`completion_sums` of a data sample with predictions.

    Raises:
        ValueError: its truth is visible masks only.
    """
    truth = true_masks(sample)
    predicted = np.asarray(sample['pred_instances']['masks']).astype(np.uint8)
    areas = completion_areas(predicted, truth.masks, truth.visible.masks)
    true_order = occlusion.order_from_masks(truth.visible.masks, truth.masks)
    return completion_sums(
        areas, occlusion.pair_accuracy(np.asarray(sample['pred_order']), true_order))


def true_masks(sample: dict) -> AmodalMasks:
    """Those of a data sample; ValueError if its truth is visible masks only."""
    if sample.get('visible_only'):
        raise ValueError(f"image {sample['img_id']} has visible masks only: completers can be "
                         'measured on amodal truth alone; if its file has that, set visible_only='
                         'False in the dataset, such as test_dataloader.dataset')
    return sample['gt_instances']['masks']


def completion_sums(areas: np.ndarray, pairs: Sequence[int]) -> Dict[str, Sequence[float]]:
    """What an image adds to each figure.

    Args:
        areas: (N, 5) of :func:`completion_areas`.
        pairs: (right, all) pairs.

    Returns:
        [part, whole] by figure: pixels, pairs, or IoUs and the number of objects.
    """
    occluded = areas[areas[:, 4] > 0]
    return dict(
        mIoU=_pooled(areas[:, :2]),
        inv_mIoU=_pooled(areas[:, 2:4]),
        O_Acc=[int(count) for count in pairs],
        mIoU_instance=_mean(areas[:, :2]),
        inv_mIoU_instance=_mean(occluded[:, 2:4]),
        mIoU_occluded=_pooled(occluded[:, :2]),
        inv_mIoU_occluded=_pooled(occluded[:, 2:4]),
        mIoU_instance_occluded=_mean(occluded[:, :2]))


def completion_figures(images: Sequence[Dict[str, Sequence[float]]]) -> Dict[str, float]:
    """All figures, in percent, from the :func:`completion_sums` of the images."""
    sums = np.array([[image[name] for name in FIGURES] for image in images])
    totals = sums.reshape(-1, len(FIGURES), 2).sum(axis=0)
    return dict(zip(FIGURES, figures_of_sums(totals).tolist()))


def _pooled(areas: np.ndarray) -> List[int]:
    return areas.sum(axis=0).tolist()


def _mean(areas: np.ndarray) -> List[float]:
    return [float(np.sum(areas[:, 0] / np.maximum(areas[:, 1], 1))), len(areas)]


FIGURES = tuple(completion_sums(np.zeros((0, 5), np.int64), (0, 0)))
