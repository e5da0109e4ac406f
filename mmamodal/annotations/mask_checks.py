"""What one annotation says about itself, held against its masks; and an order against both.

RLEs are pixels and are compared exactly. A polygon is an outline, which two programs fill
differently along its rim: where one takes part, what is at most two pixels thick does not count.
Letters: H×W image.
"""

from typing import Dict, Iterator, List, NamedTuple, Sequence, Tuple

import numpy as np

from .mask_regions import (Box, Finding, Region, enclosed_area, finite, is_thick, rim, shared_box,
                           short, visible_region)

BOX_TOLERANCE = 1.0  # pixels, of polygons and crowds: COCO's crowd boxes are a pixel short
OUTSIDE_TOLERANCE = 1.0  # pixels by which a polygon may reach outside the image
RATE_TOLERANCE = 0.01  # rates are often written with two digits


class Ranked(NamedTuple):
    """An annotation whose masks can be read, as the check of the order needs it."""
    place: int
    amodal: Region
    visible: Region
    order: int
    cluster: object


def check_masks(ann: dict, regions: Dict[str, Region], height: int, width: int,
                margin: int = 0) -> List[Finding]:
    """What is wrong with an annotation whose amodal mask can be read.

    Args:
        ann: amodal COCO annotation.
        regions: its masks, of :func:`read_regions`.
        height: H in pixels.
        width: W in pixels.
        margin: pixels by which polygons may reach outside the image.
    """
    amodal = regions['segmentation']
    findings = [finding for key, region in regions.items()
                for finding in _outside(key, region, height, width, margin)]
    if not amodal.mask.size:
        return [*findings, ('empty_mask', 'segmentation covers no pixel')]
    findings += [*_box(ann, amodal), *_area(ann, amodal)]
    visible = visible_region(regions, ann)
    if visible is not None:
        findings += _hidden_part(ann, regions, visible)
    return findings


def check_photo(visible: Region, photo: Box) -> Iterator[Finding]:
    """Whether what is visible lies within the photo, a box (xyxy) of the canvas of the masks."""
    seen = np.count_nonzero(visible.mask)
    left, top, right, bottom = shared_box(visible.box, photo)
    inside = np.count_nonzero(visible.on_box((left, top, max(left, right), max(top, bottom))))
    if inside < seen:
        yield 'photo', (f'{seen - inside} of {seen} visible pixels are outside the photo, which '
                        f'covers {list(photo)} (xyxy) of the canvas')


def check_order(ranked: Sequence[Ranked], ids: Sequence[object]) -> Iterator[Tuple[int, Finding]]:
    """(place, finding) of each object that shows where one nearer by order should cover it.

    Of two objects of one cluster whose amodal masks overlap, the one of smaller order owns the
    overlap. Nothing follows from equal orders. What is at most two pixels thick does not count:
    masks that are drawn one by one rarely abut exactly.

    Args:
        ranked: annotations of one image.
        ids: how messages name the annotation at each place.
    """
    known = sorted(ranked, key=lambda one: one.order)
    boxes = np.array([one.amodal.box for one in known]).reshape(-1, 4)
    for place, front in enumerate(known):
        x1, y1, x2, y2 = front.amodal.box
        others = boxes[place + 1:]
        near = (others[:, 0] < x2) & (others[:, 2] > x1) & (others[:, 1] < y2) & (
            others[:, 3] > y1)
        for behind in (known[place + 1 + step] for step in np.flatnonzero(near)):
            if behind.order == front.order or behind.cluster != front.cluster:
                continue
            shown, overlap = _shown_in_overlap(front, behind)
            if shown:
                yield behind.place, ('order', (
                    f'{shown} of {overlap} pixels that it shares with annotation '
                    f'{ids[front.place]} show it, though its order {behind.order} is behind '
                    f'{front.order}'))


def _shown_in_overlap(front: Ranked, behind: Ranked) -> Tuple[int, int]:
    """Pixels of the overlap of two amodal masks that show the rear one (0 for a mere rim)."""
    box = shared_box(front.amodal.box, behind.amodal.box)
    overlap = front.amodal.on_box(box) & behind.amodal.on_box(box)
    shown = overlap & behind.visible.on_box(box)
    return np.count_nonzero(shown) if is_thick(shown) else 0, np.count_nonzero(overlap)


def _hidden_part(ann: dict, regions: Dict[str, Region], visible: Region) -> Iterator[Finding]:
    """Visible within amodal, invisible the rest, and the rate of the two."""
    amodal, invisible = regions['segmentation'], regions.get('invisible_mask')
    boxes = np.array([region.box for region in (amodal, visible, invisible)
                      if region is not None and region.mask.size])
    box = (*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist())
    whole_mask, seen = amodal.on_box(box), visible.on_box(box)
    outside = seen & (1 - whole_mask)
    exact = not amodal.outlines and not visible.outlines
    left, all_seen = np.count_nonzero(outside), np.count_nonzero(seen)
    if _counts(outside, exact) or left > all_seen / 2:  # which readers refuse, however thin
        yield 'visible', f'visible mask leaves the amodal mask by {left} of {all_seen} pixels'
    hidden = whole_mask & (1 - seen)
    if invisible is not None:
        yield from _invisible(ann, invisible, invisible.on_box(box), hidden,
                              exact and not invisible.outlines)
    yield from _rate(ann, np.count_nonzero(hidden), amodal)
    if not all_seen:
        yield 'wholly_hidden', f'nothing is visible of its {np.count_nonzero(whole_mask)} pixels'


def _invisible(ann: dict, region: Region, mask: np.ndarray, hidden: np.ndarray,
               exact: bool) -> Iterator[Finding]:
    count = np.count_nonzero(mask)
    if ann.get('visible_mask') is None and region.mask.size:
        yield 'invisible', f'invisible_mask has {count} pixels, but there is no visible_mask'
    elif _counts(mask ^ hidden, exact):
        yield 'invisible', (
            f'invisible_mask has {count} pixels, amodal minus visible {np.count_nonzero(hidden)}; '
            f'they differ in {np.count_nonzero(mask ^ hidden)}')


def _rate(ann: dict, hidden: int, amodal: Region) -> Iterator[Finding]:
    """``occlude_rate`` is the hidden part of the amodal area."""
    rate, area = ann.get('occlude_rate'), np.count_nonzero(amodal.mask)
    tolerance = RATE_TOLERANCE + rim(amodal) / area
    if rate is not None and not (finite(rate) and abs(rate - hidden / area) <= tolerance):
        yield 'occlude_rate', (f'occlude_rate is {short(rate)}, but {hidden} of {area} pixels are '
                               f'hidden: {hidden / area:.4f}')


def _box(ann: dict, amodal: Region) -> Iterator[Finding]:
    """The box is tight: of the mask, or of the outline."""
    box = ann.get('bbox')
    if box is None:
        return
    if not isinstance(box, (list, tuple)) or len(box) != 4 or not all(map(finite, box)):
        yield 'bbox', f'bbox is {short(box)}: expected four finite numbers [x, y, w, h]'
        return
    loose = BOX_TOLERANCE if amodal.outlines or ann.get('iscrowd') == 1 else 0
    x, y, w, h = map(float, box)
    tight = [amodal.box]
    if amodal.outlines:
        points = np.concatenate(amodal.outlines)
        tight.append((*points.min(axis=0), *points.max(axis=0)))
    off = min(np.abs(np.subtract((x, y, x + w, y + h), corners)).max() for corners in tight)
    if not off <= loose + 0.01:
        x1, y1, x2, y2 = amodal.box
        yield 'bbox', (f'bbox {short(box)} is up to {off:.4g} pixels off the tight one, '
                       f'{[x1, y1, x2 - x1, y2 - y1]} (xywh)')


def _area(ann: dict, amodal: Region) -> Iterator[Finding]:
    """The area is the mask's, or that which its outlines enclose; COCO's crowds have neither."""
    area = ann.get('area')
    if area is None:
        return
    if not finite(area):
        yield 'area', f'area is {short(area)}: expected a finite number'
    elif ann.get('iscrowd') != 1:
        pixels, enclosed = np.count_nonzero(amodal.mask), sum(map(enclosed_area, amodal.outlines))
        of_outlines = amodal.outlines and abs(area - enclosed) <= 1
        if abs(area - pixels) > 0.5 + rim(amodal) and not of_outlines:
            yield 'area', f'area is {short(area)}, but the mask has {pixels} pixels'


def _outside(key: str, region: Region, height: int, width: int, margin: int) -> Iterator[Finding]:
    """Polygons reach outside the image by no more than a tolerance."""
    if region.outlines:
        points = np.concatenate(region.outlines)
        reach = max(-points.min(), (points - (width, height)).max()) - margin
        if reach > OUTSIDE_TOLERANCE:
            where = f' and its margin of {margin}' if margin else ''
            yield 'outside', (f'{key} reaches {reach:.4g} pixels outside the image of {width}×'
                              f'{height}{where}')


def _counts(wrong: np.ndarray, exact: bool) -> bool:
    return bool(wrong.any()) if exact else is_thick(wrong)
