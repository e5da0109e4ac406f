"""What people draw in an annotation tool, as amodal COCO: the part that all tools share.

An outline is one drawn shape. Outlines of one group are one object: one amodal outline, and as
many visible ones as its visible part has pieces; an outline without a group is an object by
itself. Where no visible outline is drawn, a depth order may say what is hidden.

Letters: N objects of an image, H×W image. Masks are compressed RLEs of the image's size.
"""

import os
import posixpath
import re
from collections import Counter
from typing import Dict, Hashable, Iterable, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np
from pycocotools import mask as mask_utils

from ..datasets.coco_files import photo_size
from ..structures.annotation import annotation_of_masks
from ..structures.patches import crop_window
from ..structures.segmentation import decode, encode

AMODAL, VISIBLE = 'amodal', 'visible'
# Outlines of neighbours overlap a little without one standing in front of the other: up to this
# share of the smaller one, no depth is asked for.
RIM = 0.05
MOST_PIXELS = 2**30
CUT, UNHIDDEN, GONE, SHARED, OTHER = (
    'visible outline cut off where it reached more than a little beyond the amodal one',
    'marked as occluded, but nothing is hidden (draw what one sees of them)',
    'wholly hidden (right if you drew them as if you saw through their occluder)',
    'visible where another one is, too (draw what one sees of them, or give --order-by)',
    'left out, of a class not chosen')


class Outline(NamedTuple):
    """One drawn shape."""

    name: str  # for messages: "shape 3 'cup:visible'"
    label: str  # the class
    mask: dict  # RLE
    part: Optional[str] = None  # AMODAL or VISIBLE; None: not marked
    group: Optional[Hashable] = None
    depth: Optional[float] = None  # larger is nearer the camera
    occluded: bool = False  # ticked in the tool


class DrawnImage(NamedTuple):
    """An image and all that was drawn on it."""

    source: str  # for messages: the file, and the image if the file has several
    file_name: str  # relative to the image folder, with '/'
    size: Tuple[int, int]  # (H, W)
    outlines: Sequence[Outline]


class DrawnObject(NamedTuple):
    """The outlines of one group."""

    name: str
    label: str
    amodal: dict  # RLE
    visible: Optional[dict]  # RLE; None: not drawn
    depth: Optional[float]
    occluded: bool


# What a reader of the result should look at: pairs of a reason above and an object's name.
Notes = List[Tuple[str, str]]


def read_label(label: object, ticked: Iterable[str] = ()) -> Tuple[str, Optional[str]]:
    """Class and part of a shape: of ``cup:visible``, or of ``cup`` with ``visible`` ticked.

    Args:
        label: as written in the tool.
        ticked: names of the flags or checkboxes that are on; others than the parts are no matter.

    Raises:
        ValueError: there is no label, or it is marked as both parts.
    """
    match = re.fullmatch(r'(.*?)(?:\s*:\s*(amodal|visible))?', str(label or '').strip(),
                         re.IGNORECASE | re.DOTALL)
    parts = {name.strip().lower() for name in [match[2] or '', *ticked]} & {AMODAL, VISIBLE}
    if not match[1]:
        raise ValueError(f'expected the class of the object as label, got {label!r:.60}; name it')
    if len(parts) > 1:
        raise ValueError('expected one mark, got both amodal and visible; take one away')
    return match[1], parts.pop() if parts else None


def place_patch(patch: np.ndarray, corner: Tuple[int, int], size: Tuple[int, int]) -> dict:
    """A painted (h, w) mask whose upper left pixel lies at ``corner`` (x, y), as an RLE."""
    return encode(crop_window(patch, (0, 0, size[1], size[0]), corner))


def check_size(height: object, width: object, path: str) -> Tuple[int, int]:
    """The annotated size (H, W), if it is that of the image file; the file's where none is given.

    A file that is not there is not compared.

    Raises:
        ValueError: it is no size of an image, or not that of the file.
    """
    in_file = photo_size(path) if os.path.isfile(path) else None
    if height is None and width is None and in_file:
        return in_file
    if not all(type(side) is int and side > 0 for side in (height, width)) or (
            height * width > MOST_PIXELS):
        raise ValueError(f'expected height and width in pixels, got {height!r:.20} and '
                         f'{width!r:.20}; save the annotation again with its image, or give the '
                         "image's folder as --images")
    if in_file and in_file != (height, width):
        raise ValueError(f'drawn on an image {height} high and {width} wide, but {path} is '
                         f'{in_file[0]} high and {in_file[1]} wide: expected the same; put the '
                         'image that was drawn on in its place')
    return height, width


def check_file_name(name: str, remedy: str) -> str:
    """A file name below the image folder, normalised, with '/'.

    Raises:
        ValueError: it is empty, absolute, or leads out of the folder.
    """
    parts = posixpath.normpath(name.replace('\\', '/')).split('/')
    if parts[0] in ('', '.', '..') or any(part.endswith(':') for part in parts):
        raise ValueError(f'expected an image inside the image folder, got {name!r:.120}; {remedy}')
    return '/'.join(parts)


def unite(outlines: Sequence[Outline]) -> List[DrawnObject]:
    """The objects of an image, in the order of their first outlines.

    Raises:
        ValueError: a group is no object; names group and shapes.
    """
    groups: Dict[Hashable, List[Outline]] = {}
    for place, outline in enumerate(outlines):
        key = ('alone', place) if outline.group is None else ('group', outline.group)
        groups.setdefault(key, []).append(outline)
    return [_object(group) for group in groups.values()]


def _object(outlines: List[Outline]) -> DrawnObject:
    shapes = ', '.join(outline.name for outline in outlines[:4]) + ', …' * (len(outlines) > 4)
    group = outlines[0].group
    name = shapes if group is None else f'group {group} ({shapes})'
    if len({outline.label for outline in outlines}) > 1:
        raise ValueError(f'{name}: expected one class in a group; give each object a group id of '
                         'its own')
    empty = next((outline for outline in outlines if not mask_utils.area(outline.mask)), None)
    if empty is not None:
        raise ValueError(f'{empty.name} covers no pixel of the image: expected one at least; draw '
                         'it larger, or delete it')
    amodal = _amodal(outlines, name)
    parts = [outline for outline in outlines if outline is not amodal]
    astray = next((part for part in parts if not _is_inside(part, amodal)), None)
    if astray is not None:
        raise ValueError(f'{name}: less than half of {astray.name}, a visible outline, is inside '
                         f'of {amodal.name}, the amodal one; expected visible inside amodal: '
                         'swap the marks, or mend the group id')
    visible = mask_utils.merge([part.mask for part in parts]) if parts else None
    occluded = any(outline.occluded for outline in outlines)
    return DrawnObject(name, amodal.label, amodal.mask, visible, amodal.depth, occluded)


def _amodal(outlines: List[Outline], name: str) -> Outline:
    """The one outline of the whole object: marked so, or left unmarked, or around the others."""
    marked = [outline for outline in outlines if outline.part == AMODAL]
    unmarked = [outline for outline in outlines if outline.part is None]
    candidates = marked or unmarked
    if not candidates:
        raise ValueError(f'{name}: expected an amodal outline, got visible ones only; draw the '
                         'whole object too, with the same class and group id')
    largest = max(candidates, key=lambda outline: mask_utils.area(outline.mask))
    if len(candidates) == 1 or len(unmarked) == len(outlines) and all(
            _is_inside(outline, largest) for outline in outlines):
        return largest
    why = '' if marked else ', since they are not marked and none is around the rest'
    raise ValueError(f'{name}: expected one amodal outline, got {len(candidates)}{why}; mark the '
                     'visible ones, as in cup:visible, or give each object a group id of its own')


def _is_inside(inner: Outline, outer: Outline) -> bool:
    """Whether half of an outline or more is inside of another."""
    common = mask_utils.merge([inner.mask, outer.mask], intersect=True)
    return 2 * mask_utils.area(common) >= mask_utils.area(inner.mask)


def annotate(image: DrawnImage, by_depth: bool = False) -> Tuple[List[dict], Notes]:
    """The objects of an image as amodal COCO annotations that have a ``label`` for their class.

    Args:
        image: an image and its outlines.
        by_depth: where no visible outline is drawn, what objects in front cover is hidden; the
            annotations then have their ``order``, 1 in front. False: nothing is hidden there.

    Raises:
        ValueError: a group is no object, or objects overlap and nothing says which is in front;
            names file and shapes.
    """
    try:
        objects = unite(image.outlines)
        in_front = _in_front(objects) if by_depth else [[] for _ in objects]
    except ValueError as error:
        raise ValueError(f'{image.source}: {error}') from None
    orders = _orders(objects) if by_depth else [{} for _ in objects]
    drawn = [_annotation(*both, image) for both in zip(objects, in_front)]
    annotations = [dict(ann, **order) for (ann, _), order in zip(drawn, orders)]
    notes = [note for _, notes in drawn for note in notes]
    visible = [ann['visible_mask'] for ann in annotations]
    return annotations, notes + [(SHARED, f'{image.source}, {objects[i].name}')
                                 for i in _overlapping(visible)]


def _overlapping(masks: List[dict]) -> List[int]:
    """Places of the masks of which more than a rim lies in another one."""
    shares = _shares(masks)
    np.fill_diagonal(shares, 0)
    return np.flatnonzero((shares > RIM).any(axis=1)).tolist()


def _shares(masks: List[dict]) -> np.ndarray:
    """(N, N) the share of each mask, a row, that lies in each one, a column."""
    # With all as crowds, pycocotools' IoU is the intersection's share of the first mask.
    return mask_utils.iou(masks, masks, [1] * len(masks)) if masks else np.zeros((0, 0))


def _in_front(objects: Sequence[DrawnObject]) -> List[List[dict]]:
    """Amodal masks of the objects in front of each."""
    masks = [item.amodal for item in objects]
    shares = _shares(masks)
    for i, j in zip(*np.triu(np.maximum(shares, shares.T) > RIM, 1).nonzero()):
        _check_depths(objects[i], objects[j])
    return [[masks[j] for j in np.flatnonzero(row) if _is_in_front(objects[j], item)]
            for row, item in zip(shares, objects)]


def _is_in_front(one: DrawnObject, other: DrawnObject) -> bool:
    return None not in (one.depth, other.depth) and one.depth > other.depth


def _check_depths(one: DrawnObject, other: DrawnObject) -> None:
    is_known = _is_in_front(one, other) or _is_in_front(other, one)
    if not is_known and (one.visible is None or other.visible is None):
        what = 'no' if None in (one.depth, other.depth) else 'the same'
        raise ValueError(f'{one.name} and {other.name} overlap and have {what} depth: expected to '
                         'know which is in front; give both an order (labelme: order=1 in the '
                         'description, CVAT: another layer), or draw the visible outline of both')


def _orders(objects: Sequence[DrawnObject]) -> List[dict]:
    """``dict(order=rank)`` of each object, 1 in front, equals alike; empty without a depth."""
    depths = sorted({item.depth for item in objects} - {None}, reverse=True)
    return [{} if item.depth is None else dict(order=1 + depths.index(item.depth))
            for item in objects]


def _annotation(item: DrawnObject, in_front: List[dict], image: DrawnImage) -> Tuple[dict, Notes]:
    amodal = decode(item.amodal, *image.size)
    drawn = visible = amodal
    if item.visible is not None:
        drawn = decode(item.visible, *image.size)
        visible = drawn & amodal
    elif in_front:
        visible = amodal & ~decode(mask_utils.merge(in_front), *image.size)
    annotation = dict(label=item.label, **annotation_of_masks(amodal, visible))
    holds = {CUT: (drawn & ~amodal).sum() > RIM * drawn.sum(), GONE: not visible.any(),
             UNHIDDEN: item.occluded and annotation['occlude_rate'] == 0}
    return annotation, [(reason, f'{image.source}, {item.name}')
                        for reason, is_so in holds.items() if is_so]


def amodal_coco(images: Iterable[DrawnImage], classes: Optional[Sequence[str]] = None,
                by_depth: bool = False) -> Tuple[dict, Notes]:
    """All images as one amodal COCO file: sorted by file name, all ids from 1.

    Args:
        images: in any order; those with nothing drawn on them stay, without annotations.
        classes: categories, in this order; other objects still hide what lies behind them, but
            get no annotation. None: all that occur, sorted by name.
        by_depth: see :func:`annotate`.

    Raises:
        ValueError: as :func:`annotate`; two images have one name; nothing is annotated.
    """
    drawn = sorted(((image, *annotate(image, by_depth)) for image in images),
                   key=lambda parts: parts[0].file_name)
    _check_unique([image for image, _, _ in drawn], classes)
    found = sorted({ann['label'] for _, annotations, _ in drawn for ann in annotations})
    ids = {name: number for number, name in enumerate(classes or found, 1)}
    notes = [note for _, _, own in drawn for note in own]
    notes += [(OTHER, f"{image.source}, {ann['label']!r}") for image, annotations, _ in drawn
              for ann in annotations if ann['label'] not in ids]
    numbered = [dict(image_id=image_id, category_id=ids[label], **ann)
                for image_id, (_, annotations, _) in enumerate(drawn, 1)
                for label, ann in ((ann.pop('label'), ann) for ann in annotations) if label in ids]
    if not numbered:
        raise ValueError(f'nothing is annotated on {len(drawn)} images: expected objects of '
                         f'{list(classes) if classes else "any class"}, got {found or "none"}; '
                         'draw some, or name their classes')
    return dict(
        images=[dict(id=image_id, file_name=image.file_name, height=image.size[0],
                     width=image.size[1]) for image_id, (image, _, _) in enumerate(drawn, 1)],
        annotations=[dict(id=ann_id, **ann) for ann_id, ann in enumerate(numbered, 1)],
        categories=[dict(id=number, name=name) for name, number in ids.items()]), notes


def _check_unique(images: Sequence[DrawnImage], classes: Optional[Sequence[str]]) -> None:
    for one, other in zip(images, images[1:]):
        if one.file_name == other.file_name:
            raise ValueError(f'{one.source} and {other.source} are both about the image '
                             f'{one.file_name!r}: expected each image once; leave one out')
    twice = [name for name, count in Counter(classes or ()).items() if count > 1]
    if twice:
        raise ValueError(f'expected each class once, got {twice[0]!r} twice; take one away')


def summary(coco: dict, notes: Notes, images: Union[str, os.PathLike, None] = None) -> str:
    """What was made, for the terminal: one line of counts, one for each kind of note.

    Args:
        coco: as :func:`amodal_coco` gives it.
        notes: likewise.
        images: image folder, in which the files are looked for. None: they are not.
    """
    annotations = coco['annotations']
    empty = len(coco['images']) - len({ann['image_id'] for ann in annotations})
    counts = Counter(ann['category_id'] for ann in annotations)
    occluded = sum(ann['occlude_rate'] > 0 for ann in annotations)
    classes = ', '.join(f"{item['name']} {counts[item['id']]}" for item in coco['categories'])
    lines = [f"images: {len(coco['images'])} ({empty} without objects); objects: "
             f'{len(annotations)} ({occluded} occluded); {classes}']
    if not occluded:
        lines.append('note: no object is occluded; draw visible outlines, each in one group with '
                     'its amodal one, or say which depth order to take, by --order-by')
    absent = [image['file_name'] for image in coco['images']
              if images and not os.path.isfile(os.path.join(images, image['file_name']))]
    if absent:
        lines.append(f'note: images not in {images}, whose sizes were not compared: '
                     f'{len(absent)}; the first is {absent[0]}')
    for kind in dict.fromkeys(kind for kind, _ in notes):
        where = [name for other, name in notes if other == kind]
        lines.append(f'note: objects {kind}: {len(where)}; the first is {where[0]}')
    return '\n'.join(lines)
