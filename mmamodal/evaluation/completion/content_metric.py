"""How near completed content is to what is hidden, where that is known."""

from collections import OrderedDict
from typing import Dict, Iterable, Optional, Sequence

import numpy as np
from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric

from ...structures.layers import on_image


def content_errors(content: Iterable[np.ndarray], truth: np.ndarray,
                   hidden: np.ndarray) -> np.ndarray:
    """Errors of each object over its hidden pixels.

    Args:
        content: N of (H, W, 3) uint8, as completed.
        truth: (N, H, W, 3) uint8.
        hidden: (N, H, W) uint8 in {0, 1}.

    Returns:
        (N, 3) float64: pixels, Σ|error| and Σ error² over them, each error a mean over
        channels, in 0..255.
    """
    errors = [np.subtract(a[where], b[where], dtype=np.float64)
              for a, b, where in zip(content, truth, hidden > 0)]
    rows = [(len(e), np.abs(e).mean(1).sum(), (e**2).mean(1).sum()) for e in errors]
    return np.array(rows, np.float64).reshape(-1, 3)


@METRICS.register_module()
class ContentMetric(BaseMetric):
    """L1 and PSNR of completed content over hidden pixels: amodal and not visible.

    ``L1`` is in grey levels (0..255), ``PSNR`` in dB; both are pooled over all hidden pixels of
    all objects. ``L1_instance`` is the mean over the objects with a hidden part. NaN if nothing
    is hidden.

    Args:
        collect_device: as in mmengine.
        prefix: as in mmengine.

    Raises:
        ValueError: a sample does not say what is hidden.
    """

    default_prefix: Optional[str] = 'content'

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Adds one entry a sample: (N, 3) of :func:`content_errors`."""
        for sample in data_samples:
            if 'gt_content' not in sample:
                raise ValueError(f"image {sample['img_id']} has no gt_content: only scenes know "
                                 "what is hidden; load it with LoadSceneContent, and pack it with "
                                 "'gt_content' among PackAmodalInputs(meta_keys=...)")
            masks = sample['gt_instances']['masks']
            content = (on_image(layer, (masks.height, masks.width))[..., :3]
                       for layer in sample['pred_instances']['layers'])
            self.results.append(content_errors(content, sample['gt_content'],
                                               masks.masks & (1 - masks.visible.masks)))

    def compute_metrics(self, results: list) -> Dict[str, float]:
        """The figures of :func:`content_figures`."""
        return content_figures(np.concatenate(results))


def content_figures(errors: np.ndarray) -> Dict[str, float]:
    """(N, 3) of :func:`content_errors` -> L1, PSNR and L1_instance."""
    hidden = errors[errors[:, 0] > 0]
    if not len(hidden):
        return OrderedDict(L1=float('nan'), PSNR=float('nan'), L1_instance=float('nan'))
    pixels, absolute, squared = hidden.sum(0)
    psnr = float('inf') if squared == 0 else 10 * np.log10(255**2 * pixels / squared)
    return OrderedDict(L1=float(absolute / pixels), PSNR=float(psnr),
                       L1_instance=float((hidden[:, 1] / hidden[:, 0]).mean()))
