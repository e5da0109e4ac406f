"""Objects and detections as files have them, checked, ready to be held against each other.

Letters: D detections, G annotated objects, H×W image.
"""

from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ...structures.segmentation import to_rle
from ..detection.amodal_overlaps import Predicted, Truth
from .result_lists import as_list, score_fault
from .rle_checks import first_broken

MASK_KEYS = ('segmentation', 'visible_mask', 'invisible_mask')


class About(NamedTuple):
    """What predictions are about: (height, width) by image id, labels by category id; None where
    all categories are one class."""
    sizes: Dict[int, Tuple[int, int]]
    labels: Optional[Dict[int, int]]

    @classmethod
    def of(cls, records: Sequence[dict], categories: Sequence[dict], one_class: bool) -> 'About':
        """Of a dataset's records and its metainfo's categories."""
        labels = {category['id']: label for label, category in enumerate(categories)}
        sizes = {record['img_id']: (record['height'], record['width']) for record in records}
        return cls(sizes, None if one_class else labels)

    def label(self, category_id: int) -> int:
        """The class of a category."""
        return 0 if self.labels is None else self.labels[category_id]


def truth_of_instances(instances: Sequence[dict], height: int, width: int) -> Truth:
    """The objects of a dataset's record.

    Args:
        instances: see AmodalCocoDataset; ``is_stuff`` is taken where they have it.
        height: H of the masks in pixels.
        width: W in pixels.

    Raises:
        ValueError: a mask is broken; names the annotation.
    """
    amodal = [_instance_mask(instance, 'mask', height, width) for instance in instances]
    visible = {place: _instance_mask(instance, 'visible_mask', height, width)
               for place, instance in enumerate(instances)
               if instance.get('visible_mask') is not None}
    masks = [*amodal, *visible.values()]
    broken = first_broken(masks, [(height, width)] * len(masks))
    if broken:
        instance = instances[[*range(len(amodal)), *visible][broken[0]]]
        raise ValueError(f"annotation {instance.get('ann_id')}: {broken[1]}")
    return Truth(
        labels=np.array([instance['bbox_label'] for instance in instances], np.int64),
        amodal=amodal,
        visible=[visible.get(place, mask) for place, mask in enumerate(amodal)],
        crowd=np.array([instance['ignore_flag'] for instance in instances], bool),
        stuff=np.array([_stuff(instance) for instance in instances], np.int64))


def predictions_of_entries(entries: object, about: About,
                           source: str) -> Dict[int, Predicted]:
    """The detections of each image that has some, from a COCO result list.

    Args:
        entries: of ``image_id``, ``category_id``, ``score`` and ``segmentation``, the amodal
            mask; ``visible_mask`` and ``invisible_mask`` may be there. An entry without one of
            the first two masks has the other in its place. If no entry has a visible (invisible)
            mask, there are no predictions of such; if only some have an invisible mask, those
            of the others are empty.
        about: images and categories of the ground truth.
        source: path of the file, for messages.

    Raises:
        ValueError: an entry is malformed; names its place.
    """
    for place, entry in enumerate(as_list(entries, source)):
        fault = _fault(entry, about)
        if fault:
            raise ValueError(f'entry {place} of {source}: {fault}')
    masks = _all_masks(entries, about, source)
    grouped: Dict[int, List[int]] = {}
    for place, entry in enumerate(entries):
        grouped.setdefault(entry['image_id'], []).append(place)
    return {image_id: _predicted(entries, places, masks, about)
            for image_id, places in grouped.items()}


def _predicted(entries: List[dict], places: List[int], masks: Dict[str, Optional[List[dict]]],
               about: About) -> Predicted:
    """The entries at ``places``, which are of one image."""
    amodal, visible, invisible = (masks[key] and [masks[key][place] for place in places]
                                  for key in MASK_KEYS)
    return Predicted(
        labels=np.array([about.label(entries[place]['category_id']) for place in places]),
        scores=np.array([entries[place]['score'] for place in places], np.float64),
        amodal=amodal, visible=visible, invisible=invisible)


def _fault(entry: object, about: About) -> Optional[str]:
    """What is wrong with an entry but for its masks; None if nothing is."""
    if not isinstance(entry, dict):
        return f'expected a dict, got {entry!r:.60}'
    for key, known in (('image_id', about.sizes), ('category_id', about.labels)):
        value = entry.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or (
                known is not None and value not in known):
            wanted = 'a whole number' if known is None else (
                f'one of the {len(known)} ids of the ground truth')
            return f'expected as {key!r} {wanted}, got {value!r:.60}'
    if score_fault(entry):
        return score_fault(entry)
    if entry.get('segmentation') is None and entry.get('visible_mask') is None:
        return f"expected a mask as 'segmentation' or 'visible_mask', got only {sorted(entry)}"
    for key, value in entry.items():
        if key not in MASK_KEYS and isinstance(value, dict) and 'counts' in value:
            return (f'{key!r} is a mask that nothing is known of: name masks '
                    f'{", ".join(map(repr, MASK_KEYS))}, or leave it out')
    return None


def _all_masks(entries: List[dict], about: About, source: str) -> Dict[str, Optional[List[dict]]]:
    """The masks of all entries by key; None for a key that no entry has, and what it can do
    without."""
    read = {key: _masks(entries, key, about, source) for key in MASK_KEYS}
    amodal, visible, invisible = (read[key] for key in MASK_KEYS)
    if not amodal:
        amodal, visible = visible, {}
    whole = [amodal[place] if place in amodal else visible[place] for place in range(len(entries))]
    sizes = [about.sizes[entry['image_id']] for entry in entries]
    return dict(
        segmentation=whole,
        visible_mask=[visible.get(place, mask) for place, mask in enumerate(whole)]
        if visible else None,
        invisible_mask=[invisible[place] if place in invisible else _nothing(*size)
                        for place, size in enumerate(sizes)] if invisible else None)


def _masks(entries: List[dict], key: str, about: About, source: str) -> Dict[int, dict]:
    """RLEs with compressed counts, by place, of the entries that have a mask ``key``."""
    masks: Dict[int, dict] = {}
    for place, entry in enumerate(entries):
        mask = entry.get(key)
        if mask is not None:
            height, width = about.sizes[entry['image_id']]
            try:
                masks[place] = _compressed(mask, height, width)
            except ValueError as error:
                raise ValueError(f'entry {place} of {source}: {key!r}: {error}') from None
    sizes = [about.sizes[entries[place]['image_id']] for place in masks]
    broken = first_broken(list(masks.values()), sizes)
    if broken:
        raise ValueError(f'entry {list(masks)[broken[0]]} of {source}: {key!r}: {broken[1]}')
    return masks


def _compressed(mask: object, height: int, width: int) -> dict:
    """A mask as an RLE with compressed counts; if it has such, they are not looked at."""
    if isinstance(mask, dict) and isinstance(mask.get('counts'), str) and mask.get('size') == [
            height, width]:
        return mask
    return to_rle(mask, height, width)


def _instance_mask(instance: dict, key: str, height: int, width: int) -> dict:
    try:
        return _compressed(instance.get(key), height, width)
    except ValueError as error:
        raise ValueError(f"annotation {instance.get('ann_id')}: {error}") from None


def _nothing(height: int, width: int) -> dict:
    return to_rle(dict(size=[height, width], counts=[height * width]), height, width)


def _stuff(instance: dict) -> int:
    stuff = instance.get('is_stuff')
    return -1 if stuff is None else int(bool(stuff))
