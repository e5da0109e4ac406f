"""Write what runs have learned and how well as one HTML page; print the metrics."""

import argparse
import sys
from pathlib import Path
from typing import List, Optional, Sequence, Tuple

from mmamodal.apis.running.command_line import run_tool
from mmamodal.files import write_whole
from mmamodal.visualization.report.page import page
from mmamodal.visualization.report.runs import (COMPLETER_COLUMNS, DETECTOR_COLUMNS, Run, read_run,
                                                table_as_text)


def named_dir(text: str) -> Tuple[str, Path]:
    """``NAME=DIR`` -> name, folder."""
    name, equals, folder = text.partition('=')
    if not (name and equals and folder):
        raise argparse.ArgumentTypeError(f'expected NAME=WORK_DIR, got {text!r}')
    return name, Path(folder)


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, required=True, help='HTML file to write')
    parser.add_argument('--completer', type=named_dir, action='append', default=[],
                        metavar='NAME=WORK_DIR', help='a stage-1 run; may be given repeatedly')
    parser.add_argument('--detector', type=named_dir, action='append', default=[],
                        metavar='NAME=WORK_DIR', help='a stage-2 run; may be given repeatedly')
    parser.add_argument('--title', default='Amodal masks learned from visible masks')
    options = parser.parse_args(args)
    if not options.completer and not options.detector:
        parser.error('expected at least one --completer or --detector')
    return options


def print_tables(completers: List[Run], detectors: List[Run]) -> None:
    """The metrics on the terminal."""
    for runs, columns in ((completers, COMPLETER_COLUMNS), (detectors, DETECTOR_COLUMNS)):
        if any(run.metrics for run in runs):
            print(table_as_text(runs, columns), end='\n\n')
    print('In percent; * is the best of a column.')


def main(args: Optional[Sequence[str]] = None) -> None:
    """Read the runs, print the tables, write the page."""
    options = parse_args(args)
    completers = [read_run(name, folder) for name, folder in options.completer]
    detectors = [read_run(name, folder) for name, folder in options.detector]
    print_tables(completers, detectors)
    write_whole(options.out, page(options.title, completers, detectors).encode())
    print(f'Wrote {options.out}')


if __name__ == '__main__':
    sys.exit(run_tool(main))
