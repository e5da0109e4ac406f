"""mergedAMRCNN: the predictions of a Mask R-CNN that learned amodal masks, and of one that learned
visible masks, made one ("Learning to See the Invisible", WACV 2019, section 4.1).

Letters: D amodal and E visible detections of an image.
"""

from typing import Dict, List, NamedTuple, Sequence

import numpy as np
from pycocotools import mask as mask_utils

from ...structures.segmentation import encode
from .result_lists import by_image


class Merged(NamedTuple):
    """A result list, and how many of its entries were made of two."""
    entries: List[dict]
    matched: int


def merge_predictions(amodal: Sequence[dict], visible: Sequence[dict], iou_thr: float = 0.5,
                      keep_unmatched: bool = False, one_to_one: bool = True) -> Merged:
    """Give amodal detections the visible masks that fit them.

    An amodal detection without such a mask keeps its score; all of it is visible.

    Args:
        amodal: entries of ``image_id``, ``category_id``, ``score`` and ``segmentation``, an RLE.
        visible: the same, of visible masks.
        iou_thr: of an amodal and a visible mask, which must overlap by more.
        keep_unmatched: visible detections that fit none become entries whose amodal mask is the
            visible one; otherwise they are left out, which is best, says the paper.
        one_to_one: a visible mask is given once.

    Returns:
        Entries with ``visible_mask`` and ``invisible_mask``, the amodal mask less the visible.

    Raises:
        ValueError: ``iou_thr`` is out of its range, or an image has two sizes.
    """
    if not 0 <= iou_thr < 1:
        raise ValueError(f'expected an IoU threshold from 0 to below 1, got {iou_thr}')
    ours, theirs = by_image(amodal), by_image(visible)
    check_same_images(ours, theirs)
    entries, matched = [], 0
    for image_id in [*ours, *(other for other in theirs if other not in ours)]:
        wholes, parts = ours.get(image_id, []), theirs.get(image_id, [])
        fits = match(overlaps(wholes, parts), [entry['score'] for entry in wholes], iou_thr,
                     one_to_one)
        entries += [merged(whole, parts[fit]) if fit >= 0 else unoccluded(whole)
                    for whole, fit in zip(wholes, fits)]
        if keep_unmatched:
            entries += [unoccluded(part) for place, part in enumerate(parts) if place not in fits]
        matched += int((fits >= 0).sum())
    return Merged(entries, matched)


def match(ious: np.ndarray, scores: Sequence[float], iou_thr: float = 0.5,
          one_to_one: bool = True) -> np.ndarray:
    """Which visible detection each amodal one gets: the best by score chooses first, the one that
    it overlaps most.

    Args:
        ious: (D, E) of amodal with visible masks, 0 where the classes differ.
        scores: (D, ) of the amodal detections; of equal ones the first chooses first.
        iou_thr: what is chosen overlaps by more than this.
        one_to_one: what was chosen is not there for others.

    Returns:
        (D, ) int64 places among the E; -1: none.
    """
    left, chosen = ious.copy(), np.full(len(ious), -1)
    if not left.size:
        return chosen
    for place in np.argsort(-np.asarray(scores), kind='stable'):
        best = left[place].argmax()
        if left[place, best] > iou_thr:
            chosen[place] = best
            if one_to_one:
                left[:, best] = 0
    return chosen


def overlaps(wholes: Sequence[dict], parts: Sequence[dict]) -> np.ndarray:
    """(D, E) IoUs of the masks of an image's entries, 0 where their classes differ."""
    if not wholes or not parts:
        return np.zeros((len(wholes), len(parts)))
    ious = mask_utils.iou([entry['segmentation'] for entry in wholes],
                          [entry['segmentation'] for entry in parts], [0] * len(parts))
    classes = [np.array([entry['category_id'] for entry in some]) for some in (wholes, parts)]
    return np.where(classes[0][:, None] == classes[1], ious, 0)


def merged(whole: dict, part: dict) -> dict:
    """An amodal entry with the visible mask of another, and the mean of both scores."""
    both = mask_utils.decode([whole['segmentation'], part['segmentation']])
    return dict(whole, score=(whole['score'] + part['score']) / 2,
                visible_mask=part['segmentation'],
                invisible_mask=encode(both[..., 0] & ~both[..., 1]))


def unoccluded(entry: dict) -> dict:
    """An entry all of which is visible."""
    height, width = entry['segmentation']['size']
    return dict(entry, visible_mask=entry['segmentation'],
                invisible_mask=encode(np.zeros((height, width), np.uint8)))


def check_same_images(ours: Dict[int, List[dict]], theirs: Dict[int, List[dict]]) -> None:
    """Refuse predictions on other images.

    Raises:
        ValueError: no image is in both, or one has two sizes; names it.
    """
    common = [image_id for image_id in ours if image_id in theirs]
    if ours and theirs and not common:
        raise ValueError(f'no image is in both: the amodal predictions are on image '
                         f'{min(ours)} and others, the visible ones on {min(theirs)} and others: '
                         'expected two models tested on the same images')
    for image_id in common:
        sizes = _sizes(ours[image_id] + theirs[image_id])
        if len(sizes) > 1:
            raise ValueError(f'image {image_id} has masks of the sizes {sorted(sizes)}: expected '
                             'two models tested on the same images')


def _sizes(entries: Sequence[dict]) -> set:
    return {tuple(entry['segmentation']['size']) for entry in entries}
