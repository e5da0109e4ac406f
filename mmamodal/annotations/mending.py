"""An amodal COCO file with what can be mended mended, and what cannot left out.

Letters: H×W image.
"""

from collections import Counter
from itertools import count
from typing import Dict, Iterator, Sequence, Set, Tuple

import numpy as np

from ..structures.annotation import annotation_of_masks
from ..structures.segmentation import encode
from .checks import Violation, usable_images
from .mask_regions import MASK_KEYS, Region, read_regions, visible_region, whole

# Whether the numbers alone are computed anew, or the masks, too.
OF_NUMBERS = ('bbox', 'area', 'occlude_rate')
OF_MASKS = ('broken_mask', 'empty_mask', 'outside', 'visible', 'invisible')
LEFT_OUT = ('structure', 'unknown_image', 'unknown_category')
MENDED = (*OF_NUMBERS, *OF_MASKS, *LEFT_OUT, 'annotation_id', 'iscrowd', 'rank', 'image',
          'image_id')


EMPTY = Region(np.zeros((0, 0), np.uint8), 0, 0, ())


def mend(coco: dict, found: Sequence[Violation]) -> Tuple[dict, Dict[str, int]]:
    """A copy of an amodal COCO dict that has no violation of a kind in MENDED.

    Annotations without such a violation stay as they are; of the others the visible mask is
    clipped to the amodal one, invisible mask, box, area and rate follow from the two, masks become
    RLEs, and a crowd flag, order or cluster that is no number goes. A visible mask that is broken,
    or lies more than half outside the amodal one, is what the invisible mask leaves. Ids that are
    none, or taken before, get the smallest free numbers. Left out are annotations without an image
    or a category, an amodal mask that has a pixel, or a visible one that can be had; and images
    without id, size or name, or of an id taken before.

    Args:
        coco: content of a file, which holds lists of images and annotations.
        found: its violations, of ``check_dataset``.

    Returns:
        the file, and how many entries underwent what, in words.

    Raises:
        ValueError: nothing remains.
    """
    kinds: Dict[int, Set[str]] = {}
    for violation in found:
        if violation.table == 'annotations' and violation.kind in MENDED:
            kinds.setdefault(violation.place, set()).add(violation.kind)
    images = usable_images(coco['images'])[0]
    counts: Counter = Counter({'images left out': len(coco['images']) - len(images)})
    annotations = list(_mended(coco['annotations'], kinds, images, counts))
    if not images or not annotations:
        raise ValueError('nothing can be mended: no image with an annotation remains')
    kept = [image for _, image in images.values()]
    return dict(coco, images=kept, annotations=_numbered(annotations, counts)), +counts


def mended_fields(ann: dict, height: int, width: int) -> dict:
    """Fields of an annotation that follow from its masks.

    Args:
        ann: amodal COCO annotation of an H×W image.
        height: H in pixels.
        width: W in pixels.

    Returns:
        ``segmentation``, ``bbox``, ``area``; ``visible_mask``, ``invisible_mask`` and
        ``occlude_rate`` where it has them, or hides something by what it has.

    Raises:
        ValueError: the amodal mask, or what is visible of it, is unknown or empty.
    """
    regions, findings = read_regions(ann, height, width)
    visible = visible_region(regions, ann) if 'segmentation' in regions else None
    if visible is None:
        raise ValueError(findings[0][1])
    amodal, seen = (region.on_box((0, 0, width, height))
                    for region in (regions['segmentation'], visible))
    if np.count_nonzero(seen & amodal) < np.count_nonzero(seen) / 2:  # another object's
        if not regions.get('invisible_mask', EMPTY).mask.size:
            raise ValueError('visible mask lies more than half outside the amodal mask')
        seen = 1 - regions['invisible_mask'].on_box((0, 0, width, height))
    seen &= amodal
    fields = annotation_of_masks(amodal, seen)
    fields['invisible_mask'] = encode(amodal - seen)
    told = {'segmentation', 'bbox', 'area', *ann} | (
        {'visible_mask'} if np.count_nonzero(seen) < fields['area'] else set())
    return {key: value for key, value in fields.items() if key in told and key != 'iscrowd'}


def _mended(annotations: Sequence[object], kinds: Dict[int, Set[str]],
            images: Dict[int, Tuple[int, dict]], counts: Counter) -> Iterator[dict]:
    """The annotations that can be kept; counts what happens to each."""
    for place, ann in enumerate(annotations):
        wrong = kinds.get(place, set())
        reason = next((kind for kind in LEFT_OUT if kind in wrong), None)
        if reason is None and ann['image_id'] not in images:
            reason = 'image'
        if reason is None and wrong.intersection((*OF_NUMBERS, *OF_MASKS)):
            image = images[ann['image_id']][1]
            try:
                fields = mended_fields(ann, image['height'], image['width'])
            except ValueError:
                reason = next((kind for kind in ('empty_mask', 'broken_mask') if kind in wrong),
                              'visible')
            else:
                keep = () if wrong.intersection(OF_MASKS) else MASK_KEYS
                ann = {**ann, **{key: fields[key] for key in fields if key not in keep}}
                counts['annotations mended'] += 1
        if reason is not None:
            counts[f'annotations left out ({reason})'] += 1
            continue
        yield _without_flags(ann, wrong, counts)


def _without_flags(ann: dict, wrong: Set[str], counts: Counter) -> dict:
    """The annotation without crowd flag, order or cluster that is no number."""
    dropped = {'iscrowd'} if 'iscrowd' in wrong else set()
    if 'rank' in wrong:
        dropped |= {key for key in ('order', 'cluster') if not whole(ann.get(key))}
    counts['values dropped (iscrowd, order, cluster)'] += len(dropped.intersection(ann))
    return {key: value for key, value in ann.items() if key not in dropped}


def _numbered(annotations: Sequence[dict], counts: Counter) -> list:
    """The annotations, their ids unique and from 1; ids that are stay."""
    ids = [ann.get('id') for ann in annotations]
    fine = {number for number in ids if whole(number) and number > 0}
    free = (number for number in count(1) if number not in fine)
    seen: Set[int] = set()
    numbered = []
    for ann, number in zip(annotations, ids):
        if not whole(number) or number not in fine or number in seen:
            number = next(free)
            counts['annotations renumbered'] += 1
        seen.add(number)
        numbered.append(dict(ann, id=number))
    return numbered
