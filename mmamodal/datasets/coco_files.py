"""What a COCO file and its images must be like: readers and checks, each with a worded error.

No check decodes a mask, so that a file of a hundred thousand annotations loads in seconds.
Messages on one annotation leave out file and id: whoever calls puts them in front.
Letters: H×W image.
"""

import json
import math
from typing import Dict, List, Optional, Sequence

import mmcv
import mmengine.fileio as fileio
import numpy as np

from ..structures.segmentation import Segmentation, decode_tight


def read_file(path: str, what: str, backend_args: Optional[dict] = None) -> bytes:
    """The bytes of a file that is there and not empty; ``what`` names it in messages."""
    try:
        data = fileio.get(path, backend_args=backend_args)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise FileNotFoundError(
            f'{what} {path!r} is not a file: check data_root, ann_file and data_prefix, and '
            'data/README.md for what to download') from None
    if not data:
        raise ValueError(f'{what} {path!r} is empty: fetch it again')
    return data


def read_json(path: str, backend_args: Optional[dict] = None) -> object:
    """The content of a JSON file.

    Raises:
        FileNotFoundError: it is missing.
        ValueError: it is empty or no JSON; says where.
    """
    data = read_file(path, 'annotation file', backend_args)
    try:
        return json.loads(data)
    except UnicodeDecodeError as error:
        raise ValueError(f'{path!r} is no JSON text ({error}): expected a COCO file in UTF-8, '
                         'unpacked') from None
    except json.JSONDecodeError as error:
        raise ValueError(f'{path!r} is no valid JSON at line {error.lineno} column {error.colno} '
                         f'(character {error.pos} of {len(data)}): {error.msg}; if it was '
                         'cut off, fetch it again') from None


def read_image_bytes(path: str, backend_args: Optional[dict] = None) -> bytes:
    """The bytes of an image file, complete as far as its end marker shows.

    OpenCV before 4.12 fills what a truncated JPEG lacks with grey and says nothing.

    Raises:
        FileNotFoundError: it is missing.
        ValueError: it is empty, or a JPEG or PNG that breaks off.
    """
    data = read_file(path, 'image file', backend_args)
    jpeg, png = data.startswith(b'\xff\xd8'), data.startswith(b'\x89PNG')
    if jpeg and data.find(b'\xff\xd9', _jpeg_scan(data)) < 0 or png and b'IEND' not in data:
        raise ValueError(f'image file {path!r} breaks off after {len(data)} bytes: expected a '
                         'complete JPEG or PNG; fetch it again')
    return data


def decode_image(path: str, backend_args: Optional[dict] = None) -> np.ndarray:
    """The image of a file as (H, W, 3) uint8, BGR.

    Raises:
        FileNotFoundError: it is missing.
        ValueError: it is empty, breaks off, or is no image.
    """
    image = mmcv.imfrombytes(read_image_bytes(path, backend_args))
    if image is None:
        raise ValueError(f'image file {path!r} cannot be decoded: expected an image such as JPEG '
                         'or PNG; fetch it again')
    return image


def describe_image(record: dict) -> str:
    """The image of a data record, and the file of its annotations, for messages."""
    image = str(record.get('img_path') or record.get('file_name'))
    return f"{image} (annotated in {record['ann_file']})" if 'ann_file' in record else image


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
        if not all(isinstance(item, dict) for item in items):
            raise ValueError(f'{source} has {key} that are no dicts: expected COCO {key}')
    for image in coco['images']:
        _check_image(image, source)
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
            raise ValueError(f'annotation at place {place} of {source} has id {ann.get("id")!r}: '
                             'expected a whole number from 1 to 2**63 - 1; number the annotations '
                             'from 1')
        if ann['id'] in seen:
            raise ValueError(f"two annotations of {source} have the id {ann['id']}: expected "
                             'unique ids; number the annotations from 1')
        if not is_id(ann.get('image_id')) or ann['image_id'] not in grouped:
            raise ValueError(f"annotation {ann['id']} of {source} has image_id "
                             f'{ann.get("image_id")!r}: expected the id of one of its '
                             f'{len(images)} images; add the image or remove the annotation')
        seen.add(ann['id'])
        grouped[ann['image_id']].append(ann)
    return grouped


def is_id(value: object) -> bool:
    """Whether a value of a JSON file is a whole number (True is none) that int64 can hold."""
    return isinstance(value, int) and not isinstance(value, bool) and -2**63 <= value < 2**63


def choose_categories(categories: Optional[List[dict]], classes: Optional[Sequence[str]],
                      source: str) -> List[dict]:
    """The categories named by ``classes``, in its order; all of them where it is None."""
    if not isinstance(categories, list) or not categories or not all(
            isinstance(category, dict) and is_id(category.get('id'))
            and isinstance(category.get('name'), str) for category in categories):
        raise ValueError(f'{source} has no categories: expected a list of dict(id=number, '
                         "name='…'); add it, or read the file with one_class=True")
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


def required(ann: dict, key: str, remedy: str) -> object:
    """``ann[key]``, which must be there."""
    if ann.get(key) is None:
        remedy = 'an official COCOA file is read by COCOADataset' if 'regions' in ann else remedy
        raise ValueError(f'expected a {key!r}, got only {sorted(ann)}; add it ({remedy})')
    return ann[key]


def number(ann: dict, key: str, default: float) -> float:
    """``ann[key]``, which must be a finite number; ``default`` where it is absent."""
    value = ann.get(key)
    if value is not None and not _finite([value]):
        raise ValueError(f'expected a finite number as {key!r}, got {value!r:.60}; mend it, or '
                         'leave it out')
    return default if value is None else value


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
    if not isinstance(bbox_xywh, list) or len(bbox_xywh) != 4 or not _finite(bbox_xywh):
        raise ValueError(f'expected four finite numbers [x, y, w, h] as {key!r}, got '
                         f'{bbox_xywh!r:.60}; mend it, or leave it out to have it computed')
    return bbox_xywh


def mask_bbox_xywh(segmentation: Segmentation, height: int, width: int) -> list:
    """Tight box [x, y, w, h] of a checked mask in image pixels: of the outline, or of the RLE."""
    if isinstance(segmentation, dict):
        mask, (x, y) = decode_tight(segmentation, height, width)
        return [x, y, mask.shape[1], mask.shape[0]]
    points = np.concatenate([np.reshape(polygon, (-1, 2)) for polygon in segmentation])
    corner = points.min(axis=0)
    return [*corner.tolist(), *(points.max(axis=0) - corner).tolist()]


def _check_image(image: dict, source: str) -> None:
    size = [image.get('height'), image.get('width')]
    if not is_id(image.get('id')):
        raise ValueError(f'an image of {source} has id {image.get("id")!r}: expected a whole '
                         'number')
    if not isinstance(image.get('file_name'), str) or not image['file_name']:
        raise ValueError(f"image {image['id']} of {source} has file_name "
                         f'{image.get("file_name")!r}: expected a path in the image folder')
    if not all(is_id(side) and side > 0 for side in size):
        raise ValueError(f"image {image['id']} of {source} has height and width {size}: expected "
                         'its size in whole pixels')


def _check_rle(rle: dict, key: str, height: int, width: int) -> dict:
    size, counts = rle.get('size'), rle.get('counts')
    if size not in ([height, width], (height, width)) or not isinstance(
            counts, (str, bytes, list)) or not counts:
        raise ValueError(f'expected an RLE of size [{height}, {width}] with counts as {key!r}, got '
                         f'size {size} and {type(counts).__name__} counts; encode the mask on the '
                         'whole image')
    if isinstance(counts, list) and (any(
            not isinstance(run, (int, np.integer)) or run < 0
            for run in counts) or sum(counts) != height * width):
        raise ValueError(f'expected whole RLE counts >= 0 that add up to {height}·{width} as '
                         f'{key!r}, got {counts!r:.60}; encode the mask again')
    return rle


def _finite(numbers: list) -> bool:
    try:
        return math.isfinite(sum(numbers))
    except TypeError:
        return False


def _jpeg_scan(data: bytes) -> int:
    """Where the compressed pixels of a JPEG begin, past segments that may hold a thumbnail."""
    place = 2
    while data[place:place + 1] == b'\xff' and data[place + 1:place + 2] != b'\xda':
        fill = data[place + 1:place + 2] == b'\xff'
        place += 1 if fill else 2 + int.from_bytes(data[place + 2:place + 4], 'big')
    return min(place, len(data))
