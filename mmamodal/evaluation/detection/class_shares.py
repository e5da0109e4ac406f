"""What images bring to the evaluation of one class, in the form that COCO's evaluators take.

In lists and dicts, since an image and a class share but a few detections and objects: D and G.
"""

from typing import Dict, Iterator, List, NamedTuple, Sequence, Tuple

import numpy as np

from .amodal_overlaps import Overlaps

# Nothing asks whom an evaluator matches with whom, and it keeps record of that by id: one for all.
ID = 1


class Problem(NamedTuple):
    """One image and class: ``dict(id, score, area)`` of D detections by falling score,
    ``dict(id, area, iscrowd, ignore)`` of G objects, and their IoUs (D, G)."""
    detections: List[dict]
    objects: List[dict]
    ious: List[List[float]]


class Share(NamedTuple):
    """Of detections ``scores`` and ``areas`` (by mask: A, V); of objects ``true_areas`` and,
    a row each, (rate, iscrowd, ignored, stuff); ``ious`` (D, G) by mask: A, V, AV."""
    scores: List[float]
    areas: Dict[str, List[int]]
    objects: List[Tuple[float, bool, bool, int]]
    true_areas: Dict[str, List[int]]
    ious: Dict[str, List[List[float]]]

    def detections_of(self, masks: str) -> List[dict]:
        """With the areas of their visible masks (V) or their amodal ones (A)."""
        return [dict(id=ID, score=score, area=area)
                for score, area in zip(self.scores, self.areas[masks])]

    def detections_at(self, rate: float) -> List[dict]:
        """In the place of areas stands an occlusion rate, the same for all."""
        return [dict(id=ID, score=score, area=rate) for score in self.scores]

    def objects_by_size(self, masks: str, low: float, high: float) -> List[dict]:
        """With the areas of their masks. Those not occluded by ``low`` to ``high`` are ignored."""
        return [dict(id=ID, area=area, iscrowd=crowd, ignore=ignored or not low <= rate <= high)
                for area, (rate, crowd, ignored, _) in zip(self.true_areas[masks], self.objects)]

    def objects_by_rate(self, kind: str) -> List[dict]:
        """In the place of areas stand occlusion rates. Of a ``kind``, things or stuff, others are
        ignored; '' is no kind."""
        other = dict(things=1, stuff=0).get(kind)
        return [dict(id=ID, area=rate, iscrowd=crowd, ignore=ignored or max(stuff, 0) == other)
                for rate, crowd, ignored, stuff in self.objects]


class HiddenShare(NamedTuple):
    """As in Hidden, of one class."""
    scores: np.ndarray
    same: np.ndarray
    ious: Dict[str, np.ndarray]
    empty: Dict[str, np.ndarray]

    def problem(self, way: str, same: bool, drop_empty: bool) -> Problem:
        """Detections behind the gate and occluded objects, all of one area, 0.

        Args:
            way: of predicting; where an image lacks it, all masks are empty.
            same: match no pair that does not pass the gate together.
            drop_empty: leave detections with an empty mask out.
        """
        ious = self.ious.get(way, np.zeros(self.same.shape))
        kept = np.ones(len(ious), bool)
        if drop_empty:
            kept = ~self.empty.get(way, kept)
        ious = np.where(self.same, ious, 0) if same else ious
        return Problem(
            [dict(id=ID, score=score, area=0) for score in self.scores[kept].tolist()],
            [dict(id=ID, area=0, iscrowd=0, ignore=0)] * ious.shape[1],
            ious[kept].tolist() if ious.shape[1] else [])


def shares(overlaps: Sequence[Overlaps], num_classes: int) -> List[List[Share]]:
    """By class, those of all images that have a detection or an object of it."""
    by_class: List[List[Share]] = [[] for _ in range(num_classes)]
    for image in overlaps:
        ious = {key: rows.tolist() for key, rows in image.ious.items()}
        ious['AV'] = np.minimum(image.ious['A'], image.ious['V']).tolist()
        scores = image.scores.tolist()
        areas = {key: values.tolist() for key, values in image.areas.items()}
        true_areas = {key: values.tolist() for key, values in image.true_areas.items()}
        objects = list(zip(image.rates.tolist(), image.crowd.tolist(), image.ignored.tolist(),
                           image.stuff.tolist()))
        for label, found, true in _places(image.labels, image.true_labels):
            by_class[label].append(Share(
                _take(scores, found),
                {key: _take(values, found) for key, values in areas.items()},
                _take(objects, true),
                {key: _take(values, true) for key, values in true_areas.items()},
                {key: [_take(row, true) for row in _take(rows, found)] if true else []
                 for key, rows in ious.items()}))
    return by_class


def hidden_shares(overlaps: Sequence[Overlaps], num_classes: int) -> List[List[HiddenShare]]:
    """By class, those of all images that have an occluded object of it, or a gated detection."""
    by_class: List[List[HiddenShare]] = [[] for _ in range(num_classes)]
    for image in overlaps:
        hidden = image.hidden
        for label, found, true in _places(hidden.labels, hidden.true_labels):
            pairs = np.ix_(found, true)
            by_class[label].append(HiddenShare(
                hidden.scores[found], hidden.same[pairs],
                {way: ious[pairs] for way, ious in hidden.ious.items()},
                {way: empty[found] for way, empty in hidden.empty.items()}))
    return by_class


def _places(labels: np.ndarray, true_labels: np.ndarray) -> Iterator[Tuple[int, list, list]]:
    """Each label with its places in the two."""
    places: Dict[int, Tuple[list, list]] = {}
    for side, values in enumerate((labels, true_labels)):
        for place, label in enumerate(values.tolist()):
            places.setdefault(label, ([], []))[side].append(place)
    for label, (found, true) in places.items():
        yield label, found, true


def _take(values: list, places: List[int]) -> list:
    return [values[place] for place in places]
