"""Turn a published checkpoint of PCNet-M or ASBU into one of this package."""

import argparse
import sys
from typing import Optional, Sequence

from mmamodal.apis.running.checkpoints import load_checkpoint, state_dict_of, write_checkpoint
from mmamodal.apis.running.command_line import run_tool
from mmamodal.files import check_output
from mmamodal.models.completion.published_unet import convert_published, widths

EPILOG = '''example:
  python tools/model_converters/pcnet.py COCOA_pcnet_m.pth.tar data/weights/pcnet-m_cocoa.pth
  python tools/test.py configs/pcnet/pcnet-m_unet_56k_cocoa.py data/weights/pcnet-m_cocoa.pth

A published checkpoint does not say what it was given nor by which loss it learned, and the shapes
are the same. The config must know; XXX is cocoa or kins:
  PCNet-M, ASBU's default_no_rgb         pcnet/pcnet-m_unet_*_XXX.py
  std_no_rgb_gaussian (ASBU's README)    asbu/uncertainty_unet_*_XXX.py
  boundary_no_rgb                        asbu/boundary_unet_*_XXX.py
  boundary_no_rgb_gaussian               asbu/asbu_unet_*_XXX.py
  std_no_rgb_cross_entropy_gaussian      asbu/ubce_unet_*_XXX.py'''


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoint', metavar='IN', help='the published checkpoint, a file or a '
                        'URL: a UNet of any width, without the image')
    parser.add_argument('out', metavar='OUT.pth', help='file to write')
    return parser.parse_args(args)


def main(args: Optional[Sequence[str]] = None) -> None:
    """Read, convert, write."""
    options = parse_args(args)
    check_output(options.out, options.checkpoint, suffix='.pth')
    weights = state_dict_of(load_checkpoint(options.checkpoint))
    try:
        made = convert_published(weights)
    except ValueError as error:
        raise ValueError(f'{options.checkpoint}: {error}') from None
    write_checkpoint(options.out, dict(meta={}, state_dict={
        f'network.{name}': value for name, value in made.items()}))
    channels = widths(weights)
    print(f'Wrote {options.out}: in_channels={channels[0]}, base_channels={channels[1]} of the '
          "config's model.network")


if __name__ == '__main__':
    sys.exit(run_tool(main))
