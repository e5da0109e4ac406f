"""Make COCOA-cls: COCOA's regions that are objects of COCO, with COCO's classes."""

import argparse
import sys
from pathlib import Path
from typing import List, NamedTuple, Optional, Sequence

from mmamodal.annotations.cocoa_classes import cocoa_cls, read_instances, report
from mmamodal.annotations.conversion import records
from mmamodal.apis.running.command_line import run_tool
from mmamodal.datasets.formats import open_annotations
from mmamodal.files import check_output, write_json

EPILOG = '''example, both splits:
  python tools/dataset_converters/cocoa_cls.py \\
      data/COCOA/annotations/COCO_amodal_train2014.json \\
      data/coco/annotations/instances_train2014.json \\
      data/COCOA/annotations/COCO_amodal_train2014_with_classes.json \\
      --also data/COCOA/annotations/COCO_amodal_val2014.json \\
      data/coco/annotations/instances_val2014.json \\
      data/COCOA/annotations/COCO_amodal_val2014_with_classes.json

The rule is that of "Learning to See the Invisible: End-to-End Trainable Amodal Instance
Segmentation" (WACV 2019): a region that is not stuff is kept if the IoU of its visible mask with
the mask of a COCO instance on its image that is no crowd exceeds 0.75; it gets the class of the
instance with the highest. Where that is the same instance for several regions, of which the paper
says nothing, the one with the highest IoU is kept, the first of equals; the others are left out,
and counted. Images that keep no region are left out.

Of COCO's file no more is kept than the images of COCOA, so that memory is about twice the size
of the file while it is read: 1.5 GB in all for train2014.'''


class Job(NamedTuple):
    """The files of a split."""
    regions: str
    instances: str
    out: str


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('regions', metavar='COCOA_JSON', help='official file of COCOA')
    parser.add_argument('instances', metavar='COCO_INSTANCES_JSON',
                        help="COCO's instances of the same images, such as "
                        'instances_train2014.json; 2017 does, too, where it has the images')
    parser.add_argument('out', metavar='OUT.json', help='file to write')
    parser.add_argument('--also', nargs=3, action='append', default=[],
                        metavar=('COCOA_JSON', 'COCO_INSTANCES_JSON', 'OUT.json'),
                        help='another split; the report then has their sum, too')
    parser.add_argument('--iou', type=float, default=0.75, help='a region is kept if its IoU is '
                        'above this (default: 0.75)')
    return parser.parse_args(args)


def jobs(options: argparse.Namespace) -> List[Job]:
    """The splits to make.

    Raises:
        ValueError: an output is no JSON file, is read or is written twice; ``--iou`` is no share.
    """
    found = [Job(options.regions, options.instances, options.out),
             *(Job(*files) for files in options.also)]
    for place, job in enumerate(found):
        inputs = [path for other in found for path in other[:2]]
        check_output(job.out, *inputs, *(other.out for other in found[:place]))
    if not 0 <= options.iou < 1:
        raise ValueError(f'expected --iou to be at least 0 and below 1, got {options.iou}')
    return found


def main(args: Optional[Sequence[str]] = None) -> None:
    """Match, write, and report."""
    options = parse_args(args)
    todo, counts = jobs(options), []
    for job in todo:
        dataset = open_annotations(job.regions, 'cocoa', lazy_init=False)
        image_ids = [record['img_id'] for record in records(dataset)]
        coco = read_instances(job.instances, image_ids)
        made, count = cocoa_cls(dataset, coco, job.instances, options.iou)
        write_json(job.out, made)
        counts.append(count)
        print(f'\nWrote {job.out}')
    print(report([Path(job.regions).stem for job in todo], counts))


if __name__ == '__main__':
    sys.exit(run_tool(main))
