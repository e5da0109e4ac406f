"""What is wrong with an entry of an image, and with its file.

Letters: H×W image (the canvas of its masks), h×w photo.
"""

import os
import posixpath
from typing import Dict, List, Optional, Sequence, Tuple

from ..datasets.coco_files import photo_size
from .mask_regions import Box, Finding, short, whole

LARGEST_IMAGE = 2**28  # pixels: masks of more do not fit into memory


def image_dir_of(coco: object, folders: Sequence[str]) -> Optional[str]:
    """The first of the folders that holds an image of the file; None if none does."""
    images = coco.get('images') if isinstance(coco, dict) else None
    names = [image['file_name'] for image in (images if isinstance(images, list) else [])
             if isinstance(image, dict) and _is_inside(image.get('file_name'))]
    for folder in folders:
        if os.path.isdir(folder) and any(_is_file(os.path.join(folder, name)) for name in names):
            return folder
    return None


def photo_box(image: dict, image_dir: Optional[str]) -> Tuple[Optional[Box], List[Finding]]:
    """Where the photo lies on the canvas (None: all over it, or unknown); what is wrong with it."""
    canvas = image['height'], image['width']
    origin, stated = image.get('canvas_origin'), image.get('photo_size')
    for key in ('canvas_origin', 'photo_size'):
        if key in image and not _is_pair(image[key]):
            return None, [('image_size', f'{key} is {short(image[key])}: expected two whole '
                           'numbers, or no such key')]
    size = tuple(stated) if stated is not None else canvas
    if image_dir is not None and _is_inside(image['file_name']):
        try:
            size = photo_size(os.path.join(image_dir, image['file_name']))
        except (OSError, ValueError) as error:
            return None, [('image_file', str(error))]
    if stated is not None and size != tuple(stated):
        return None, [('image_size', f'the image file has (height, width) {size}, but photo_size '
                       f'is {list(stated)}')]
    if size == canvas:
        return None, []
    x, y = (0, 0) if origin is None else origin
    if origin is None or x + size[1] > canvas[1] or y + size[0] > canvas[0]:
        at = '' if origin is None else f', where the photo lies at {(x, y)} (x, y)'
        return None, [('image_size', f'the image file has (height, width) {size}, but its '
                       f'annotations say {canvas}{at}')]
    return (x, y, x + size[1], y + size[0]), []


def check_record(image: dict) -> Optional[Finding]:
    """Why the masks of an image cannot be checked, or its file cannot be found."""
    size, name = (image.get('height'), image.get('width')), image.get('file_name')
    if not whole(image.get('id')):
        return 'image', f"id is {short(image.get('id'))}: expected a whole number"
    if not all(whole(side) and side > 0 for side in size) or size[0] * size[1] > LARGEST_IMAGE:
        return 'image', (f'height and width are {short(list(size))}: expected whole numbers of '
                         f'pixels, {LARGEST_IMAGE:,} in all at most')
    if not isinstance(name, str) or not name:
        return 'image', f'file_name is {short(name)}: expected a path in the image folder'
    return None


def check_file_name(image: dict, files: Dict[str, object]) -> Optional[Finding]:
    """A file of its own, inside the image folder; ``files`` are those of the images before."""
    name = image['file_name']
    if not _is_inside(name):
        return 'file_name', f'{short(name)} leads out of the image folder'
    other = files.setdefault(posixpath.normpath(name), image['id'])
    if other != image['id']:
        return 'file_name', f'{short(name)} is the file of image {other}, too'
    return None


def _is_inside(file_name: object) -> bool:
    if not isinstance(file_name, str) or not file_name:
        return False
    first = posixpath.normpath(file_name.replace('\\', '/')).split('/')[0]
    return first not in ('', '.', '..') and not first.endswith(':')


def _is_file(path: str) -> bool:
    try:
        return os.path.isfile(path)
    except ValueError:  # a null byte
        return False


def _is_pair(value: object) -> bool:
    return isinstance(value, (list, tuple)) and len(value) == 2 and all(
        whole(number) and number >= 0 for number in value)
