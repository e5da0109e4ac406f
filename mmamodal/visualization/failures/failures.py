"""What a detector gets wrong: objects that it misses, takes for occluded, or takes for one.

Letters: D detections, G true objects of one image. A amodal, V visible masks.
"""

from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from pycocotools import mask as mask_utils

from mmamodal.visualization.failures.judged import Judged, areas_of, shared_pixels

KINDS = ('missed', 'false_occlusion', 'merged')
NEAR = 0.1  # the IoU from which on a detection may have been meant for an object


class Failure(NamedTuple):
    """One thing that went wrong.

    ``severity`` in [0, 1] ranks those of a kind: of a missed object, the part of the image that
    its visible mask takes; of a false occlusion, the predicted occlusion rate; of a merger, the
    part of the detection that is on objects which it does not stand for.
    """
    kind: str
    severity: float
    words: str
    image: int  # its place in the data set
    objects: Tuple[int, ...]  # places among the image's objects, the one that it is about first
    detection: Optional[int] = None  # its place in ``Judged.predicted``


def failures_of_image(image: int, judged: Judged, classes: Sequence[str],
                      min_rate: float) -> List[Failure]:
    """All that went wrong in an image.

    Args:
        image: its place in the data set.
        judged: its detections and objects.
        classes: their names, by label.
        min_rate: up to this occlusion rate, true or predicted, an object is not occluded.
    """
    return [*missed(image, judged, classes), *false_occlusions(image, judged, classes, min_rate),
            *merged(image, judged, classes)]


def missed(image: int, judged: Judged, classes: Sequence[str]) -> List[Failure]:
    """Objects to find that no detection matches, each with the nearest one that matches no other
    object either."""
    overlaps, found = judged.overlaps, []
    for place in np.flatnonzero(~overlaps.ignored & ~judged.is_found).tolist():
        height, width = judged.truth.amodal[place]['size']
        ious = np.where(judged.matches < 0, overlaps.ious['A'][:, place], 0)
        nearest = int(ious.argmax()) if len(ious) and ious.max() >= NEAR else None
        words = 'no detection'
        if nearest is not None:
            words = f'nearest is {_named(judged, nearest, classes)}, IoU {ious[nearest]:.2f}'
        name = classes[overlaps.true_labels[place]]
        found.append(Failure('missed', float(overlaps.true_areas['V'][place] / (height * width)),
                             f'{name}: {words}', image, (place, ), nearest))
    return found


def false_occlusions(image: int, judged: Judged, classes: Sequence[str],
                     min_rate: float) -> List[Failure]:
    """Detections of which a part is predicted invisible, of objects that nothing hides."""
    if judged.rates is None or not len(judged.truth.labels):
        return []
    true_rates = judged.overlaps.rates[judged.matches]
    wrong = judged.is_right & (judged.rates > min_rate) & (true_rates <= min_rate)
    return [Failure('false_occlusion', float(judged.rates[place]),
                    f'{_named(judged, place, classes)}: {100 * judged.rates[place]:.0f} % hidden, '
                    f'in truth {100 * true_rates[place]:.0f} %',
                    image, (int(judged.matches[place]), ), place)
            for place in np.flatnonzero(wrong).tolist()]


def merged(image: int, judged: Judged, classes: Sequence[str]) -> List[Failure]:
    """Detections that cover more than half of the visible part of several objects, with their
    visible masks where a model predicts such.

    A detection stands for the object that is most like it. What is visible in front of that
    object, inside its amodal mask, may be covered; only pixels beyond it count.
    """
    predicted, found = judged.predicted, []
    masks = predicted.amodal if predicted.visible is None else predicted.visible
    for place, mask in enumerate(masks):
        ious = np.where(judged.truth.crowd, 0, judged.overlaps.ious['A'][place])
        if not len(ious) or not ious.max() > 0:
            continue
        own = int(ious.argmax())
        covered, pixels = _covered(mask, own, judged)
        if covered[own] and np.count_nonzero(covered) > 1:
            others = np.flatnonzero(covered & (np.arange(len(covered)) != own)).tolist()
            part = pixels[others].sum() / judged.overlaps.areas['V'][place]
            *first, last = (classes[judged.truth.labels[one]] for one in (own, *others))
            found.append(Failure(
                'merged', min(float(part), 1.0), f'{_named(judged, place, classes)} covers '
                f'{", ".join(first)} and {last}', image, (own, *others), place))
    return found


def ranked(failures: Iterable[Failure], most: int) -> Dict[str, List[Failure]]:
    """The severest of each kind; among equal ones the earlier image, and object, comes first."""
    failures = sorted(failures, key=lambda item: (-item.severity, item.image, item.objects))
    return {kind: [item for item in failures if item.kind == kind][:most] for kind in KINDS}


def _covered(mask: dict, own: int, judged: Judged) -> Tuple[np.ndarray, np.ndarray]:
    """(G,) whether a detection's mask covers more than half of what is visible of each object,
    and (G,) in how many pixels, beyond the amodal mask of its own object."""
    truth = judged.truth
    visible = [mask_utils.merge([mask, seen], intersect=True) for seen in truth.visible]
    pixels = areas_of(visible)
    beyond = pixels - shared_pixels(visible, [truth.amodal[own]] * len(visible))
    pixels = np.where(np.arange(len(pixels)) == own, pixels, beyond)
    return (2 * pixels > judged.overlaps.true_areas['V']) & ~truth.crowd, pixels


def _named(judged: Judged, place: int, classes: Sequence[str]) -> str:
    predicted = judged.predicted
    return f'{classes[predicted.labels[place]]} {predicted.scores[place]:.2f}'
