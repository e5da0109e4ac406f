"""Show where predictions in a file fail: objects missed, taken for occluded, or taken for one."""

import argparse
import math
import sys
from collections import Counter
from pathlib import Path
from typing import Optional, Sequence

from mmamodal.apis.running.command_line import run_tool
from mmamodal.datasets.formats import FORMATS, open_annotations
from mmamodal.visualization.failures.failures import failures_of_image
from mmamodal.visualization.failures.files import (judge_images, read_predictions, write_confusion,
                                                   write_curves, write_gallery)
from mmamodal.visualization.failures.gallery import TITLES

EXAMPLE = '''example:
  python tools/analysis_tools/failure_gallery.py data/D2SA/val.json predictions.json \\
      --images data/D2SA/images --out-dir work_dirs/failures

TRUTH.json is amodal COCO, PREDICTIONS.json a COCO result list whose entries may have visible_mask
and invisible_mask beside segmentation (amodal), as eval_predictions.py takes them. Written are:

  missed.png, missed/           objects that no detection matches; first those most of which is seen
  false_occlusion.png, …/       invisible parts where nothing is hidden; first the largest
  merged.png, merged/           detections that cover more than half of several objects
  precision_recall.png          of amodal, visible and both masks, and of invisible ones
  occlusion.png, occlusion.txt  matched objects: occluded or not, predicted to be so or not

Detections match objects as in COCO's evaluation, class by class and the best score first, where
amodal masks have an IoU of 0.5. Pictures of an earlier run in that folder are replaced.'''


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLE,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('truth', metavar='TRUTH.json', help='annotations')
    parser.add_argument('predictions', metavar='PREDICTIONS.json', help='COCO result list')
    parser.add_argument('--out-dir', type=Path, required=True, metavar='DIR',
                        help='folder for the pictures')
    parser.add_argument('--images', default='', metavar='DIR', help='folder of the images; '
                        'without it objects are drawn on plain ground')
    parser.add_argument('--format', choices=list(FORMATS), help='of the annotations (default: '
                        'told by their keys)')
    parser.add_argument('--one-class', action='store_true', help='take all categories as one')
    parser.add_argument('--number', type=int, default=12, help='pictures of each kind (default: '
                        '%(default)s)')
    parser.add_argument('--score-thr', type=float, default=0.5, metavar='SCORE', help='detections '
                        'below count for precision and recall only (default: %(default)s)')
    parser.add_argument('--min-rate', type=float, default=0.05, metavar='RATE', help='up to this '
                        'occlusion rate, true or predicted, an object is not occluded; for '
                        'precision and recall it is 0 (default: %(default)s)')
    return parser.parse_args(args)


def check(options: argparse.Namespace) -> None:
    """Refuse options that cannot be meant.

    Raises:
        ValueError: one is out of its range.
        FileNotFoundError: a file or folder is missing.
    """
    if options.number < 1:
        raise ValueError(f'expected a --number of at least 1, got {options.number}')
    if not 0 <= options.min_rate < 1:
        raise ValueError(f'expected a --min-rate from 0 to below 1, got {options.min_rate}')
    if math.isnan(options.score_thr):
        raise ValueError('expected a number as --score-thr, got nan')
    if options.images and not Path(options.images).is_dir():
        raise FileNotFoundError(f'--images {options.images} is not a folder')
    if not Path(options.predictions).is_file():
        raise FileNotFoundError(f'prediction file {options.predictions} does not exist')
    if options.out_dir.exists() and not options.out_dir.is_dir():
        raise ValueError(f'--out-dir {options.out_dir} is a file: give a folder')


def main(args: Optional[Sequence[str]] = None) -> None:
    """Match, choose, draw."""
    options = parse_args(args)
    check(options)
    # Plain COCO is taken at its word: nothing is occluded.
    dataset = open_annotations(options.truth, options.format, options.images, lazy_init=False,
                               visible_only=False, one_class=options.one_class)
    predicted = read_predictions(options.predictions, dataset)
    judged = judge_images(dataset, predicted, options.score_thr)
    failures = [failure for place, image in enumerate(judged) for failure in failures_of_image(
        place, image, dataset.metainfo['classes'], options.min_rate)]
    write_gallery(options.out_dir, failures, options.number, dataset, judged,
                  bool(options.images))
    write_curves(options.out_dir, dataset, predicted, Path(options.predictions).stem)
    table = write_confusion(options.out_dir, judged, options.min_rate)
    counts = Counter(failure.kind for failure in failures)
    print('\n'.join(f'{title}: {counts[kind]:,}' for kind, title in TITLES.items()))
    print('\n' + (table or 'There are no visible or invisible masks of detections from '
                  f'--score-thr {options.score_thr:g} on: occlusion cannot be judged.\n'))
    print(f'Wrote pictures to {options.out_dir}')


if __name__ == '__main__':
    sys.exit(run_tool(main))
