"""Draw samples of a config's dataset as the model gets them, after the pipeline."""

import argparse
import sys
from pathlib import Path
from typing import List, Optional, Sequence

import cv2
import numpy as np
from mmdet.registry import DATASETS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.utils import track_iter_progress
from torch.utils.data import Dataset

from mmamodal.apis.running.command_line import Settings, default_work_dir, load_config, run_tool
from mmamodal.files import write_whole
from mmamodal.visualization.samples import (SamplePicture, choose_samples, contact_sheet,
                                            sample_picture)

EXAMPLE = '''example:
  python tools/analysis_tools/browse_dataset.py configs/asbu/asbu_unet_scenes.py --number 8

Detectors, and completers in a test: the amodal mask of each object is outlined, its visible part
filled, its invisible part striped. Completers in training: set 1 (the second object is in front)
and set 2 (behind) begin the names of the files.'''
SPLITS = ('train', 'val', 'test')


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLE,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='path of the config')
    parser.add_argument('--split', default='train', help=f'{", ".join(SPLITS)} (default: train)')
    parser.add_argument('--number', type=int, default=16, help='how many samples (default: 16)')
    parser.add_argument('--out-dir', type=Path, metavar='DIR', help='folder for the pictures '
                        '(default: work_dirs/<config>/samples_<split>)')
    parser.add_argument('--ids', nargs='+', default=[], metavar='ID', help='these samples: ids of '
                        'images, or for the training of a completer of annotations')
    parser.add_argument('--seed', type=int, default=0, help='of the choice of samples and of '
                        'their pipeline (default: 0)')
    parser.add_argument('--cfg-options', nargs='+', action=Settings, metavar='KEY=VALUE',
                        help='override settings of the config')
    return parser.parse_args(args)


def build_dataset(cfg: Config, split: str) -> Dataset:
    """The dataset of a split, with its pipeline.

    Raises:
        ValueError: there is no such split, or the config has no data for it.
    """
    if split not in SPLITS:
        raise ValueError(f'--split {split}: expected one of {", ".join(SPLITS)}')
    known = [name for name in SPLITS if cfg.get(f'{name}_dataloader')]
    if split not in known:
        raise ValueError(f'{cfg.filename} has no {split}_dataloader: expected --split to be one '
                         f'of {", ".join(known) or "those of another config"}')
    init_default_scope(cfg.get('default_scope', 'mmdet'))
    return DATASETS.build(cfg[f'{split}_dataloader'].dataset)


def write_pictures(dataset: Dataset, indices: Sequence[int], seed: int,
                   out_dir: Path) -> List[SamplePicture]:
    """One PNG a sample; gives back the pictures of those that the pipeline does not drop."""
    pictures = []
    try:
        for index in track_iter_progress(indices):
            picture = sample_picture(dataset, index, seed)
            if picture is not None:
                write_png(out_dir / f'{picture.name}.png', picture.picture)
                pictures.append(picture)
    except Exception:
        print()  # The error is not to stand behind the progress bar.
        raise
    return pictures


def main(args: Optional[Sequence[str]] = None) -> None:
    """Choose samples, draw them, and draw them all small on one sheet."""
    options = parse_args(args)
    cfg = load_config(options.config, options.cfg_options)
    dataset = build_dataset(cfg, options.split)
    out_dir = options.out_dir or Path(default_work_dir(options.config), f'samples_{options.split}')
    indices = choose_samples(dataset, options.number, options.ids, options.seed)
    pictures = write_pictures(dataset, indices, options.seed, out_dir)
    if not pictures:
        raise ValueError(f'the pipeline of {options.config} drops all {len(indices)} samples: '
                         'give other --ids, or look for what filters them')
    write_png(out_dir / 'index.png', contact_sheet(pictures))
    dropped = len(indices) - len(pictures)
    print(f'Wrote index.png and pictures of {len(pictures)} samples to {out_dir}'
          + f'; the pipeline drops {dropped} more' * (dropped > 0))


def write_png(path: Path, picture: np.ndarray) -> None:
    """A BGR picture as a PNG file, whole or not at all."""
    write_whole(path, cv2.imencode('.png', picture)[1].tobytes())


if __name__ == '__main__':
    sys.exit(run_tool(main))
