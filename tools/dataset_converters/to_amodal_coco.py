"""Write any data set that can be read as amodal COCO, for other tools."""

import argparse
import sys
from typing import Optional, Sequence

from mmamodal.annotations.conversion import converted
from mmamodal.apis.running.command_line import run_tool
from mmamodal.datasets.formats import FORMATS, open_annotations
from mmamodal.files import check_output, write_json

EPILOG = '''example:
  python tools/dataset_converters/to_amodal_coco.py kins2020 \\
      data/KINS/update_train_2020.json kins_train_amodal.json

What is written is COCO: segmentation, bbox and area are of the whole object; visible_mask and
invisible_mask (RLE) are there where part of it is hidden; occlude_rate is how much; order (smaller
is nearer) and cluster, within which it counts, are there where the data set has them. A
segmentation that is polygons stays polygons; box and area are those of its pixels. Ids are those
that the readers give. Images are as large as the canvas of the masks, which for d2sa is larger
than some photos: canvas_origin says where on it the photo begins, and, with --images, photo_size
how large it is.

Every annotation is decoded once; a hundred thousand take some minutes. mmamodal itself needs no
such file: it reads all of these as they are downloaded.'''


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('format', choices=FORMATS, help='what the annotation file is; coco: its '
                        'masks are visible ones, nothing is known of what is hidden')
    parser.add_argument('ann_file', help='annotation file, as it is downloaded')
    parser.add_argument('out', metavar='OUT.json', help='file to write')
    parser.add_argument('--images', metavar='DIR', help='folder of the images; their sizes are '
                        'compared with the annotations')
    return parser.parse_args(args)


def summary(coco: dict) -> str:
    """What is written, in words."""
    hidden = sum('visible_mask' in ann for ann in coco['annotations'])
    smaller = sum('photo_size' in image for image in coco['images'])
    text = (f"{len(coco['images']):,} images with {len(coco['annotations']):,} annotations of "
            f"{len(coco['categories'])} classes, {hidden:,} of them occluded")
    for reason, count in coco['info']['left_out'].items():
        text += f"; {count:,} left out {reason.replace('_', ' ')}" if count else ''
    return text + (f'; {smaller:,} photos are smaller than their canvas' if smaller else '')


def main(args: Optional[Sequence[str]] = None) -> None:
    """Read, convert, write."""
    options = parse_args(args)
    check_output(options.out, options.ann_file)
    dataset = open_annotations(options.ann_file, options.format, options.images or '', lazy_init=False)
    coco = converted(dataset, options.format, with_photos=options.images is not None)
    write_json(options.out, coco)
    print(f'\nWrote {options.out}: {summary(coco)}')


if __name__ == '__main__':
    sys.exit(run_tool(main))
