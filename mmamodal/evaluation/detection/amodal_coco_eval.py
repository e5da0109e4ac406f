"""The amodal metrics by COCO's rules: matching and precision are faster-coco-eval's, exact copies
of pycocotools'; overlaps, and who is ignored, are given.

Letters: D detections, G objects of one image and class; K classes, T IoU thresholds, R recalls,
S ranges of area or of occlusion rate, M numbers of detections.
"""

import gc
import weakref
from contextlib import contextmanager
from typing import Dict, Iterable, Iterator, List, NamedTuple, Sequence, Tuple

import numpy as np
from faster_coco_eval import COCOeval_faster

from .amodal_overlaps import Overlaps, just_above
from .amodal_rules import AmodalRules
from .class_shares import HiddenShare, Problem, Share, hidden_shares, shares

MASKS = ('A', 'V', 'AV')  # amodal, visible, both: the joint overlap is the smaller of the two
WAYS = ('IV', 'IV_diff')  # invisible masks predicted directly, and as a difference of two
KINDS = ('things', 'stuff')
IOU_THRS = np.linspace(0.5, 0.95, 10)
SIZES = dict(s=(0, 32**2), m=(32**2, 96**2), l=(96**2, 1e10))  # pixels, COCO's


@contextmanager
def collector_paused() -> Iterator[None]:
    """While millions of lists and dicts are made that all are needed, Python's collector of
    garbage looks through them again and again: half of the time of an evaluation."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class Variant(NamedTuple):
    """One evaluation: of which masks, on which objects (others are ignored), of things or stuff
    alone ('': of all), of which size ('': of all)."""
    masks: str
    subset: str = ''
    kind: str = ''
    size: str = ''

    @property
    def name(self) -> str:
        """As figures are named after it; the size stands elsewhere in them."""
        return '_'.join(filter(None, self[:3]))


Ranges = Dict[Variant, Sequence[float]]

class GivenIoUs(COCOeval_faster):
    """Like COCOeval, but of one class, whose overlaps and ignored objects are given.

    Args:
        problems: one an image, in the order in which COCO takes images: by id.
        max_dets: M rising numbers.
        iou_thrs: T thresholds.
        ranges: S ranges of ``area``, both ends within. Objects beyond are ignored, and so are
            detections beyond that match none.
    """

    def __init__(self, problems: Sequence[Problem], max_dets: Sequence[int],
                 iou_thrs: Sequence[float], ranges: Sequence[Sequence[float]]) -> None:
        super().__init__(iouType='bbox')  # of boxes nothing needs to be converted
        self.problems = problems
        self.params.imgIds = list(range(len(problems)))
        self.params.catIds = [1]
        self.params.maxDets = list(max_dets)
        self.params.iouThrs = list(iou_thrs)
        self.params.areaRng = [list(pair) for pair in ranges]
        # The evaluator keeps a deep copy of them; that of the images' numbers takes long. Not
        # through ``self``: an evaluator in a ring of references outlives its use by far.
        params = weakref.proxy(self.params)
        self.params.__deepcopy__ = lambda memo: params

    def _prepare(self) -> None:
        for image, problem in enumerate(self.problems):
            for detection in problem.detections:
                self.dt_dataset.append(image, 1, detection)
            for given in problem.objects:
                self.gt_dataset.append(image, 1, given)

    def computeIoU(self, imgId: int, catId: int) -> List[List[float]]:
        """The given IoUs."""
        return self.problems[imgId].ious


class Curves(NamedTuple):
    """What COCO accumulates, NaN where there is no object to find.

    ``precision`` (T, R) at the largest number of detections, ``recall`` (T, M), or (T, 1) at the
    largest where no other is asked for, and ``objects``, how many there are to find; with an
    axis K in front if of all classes.
    """
    precision: np.ndarray
    recall: np.ndarray
    objects: np.ndarray


class Evaluation(NamedTuple):
    """All that was measured: the curves of all classes, what was counted, the rules.

    ``counts``: images, objects to find, those of them that are occluded, those ignored (crowds
    and empty masks), detections, and those whose invisible masks are judged (gated).
    """
    curves: Dict[Variant, Curves]
    counts: Dict[str, int]
    rules: AmodalRules


@collector_paused()
def evaluate(images: Iterable[Tuple[int, Overlaps]], num_classes: int,
             rules: AmodalRules) -> Evaluation:
    """Match and accumulate in all ways.

    Args:
        images: id and overlaps, in any order; made with these ``rules``.
        num_classes: K.
        rules: what there is to choose.
    """
    overlaps = [image for _, image in sorted(images, key=lambda image: image[0])]
    kinds = KINDS if any((image.stuff == 1).any() for image in overlaps) else ()
    ways = {way for image in overlaps for way in image.hidden.ious}
    seen = shares(overlaps, num_classes)
    hidden = hidden_shares(overlaps, num_classes)
    per_class = [{**seen_curves(seen[label], ('', *kinds), rules),
                  **hidden_curves(hidden[label], ways, rules)} for label in range(num_classes)]
    curves = {variant: Curves(*map(np.stack, zip(*(found[variant] for found in per_class))))
              for variant in per_class[0]}
    return Evaluation(curves, _counts(overlaps, rules), rules)


def seen_curves(class_shares: List[Share], kinds: Sequence[str],
                rules: AmodalRules) -> Dict[Variant, Curves]:
    """Amodal, visible and joint masks of one class: by occlusion, and by size."""
    low, high = rules.occ_bins
    occluded = (just_above(rules.occ_thr), 1.0)
    # Detections have no rate. They get one that lies in all ranges of a run, so that those that
    # match nothing are wrong in each: no single one lies in none, partial and heavy.
    runs = ((1.0, dict(all=(0.0, 1.0), occluded=occluded, heavy=(high, 1.0)), rules.max_dets),
            (low, dict(none=(0.0, low), partial=(low, high)), rules.max_dets[-1:]))
    detections = {key: [share.detections_of(key) for share in class_shares] for key in 'AV'}
    rated = {rate: [share.detections_at(rate) for share in class_shares] for rate, *_ in runs}
    curves = {}
    for masks in MASKS:
        ious = [share.ious[masks] for share in class_shares]
        key = masks[0]  # by size, both masks go as the amodal ones
        for kind in kinds:
            objects = [share.objects_by_rate(kind) for share in class_shares]
            for rate, subsets, max_dets in runs:
                ranges = {Variant(masks, subset, kind): rates for subset, rates in subsets.items()}
                problems = list(map(Problem, rated[rate], objects, ious))
                curves.update(match(problems, max_dets, IOU_THRS, ranges))
        for subset, rates in (('all', (0.0, 1.0)), ('occluded', occluded)):
            objects = [share.objects_by_size(key, *rates) for share in class_shares]
            ranges = {Variant(masks, subset, size=size): areas for size, areas in SIZES.items()}
            problems = list(map(Problem, detections[key], objects, ious))
            curves.update(match(problems, rules.max_dets[-1:], IOU_THRS, ranges))
    return curves


def hidden_curves(class_shares: List[HiddenShare], ways: Iterable[str],
                  rules: AmodalRules) -> Dict[Variant, Curves]:
    """Invisible masks of one class, at IoU 0.5.

    Args:
        class_shares: of all images.
        ways: those of ``WAYS`` that there are predictions of; nothing is found in others.
        rules: what there is to choose.
    """
    curves = {}
    for way in WAYS:
        for same in (False, True):  # match only objects by which a detection passed the gate
            problems = [share.problem(way, same, rules.iv_drop_empty) for share in class_shares]
            ranges = {Variant(way, 'same' * same): (0.0, 0.0)}
            curves.update(match(problems if way in ways else [], rules.max_dets[-1:],
                                IOU_THRS[:1], ranges))
    return curves


def match(problems: Sequence[Problem], max_dets: Sequence[int], iou_thrs: Sequence[float],
          ranges: Ranges) -> Dict[Variant, Curves]:
    """COCO's matching and accumulation of one class, by what the range stands for."""
    areas = np.array([given['area'] for problem in problems for given in problem.objects
                      if not given['ignore']])
    objects = [np.count_nonzero((areas >= low) & (areas <= high)) for low, high in ranges.values()]
    # Evaluators set memory aside for as many detections as are allowed.
    most = max([1, *(len(problem.detections) for problem in problems)])
    run = GivenIoUs(problems, [min(number, most) for number in max_dets], iou_thrs,
                    list(ranges.values()))
    shape = len(iou_thrs), len(run.params.recThrs), len(ranges)
    precision, recall = np.full(shape, -1.0), np.full((*shape[::2], len(max_dets)), -1.0)
    if any(objects):
        run.evaluate()
        run.accumulate()
        precision, recall = run.eval['precision'][:, :, 0, :, -1], run.eval['recall'][:, 0]
    precision, recall = (np.where(part < 0, np.nan, part) for part in (precision, recall))
    return {variant: Curves(precision[:, :, place], recall[:, place], np.int64(objects[place]))
            for place, variant in enumerate(ranges)}


def _counts(overlaps: Sequence[Overlaps], rules: AmodalRules) -> Dict[str, int]:
    rates = [image.rates[~image.ignored] for image in overlaps]
    return dict(
        images=len(overlaps),
        objects=sum(map(len, rates)),
        occluded=sum(int(np.count_nonzero(rate > rules.occ_thr)) for rate in rates),
        ignored=sum(int(np.count_nonzero(image.ignored)) for image in overlaps),
        detections=sum(len(image.scores) for image in overlaps),
        gated=sum(len(image.hidden.scores) for image in overlaps))
