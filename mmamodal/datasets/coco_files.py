"""Annotation and image files, read with a worded error for each way in which they are broken."""

import json
import re
from contextlib import contextmanager
from typing import Iterator, List, Optional, Sequence, Tuple

import mmcv
import mmengine.fileio as fileio
import numpy as np
from mmengine.fileio import join_path
from PIL import Image

ORIENTATION = 0x0112  # EXIF: above 4, height and width are exchanged when it is shown


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


def read_json(path: str, backend_args: Optional[dict] = None,
              what: str = 'annotation file') -> object:
    """The content of a JSON file; ``what`` names it in messages.

    Raises:
        FileNotFoundError: it is missing.
        ValueError: it is empty or no JSON; says where.
    """
    data = read_file(path, what, backend_args)
    try:
        return json.loads(data)
    except UnicodeDecodeError as error:
        raise ValueError(f'{path!r} is no JSON text ({error}): expected a COCO file in UTF-8, '
                         'unpacked') from None
    except json.JSONDecodeError as error:
        raise ValueError(f'{path!r} is no valid JSON at line {error.lineno} column {error.colno} '
                         f'(character {error.pos} of {len(data)}): {error.msg}; if it was '
                         'cut off, fetch it again') from None
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits, deep nesting
        raise ValueError(f'{path!r} cannot be read as JSON: {error}; fetch it again') from None


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


def photo_size(path: str) -> Tuple[int, int]:
    """(height, width) of an image file as it is shown, turned where EXIF says so; reads its head.

    Raises:
        FileNotFoundError: it is missing.
        ValueError: it is no image.
    """
    try:
        with Image.open(path) as image:
            turned = image.getexif().get(ORIENTATION, 1) > 4
            return image.size if turned else image.size[::-1]
    except FileNotFoundError:
        raise FileNotFoundError(
            f'image file {path!r} is not a file: check the folder of images') from None
    except Exception as error:  # a broken file can fail in any way
        raise ValueError(
            f'image file {path!r} cannot be decoded ({type(error).__name__}): expected an image '
            'such as JPEG or PNG; fetch it again') from None


def located(path: str, root: str, folders: Sequence[str], name: str = '',
            backend_args: Optional[dict] = None) -> str:
    """``path``, or the first of ``root``/``folders``/``name`` that is there, if it is not."""
    others = [join_path(root, folder, name) for folder in folders]
    for candidate in (path, *others):
        if others and fileio.exists(candidate, backend_args=backend_args):
            return candidate
    return path


def read_ids(path: str, backend_args: Optional[dict] = None) -> List[int]:
    """The whole numbers of a text file, one a line.

    Raises:
        FileNotFoundError: it is missing.
        ValueError: it is empty, or a line holds something else.
    """
    lines = read_file(path, 'file of image ids', backend_args).decode('utf-8', 'replace').split()
    for place, line in enumerate(lines, 1):
        if not re.fullmatch('-?[0-9]{1,18}', line):
            raise ValueError(f'{path!r} holds {line!r:.60} as entry {place}: expected image ids, '
                             'one a line')
    return [int(line) for line in lines]


def describe_image(record: dict) -> str:
    """The image of a data record, and the file of its annotations, for messages."""
    image = str(record.get('img_path') or record.get('file_name'))
    return f"{image} (annotated in {record['ann_file']})" if 'ann_file' in record else image


@contextmanager
def annotation_named(ann_id: int, source: str) -> Iterator[None]:
    """A ValueError from inside says which annotation of which file is to be mended."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f'annotation {ann_id} of {source}: {error}; mend or remove the '
                         'annotation') from error


def _jpeg_scan(data: bytes) -> int:
    """Where the compressed pixels of a JPEG begin, past segments that may hold a thumbnail."""
    place = 2
    while data[place:place + 1] == b'\xff' and data[place + 1:place + 2] != b'\xda':
        fill = data[place + 1:place + 2] == b'\xff'
        place += 1 if fill else 2 + int.from_bytes(data[place + 2:place + 4], 'big')
    return min(place, len(data))
