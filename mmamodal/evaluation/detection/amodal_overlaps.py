"""What an image brings to the amodal metrics: how detections and objects overlap.

Letters: D detections, G annotated objects of one image, all classes; of them D' detections that
pass the gate of the invisible AP and G' occluded objects. A amodal, V visible masks.
"""

from dataclasses import dataclass
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from pycocotools import mask as mask_utils
from pycocotools.cocoeval import COCOeval

from .amodal_rules import AmodalRules


class Truth(NamedTuple):
    """Annotated objects; masks are compressed RLEs of the image's size.

    ``labels`` (G,); ``visible`` holds the very dict of ``amodal`` where nothing is occluded;
    ``crowd`` (G,) bool; ``stuff`` (G,) 1 or 0, -1 where the annotation does not say.
    """
    labels: np.ndarray
    amodal: List[dict]
    visible: List[dict]
    crowd: np.ndarray
    stuff: np.ndarray


class Predicted(NamedTuple):
    """Detections; masks are compressed RLEs of the image's size.

    ``labels`` and ``scores`` (D,); ``visible`` is None where a model predicts no visible masks:
    the amodal ones stand in; ``invisible`` is None where it predicts none directly.
    """
    labels: np.ndarray
    scores: np.ndarray
    amodal: List[dict]
    visible: Optional[List[dict]]
    invisible: Optional[List[dict]]


@dataclass(frozen=True)
class Hidden:
    """The invisible masks that there are to judge.

    ``labels`` and ``scores`` (D',), ``true_labels`` (G',). ``same`` (D', G'): the two pass the
    gate together. By the way of predicting, ``IV`` directly and ``IV_diff`` as the difference of
    two masks: ``ious`` (D', G') and ``empty`` (D',).
    """
    labels: np.ndarray
    scores: np.ndarray
    true_labels: np.ndarray
    same: np.ndarray
    ious: Dict[str, np.ndarray]
    empty: Dict[str, np.ndarray]


@dataclass(frozen=True)
class Overlaps:
    """One image; detections by falling score, no more of a class than are evaluated.

    No tuple: mmengine makes plain ones of those when it collects results.

    ``labels``, ``scores`` (D,); ``true_labels``, ``rates`` (the invisible part of the amodal
    area), ``crowd``, ``stuff`` and ``ignored`` (crowds and empty masks) (G,). Each of ``areas``
    (D,), ``true_areas`` (G,) and ``ious`` (D, G) is ``dict(A=…, V=…)``, areas in pixels.
    """
    labels: np.ndarray
    scores: np.ndarray
    areas: Dict[str, np.ndarray]
    true_labels: np.ndarray
    true_areas: Dict[str, np.ndarray]
    rates: np.ndarray
    crowd: np.ndarray
    stuff: np.ndarray
    ignored: np.ndarray
    ious: Dict[str, np.ndarray]
    hidden: Hidden


def overlaps_of_image(truth: Truth, predicted: Predicted, rules: AmodalRules) -> Overlaps:
    """All that the metrics need of an image."""
    predicted = _best(predicted, rules.max_dets[-1])
    visible = predicted.amodal if predicted.visible is None else predicted.visible
    areas = dict(A=_areas(predicted.amodal), V=_areas(visible))
    true_areas = dict(A=_areas(truth.amodal), V=_areas(truth.visible))
    # Masks from outlines may leave each other by a pixel at the rim: the invisible part is what
    # the visible mask leaves of the amodal one.
    seen = _inside(truth.visible, truth.amodal)
    hidden_areas = true_areas['A'] - _areas(seen)
    rates = hidden_areas / np.maximum(true_areas['A'], 1)
    ignored = truth.crowd | (true_areas['A'] == 0)
    ious = dict(A=_ious(predicted.amodal, truth.amodal, truth.crowd),
                V=_ious(visible, truth.visible, truth.crowd))
    # Of what cannot be seen, to see nothing is right; COCO's IoU of two empty masks is 0.
    unseen = (true_areas['V'] == 0) & (true_areas['A'] > 0)
    ious['V'][np.ix_(areas['V'] == 0, unseen)] = 1
    occluded = np.flatnonzero((rates > rules.occ_thr) & ~ignored)
    objects = _Occluded(truth.labels[occluded], _take(truth.amodal, occluded),
                        _take(seen, occluded), hidden_areas[occluded])
    hidden = _hidden(objects, predicted, ious['A'][:, occluded], rules)
    return Overlaps(predicted.labels, predicted.scores, areas, truth.labels, true_areas, rates,
                    truth.crowd, truth.stuff, ignored, ious, hidden)


def just_above(bound: float) -> float:
    """The least number above it, but none so small that a library may take it for zero."""
    return float(max(np.nextafter(bound, 1), np.finfo(np.float64).tiny))


def _best(predicted: Predicted, most: int) -> Predicted:
    """Detections by falling score, ``most`` of each class; ties as they came."""
    order = np.argsort(-predicted.scores, kind='stable')
    if len(order) > most:
        labels = predicted.labels[order]
        rank = np.zeros(len(order), np.int64)
        for label in np.unique(labels):
            rank[labels == label] = np.arange(np.count_nonzero(labels == label))
        order = order[rank < most]
    return Predicted(predicted.labels[order], predicted.scores[order],
                     *(masks and _take(masks, order) for masks in predicted[2:]))


class _Occluded(NamedTuple):
    """G' objects: labels, masks, what is seen of them, areas of what is not."""
    labels: np.ndarray
    amodal: List[dict]
    seen: List[dict]
    hidden_areas: np.ndarray


def _hidden(objects: _Occluded, predicted: Predicted, ious: np.ndarray,
            rules: AmodalRules) -> Hidden:
    """What is behind the gate, for which ``ious`` (D, G') of amodal masks decide."""
    same_class = predicted.labels[:, None] == objects.labels
    near = ious if rules.iv_gate_any_class else np.where(same_class, ious, 0)
    if rules.iv_gate_once:
        passed = _matched(near, rules.iv_gate)
    else:
        passed = np.flatnonzero((near > rules.iv_gate).any(axis=1))
    ways = _invisible(objects, predicted, passed)
    return Hidden(
        predicted.labels[passed], predicted.scores[passed], objects.labels,
        ious[passed] > rules.iv_gate,
        ious={way: shared / np.maximum(areas[:, None] + objects.hidden_areas - shared, 1)
              for way, (areas, shared) in ways.items()},
        empty={way: areas == 0 for way, (areas, _) in ways.items()})


def _invisible(objects: _Occluded, predicted: Predicted,
               passed: np.ndarray) -> Dict[str, Tuple[np.ndarray, np.ndarray]]:
    """Areas (D',) of predicted invisible masks and the pixels (D', G') shared with true ones.

    No mask is subtracted from another: for V inside A and W inside B,
    |(A - V) ∩ (B - W)| = |A ∩ B| - |A ∩ W| - |V ∩ B| + |V ∩ W|.
    """
    masks: Dict[str, List[dict]] = {}
    if predicted.invisible is not None:
        masks['IV'] = _take(predicted.invisible, passed)
    if predicted.visible is not None:
        masks['A'] = _take(predicted.amodal, passed)
        masks['V'] = _inside(_take(predicted.visible, passed), masks['A'])
    if not masks:
        return {}
    together = [mask for group in masks.values() for mask in group]
    areas = _areas(together)
    shared = _intersections(together, objects.amodal + objects.seen, areas)
    shared = shared[:, :len(objects.amodal)] - shared[:, len(objects.amodal):]
    ways = dict(zip(masks, zip(np.split(areas, len(masks)), np.split(shared, len(masks)))))
    if predicted.visible is not None:
        (amodal, behind), (visible, beside) = ways.pop('A'), ways.pop('V')
        ways['IV_diff'] = amodal - visible, behind - beside
    return ways


def _matched(ious: np.ndarray, threshold: float) -> np.ndarray:
    """Places of the detections to which COCO's matching, best score first, gives an object."""
    if not ious.size:
        return np.zeros(0, np.int64)
    matcher = COCOeval(iouType='segm')
    matcher.params.iouThrs = [just_above(threshold)]  # its thresholds are inclusive
    matcher._gts[0, 0] = [dict(id=1 + place, ignore=0, iscrowd=0, area=0)
                          for place in range(ious.shape[1])]
    matcher._dts[0, 0] = [dict(id=1 + place, score=-place, area=0) for place in range(len(ious))]
    matcher.ious = {(0, 0): ious}
    return np.flatnonzero(matcher.evaluateImg(0, 0, [0, 0], len(ious))['dtMatches'][0])


def _ious(masks: List[dict], others: List[dict], crowd: np.ndarray) -> np.ndarray:
    """COCO's IoUs (N, M)."""
    if not masks or not others:
        return np.zeros((len(masks), len(others)))
    return mask_utils.iou(masks, others, crowd.tolist())


def _intersections(masks: List[dict], others: List[dict], areas: np.ndarray) -> np.ndarray:
    """(N, M) int64 pixels that N masks, of ``areas``, share with M others."""
    # Of a crowd, COCO's IoU is the intersection over the area of the detection.
    parts = _ious(masks, others, np.ones(len(others), bool))
    return np.rint(parts * areas[:, None]).astype(np.int64)


def _inside(masks: Sequence[dict], others: Sequence[dict]) -> List[dict]:
    """Each mask, cut at the other one."""
    return [mask if mask is other else mask_utils.merge([mask, other], intersect=True)
            for mask, other in zip(masks, others)]


def _take(masks: List[dict], places: np.ndarray) -> List[dict]:
    return [masks[place] for place in places.tolist()]


def _areas(masks: List[dict]) -> np.ndarray:
    """(N,) int64 pixels."""
    return np.asarray(mask_utils.area(masks), dtype=np.int64).reshape(-1)
