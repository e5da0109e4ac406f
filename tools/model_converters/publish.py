"""Make a small file of a trained completer: weights in half precision, no optimizer, no paths."""

import argparse
import sys
from pathlib import Path
from typing import Optional, Sequence

from mmamodal.apis.publish import publish
from mmamodal.apis.running.command_line import run_tool
from mmamodal.files import sha256

EPILOG = '''example:
  python tools/model_converters/publish.py work_dirs/asbu_unet-p128_3k_coco/iter_3000.pth \\
      mmamodal/weights/asbu_unet_coco.pth
writes mmamodal/weights/asbu_unet_coco-1a2b3c4d.pth, named after its SHA-256. There, it is loaded
by the name mmamodal://asbu_unet_coco; anywhere else, by its path.'''


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoint', metavar='CHECKPOINT', help='checkpoint of a training; of one '
                        'with EMAHook the averaged weights are taken')
    parser.add_argument('out', metavar='OUT.pth', type=Path,
                        help='file to write, without the digits that are added to its name')
    return parser.parse_args(args)


def main(args: Optional[Sequence[str]] = None) -> None:
    """Read, convert, write."""
    options = parse_args(args)
    path = publish(options.checkpoint, options.out)
    print(f'Wrote {path} ({path.stat().st_size / 1e6:.1f} MB)\nSHA-256 {sha256(path)}')


if __name__ == '__main__':
    sys.exit(run_tool(main))
