"""Make images with occlusion and exact amodal truth from objects that are not occluded."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Callable, List, Optional, Sequence

from mmamodal.annotations.dataset_statistics import Statistics, occlusion_statistics, table
from mmamodal.apis.running.command_line import run_tool
from mmamodal.composites.composer import Composer
from mmamodal.composites.files import ANNOTATIONS, generate
from mmamodal.composites.fit import MODAL_AUG, RANGES, Figures, fit
from mmamodal.composites.sources import Sources, describe, find_sources
from mmamodal.datasets.formats import FORMATS, open_annotations
from mmamodal.datasets.pasting.paste_layout import PasteOptions
from mmamodal.version import __version__

EPILOG = '''examples:
  D2S, as it is released (visible masks of single objects on a plain ground):
  python tools/dataset_converters/d2s_modal_aug.py data/D2S/annotations/D2S_training.json \\
      --images data/D2S/images --out-dir data/D2S/modal_aug --even-size 0 --fit

  any COCO file, on pictures of your own:
  python tools/dataset_converters/d2s_modal_aug.py data/coco/annotations/instances_train2017.json \\
      --images data/coco/train2017 --backgrounds data/grounds --out-dir data/coco/modal_aug

"D2S amodal modal augmented" of "Learning to See the Invisible: End-to-End Trainable Amodal
Instance Segmentation" (WACV 2019) was never released; this makes a set like it. Whole objects
are cut out, turned, and pasted on top of each other, the last one in front: no crowd, not
occluded, not at the rim of the photo, not small, and, where the file has visible masks only, in
one piece and touching no other object. They are pasted on the pictures of --backgrounds; without
it, on those images of the data set that objects cover least, objects painted out smoothly from
around them.

How much is hidden follows from --density, --max-occlusion and --even-size. Their defaults give
the figures of the paper's Table 3 for cut-outs of COCO; --fit finds those that do for yours, on
masks alone, in a minute or two. What it is given on the command line it leaves alone.

OUT_DIR gets images/ and annotations.json: amodal COCO, with invisible_mask, order (1 is in
front) and source_annotation_id. Image k depends on the source, the settings and (seed, k) only,
so that any number of workers gives the same. The same command goes on after a kill.'''

# Table 3 of the paper; rates of its last two rows are rounded to percents there.
PAPER = {
    'paper, modal aug': Statistics(2000, 1930, 15851, 11302, 0.23, 0.33),
    'paper, aug': Statistics(1562, 1507, 12376, 8798, 0.23, 0.33)
}
DEFAULTS = PasteOptions()


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('ann_file', metavar='ANN_FILE', help='annotations to take objects from')
    parser.add_argument('--images', required=True, metavar='DIR', help='folder of their images')
    parser.add_argument('--out-dir', required=True, type=Path, metavar='DIR',
                        help='folder to write to')
    parser.add_argument('--format', choices=list(FORMATS), help='of ANN_FILE; coco takes visible '
                        'masks only (default: guessed from its keys)')
    parser.add_argument('--backgrounds', type=Path, metavar='DIR',
                        help="folder of pictures to paste on (default: the data set's own)")
    parser.add_argument('--number', type=_at_least(1), default=2000, help='of images (default: '
                        '2000)')
    parser.add_argument('--seed', type=_at_least(0), default=0)
    parser.add_argument('--workers', type=_at_least(0), default=2, help='processes (default: 2)')
    parser.add_argument('--suffix', choices=['jpg', 'png'], default='jpg',
                        help='of the images: jpg of quality 95, or png (default: jpg)')
    _add_sources(parser)
    _add_options(parser)
    return parser.parse_args(args)


def _add_sources(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('objects')
    group.add_argument('--min-area', type=_at_least(1), default=1024, metavar='PX',
                       help='least number of pixels of an object (default: 1024)')
    group.add_argument('--touching', action='store_true', help='take objects that touch others '
                       'or are in pieces, too, where nothing says whether they are occluded')


def _add_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('pasting')
    pair = dict(nargs=2, metavar=('MIN', 'MAX'))
    group.add_argument('--objects', type=int, default=DEFAULTS.objects, **pair,
                       help='number of objects of an image (default: %d %d)' % DEFAULTS.objects)
    group.add_argument('--rotate', type=float, default=DEFAULTS.max_angle, metavar='DEGREES',
                       help='objects are turned by up to this to either side (default: 180, any '
                       'turn)')
    group.add_argument('--scale', type=float, default=DEFAULTS.scale, **pair,
                       help="random factor of an object's length (default: 1 1)")
    group.add_argument('--min-visible', type=_at_least(0), default=DEFAULTS.min_visible,
                       metavar='PX', help='least number of pixels that stay visible of an object '
                       '(default: %(default)s)')
    for name, text in (
            ('max-occlusion', 'greatest hidden share of an object that another is pasted on'),
            ('density', 'share of the region which objects would cover side by side: larger '
             'packs them closer; 0 spreads them over the image'),
            ('even-size', '0 leaves objects as large as they are, 1 makes all equally large')):
        default = getattr(DEFAULTS, name.replace('-', '_'))
        group.add_argument(f'--{name}', type=float, metavar='F',
                           help=f'{text} (default: {default})')
    group.add_argument('--fit', action='store_true', help='search the last three, as far as they '
                       "are not given, for the figures of the paper's modal aug")


def _at_least(least: int) -> Callable[[str], int]:
    def whole(text: str) -> int:
        if int(text) < least:
            raise argparse.ArgumentTypeError(f'expected a whole number of at least {least}, got '
                                             f'{text}')
        return int(text)
    return whole


def paste_options(arguments: argparse.Namespace) -> PasteOptions:
    """The options of the command line, with defaults for what is not given."""
    given = {name: getattr(arguments, name) for name in RANGES
             if getattr(arguments, name) is not None}
    return replace(DEFAULTS, objects=tuple(arguments.objects), max_angle=arguments.rotate,
                   scale=tuple(arguments.scale), min_visible=arguments.min_visible, **given)


def fit_options(sources: Sources, options: PasteOptions, free: List[str]) -> PasteOptions:
    """Search the free options, and say what was found."""
    print(f'Fitting {", ".join(free)} on simulated images …', flush=True)
    options, figures = fit(sources, options, free)
    for name, values in (('found', figures), ('paper', MODAL_AUG)):
        print(f'  {name}: {_in_words(values)}')
    print('  ' + ' '.join(f'--{name.replace("_", "-")} {getattr(options, name)}'
                          for name in RANGES))
    return options


def _in_words(figures: Figures) -> str:
    return (f'img OR {figures.images_percent:.1f}, obj OR {figures.objects_percent:.1f}, avg OR '
            f'all {figures.all_percent:.1f}, occl {figures.occluded_percent:.1f}, '
            f'{figures.objects_per_image:.2f} objects per image')


def main(args: Optional[Sequence[str]] = None) -> None:
    """Find the sources, make the images, print Table 3."""
    arguments = parse_args(args)
    options = paste_options(arguments)
    dataset = open_annotations(arguments.ann_file, arguments.format, arguments.images,
                               lazy_init=False)
    sources = find_sources(dataset, arguments.backgrounds, arguments.min_area, arguments.touching)
    print(f'\n{len(sources.cut_outs)} objects to cut out, {len(sources.backgrounds)} backgrounds; '
          f'left out: {describe(sources.left_out)}')
    free = [name for name in RANGES if getattr(arguments, name) is None]
    if arguments.fit and free:
        options = fit_options(sources, options, free)
    composer = Composer(dataset, sources, options, arguments.seed, arguments.suffix)
    info = dict(description='Whole objects pasted on each other, with exact amodal masks',
                source=arguments.ann_file, version=__version__)
    coco = generate(composer, arguments.out_dir, arguments.number, arguments.workers, info)
    found = occlusion_statistics(coco, str(arguments.out_dir / ANNOTATIONS))
    print(table({'this set': found, **PAPER}))
    print(f'{found.objects / found.images:.2f} objects per image (paper, modal aug: '
          f'{MODAL_AUG.objects_per_image:.2f})')


if __name__ == '__main__':
    sys.exit(run_tool(main, resumes=True))
