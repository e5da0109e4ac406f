"""Show the order of objects that a completer predicts: as a list, a graph and pictures."""

import argparse
import re
import sys
from pathlib import Path
from typing import Iterator, Optional, Sequence, Tuple

import numpy as np
import torch
from mmdet.registry import DATASETS
from mmengine.dataset import pseudo_collate
from torch.utils.data import Dataset

from mmamodal.apis.running.command_line import Settings, default_work_dir, load_config, run_tool
from mmamodal.apis.running.models import load_model
from mmamodal.structures.contacts import find_contacts, with_mutual
from mmamodal.visualization.order.files import ImageOrder, order_lines, write_order

EXAMPLE = '''example:
  python tools/analysis_tools/order_graph.py configs/asbu/asbu_unet_scenes.py \\
      work_dirs/asbu_unet_scenes/iter_2000.pth --number 5 \\
      --cfg-options model.context=neighbours test_dataloader.dataset.mutual=True

Of the first images of the config's test data are written, by image id:

  1.png         the graph over the image, and who is in front at each place where objects touch
  1.dot         the graph for Graphviz
  1.json        matrix, list from back to front, rings, contacts
  1_mutual_1_2.png  objects 1 and 2, which occlude each other

Only with model.context=neighbours are two objects completed that occlude each other: an order has
one sign for a pair, and completes but the one behind.'''


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLE,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='path of the config of a completer')
    parser.add_argument('checkpoint', help="path of the weights; 'none' for a model without any")
    parser.add_argument('--out-dir', type=Path, metavar='DIR', help='folder for the files '
                        '(default: work_dirs/<config>/order)')
    parser.add_argument('--number', type=int, default=20, help='how many images (default: '
                        '%(default)s)')
    parser.add_argument('--cfg-options', nargs='+', action=Settings, metavar='KEY=VALUE',
                        help='override settings of the config')
    return parser.parse_args(args)


@torch.no_grad()
def predict(options: argparse.Namespace) -> Iterator[Tuple[str, np.ndarray, ImageOrder]]:
    """Id, image and order of each image.

    Raises:
        ValueError: the model is no completer.
    """
    cfg = load_config(options.config, options.cfg_options)
    model = load_model(cfg, options.checkpoint)
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    for index in range(min(options.number, len(dataset))):
        sample = model.test_step(pseudo_collate([dataset[index]]))[0]
        if 'pred_order' not in sample:
            raise ValueError(f'{options.config} has a {type(model).__name__}, which predicts no '
                             'order: expected a completer')
        visible = model.closed(sample.gt_instances.masks.visible.masks)
        yield str(sample.img_id), dataset.read_image(index), read_order(sample, visible, dataset)


def read_order(sample: object, visible: np.ndarray, dataset: Dataset) -> ImageOrder:
    """The order that was predicted for a data sample, and that of each contact.

    Args:
        sample: with predictions of a completer.
        visible: (N, H, W) uint8 masks as the completer took them, gaps closed.
        dataset: of which the sample is.
    """
    completed = np.asarray(sample.pred_instances.masks).astype(np.uint8)
    classes = dataset.metainfo['classes']
    contacts = find_contacts(visible, completed)
    return ImageOrder([classes[label] for label in sample.gt_instances.labels.tolist()], visible,
                      completed, with_mutual(sample.pred_order.numpy(), contacts), contacts)


def main(args: Optional[Sequence[str]] = None) -> None:
    """Predict, print, write."""
    options = parse_args(args)
    if options.number < 1:
        raise ValueError(f'expected a --number of at least 1, got {options.number}')
    out_dir = options.out_dir or Path(default_work_dir(options.config), 'order')
    for name, image, result in predict(options):
        print(f'image {name}: {len(result.names)} objects')
        print(''.join(f'  {line}\n' for line in order_lines(result)), end='')
        write_order(out_dir / re.sub(r'[^\w.-]', '_', name), image, result)
    print(f'Wrote pictures, graphs and lists to {out_dir}')


if __name__ == '__main__':
    sys.exit(run_tool(main))
