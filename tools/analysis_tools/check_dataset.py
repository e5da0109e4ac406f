"""Hold the annotations of a data set against their masks, each other, and the image files."""

import argparse
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Iterable, List, Optional, Sequence, Tuple

from mmengine.utils import track_iter_progress

from mmamodal.annotations.check_report import as_dict, as_text, count_violations
from mmamodal.annotations.checks import KINDS, NOTES, Violation, check_dataset
from mmamodal.annotations.image_checks import image_dir_of
from mmamodal.annotations.mending import MENDED, mend
from mmamodal.apis.running.command_line import run_tool
from mmamodal.apis.running.open_data import open_data
from mmamodal.datasets import AmodalCocoDataset
from mmamodal.datasets.formats import FORMATS
from mmamodal.files import check_output, write_json

EXAMPLE = '''examples:
  python tools/analysis_tools/check_dataset.py data/KINS/instances_train.json \\
      --images data/KINS/training/image_2
  python tools/analysis_tools/check_dataset.py configs/asbu/asbu_unet_56k_cocoa.py --split val
  python tools/analysis_tools/check_dataset.py mine.json --fix mended.json --out report.json

The exit status is 0 if there is no violation (notes are none), 1 if there is one, or if the file
cannot be read at all, 2 for a wrong command line; with --fix it is that of the input.

RLEs are compared pixel by pixel; where a polygon takes part, a rim of up to two pixels is allowed,
since programs fill outlines differently. What is looked for:
''' + '\n'.join(f'  {kind:<17}{meaning}' for kind, meaning in KINDS.items())


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLE,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('source', metavar='CONFIG|FILE', help='a config (.py), or a file')
    parser.add_argument('--split', choices=['train', 'val', 'test'], default='train',
                        help='which data of a config (default: train)')
    parser.add_argument('--format', choices=list(FORMATS), help='of a file (default: told by its '
                        'keys)')
    parser.add_argument('--images', metavar='DIR', default='', help='folder of the images '
                        "(default: the config's, or one near the file)")
    parser.add_argument('--fix', type=Path, metavar='OUT.json', help='write the annotations as '
                        'amodal COCO, mended; what cannot be mended is left out or stays')
    parser.add_argument('--out', type=Path, metavar='REPORT.json', help='write all violations')
    parser.add_argument('--most', type=int, default=5, metavar='N', help='how many of a kind to '
                        'print (default: 5)')
    options = parser.parse_args(args)
    if options.most < 0:
        parser.error(f'expected --most of 0 or more, got {options.most}')
    return options


def read_data(dataset: AmodalCocoDataset) -> Tuple[object, List[Violation]]:
    """The file as amodal COCO; where a reader refuses it, None and that as a violation."""
    try:
        if type(dataset) is AmodalCocoDataset and not dataset.image_ids:
            return dataset.read_coco(), []  # as it is, however broken
        return dataset.as_amodal_coco(), []
    except ValueError as error:
        return None, [Violation('structure', f'{type(dataset).__name__} cannot read it: {error}')]


def image_dirs(dataset: AmodalCocoDataset, images: str) -> List[str]:
    """Where the images may be."""
    known = images or dataset.data_prefix.get('img', '')
    if known or not dataset.ann_file:  # without a file, images are drawn
        return [known] if known else []
    folder = os.path.dirname(dataset.ann_file)
    return [os.path.normpath(os.path.join(folder, name)) for name in ('.', 'images', '../images')]


def find_images(coco: object, dataset: AmodalCocoDataset, images: str) -> Optional[str]:
    """The folder whose files are compared; a folder that is asked for is, whatever it holds."""
    if images and not os.path.isdir(images):
        raise ValueError(f'--images {images} is not a folder')
    return images or image_dir_of(coco, image_dirs(dataset, images))


def check(dataset: AmodalCocoDataset, images: str) -> Tuple[object, List[Violation]]:
    """The data and all that is wrong with them."""
    coco, found = read_data(dataset)
    if found:
        return coco, found
    folder, folders = find_images(coco, dataset, images), image_dirs(dataset, images)
    found = check_dataset(coco, folder, dataset.margin, with_progress)
    if folder is None and folders and is_coco(coco, found):
        found.append(Violation('not_compared', f"no image file of it is in {' or '.join(folders)}: "
                               'give --images'))
    return coco, found


def is_coco(coco: object, found: Sequence[Violation]) -> bool:
    """Whether there are lists of images and annotations."""
    return isinstance(coco, dict) and all(v.kind != 'structure' or v.table for v in found)


def with_progress(tasks: list) -> Iterable:
    """A bar on stderr, so that what is on stdout can be kept."""
    return track_iter_progress(tasks, file=sys.stderr)


def check_outputs(options: argparse.Namespace, dataset: AmodalCocoDataset) -> None:
    """Refuse to write over what is read, or one file over the other."""
    taken = [options.source, dataset.ann_file, *getattr(dataset, 'more_ann_files', [])]
    for path in (options.fix, options.out):
        if path is not None:
            check_output(path, *taken)
            taken.append(path)


def write_mended(coco: object, found: Sequence[Violation], source: str, out: Path) -> None:
    """Write what can be mended, and say what was done."""
    if not is_coco(coco, found):
        raise ValueError(f'{source} cannot be mended: it is no COCO file with images and '
                         'annotations')
    mended, counts = mend(coco, found)
    write_json(out, mended)
    done = ', '.join(f'{number} {what}' for what, number in counts.items()) or 'nothing mended'
    left = Counter(one.kind for one in found if one.kind not in (*MENDED, *NOTES))
    rest = ', '.join(f'{number} {kind}' for kind, number in left.items())
    print(f'\nWrote {out}: {done}' + (f'; cannot be mended: {rest}' if rest else ''))


def main(args: Optional[Sequence[str]] = None) -> None:
    """Check, print, write; exit status 1 if there is a violation."""
    options = parse_args(args)
    dataset = open_data(options.source, options.split, options.format, options.images)
    check_outputs(options, dataset)
    coco, found = check(dataset, options.images)
    print(as_text(dataset.source, coco, found, options.most))
    if options.out is not None:
        write_json(options.out, as_dict(dataset.source, found))
    if options.fix is not None:
        write_mended(coco, found, dataset.source, options.fix)
    if count_violations(found):
        sys.exit(1)


if __name__ == '__main__':
    sys.exit(run_tool(main))
