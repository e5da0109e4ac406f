"""The detections of an image held against its objects, one by one.

Letters: D detections, G true objects of one image. A amodal, V visible masks.
"""

from typing import Iterable, NamedTuple, Optional, Sequence

import numpy as np
from pycocotools import mask as mask_utils
from pycocotools.cocoeval import COCOeval

from mmamodal.evaluation.detection.amodal_overlaps import (Overlaps, Predicted, Truth,
                                                           overlaps_of_image)
from mmamodal.evaluation.detection.amodal_rules import AmodalRules

EVERY = AmodalRules(max_dets=(10**9, ))  # detections are chosen by score, not counted off


class Judged(NamedTuple):
    """The detections of an image that count, held against its objects.

    ``matches`` (D,): the place of the object that COCO's matching gives each, -1 for none.
    ``rates`` (D,): predicted occlusion rates; None if a model tells none.
    """
    truth: Truth
    predicted: Predicted
    overlaps: Overlaps
    matches: np.ndarray
    rates: Optional[np.ndarray]

    @property
    def is_right(self) -> np.ndarray:
        """(D,) matched, and not with an ignored object."""
        if not len(self.truth.labels):
            return np.zeros(len(self.matches), bool)
        return (self.matches >= 0) & ~self.overlaps.ignored[self.matches]

    @property
    def is_found(self) -> np.ndarray:
        """(G,) some detection is matched with it."""
        return np.isin(np.arange(len(self.truth.labels)), self.matches)


def judge(truth: Truth, predicted: Predicted, score_thr: float, iou_thr: float = 0.5) -> Judged:
    """Match the detections from a score on, best first, by the IoU of amodal masks."""
    order = np.argsort(-predicted.scores, kind='stable')
    order = order[predicted.scores[order] >= score_thr]
    chosen = Predicted(predicted.labels[order], predicted.scores[order], *(
        masks if masks is None else [masks[place] for place in order] for masks in predicted[2:]))
    overlaps = overlaps_of_image(truth, chosen, EVERY)
    return Judged(truth, chosen, overlaps, match(overlaps, iou_thr), predicted_rates(chosen))


def match(overlaps: Overlaps, iou_thr: float) -> np.ndarray:
    """(D,) the place of the object that COCO's matching gives each detection, -1 for none."""
    out = np.full(len(overlaps.labels), -1)
    for label in np.intersect1d(overlaps.labels, overlaps.true_labels):
        found, true = (np.flatnonzero(labels == label)
                       for labels in (overlaps.labels, overlaps.true_labels))
        matcher = COCOeval(iouType='segm')
        matcher.params.iouThrs = [iou_thr]
        matcher._dts[0, 0] = [dict(id=1 + place, score=-place, area=0)
                              for place in range(len(found))]
        matcher._gts[0, 0] = [
            dict(id=1 + place, area=0, iscrowd=int(overlaps.crowd[place]),
                 ignore=int(overlaps.ignored[place])) for place in true.tolist()]
        matcher.ious = {(0, 0): overlaps.ious['A'][np.ix_(found, true)]}
        ids = matcher.evaluateImg(0, 0, [0, 0], len(found))['dtMatches'][0]
        out[found] = ids.astype(np.int64) - 1
    return out


def predicted_rates(predicted: Predicted) -> Optional[np.ndarray]:
    """(D,) invisible over amodal area, 1 at most and 0 for an empty mask; from the invisible
    masks, or else from amodal and visible ones; None without either."""
    area = areas_of(predicted.amodal)
    if predicted.invisible is not None:
        hidden = areas_of(predicted.invisible)
    elif predicted.visible is not None:
        hidden = area - shared_pixels(predicted.amodal, predicted.visible)
    else:
        return None
    return np.where(area > 0, np.minimum(hidden / np.maximum(area, 1), 1), 0)


def confusion(judged: Iterable[Judged], min_rate: float) -> np.ndarray:
    """(2, 2) matched objects: row 0 not occluded, 1 occluded; column 0 predicted not occluded, 1
    predicted occluded; each by more than ``min_rate``. Those without predicted rates are left
    out."""
    counts = np.zeros((2, 2), np.int64)
    for image in judged:
        if image.rates is not None:
            right = image.is_right
            is_occluded = image.overlaps.rates[image.matches[right]] > min_rate
            np.add.at(counts, (is_occluded.astype(int),
                               (image.rates[right] > min_rate).astype(int)), 1)
    return counts


def shared_pixels(masks: Sequence[dict], others: Sequence[dict]) -> np.ndarray:
    """(N,) pixels that two masks share."""
    return areas_of([mask_utils.merge([mask, other], intersect=True)
                     for mask, other in zip(masks, others)])


def areas_of(masks: Sequence[dict]) -> np.ndarray:
    """(N,) int64 pixels."""
    return np.asarray(mask_utils.area(list(masks)), np.int64).reshape(-1)
