"""Collect what tests of several models gave into one table, with confidence intervals."""

import argparse
import sys
from pathlib import Path
from typing import Optional, Sequence, Tuple

from mmamodal.apis.running.command_line import Settings, run_tool
from mmamodal.apis.running.results import known_figures, produce, read_row, results_folder
from mmamodal.evaluation.completion.results_table import as_csv, as_markdown, check_names, compare
from mmamodal.files import check_output, write_whole

EPILOG = '''example:
  python tools/analysis_tools/table.py --reference PCNet-M \\
      PCNet-M=configs/pcnet/pcnet-m_unet_scenes.py ASBU=configs/asbu/asbu_unet_scenes.py \\
      "no graph"=work_dirs/asbu_unet_scenes/neighbours --markdown table.md --csv table.csv

Of a config the results of tools/test.py in <its work dir>/test are read; a folder is one that
tools/test.py was given as --work-dir. Completers have sums of each image there, from which
images are drawn with replacement: 95 % intervals of all figures, and of the paired differences
to the reference, with two-sided p-values (in place of the t-test of ASBU's paper, which takes
neither the pairs nor the pooling into account). All rows must be of the same images. AP and AR
of detectors are no ratios of sums over images: they are shown as they are.
'''


def named_path(text: str) -> Tuple[str, str]:
    """``[NAME=]PATH`` -> name, path; by default a config's name, or a folder's last two parts."""
    name, equals, path = text.rpartition('=')
    if not path or (equals and not name):
        raise argparse.ArgumentTypeError(f'expected [NAME=]PATH, got {text!r}')
    parts = Path(path).parts
    return name or (Path(path).stem if path.endswith('.py') else '/'.join(parts[-2:])), path


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('rows', nargs='+', type=named_path, metavar='[NAME=]PATH',
                        help='a config, or a folder with results')
    parser.add_argument('--reference', metavar='NAME',
                        help='row that the others are compared with')
    parser.add_argument('--figures', nargs='+', metavar='NAME',
                        help='columns, such as mIoU or amodal/AP_A_all (default: the main ones)')
    parser.add_argument('--run', action='store_true',
                        help='train and test configs that have no results yet')
    parser.add_argument('--cfg-options', nargs='+', action=Settings, metavar='KEY=VALUE',
                        help='override settings of the configs that --run trains and tests')
    parser.add_argument('--markdown', type=Path, metavar='FILE.md', help='write the table')
    parser.add_argument('--csv', type=Path, metavar='FILE.csv',
                        help='write it with all digits, one line a row')
    return parser.parse_args(args)


def main(args: Optional[Sequence[str]] = None) -> None:
    """Run what is missing, read, compare, print, write."""
    options = parse_args(args)
    check_names([name for name, _ in options.rows], options.reference)  # hours may follow
    for path, suffix in ((options.markdown, '.md'), (options.csv, '.csv')):
        if path is not None:
            check_output(path, suffix=suffix)
    for _, path in options.rows if options.run else ():
        if path.endswith('.py') and not (results_folder(path) / 'metrics.json').is_file():
            produce(path, options.cfg_options)
    rows = [read_row(name, path) for name, path in options.rows]
    names = known_figures(rows, options.figures)
    cells = compare(rows, names, options.reference)
    table = as_markdown(rows, names, cells, options.reference)
    print(table)
    for path, text in ((options.markdown, table), (options.csv, as_csv(rows, names, cells))):
        if path is not None:
            write_whole(path, text.encode())
            print(f'Wrote {path}')


if __name__ == '__main__':
    sys.exit(run_tool(main))
