"""How completers stand imperfect masks: O_Acc, mIoU and inv_mIoU as all visible masks are eroded.

What is given loses a rim, so that gaps open between objects; measured is against the true masks.
Beside them: hulls behind their occluders, order-grounded, which are told how wide the gaps are.
"""

import argparse
import math
import sys
from pathlib import Path
from typing import Dict, List, Optional, Sequence

from mmamodal.apis.erosion import erosion_curve, hull_curve
from mmamodal.apis.label import annotation_files
from mmamodal.apis.running.checkpoints import check_readable
from mmamodal.apis.running.command_line import Settings, config_name, load_config, run_tool
from mmamodal.files import check_output, write_json, write_whole
from mmamodal.visualization.plots.erosion_curves import PANELS, erosion_curves
from mmamodal.visualization.report.runs import number

WIDTHS = (0, 1, 2, 4, 6, 8)
BASELINE = 'hull behind occluders'
EPILOG = '''example:
  python tools/analysis_tools/erosion_curve.py \\
      configs/asbu/asbu_unet_scenes.py work_dirs/asbu_unet_scenes/iter_2000.pth \\
      configs/pcnet/pcnet-m_unet_scenes.py work_dirs/pcnet-m_unet_scenes/iter_2000.pth \\
      --out work_dirs/erosion.json

The table is printed; the JSON file and a picture of the same name are written. All are measured
on the test set of the first config. What is measured is kept in FILE.json.part.jsonl until then:
after an interruption the same command goes on.
'''


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('models', nargs='+', metavar='CONFIG CHECKPOINT',
                        help='a config and its weights, as often as wanted')
    parser.add_argument('--names', nargs='+', help='of the models (default: of their configs)')
    parser.add_argument('--widths', nargs='+', type=float, default=list(WIDTHS), metavar='PIXELS',
                        help='of the rim that masks lose (default: 0 1 2 4 6 8)')
    parser.add_argument('--title', default='Completion of eroded masks', help='of the picture')
    parser.add_argument('--out', type=Path, required=True, metavar='FILE.json',
                        help='the figures; the picture is FILE.png')
    parser.add_argument('--cfg-options', nargs='+', action=Settings, metavar='KEY=VALUE',
                        help='override settings of all configs')
    options = parser.parse_args(args)
    if len(options.models) % 2:
        parser.error('expected a checkpoint after every config')
    if options.names and 2 * len(options.names) != len(options.models):
        parser.error(f'expected {len(options.models) // 2} of --names, got {len(options.names)}')
    if min(options.widths) < 0:
        parser.error('expected --widths of at least 0: masks lose a rim')
    return options


def measure(options: argparse.Namespace, part: Path) -> Dict[str, List[Dict[str, float]]]:
    """The figures at each width, by name; each is kept in ``part`` as it is measured."""
    configs = [load_config(path, options.cfg_options) for path in options.models[::2]]
    names = options.names or [config_name(cfg) for cfg in configs]
    if len({BASELINE, *names}) <= len(names):
        raise ValueError(f'the models need different names, got {", ".join(names)}: give --names')
    loader = configs[0].get('test_dataloader')
    read = annotation_files(loader.dataset) if loader else []
    check_output(options.out, *options.models, *read)
    for cfg in configs:
        cfg.test_dataloader = loader
    for checkpoint in options.models[1::2]:
        if checkpoint != 'none':
            check_readable(checkpoint)
    print(f'\n== {BASELINE} ==')
    curves = {BASELINE: hull_curve(configs[0], options.widths, part)}
    for name, cfg, checkpoint in zip(names, configs, options.models[1::2]):
        print(f'\n== {name} ==')
        curves[name] = erosion_curve(cfg, checkpoint, options.widths, part)
    return curves


def table(curves: Dict[str, List[Dict[str, float]]], widths: Sequence[float]) -> str:
    """Markdown, one row a model and figure."""
    lines = ['| | eroded by | ' + ' | '.join(f'{width:g}' for width in widths) + ' |',
             '|---|---|' + '---|' * len(widths)]
    for name, curve in curves.items():
        lines += [f'| {name} | {key} | ' + ' | '.join(number(row[key]) for row in curve) + ' |'
                  for key in PANELS]
    return '\n'.join(lines)


def main(args: Optional[Sequence[str]] = None) -> None:
    """Measure, print, write."""
    options = parse_args(args)
    part = options.out.with_name(f'{options.out.name}.part.jsonl')
    if part.exists():
        print(f'{part} is there from an interrupted run: what fits is not measured again')
    curves = measure(options, part)
    print('\n' + table(curves, options.widths))
    plain = {name: [{key: None if math.isnan(value) else value for key, value in row.items()}
                    for row in curve] for name, curve in curves.items()}
    write_json(options.out, dict(widths=options.widths, models=options.models, curves=plain))
    picture = options.out.with_suffix('.png')
    write_whole(picture, erosion_curves(curves, options.widths, options.title, BASELINE))
    part.unlink(missing_ok=True)
    print(f'\nWrote {options.out} and {picture}')


if __name__ == '__main__':
    sys.exit(run_tool(main, resumes=True))
