"""Take an image apart into whole objects and a background, and put it together in another order."""

import argparse
import sys
from pathlib import Path
from typing import List, Optional, Sequence

from mmengine.model import BaseModel

from mmamodal.apis.running.command_line import load_config, run_tool
from mmamodal.apis.running.models import load_model
from mmamodal.apis.running.open_data import open_data
from mmamodal.apis.take_apart import (complete_masks, describe_order, find_image, read_objects,
                                      rearrange, take_apart, write_parts, write_picture)
from mmamodal.datasets.formats import FORMATS
from mmamodal.models.content.completer import ContentModel

EXAMPLE = '''example:
  python tools/analysis_tools/take_apart.py configs/pcnet/pcnet-c_unet_scenes.py --split test \\
      --image 1 --content configs/pcnet/pcnet-c_unet_scenes.py work_dirs/pcnet-c.pth \\
      --out-dir work_dirs/parts --order 2,1 --move 2 20 -5

Writes object_001.png ... with opacity, background.png, order.json, and together.png, the image of
these parts. Objects are numbered from 1, as they are annotated.
'''


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLE,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('data', help='an annotation file, or a config (.py)')
    parser.add_argument('--image', required=True, help='file name or id of the image')
    parser.add_argument('--images', default='', metavar='DIR',
                        help='folder of the images of an annotation file')
    parser.add_argument('--format', choices=list(FORMATS), help='of an annotation file (default: '
                        'told by its keys)')
    parser.add_argument('--split', default='test', help='of a config (default: test)')
    parser.add_argument('--out-dir', required=True, type=Path, metavar='DIR',
                        help='folder for the parts')
    parser.add_argument('--completer', nargs=2, metavar=('CONFIG', 'CHECKPOINT'),
                        help='completes the visible masks (default: amodal masks as annotated)')
    parser.add_argument('--content', nargs=2, metavar=('CONFIG', 'CHECKPOINT'),
                        help="completes what objects look like (default: cv2.inpaint from each "
                        "object's visible part)")
    parser.add_argument('--background', choices=('smooth', 'content'), default='smooth',
                        help='what fills the place of the objects: colours from their rims, or '
                        'the network of --content (default: smooth)')
    parser.add_argument('--order', type=_numbers, metavar='N,N,...', help='objects from the front '
                        'to the back; those left out are not drawn (default: as in the image)')
    parser.add_argument('--move', nargs=3, type=int, action='append', default=[],
                        metavar=('N', 'X', 'Y'), help='move object N by X pixels to the right and '
                        'Y down; may be given several times')
    return parser.parse_args(args)


def _numbers(text: str) -> List[int]:
    try:
        return [int(number) for number in text.split(',')]
    except ValueError:
        raise argparse.ArgumentTypeError(f'expected numbers as in 3,1,2, got {text!r}') from None


def _model(files: Sequence[str], kind: type = BaseModel) -> BaseModel:
    """That of a config and a checkpoint."""
    config, checkpoint = files
    return load_model(load_config(config), checkpoint, kind)


def main(args: Optional[Sequence[str]] = None) -> None:
    """Read, complete, write."""
    options = parse_args(args)
    if options.background == 'content' and not options.content:
        raise ValueError('--background content needs --content CONFIG CHECKPOINT')
    dataset = open_data(options.data, options.split, options.format, options.images)
    index = find_image(dataset, options.image)
    image, objects = dataset.read_image(index), read_objects(dataset, index)
    if options.completer:
        objects = complete_masks(objects, image, _model(options.completer))
    content = _model(options.content, ContentModel) if options.content else None
    layers, background = take_apart(image, objects, content, options.background == 'content')
    order = describe_order(objects)
    together = rearrange(background, layers, options.order or order['front_to_back'],
                         options.move)
    write_parts(options.out_dir, layers, background, order)
    write_picture(options.out_dir / 'together.png', together)
    rings = f", {len(order['rings'])} rings" if order['rings'] else ''
    print(f'{len(layers)} objects, front to back {order["front_to_back"]}{rings}: '
          f'{options.out_dir}')


if __name__ == '__main__':
    sys.exit(run_tool(main))
