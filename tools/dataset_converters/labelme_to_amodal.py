"""Write annotations drawn in labelme as amodal COCO; docs/own_annotations.md says how to draw."""

import argparse
import base64
import json
import os
import re
import sys
from pathlib import Path
from typing import List, Optional, Sequence

import cv2
import numpy as np
from mmengine.utils import track_iter_progress

from mmamodal.annotations.drawn_annotations import (DrawnImage, Outline, amodal_coco,
                                                    check_file_name, check_size, place_patch,
                                                    read_label, summary)
from mmamodal.apis.running.command_line import run_tool
from mmamodal.datasets.scenes.shapes import ellipse
from mmamodal.files import write_json
from mmamodal.structures.segmentation import to_rle

EPILOG = '''example:
  python tools/dataset_converters/labelme_to_amodal.py data/my/train data/my/amodal_train.json

An object is shapes of one group id: 'cup', the whole of it, and 'cup:visible', each piece that one
sees. Or it is one shape, if nothing of it is hidden, or if a depth order says what is.'''


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('annotations', nargs='+', type=Path, metavar='FOLDER|FILE',
                        help="labelme's JSON files, or folders of them, searched with all below")
    parser.add_argument('out', type=Path, metavar='OUT.json', help='file to write')
    parser.add_argument('--images', type=Path, metavar='DIR',
                        help='folder that file names are to be relative to; default: the folder '
                        'of the annotations')
    parser.add_argument('--classes', nargs='+', metavar='NAME',
                        help='classes to write, in this order; default: all, sorted by name')
    parser.add_argument('--order-by', choices=['shape', 'description'],
                        help='what is in front where no visible outline is drawn: the later shape '
                        'of the list, or the smaller order=NUMBER in the description or a flag')
    return parser.parse_args(args)


def find_files(places: Sequence[Path], out: Path) -> List[Path]:
    """Annotation files in the places, sorted; without ``out``, which may lie among them."""
    missing = [place for place in places if not place.exists()]
    if missing:
        raise FileNotFoundError(f'{missing[0]} does not exist: expected a file of labelme, or a '
                                'folder of them')
    found = {path.resolve(): path for place in places
             for path in ([place] if place.is_file() else place.rglob('*.json'))
             if not path.name.startswith('.')}
    found.pop(out.resolve(), None)
    if not found:
        raise ValueError(f'no JSON file in {places[0]}: expected files that labelme saved; give '
                         'their folder')
    return sorted(found.values())


def check_out(out: Path) -> None:
    """Refuse to write over an annotation, as where OUT.json was forgotten."""
    if out.is_dir():
        raise ValueError(f'{out} is a folder: expected a file to write, such as {out}/amodal.json')
    if out.is_file() and re.search(rb'"shapes"\s*:', out.read_bytes()):
        raise ValueError(f'{out} is an annotation of labelme and would be lost: expected a file '
                         'to write as last argument; give another name')


def read_labelme(path: Path, images: Path, order_by: Optional[str] = None) -> DrawnImage:
    """One file of labelme.

    Raises:
        ValueError: it is no such file, or a shape is broken; names file and shape.
    """
    content = load(path)
    try:
        file_name = find_image(content.get('imagePath'), path.parent, images)
        image_path = os.path.join(images, file_name)
        size = check_size(content.get('imageHeight'), content.get('imageWidth'), image_path)
        outlines = [read_shape(shape, number, size, order_by)
                    for number, shape in enumerate(content['shapes'], 1)]
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None
    return DrawnImage(str(path), file_name, size, outlines)


def load(path: Path) -> dict:
    """The content of a file that has shapes."""
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{path} is no valid JSON ({error}): open and save it in labelme, or '
                         'leave it out') from None
    if not isinstance(content, dict) or not isinstance(content.get('shapes'), list):
        raise ValueError(f"{path} has no list 'shapes': expected a file that labelme saved; move "
                         'other JSON files elsewhere')
    return content


def find_image(image_path: object, folder: Path, images: Path) -> str:
    """The image that a file in ``folder`` names, relative to ``images``: where the file says, or,
    if that is not below ``images``, under its own name there."""
    if not isinstance(image_path, str) or not image_path:
        raise ValueError(f"expected the file name of the image as 'imagePath', got "
                         f'{image_path!r:.60}; open and save it in labelme')
    image_path = re.sub('^[A-Za-z]:/', '/', image_path.replace('\\', '/'))
    written = os.path.relpath(os.path.join(folder, image_path), images)
    name = os.path.basename(image_path)
    is_outside = written.split(os.sep)[0] == os.pardir
    if is_outside and os.path.isfile(os.path.join(images, name)):
        return name
    where = os.path.normpath(os.path.join(folder, image_path, os.pardir))
    return check_file_name(written.replace(os.sep, '/'),
                           f'give its folder {where} as --images, or the one that it is in now')


def read_shape(shape: object, number: int, size: Sequence[int],
               order_by: Optional[str] = None) -> Outline:
    """Shape ``number`` of the list (from 1) on an image of ``size`` (H, W)."""
    if not isinstance(shape, dict):
        raise ValueError(f'shape {number}: expected a dict, got {shape!r:.60}')
    name = f"shape {number} {shape.get('label')!r:.60}"
    flags, group = shape.get('flags') or {}, shape.get('group_id')
    try:
        if not isinstance(flags, dict) or not isinstance(group, (int, str, type(None))):
            raise ValueError('expected flags as a dict and group_id as a number, got '
                             f'{flags!r:.40} and {group!r:.40}; mend the file')
        ticked = [flag for flag, is_on in flags.items() if is_on]
        label, part = read_label(shape.get('label'), ticked)
        mask = read_mask(shape, size)
        depth = dict(shape=number).get(order_by)
        if order_by == 'description':
            depth = read_order([shape.get('description'), *ticked])
    except ValueError as error:
        raise ValueError(f'{name}: {error}') from None
    return Outline(name, label, mask, part, group, depth)


def read_order(texts: Sequence[Optional[str]]) -> Optional[float]:
    """The depth, -1 for ``order=1``, that the texts of a shape give; None if none does."""
    said = [number for text in texts if text
            for number in re.findall(r'\border\s*=\s*([^\s,;]*)', str(text))]
    if not said:
        return None
    if len(set(said)) > 1 or not re.fullmatch(r'-?\d{1,9}', said[0]):
        raise ValueError(f'expected one order=NUMBER in description and flags, got {texts!r:.80}')
    return -int(said[0])


def read_mask(shape: dict, size: Sequence[int]) -> dict:
    """The RLE of a shape on an image of ``size`` (H, W)."""
    kind = str(shape.get('shape_type') or 'polygon')
    least = dict(polygon=3, rectangle=2, circle=2, mask=2).get(kind)
    if least is None:
        raise ValueError(f'a {kind[:40]!r} has no area that is known here; expected a polygon, '
                         'rectangle, circle or mask; draw it anew as one of these')
    points = read_points(shape.get('points'))
    if len(points) < least or kind != 'polygon' and len(points) > least:
        raise ValueError(f'a {kind} of {len(points)} points: expected {least}'
                         f'{" or more" * (kind == "polygon")}; draw it anew, or delete it')
    if kind == 'mask':
        corner = (int(round(value)) for value in points[0])
        return place_patch(read_patch(shape.get('mask')), tuple(corner), tuple(size))
    if kind == 'rectangle':
        points = points[[0, 0, 1, 1]] * [[1, 0]] + points[[0, 1, 1, 0]] * [[0, 1]]
    if kind == 'circle':
        points = ellipse(points[0], [np.hypot(*(points[1] - points[0]))] * 2, vertices=180)
    return to_rle(points.ravel().tolist(), *size)


def read_points(points: object) -> np.ndarray:
    """(V, 2) float64 xy, finite."""
    try:
        array = np.asarray(points, dtype=np.float64)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.ndim != 2 or array.shape[1] != 2 or not np.isfinite(array).all():
        raise ValueError(f'expected points [[x, y], …] of finite numbers, got {points!r:.60}; '
                         'draw the shape anew, or delete it')
    return array


def read_patch(text: object) -> np.ndarray:
    """The painted pixels (h, w) uint8 in {0, 1} of a shape of type mask: a PNG in base64."""
    try:
        data = np.frombuffer(base64.b64decode(text), np.uint8)
        patch = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    except (TypeError, ValueError, cv2.error):
        patch = None
    if patch is None:
        raise ValueError(f"expected a PNG in base64 as 'mask', got {text!r:.30}; paint it anew, or "
                         'delete it')
    return (patch > 0).astype(np.uint8)


def default_images(places: Sequence[Path]) -> Path:
    """The folder that all annotations lie in."""
    folders = [os.path.abspath(place if place.is_dir() else place.parent) for place in places]
    return Path(os.path.relpath(os.path.commonpath(folders)))


def main(args: Optional[Sequence[str]] = None) -> None:
    """Read the files, write one."""
    options = parse_args(args)
    check_out(options.out)
    paths = find_files(options.annotations, options.out)
    images = options.images or default_images(options.annotations)
    if not images.is_dir():
        raise ValueError(f'--images {images} is not a folder: give that of the images')
    drawn = (read_labelme(path, images, options.order_by) for path in track_iter_progress(paths))
    try:
        coco, notes = amodal_coco(drawn, options.classes, options.order_by is not None)
    except ValueError:
        print()  # ends the line of the progress bar
        raise
    write_json(options.out, coco)
    print(f'Wrote {options.out}: {summary(coco, notes, images)}')


if __name__ == '__main__':
    sys.exit(run_tool(main))
