"""Test a model: its metrics, its predictions in a file, pictures of them."""

import argparse
import sys
from pathlib import Path

from mmamodal.apis.running.command_line import (add_common_options, default_work_dir, load_config,
                                                run_tool, start_processes)
from mmamodal.apis.running.test_time_augmentation import add_tta
from mmamodal.apis.score import METRICS, add_pictures, choose_evaluators, score


def parse_args() -> argparse.Namespace:
    """Options of the command line: mmdet's, and --eval."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog='MMAMODAL_DEBUG=1 shows where an error comes from.')
    parser.add_argument('config', help='path of the config')
    parser.add_argument('checkpoint', help="path of the weights; 'none' for a model without any")
    parser.add_argument('--work-dir', help='folder for metrics.json and logs (default: '
                        'work_dirs/<config>/test)')
    parser.add_argument('--eval', nargs='+', metavar='NAME',
                        help=f'what to measure, of {", ".join(METRICS)} (default: what the '
                        'config says)')
    parser.add_argument('--out', metavar='FILE', help='write the predictions to a file: .pkl, or '
                        'for detectors .json, a COCO result list with all masks')
    parser.add_argument('--show-dir', metavar='DIR',
                        help='write pictures of the first images to a folder')
    parser.add_argument('--tta', action='store_true',
                        help='test each image and its mirror image, and merge what is detected '
                        "(or as the config's tta_model and tta_pipeline say)")
    add_common_options(parser)
    return parser.parse_args()


def main() -> None:
    """Read the command line and test."""
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options, args.launcher)
    trained_in = cfg.get('work_dir') or default_work_dir(args.config)
    cfg.work_dir = args.work_dir or str(Path(trained_in) / 'test')
    if args.eval:
        cfg.test_evaluator = choose_evaluators(cfg, args.eval)
    if args.show_dir:
        add_pictures(cfg, args.show_dir)
    if args.tta:
        add_tta(cfg)
    start_processes(cfg, args.local_rank)
    score(cfg, args.checkpoint, args.out)


if __name__ == '__main__':
    sys.exit(run_tool(main, resumes=True))
