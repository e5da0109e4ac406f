"""Measure predictions in a file by the amodal metrics: AP and AR of amodal and visible masks."""

import argparse
import sys
from pathlib import Path
from typing import Optional, Sequence

from mmamodal.apis.running.command_line import run_tool
from mmamodal.apis.score_files import score_files
from mmamodal.datasets.formats import FORMATS
from mmamodal.evaluation.detection.amodal_figures import class_table, interval_table, table
from mmamodal.evaluation.detection.amodal_rules import AmodalRules
from mmamodal.files import check_output, write_json

EXAMPLE = '''example:
  python tools/analysis_tools/eval_predictions.py data/D2SA/val.json predictions.json \\
      --out metrics.json

TRUTH.json is amodal COCO: segmentation and bbox are amodal, visible_mask beside them where an
object is occluded. PREDICTIONS.json is a COCO result list whose entries have image_id,
category_id, score and segmentation (amodal), and may have visible_mask and invisible_mask.
docs/metrics.md has the formulas.
'''


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    rules = AmodalRules()
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLE,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('truth', metavar='TRUTH.json', help='annotations')
    parser.add_argument('predictions', metavar='PREDICTIONS.json', help='COCO result list')
    parser.add_argument('--out', type=Path, metavar='METRICS.json', help='write all figures')
    parser.add_argument('--format', choices=list(FORMATS), help='of the annotations (default: '
                        'told by their keys)')
    parser.add_argument('--classwise', action='store_true', help='measure each class, too')
    parser.add_argument('--one-class', action='store_true', help='take all categories as one, as '
                        'a model does that learned with one_class=True')
    parser.add_argument('--bootstrap', type=int, default=0, metavar='DRAWS', help='evaluate so '
                        'many random draws of the images, too, and give 95 %% intervals')
    parser.add_argument('--max-dets', type=int, nargs='+', default=list(rules.max_dets),
                        metavar='N', help="detections an image and class (default: 1 10 100; "
                        "COCOA's own tool: 1 10 100 1000)")
    parser.add_argument('--occ-thr', type=float, default=rules.occ_thr, metavar='RATE',
                        help='an object is occluded above this rate (default: %(default)s)')
    parser.add_argument('--occ-bins', type=float, nargs=2, default=list(rules.occ_bins),
                        metavar='RATE', help='rates that part none, partial and heavy (default: '
                        '1e-05 0.25)')
    parser.add_argument('--iv-gate', type=float, default=rules.iv_gate, metavar='IOU',
                        help='invisible masks are judged if the amodal ones overlap by more '
                        '(default: %(default)s)')
    parser.add_argument('--iv-gate-once', action='store_true',
                        help='an object lets one detection through the gate')
    parser.add_argument('--iv-gate-any-class', action='store_true',
                        help='objects of other classes let a detection through the gate')
    parser.add_argument('--iv-drop-empty', action='store_true',
                        help='leave empty invisible masks out, instead of taking them as wrong')
    return parser.parse_args(args)


def main(args: Optional[Sequence[str]] = None) -> None:
    """Measure, print, write."""
    options = parse_args(args)
    if options.out is not None:
        check_output(options.out, options.truth, options.predictions)
    rules = AmodalRules(options.max_dets, options.occ_thr, options.occ_bins, options.iv_gate,
                        options.iv_gate_once, options.iv_gate_any_class, options.iv_drop_empty)
    scores = score_files(options.truth, options.predictions, rules, options.format,
                         options.bootstrap, options.one_class)
    print(table(scores.evaluation))
    if options.classwise:
        print('\n' + class_table(scores.evaluation, scores.classes))
    if scores.intervals:
        print('\n' + interval_table(scores.evaluation, scores.intervals))
    if options.out is not None:
        write_json(options.out, scores.as_dict(options.classwise))


if __name__ == '__main__':
    sys.exit(run_tool(main))
