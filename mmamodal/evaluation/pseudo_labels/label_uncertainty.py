"""How unsure a completer is of its pseudo-labels, as fields of their annotations.

Letters: S patch side, H×W image; u is the completer's uncertainty.
"""

from typing import List

import numpy as np
import torch

from ...structures.segmentation import decode
from ...structures.uncertainty_maps import encode_uncertainty, uncertainty_on_image


def add_uncertainty(annotations: List[dict], pred_instances: dict) -> None:
    """Give ``uncertainty`` and ``uncertainty_map`` to each annotation that is no crowd.

    An object that the completer says nothing of has neither a mean above 0 nor a map.

    Args:
        annotations: of one image, amodal COCO; written to.
        pred_instances: ``ann_ids`` (N,), ``patches`` (N, 4) xyxy, ``uncertainty`` (N, S, S).

    Raises:
        ValueError: the completer knows no uncertainty.
    """
    if 'uncertainty' not in pred_instances:
        raise ValueError('with_uncertainty=True expects predictions with uncertainty: use a '
                         'MaskCompleter whose loss knows it, such as UncertaintyLoss')
    ids, uncertainty, patches = (torch.as_tensor(pred_instances[key]).cpu().numpy()
                                 for key in ('ann_ids', 'uncertainty', 'patches'))
    places = {ann_id: place for place, ann_id in enumerate(ids.tolist())}
    for annotation in annotations:
        place = places.get(annotation['id'])
        if annotation['iscrowd']:
            continue
        annotation.update(uncertainty=0.0, uncertainty_map=[])
        if place is not None:
            size = annotation['segmentation']['size']
            annotation.update(uncertainty_fields(
                uncertainty_on_image(uncertainty[place], patches[place], size),
                *(decode(annotation[key], *size) for key in ('segmentation', 'visible_mask'))))


def uncertainty_fields(uncertainty: np.ndarray, amodal: np.ndarray, visible: np.ndarray) -> dict:
    """The fields of one label.

    Args:
        uncertainty: u (H, W) float.
        amodal: (H, W) uint8 in {0, 1}, the label, not empty.
        visible: (H, W) uint8 in {0, 1}.

    Returns:
        ``uncertainty`` of :func:`mean_uncertainty` and ``uncertainty_map``, RLEs of
        :func:`~mmamodal.structures.uncertainty_maps.encode_uncertainty`, also where the label
        is not: what it leaves out may be wrong, too.
    """
    unknown = np.where(visible > 0, 0, uncertainty)
    return dict(uncertainty=round(mean_uncertainty(uncertainty, amodal, visible), 4),
                uncertainty_map=encode_uncertainty(unknown))


def mean_uncertainty(uncertainty: np.ndarray, amodal: np.ndarray, visible: np.ndarray) -> float:
    """The mean of u over a label that is not empty; see :func:`uncertainty_fields`. What is
    visible is known: its u counts as 0."""
    unknown = (amodal > 0) & (visible == 0)
    return float(uncertainty[unknown].sum() / np.count_nonzero(amodal))
