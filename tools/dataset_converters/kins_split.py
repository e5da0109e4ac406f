"""Split KINS's training images at random into 6,000 for training and 1,474 for validation."""

import argparse
import sys
from pathlib import Path
from typing import List, Optional, Sequence, Tuple

import numpy as np

from mmamodal.apis.running.command_line import run_tool
from mmamodal.datasets.coco_checks import check_coco
from mmamodal.datasets.coco_files import read_json
from mmamodal.datasets.formats import guess_format
from mmamodal.files import write_whole

KINS_IMAGES = 7474
EPILOG = '''example:
  python tools/dataset_converters/kins_split.py data/KINS/instances_train.json data/KINS

The sizes are those of "A Weakly Supervised Amodal Segmenter with Boundary Uncertainty Estimation"
(ICCV 2021), which does not say which images they were: report the seed. Equal image ids and
seeds give equal splits, in whichever order a file has them. Files of both years do.'''
USAGE = '''in a config, on top of {ann_file}:
  train: image_ids='{train}'
  val:   ann_file, data_prefix as for train, and image_ids='{val}'
(paths are joined to data_root, here taken to be the folder of the annotation file)'''


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('ann_file', help='instances_train.json or update_train_2020.json')
    parser.add_argument('out_dir', type=Path, help='folder for kins_train_6000.txt and '
                        'kins_val_1474.txt, which hold one image id a line')
    parser.add_argument('--train', type=int, default=6000, metavar='N',
                        help='images for training; the others are for validation (default: 6000)')
    parser.add_argument('--seed', type=int, default=0, help='of the random choice (default: 0)')
    return parser.parse_args(args)


def split(image_ids: Sequence[int], train: int, seed: int) -> Tuple[List[int], List[int]]:
    """``train`` of the ids at random, and the others, both sorted.

    Raises:
        ValueError: there are not more of them than ``train``, or an id comes twice.
    """
    ids = sorted(image_ids)
    if len(set(ids)) < len(ids):
        raise ValueError('two images have the same id: expected unique ones')
    if not 0 < train < len(ids):
        raise ValueError(f'expected more images than the {train} for training, and one of those at '
                         f'least, got {len(ids)} images: give another --train')
    # RandomState, unlike newer generators, promises the same numbers in every version of NumPy.
    order = np.random.RandomState(seed).permutation(len(ids))
    return sorted(ids[i] for i in order[:train]), sorted(ids[i] for i in order[train:])


def from_root(path: Path, ann_file: str) -> str:
    """``path`` as a config has it whose data_root is the folder of ``ann_file``."""
    root, path = Path(ann_file).resolve().parent, path.resolve()
    return str(path.relative_to(root) if root in path.parents else path)


def main(args: Optional[Sequence[str]] = None) -> None:
    """Split and write both lists."""
    options = parse_args(args)
    if not 0 <= options.seed < 2**32:
        raise ValueError(f'expected a --seed from 0 to 2**32 - 1, got {options.seed}')
    coco = check_coco(read_json(options.ann_file), options.ann_file)
    if guess_format(coco) not in ('kins', 'kins2020'):
        raise ValueError(f'{options.ann_file} is no file of KINS: its annotations have the keys of '
                         f'{guess_format(coco)}; give instances_train.json or '
                         'update_train_2020.json')
    images = coco['images']
    try:
        parts = split([image['id'] for image in images], options.train, options.seed)
    except ValueError as error:
        raise ValueError(f'{options.ann_file}: {error}') from None
    if len(images) != KINS_IMAGES:
        print(f'{options.ann_file} has {len(images):,} images; KINS has {KINS_IMAGES:,} for '
              f'training: the remaining {len(parts[1]):,} are for validation')
    paths = [options.out_dir / f'kins_{name}_{len(ids)}.txt'
             for name, ids in zip(('train', 'val'), parts)]
    texts = [''.join(f'{image_id}\n' for image_id in ids).encode() for ids in parts]
    for path, text in zip(paths, texts):
        if path.is_file() and path.read_bytes() != text:
            raise ValueError(f'{path} holds another split, of another seed or file: give another '
                             'OUT_DIR, or move it away')
    for path, ids, text in zip(paths, parts, texts):
        write_whole(path, text)
        print(f'Wrote {path}: {len(ids):,} image ids, seed {options.seed}')
    train, val = (from_root(path, options.ann_file) for path in paths)
    print(USAGE.format(ann_file=options.ann_file, train=train, val=val))


if __name__ == '__main__':
    sys.exit(run_tool(main))
