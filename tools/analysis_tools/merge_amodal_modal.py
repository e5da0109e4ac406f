"""Merge the predictions of an amodal and of a visible Mask R-CNN: mergedAMRCNN."""

import argparse
import os
import sys
from typing import List, Optional, Sequence

from mmamodal.apis.running.command_line import run_tool
from mmamodal.datasets.coco_files import read_json
from mmamodal.evaluation.predictions.merged_predictions import merge_predictions
from mmamodal.evaluation.predictions.result_lists import check_entries
from mmamodal.files import check_output, write_json

EPILOG = '''example:
  python tools/test.py configs/mask_rcnn/mask-rcnn_r18_fpn_scenes.py ARCNN.pth --out arcnn.json
  python tools/test.py configs/mask_rcnn/mask-rcnn_r18_fpn_scenes-visible.py MRCNN.pth \\
      --out mrcnn.json
  python tools/analysis_tools/merge_amodal_modal.py arcnn.json mrcnn.json merged.json
  python tools/analysis_tools/eval_predictions.py TRUTH.json merged.json

The amodal detections, the best by score first, take the visible mask of their class that they
overlap most, if the IoU is above the threshold; the score is the mean of both. A detection
without such a mask keeps its score, and all of it is visible ("Learning to See the Invisible:
End-to-End Trainable Amodal Instance Segmentation", WACV 2019, section 4.1). The paper does not
say who chooses first, nor whether a mask may be taken twice.'''


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('amodal', metavar='AMODAL.json',
                        help='COCO result list of the model that learned amodal masks')
    parser.add_argument('visible', metavar='VISIBLE.json',
                        help='that of the model that learned visible masks, on the same images')
    parser.add_argument('out', metavar='OUT.json', help='the result list to write')
    parser.add_argument('--iou-thr', type=float, default=0.5, metavar='IOU',
                        help='masks that belong together overlap by more (default: %(default)s)')
    parser.add_argument('--unmatched', choices=['drop', 'keep'], default='drop',
                        help='what becomes of visible detections that nothing took (default: '
                        '%(default)s, as in the paper)')
    parser.add_argument('--many-to-one', action='store_true',
                        help='a visible mask may be taken more than once')
    return parser.parse_args(args)


def read_entries(path: str) -> List[dict]:
    """The detections of a model with one kind of masks; ValueError if it has several."""
    entries = check_entries(read_json(path, what='prediction file'), path)
    if any('visible_mask' in entry for entry in entries):
        raise ValueError(f'{path} has visible masks beside the amodal ones: there is nothing to '
                         'merge; expected the predictions of a Mask R-CNN')
    return entries


def main(args: Optional[Sequence[str]] = None) -> None:
    """Read, merge, write."""
    options = parse_args(args)
    check_output(options.out, options.amodal, options.visible)
    if os.path.realpath(options.amodal) == os.path.realpath(options.visible):
        raise ValueError(f'{options.visible} is both files: expected the predictions of two models')
    amodal, visible = (read_entries(path) for path in (options.amodal, options.visible))
    merged = merge_predictions(amodal, visible, options.iou_thr, options.unmatched == 'keep',
                               not options.many_to_one)
    write_json(options.out, merged.entries)
    print(f'Wrote {options.out}: {len(merged.entries)} detections; {merged.matched} of '
          f'{len(amodal)} amodal ones took one of {len(visible)} visible ones')


if __name__ == '__main__':
    sys.exit(run_tool(main))
