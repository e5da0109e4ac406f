"""Write annotations drawn in CVAT as amodal COCO; docs/own_annotations.md says how to draw."""

import argparse
import os
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import List, Optional, Sequence

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
  python tools/dataset_converters/cvat_to_amodal.py annotations.xml data/my/amodal_train.json \\
      --images data/my/train

Export the task or project in the format "CVAT for images 1.1" and unpack it. An object is shapes
of one group: the whole of it, and each piece that one sees, with a checkbox attribute 'visible'
ticked. Or it is one shape, if nothing of it is hidden, or if the layers say what is.'''


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('annotations', type=Path, metavar='annotations.xml',
                        help='export of CVAT in its format "CVAT for images 1.1", unpacked')
    parser.add_argument('out', type=Path, metavar='OUT.json', help='file to write')
    parser.add_argument('--images', type=Path, metavar='DIR',
                        help='folder that the names of the export are relative to; sizes are '
                        'compared with the files there')
    parser.add_argument('--classes', nargs='+', metavar='NAME',
                        help='classes to write, in this order; default: all, sorted by name')
    parser.add_argument('--order-by', choices=['z'],
                        help='what is in front where no visible outline is drawn: z, the layer '
                        'on top')
    return parser.parse_args(args)


def read_xml(path: Path) -> List[ET.Element]:
    """The images of an export.

    Raises:
        ValueError: it is no XML, another export, or has entities, which could blow it up.
    """
    data = path.read_bytes()
    if data.startswith(b'PK'):
        raise ValueError(f'{path} is an archive: unpack it, and give its annotations.xml')
    # Expat reads UTF-16 too, where these would look otherwise; every other encoding of its has
    # them as in ASCII.
    if b'\0' in data or b'<!DOCTYPE' in data or b'<!ENTITY' in data:
        raise ValueError(f'{path} has a DOCTYPE or entities, or is not in UTF-8: expected '
                         'annotations.xml as CVAT writes it; export it again')
    try:
        root = ET.fromstring(data)
    except (ET.ParseError, ValueError, LookupError) as error:
        raise ValueError(f'{path} is no valid XML ({error}): export it again from CVAT') from None
    images = root.findall('image')
    if root.tag != 'annotations' or not images:
        is_video = root.find('track') is not None
        what = 'a video export' if is_video else f'<{root.tag}> without images'
        raise ValueError(f'{path} is {what}: expected <annotations> with <image>; export as "CVAT '
                         'for images 1.1"')
    return images


def read_image(element: ET.Element, source: str, images: Optional[Path] = None) -> DrawnImage:
    """One image of an export.

    Raises:
        ValueError: it or a shape is broken; names file, image and shape.
    """
    name = element.get('name', '')
    source = f'{source}, image {name!r}'
    try:
        file_name = check_file_name(name, 'give images names below one folder in CVAT')
        height, width = (int(number(element, key)) for key in ('height', 'width'))
        size = check_size(height, width, os.path.join(images, file_name) if images else '')
        shapes = [shape for shape in element if shape.tag != 'tag']  # a tag is of the whole image
        outlines = [read_shape(*shape, size) for shape in enumerate(shapes, 1)]
    except ValueError as error:
        raise ValueError(f'{source}: {error}') from None
    return DrawnImage(source, file_name, size, outlines)


def read_shape(place: int, element: ET.Element, size: Sequence[int]) -> Outline:
    """Shape ``place`` (from 1) of an image of ``size`` (H, W)."""
    name = f"{element.tag} {place} {element.get('label')!r:.60}"
    try:
        ticked = [item.get('name', '') for item in element.iter('attribute')
                  if (item.text or '').strip().lower() == 'true']
        label, part = read_label(element.get('label'), ticked)
        mask = read_mask(element, size)
        depth = number(element, 'z_order', '0')
        group = int(number(element, 'group_id', '0')) or None  # CVAT counts groups from 1
    except ValueError as error:
        raise ValueError(f'{name}: {error}') from None
    return Outline(name, label, mask, part, group, depth, element.get('occluded') == '1')


def read_mask(element: ET.Element, size: Sequence[int]) -> dict:
    """The RLE of a shape on an image of ``size`` (H, W)."""
    if element.tag == 'mask':
        return read_painted(element, size)
    if element.tag == 'polygon':
        points = read_points(element.get('points', ''))
    elif element.tag == 'box':
        x1, y1, x2, y2 = (number(element, key) for key in ('xtl', 'ytl', 'xbr', 'ybr'))
        points = np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])
    elif element.tag == 'ellipse':
        cx, cy, rx, ry = (number(element, key) for key in ('cx', 'cy', 'rx', 'ry'))
        points = ellipse((cx, cy), (rx, ry), vertices=180)
    else:
        raise ValueError(f'a {element.tag} has no area that is known here; expected a polygon, '
                         'box, ellipse or mask; draw it anew as one of these')
    return to_rle(turn(points, number(element, 'rotation', '0')).ravel().tolist(), *size)


def read_points(text: str) -> np.ndarray:
    """``x,y;x,y;…`` -> (V, 2) float64 of three points or more."""
    try:
        points = np.array([[float(value) for value in pair.split(',')]
                           for pair in text.split(';') if pair.strip()])
    except ValueError:
        points = np.empty(0)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3:
        raise ValueError("expected points 'x,y;x,y;x,y' of three points or more, got "
                         f'{text!r:.60}; draw the shape anew, or delete it')
    return points


def turn(points: np.ndarray, degrees: float) -> np.ndarray:
    """Points (V, 2) turned clockwise, as seen, around the middle of their box."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    middle = (points.min(0) + points.max(0)) / 2
    return (points - middle) @ np.array([[cos, sin], [-sin, cos]]) + middle if degrees else points


def read_painted(element: ET.Element, size: Sequence[int]) -> dict:
    """A painted mask: lengths of runs along rows of its own box, unset ones first."""
    left, top, width, height = (int(number(element, key))
                                for key in ('left', 'top', 'width', 'height'))
    try:
        runs = [int(run) for run in element.get('rle', '').split(',')]
    except ValueError:
        runs = []
    fits = 0 < height <= size[0] and 0 < width <= size[1]
    if not fits or not runs or min(runs) < 0 or sum(runs) != height * width:
        raise ValueError(f'expected runs that fill its box of {width}x{height} pixels inside the '
                         f"image, got rle {element.get('rle')!r:.40}; paint it anew, or delete it")
    patch = np.repeat(np.arange(len(runs), dtype=np.uint8) % 2, runs).reshape(height, width)
    return place_patch(patch, (left, top), tuple(size))


def number(element: ET.Element, key: str, default: Optional[str] = None) -> float:
    """The number that an attribute holds; it must be there if there is no default."""
    text = element.get(key, default)
    try:
        value = float(text)
    except (TypeError, ValueError):
        value = np.nan
    if not np.isfinite(value):
        raise ValueError(f'expected a number as {key!r}, got {text!r:.40}; export it again')
    return value


def main(args: Optional[Sequence[str]] = None) -> None:
    """Read one file, write another."""
    options = parse_args(args)
    if not options.annotations.is_file():
        raise FileNotFoundError(f'{options.annotations} is not a file: expected annotations.xml')
    if options.out.is_dir() or options.out.suffix.lower() == '.xml' or (
            options.out.resolve() == options.annotations.resolve()):
        raise ValueError(f'{options.out}: expected a JSON file to write; give another name')
    if options.images and not options.images.is_dir():
        raise ValueError(f'--images {options.images} is not a folder: give that of the images')
    elements = read_xml(options.annotations)
    drawn = (read_image(element, str(options.annotations), options.images)
             for element in track_iter_progress(elements))
    try:
        coco, notes = amodal_coco(drawn, options.classes, options.order_by is not None)
    except ValueError:
        print()  # ends the line of the progress bar
        raise
    write_json(options.out, coco)
    print(f'Wrote {options.out}: {summary(coco, notes, options.images)}')


if __name__ == '__main__':
    sys.exit(run_tool(main))
