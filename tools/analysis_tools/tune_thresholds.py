"""Choose the thresholds of a completer on data that are neither trained on nor reported."""

import argparse
import math
import sys
from pathlib import Path
from typing import List, Optional, Sequence

from mmamodal.apis.running.command_line import Settings, default_work_dir, load_config, run_tool
from mmamodal.apis.thresholds import CRITERIA, GRID, Choice, choose_thresholds
from mmamodal.files import check_output, write_json
from mmamodal.visualization.report.runs import number

EPILOG = '''example:
  python tools/analysis_tools/tune_thresholds.py configs/asbu/asbu_unet_scenes.py \\
      work_dirs/asbu_unet_scenes/iter_2000.pth
  python tools/analysis_tools/tune_thresholds.py configs/asbu/asbu_unet-p128_3k_coco.py \\
      work_dirs/asbu_unet-p128_3k_coco/iter_3000.pth --synthetic held_out.json

order_thr is the one with the best O_Acc, amodal_thr, with that order, the one with the best
inv_mIoU. They are chosen on the config's validation split, which must have amodal truth and not
be the test split. Where there is no such split, --synthetic takes a COCO file of visible masks
that were held out from training, and puts them in front of each other as in training. Real
occlusions hide other parts of objects than synthetic ones: a real validation split is better.
'''


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='path of the config of a completer')
    parser.add_argument('checkpoint', help='path of its weights')
    parser.add_argument('--thresholds', nargs='+', type=float, default=list(GRID), metavar='THR',
                        help='values to try (default: 0.1 to 0.9)')
    parser.add_argument('--synthetic', metavar='FILE',
                        help='COCO file of visible masks, held out from training')
    parser.add_argument('--pairs', type=int, default=500, metavar='N',
                        help='number of synthetic occlusions (default: %(default)s)')
    parser.add_argument('--out', type=Path, metavar='FILE', help='JSON file to write (default: '
                        'thresholds.json in the work dir of the config)')
    parser.add_argument('--cfg-options', nargs='+', action=Settings, metavar='KEY=VALUE',
                        help='override settings of the config')
    options = parser.parse_args(args)
    if options.pairs < 1 or any(not 0 < value < 1 for value in options.thresholds):
        parser.error('expected --thresholds between 0 and 1 and at least one of --pairs')
    return options


def print_choice(choice: Choice) -> None:
    """The figures of each value, an asterisk at the chosen one."""
    columns = ('O_Acc', 'mIoU', 'inv_mIoU')
    print(f'\n{choice.name}, by {CRITERIA[choice.name]}\n'
          + ' ' * 8 + ''.join(f'{name:>10}' for name in columns))
    for value, figures in choice.figures.items():
        print(f'{value:6.2f}{" *"[value == choice.value]} '
              + ''.join(f'{number(figures[name]):>10}' for name in columns))


def content(options: argparse.Namespace, choices: List[Choice]) -> dict:
    """What is written."""
    tables = {choice.name: [
        dict(value=value, **{name: None if math.isnan(figure) else figure
                             for name, figure in figures.items()})
        for value, figures in choice.figures.items()] for choice in choices}
    return dict({choice.name: choice.value for choice in choices}, config=options.config,
                checkpoint=options.checkpoint, synthetic=options.synthetic, tables=tables)


def main(args: Optional[Sequence[str]] = None) -> None:
    """Predict, choose, print, write."""
    options = parse_args(args)
    cfg = load_config(options.config, options.cfg_options)
    work_dir = Path(cfg.get('work_dir') or default_work_dir(options.config))
    out = options.out or work_dir / 'thresholds.json'
    check_output(out, options.config, options.checkpoint, *filter(None, [options.synthetic]))
    choices = choose_thresholds(cfg, options.checkpoint, options.thresholds, options.synthetic,
                                options.pairs)
    for choice in choices:
        print_choice(choice)
    write_json(out, content(options, choices))
    print(f'\nWrote {out}. To use them:\n  --cfg-options '
          + ' '.join(f'model.{choice.name}={choice.value:g}' for choice in choices))


if __name__ == '__main__':
    sys.exit(run_tool(main))
