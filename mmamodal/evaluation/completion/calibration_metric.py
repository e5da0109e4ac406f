"""Whether a completer's probabilities and uncertainties mean what they say.

Letters: N objects, H×W image, S patch side.
"""

from typing import Dict, List, Optional, Sequence

import cv2
import numpy as np
from mmdet.registry import METRICS
from scipy.stats import spearmanr

from ...files import write_json
from ...structures import patches
from ...structures.uncertainty_maps import uncertainty_on_image
from ..pseudo_labels.label_uncertainty import mean_uncertainty
from .calibration import add_sums, calibration_figures, calibration_sums
from .completion_metric import CompletionMetric, true_masks

REGIONS = ('occluded', 'patch')


@METRICS.register_module()
class CalibrationMetric(CompletionMetric):
    """Like CompletionMetric, but of how true the amodal probability m is, and the uncertainty u
    where there is one.

    Pixels of the patches, as the network sees them. ``patch_…`` counts all of them;
    ``occluded_…`` those inside the visible masks of objects that hide a part of the object, which
    are where it has to be guessed. What follows is a figure of
    :func:`~mmamodal.evaluation.completion.calibration.calibration_figures`.
    ``object_spearman`` is the correlation, over objects, of a label's mean uncertainty with its
    error, 1 - IoU; labels are the predicted masks united with the visible ones.

    Predictions need ``probability``, of ``MaskCompleter(keep_probability=True)``, which
    ``tools/test.py --eval calibration`` sets.

    Args:
        out_file: JSON file for the bins of the reliability diagram, for
            ``tools/analysis_tools/reliability.py``. None: none is written.
        collect_device, prefix: as in CompletionMetric.

    Raises:
        ValueError: a sample has visible masks only, or no ``probability``.
    """

    default_prefix: Optional[str] = 'calibration'

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Adds one entry a sample: the sums of its pixels, and (N, 2) of its objects."""
        for sample in data_samples:
            self.results.append(sums_of_sample(sample))

    def compute_metrics(self, results: List[dict]) -> Dict[str, float]:
        """All figures, on the main process; writes the bins."""
        totals = {region: add_sums([entry[region] for entry in results]) for region in REGIONS}
        if self.out_file is not None:
            write_json(self.out_file, {region: {
                name: sums[name].tolist() for name in ('reliability', 'doubt') if name in sums}
                for region, sums in totals.items()})
        figures = {f'{region}_{name}': value for region, sums in totals.items()
                   for name, value in calibration_figures(sums).items()}
        objects = np.concatenate([entry['objects'] for entry in results])
        if len(objects) > 1:
            figures['object_spearman'] = float(spearmanr(*objects.T).statistic)
        return figures


def sums_of_sample(sample: dict) -> dict:
    """Sums of the pixels of each region of a data sample with predictions, and its ``objects``,
    (N, 2): mean uncertainty and error of their labels, (0, 2) without uncertainty.

    Raises:
        ValueError: its truth is visible masks only, or its predictions have no ``probability``.
    """
    truth, predicted = true_masks(sample), _predicted(sample)
    amodal, visible = truth.masks, truth.visible.masks
    seen = np.flatnonzero(visible.any(axis=(1, 2)))
    pixels = {name: predicted[name][seen].ravel() for name in ('probability', 'uncertainty')
              if name in predicted}
    side = predicted['probability'].shape[-1]
    truths = [_on_patch(amodal, visible, i, predicted['patches'][i], side) for i in seen]
    target, hidden = np.array(truths, np.uint8).reshape(-1, 2, side**2).transpose(1, 0, 2)
    occluded = {name: value[hidden.ravel() > 0]
                for name, value in dict(pixels, truth=target.ravel()).items()}
    objects = [_object(amodal[i], visible[i], *(predicted[name][i] for name in (
        'masks', 'uncertainty', 'patches'))) for i in seen if 'uncertainty' in predicted]
    return dict(occluded=calibration_sums(**occluded),
                patch=calibration_sums(truth=target.ravel(), **pixels),
                objects=np.array(objects).reshape(-1, 2))


def hiding(amodal: np.ndarray, visible: np.ndarray, index: int) -> np.ndarray:
    """(H, W) uint8, the visible masks of all objects that hide a part of object ``index``.

    Args:
        amodal: (N, H, W) uint8 in {0, 1}.
        visible: (N, H, W) uint8 in {0, 1}.
        index: of the object.
    """
    hidden = amodal[index] & (1 - visible[index])
    x, y, w, h = cv2.boundingRect(hidden)
    window = (slice(y, y + h), slice(x, x + w))
    union = np.zeros_like(hidden)
    for other, mask in enumerate(visible):
        if other != index and (mask[window] & hidden[window]).any():
            union |= mask
    return union


def _predicted(sample: dict) -> Dict[str, np.ndarray]:
    predicted = sample['pred_instances']
    if 'probability' not in predicted:
        raise ValueError(f"image {sample['img_id']}: expected predictions with probability, "
                         'of a MaskCompleter with keep_probability=True')
    return {name: np.asarray(predicted[name]) for name in (
        'masks', 'patches', 'probability', 'uncertainty') if name in predicted}


def _on_patch(amodal: np.ndarray, visible: np.ndarray, index: int, patch: np.ndarray,
              side: int) -> List[np.ndarray]:
    """Truth and occluded region (S, S) of an object on its patch."""
    target, seen, hiding_it = (patches.crop_mask(mask, patch, side, smooth=True) for mask in (
        amodal[index], visible[index], hiding(amodal, visible, index)))
    return [target, hiding_it & (1 - seen)]


def _object(amodal: np.ndarray, visible: np.ndarray, predicted: np.ndarray,
            uncertainty: np.ndarray, patch: np.ndarray) -> List[float]:
    """Mean uncertainty and 1 - IoU of an object's label."""
    label = predicted.astype(np.uint8) | visible
    overlap = np.count_nonzero(label & amodal) / np.count_nonzero(label | amodal)
    on_image = uncertainty_on_image(uncertainty, patch, visible.shape)
    return [mean_uncertainty(on_image, label, visible), 1 - overlap]
