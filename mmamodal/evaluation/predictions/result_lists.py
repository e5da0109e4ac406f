"""COCO result lists: detections in JSON, with all the masks that a model predicts."""

import sys
from typing import Dict, List, Optional, Sequence

import numpy as np

from ...structures.segmentation import to_rle
from ..detection.amodal_overlaps import Predicted
from .rle_checks import first_broken


def result_entries(predicted: Predicted, boxes: np.ndarray, image_id: int,
                   category_ids: Sequence[int]) -> List[dict]:
    """The detections of an image as entries of a result list.

    Args:
        predicted: D detections.
        boxes: (D, 4) xyxy, image pixels.
        image_id: as in the annotations.
        category_ids: those of the annotations, by label.

    Returns:
        ``image_id``, ``category_id``, ``score``, ``bbox`` (xywh), ``segmentation`` (amodal), and
        ``visible_mask`` and ``invisible_mask`` if the model predicts such.
    """
    boxes = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1).astype(float)
    entries = [dict(image_id=image_id, category_id=category_ids[label], score=float(score),
                    bbox=box) for label, score, box in
               zip(predicted.labels, predicted.scores, boxes.round(2).tolist())]
    masks = dict(segmentation=predicted.amodal, visible_mask=predicted.visible,
                 invisible_mask=predicted.invisible)
    for key, rles in masks.items():
        for entry, rle in zip(entries, rles or []):
            entry[key] = to_rle(rle, *rle['size'])
    return entries


def check_entries(entries: object, source: str) -> List[dict]:
    """The entries of a result list, their ``segmentation`` as RLE with compressed counts.

    Args:
        entries: the content of a file.
        source: its path, for messages.

    Raises:
        ValueError: an entry is malformed; names its place.
    """
    for place, entry in enumerate(as_list(entries, source)):
        fault = _fault(entry)
        if fault:
            raise ValueError(f'entry {place} of {source}: {fault}')
    checked = [dict(entry, segmentation=_compressed(entry, place, source))
               for place, entry in enumerate(entries)]
    masks = [entry['segmentation'] for entry in checked]
    broken = first_broken(masks, [mask['size'] for mask in masks])
    if broken:
        raise ValueError(f"entry {broken[0]} of {source}: 'segmentation': {broken[1]}")
    return checked


def as_list(entries: object, source: str) -> list:
    """``entries``, if they are a list; raises ValueError, which names the file, otherwise."""
    if not isinstance(entries, list):
        raise ValueError(f'{source} holds a {type(entries).__name__}: expected a COCO result '
                         'list, [{"image_id": …, "category_id": …, "score": …, …}, …]')
    return entries


def score_fault(entry: dict) -> Optional[str]:
    """What is wrong with the score of an entry; None if nothing is."""
    score = entry.get('score')
    if (isinstance(score, bool) or not isinstance(score, (int, float))
            or not abs(score) <= sys.float_info.max):
        return f"expected a finite number as 'score', got {score!r:.60}"
    return None


def by_image(entries: Sequence[dict]) -> Dict[int, List[dict]]:
    """Entries by image id, in their order."""
    grouped: Dict[int, List[dict]] = {}
    for entry in entries:
        grouped.setdefault(entry['image_id'], []).append(entry)
    return grouped


def _fault(entry: object) -> Optional[str]:
    """What is wrong with an entry but for the runs of its mask; None if nothing is."""
    if not isinstance(entry, dict):
        return f'expected a dict, got {entry!r:.60}'
    for key in ('image_id', 'category_id'):
        if isinstance(entry.get(key), bool) or not isinstance(entry.get(key), int):
            return f'expected a whole number as {key!r}, got {entry.get(key)!r:.60}'
    if score_fault(entry):
        return score_fault(entry)
    mask = entry.get('segmentation')
    size = mask.get('size') if isinstance(mask, dict) else None
    if not isinstance(size, list) or len(size) != 2 or not all(
            isinstance(side, int) and side > 0 for side in size):
        return ("expected as 'segmentation' an RLE, {\"size\": [height, width], \"counts\": …}, "
                f'got {mask!r:.60}')
    return None


def _compressed(entry: dict, place: int, source: str) -> dict:
    mask = entry['segmentation']
    if isinstance(mask.get('counts'), str):
        return mask
    try:
        return to_rle(mask, *mask['size'])
    except ValueError as error:
        raise ValueError(f"entry {place} of {source}: 'segmentation': {error}") from None
