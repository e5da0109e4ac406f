"""What the content of a COCO file must be like, each check with a worded error.

No check decodes a mask, so that a file of a hundred thousand annotations loads in seconds.
Messages on one annotation leave out file and id: whoever calls puts them in front.
Letters: H×W image.
"""

import math
from typing import Dict, List, Optional, Sequence

import numpy as np
from mmengine.logging import print_log

from ..structures.segmentation import FAR_OUT, Segmentation, rle_bbox_xywh


def check_coco(coco: object, source: str) -> dict:
    """``coco``, if it is a COCO dict with images and annotations.

    Raises:
        ValueError: a list is missing or empty, or an image lacks something; names the image.
    """
    if not isinstance(coco, dict):
        raise ValueError(f'{source} holds a {type(coco).__name__}: expected a COCO dict with '
                         'images, annotations and categories (a list is a result file)')
    for key in ('images', 'annotations'):
        items = coco.get(key)
        if not isinstance(items, list) or not items:
            raise ValueError(f'{source} has no {key}: expected a COCO dict with a list of them, '
                             f'got {"an empty list" if items == [] else sorted(coco)}')
        for place, item in enumerate(items):
            if not isinstance(item, dict):
                raise ValueError(f'{source} has {key} that are no dicts, such as {item!r:.60} at '
                                 f'place {place}: expected COCO {key}')
    for place, image in enumerate(coco['images']):
        _check_image(image, place, source)
    return coco


def group_annotations(images: List[dict], annotations: List[dict],
                      source: str) -> Dict[int, List[dict]]:
    """Annotations by image id, in the order of the file; all ids whole and unique."""
    grouped: Dict[int, List[dict]] = {}
    for image in images:
        if image['id'] in grouped:
            raise ValueError(f"two images of {source} have the id {image['id']}: expected unique "
                             'ids; renumber one, with its annotations')
        grouped[image['id']] = []
    seen = set()
    for place, ann in enumerate(annotations):
        if not is_id(ann.get('id')) or ann['id'] < 1:
            raise ValueError(f'annotation at place {place} of {source} has id '
                             f'{ann.get("id")!r:.60}: expected a whole number from 1 to 2**63 - 1; '
                             'number the annotations from 1')
        if ann['id'] in seen:
            raise ValueError(f"two annotations of {source} have the id {ann['id']}: expected "
                             'unique ids; number the annotations from 1')
        if not is_id(ann.get('image_id')) or ann['image_id'] not in grouped:
            raise ValueError(f"annotation {ann['id']} of {source} has image_id "
                             f'{ann.get("image_id")!r:.60}: expected the id of one of its '
                             f'{len(images)} images; add the image or remove the annotation')
        seen.add(ann['id'])
        grouped[ann['image_id']].append(ann)
    return grouped


def choose_images(coco: dict, ids: List[int], source: str) -> dict:
    """``coco`` with these images alone, in the order of the file, and their annotations.

    Annotations of no image of the file stay, for :func:`group_annotations` to refuse.
    """
    known = {image['id'] for image in coco['images']}
    unknown = set(ids) - known
    if unknown or not ids:
        raise ValueError(f'{source} has no image {sorted(unknown)[:5]} of the {len(set(ids))} ids '
                         'that image_ids names: expected ids of its images; the ids belong to '
                         'another file')
    others = known - set(ids)
    return dict(
        coco,
        images=[image for image in coco['images'] if image['id'] not in others],
        annotations=[ann for ann in coco['annotations']
                     if not is_id(ann.get('image_id')) or ann['image_id'] not in others])


def merge_coco(parts: Dict[str, dict]) -> dict:
    """Several COCO dicts, by the names of their files, as one.

    Ids of the first stay; where a later one has an id that is taken, all of its images, or all of
    its annotations, are numbered on from the largest, and the log says so.
    """
    merged = dict(next(iter(parts.values())), images=[], annotations=[])
    for source, part in parts.items():
        step = {key: _id_step(merged[key], part[key]) for key in ('images', 'annotations')}
        for key in step:
            if step[key]:
                print_log(f'{source}: {step[key]} is added to the ids of its {key}, since some '
                          'are taken by the files before it', logger='current')
        merged['images'] += [dict(image, id=image['id'] + step['images'])
                             for image in part['images']]
        merged['annotations'] += [
            dict(ann, id=ann['id'] + step['annotations'],
                 image_id=ann['image_id'] + step['images']) for ann in part['annotations']]
    return merged


def is_id(value: object) -> bool:
    """Whether a value of a JSON file is a whole number (True is none) that int64 can hold."""
    return isinstance(value, int) and not isinstance(value, bool) and -2**63 <= value < 2**63


def choose_categories(categories: Optional[List[dict]], classes: Optional[Sequence[str]],
                      source: str) -> List[dict]:
    """The categories named by ``classes``, in its order; all of them where it is None."""
    if not isinstance(categories, list) or not categories or not all(
            isinstance(category, dict) and 'id' in category
            and isinstance(category.get('name'), str) for category in categories):
        raise ValueError(f'{source} has no categories: expected a list of dict(id=number, '
                         "name='…'); add it, or read the file with one_class=True")
    for category in categories:
        if not is_id(category['id']):
            raise ValueError(f"category {category['name']!r:.60} of {source} has id "
                             f"{category['id']!r:.60}: expected a whole number below 2**63; "
                             'give it another, in its annotations, too, or read the file with '
                             'one_class=True')
    by_name = {category['name']: category for category in categories}
    if len(by_name) < len(categories) or len({c['id'] for c in categories}) < len(categories):
        raise ValueError(f'{source} has two categories of one name or id: expected unique ones; '
                         'merge them')
    if classes is None:
        return categories
    if isinstance(classes, str):
        raise ValueError(f"metainfo['classes'] for {source} is the text {classes!r}: expected a "
                         f'tuple of names among {list(by_name)}, such as ({list(by_name)[0]!r}, )')
    unknown = [name for name in classes if name not in by_name]
    if not classes or unknown:
        raise ValueError(f"{source} has no class {unknown or classes!r}: metainfo['classes'] must "
                         f'be a tuple of names among {list(by_name)}')
    return [by_name[name] for name in classes]


def check_published(categories: object, published: Sequence[dict], source: str) -> None:
    """Refuse a file whose categories have other ids than the published ones."""
    ids = [category['id'] for category in published]
    for category in categories if isinstance(categories, list) else []:
        if not isinstance(category, dict) or category.get('id') not in ids:
            raise ValueError(f'{source} has the category {category!r:.80}: expected ids among '
                             f'{ids}; a file with other categories is read by AmodalCocoDataset')


def required(ann: dict, key: str, remedy: str) -> object:
    """``ann[key]``, which must be there."""
    if ann.get(key) is None:
        remedy = 'an official COCOA file is read by COCOADataset' if 'regions' in ann else remedy
        raise ValueError(f'expected a {key!r}, got only {sorted(ann)!s:.200}; add it ({remedy})')
    return ann[key]


def number(ann: dict, key: str, default: float) -> float:
    """``ann[key]``, which must be a finite number; ``default`` where it is absent."""
    value = ann.get(key)
    if value is not None and not _finite([value]):
        raise ValueError(f'expected a finite number as {key!r}, got {value!r:.60}; mend it, or '
                         'leave it out')
    return default if value is None else value


def whole_number(ann: dict, key: str) -> int:
    """``ann[key]``, which must be a whole number."""
    if not is_id(ann[key]):
        raise ValueError(f'expected a whole number as {key!r}, got {ann[key]!r:.60}; mend it, or '
                         'leave it out')
    return ann[key]


def crowd_flag(ann: dict) -> int:
    """1 for a crowd, else 0."""
    crowd = ann.get('iscrowd', 0)
    if crowd not in (0, 1):
        raise ValueError(f"expected 0 or 1 as 'iscrowd', got {crowd!r:.60}; mend it, or leave it "
                         'out')
    return int(crowd)


def check_segmentation(segmentation: Segmentation, key: str, height: int,
                       width: int) -> Segmentation:
    """A list of polygons, or an RLE of the image's size; a flat polygon is wrapped.

    The runs of a compressed RLE are checked when it is decoded.
    """
    if isinstance(segmentation, dict):
        return _check_rle(segmentation, key, height, width)
    if not isinstance(segmentation, list) or not segmentation:
        raise ValueError(f'expected polygons or an RLE as {key!r}, got {segmentation!r:.60}; '
                         'mend or remove the annotation')
    polygons = segmentation if isinstance(segmentation[0], list) else [segmentation]
    for polygon in polygons:
        if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
            raise ValueError(f'expected polygons [x, y, ...] of three points or more as {key!r}, '
                             f'got {polygon!r:.60}; mend or remove the annotation')
        if not _finite(polygon):
            raise ValueError(f'expected finite coordinates in {key!r}, got {polygon!r:.60}; mend '
                             'or remove the annotation')
    return polygons


def check_box(bbox_xywh: list, key: str) -> list:
    """``bbox_xywh``, if it is four finite numbers."""
    if not isinstance(bbox_xywh, list) or len(bbox_xywh) != 4 or not _finite(bbox_xywh) or max(
            map(abs, bbox_xywh)) >= FAR_OUT:
        raise ValueError(f'expected four finite numbers [x, y, w, h] below {FAR_OUT:,} as '
                         f'{key!r}, got '
                         f'{bbox_xywh!r:.60}; mend it, or leave it out to have it computed')
    return bbox_xywh


def mask_bbox_xywh(segmentation: Segmentation, height: int, width: int) -> list:
    """Tight box [x, y, w, h] of a checked mask in image pixels: of the outline, or of the RLE."""
    if isinstance(segmentation, dict):
        return rle_bbox_xywh(segmentation, height, width)
    points = np.concatenate([np.reshape(polygon, (-1, 2)) for polygon in segmentation])
    corner = points.min(axis=0)
    return [*corner.tolist(), *(points.max(axis=0) - corner).tolist()]


def _id_step(taken: List[dict], entries: List[dict]) -> int:
    """What to add to the ids of ``entries`` so that none is one of ``taken``."""
    ids = {entry['id'] for entry in taken}
    clash = any(entry['id'] in ids for entry in entries)
    return max(ids) + 1 - min(entry['id'] for entry in entries) if clash else 0


def _check_image(image: dict, place: int, source: str) -> None:
    size = [image.get('height'), image.get('width')]
    if not is_id(image.get('id')):
        raise ValueError(f'image at place {place} of {source} has id {image.get("id")!r:.60}: '
                         'expected a whole number below 2**63')
    if not isinstance(image.get('file_name'), str) or not image['file_name']:
        raise ValueError(f"image {image['id']} of {source} has file_name "
                         f'{image.get("file_name")!r:.60}: expected a path in the image folder')
    if not all(is_id(side) and 0 < side < FAR_OUT for side in size) or size[0] * size[1] > 2**31:
        raise ValueError(f"image {image['id']} of {source} has height and width {size!r:.60}: "
                         'expected its size in whole pixels')
    origin = image.get('canvas_origin', [0, 0])
    if not isinstance(origin, (list, tuple)) or len(origin) != 2 or not all(
            is_id(value) and value >= 0 for value in origin):
        raise ValueError(f"image {image['id']} of {source} has canvas_origin {origin!r:.60}: "
                         'expected [x, y] in whole pixels, or none')


def _check_rle(rle: dict, key: str, height: int, width: int) -> dict:
    size, counts = rle.get('size'), rle.get('counts')
    if size not in ([height, width], (height, width)) or not isinstance(
            counts, (str, bytes, list)) or not counts:
        raise ValueError(f'expected an RLE of size [{height}, {width}] with counts as {key!r}, got '
                         f'size {size!s:.60} and {type(counts).__name__} counts; encode the mask '
                         'on the whole image')
    if isinstance(counts, list) and (any(
            not isinstance(run, (int, np.integer)) or run < 0
            for run in counts) or sum(counts) != height * width):
        raise ValueError(f'expected whole RLE counts >= 0 that add up to {height}·{width} as '
                         f'{key!r}, got {counts!r:.60}; encode the mask again')
    return rle


def _finite(numbers: list) -> bool:
    try:
        return math.isfinite(sum(numbers))
    except (TypeError, OverflowError):
        return False
