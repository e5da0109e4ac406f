"""Draw a completer's reliability diagram from the bins that --eval calibration writes."""

import argparse
import json
import sys
from pathlib import Path
from typing import Dict, Optional, Sequence

import numpy as np

from mmamodal.apis.running.command_line import run_tool
from mmamodal.files import check_output, write_whole
from mmamodal.visualization.plots.reliability import REGIONS, reliability_diagram

EXAMPLE = '''example:
  python tools/test.py configs/asbu/asbu_unet_scenes.py work_dirs/asbu_unet_scenes/iter_2000.pth \\
      --eval calibration
  python tools/analysis_tools/reliability.py work_dirs/asbu_unet_scenes/test/calibration.json \\
      --title "ASBU on drawn scenes" --out reliability.png'''


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLE,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('bins', type=Path, metavar='BINS.json',
                        help='calibration.json of tools/test.py --eval calibration')
    parser.add_argument('--title', help='of the picture; default: the name of the file')
    parser.add_argument('--out', type=Path, required=True, metavar='FILE.png',
                        help='the picture')
    return parser.parse_args(args)


def read_bins(path: Path) -> Dict[str, dict]:
    """The bins that CalibrationMetric wrote; ValueError if the file holds none."""
    try:
        bins = json.loads(path.read_text(encoding='utf-8'))
        known = set(bins) == set(REGIONS) and all(
            np.shape(sums['reliability'])[0] == 3 for sums in bins.values())
    except (ValueError, TypeError, AttributeError, KeyError, IndexError):
        known = False
    if not known:
        raise ValueError(f'{path} holds no bins of {" and ".join(REGIONS)}: expected the '
                         'calibration.json that tools/test.py --eval calibration writes')
    return bins


def main(args: Optional[Sequence[str]] = None) -> None:
    """Read the bins, write the picture."""
    options = parse_args(args)
    check_output(options.out, options.bins, suffix='.png')
    bins = read_bins(options.bins)
    pixels = sum(bins['occluded']['reliability'][0])
    write_whole(options.out, reliability_diagram(
        bins, options.title or str(options.bins), f'{pixels:,.0f} pixels behind occluders'))
    print(f'Wrote {options.out}')


if __name__ == '__main__':
    sys.exit(run_tool(main))
