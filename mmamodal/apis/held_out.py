"""Data to choose thresholds on: a validation split that is not reported, or synthetic occlusions
of visible masks that were not trained on.

Letters: S patch side.
"""

import os
from pathlib import Path
from typing import List, Optional, Set

import numpy as np
import torch
from mmdet.registry import DATASETS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.runner import set_random_seed
from mmengine.structures import InstanceData

from ..datasets.coco_files import read_ids
from ..structures.amodal_masks import AmodalMasks
from .label import annotation_files
from .running.command_line import config_name

# Options of a dataset that hold for another file, too; others name images, folders or keys.
OF_ANY_FILE = ('metainfo', 'one_class', 'filter_cfg', 'margin')


def validation_split(cfg: Config) -> dict:
    """The dataloader of the config's validation split, which must have amodal truth.

    Raises:
        ValueError: it has none, or it is what is trained on or tested.
        FileNotFoundError: a list of image ids, which tells it from what is tested, is missing.
    """
    loader = cfg.get('val_dataloader')
    if not loader or loader.dataset.get('visible_only'):
        raise ValueError(f'{config_name(cfg)} has no validation split with amodal truth: set '
                         'val_dataloader, or make occlusions of held-out visible masks with '
                         '--synthetic FILE')
    train, test = cfg.get('train_dataloader'), cfg.get('test_dataloader')
    if train and real_files(loader.dataset) and (
            real_files(loader.dataset) == real_files(train.dataset)):
        raise ValueError(f'{config_name(cfg)} trains and validates on the same data, '
                         f'{describe(loader.dataset)}: set val_dataloader.dataset to other data, '
                         'or give --synthetic FILE')
    if test and share_images(loader.dataset, test.dataset):
        raise ValueError(f'{config_name(cfg)} validates and tests on the same data, '
                         f'{describe(loader.dataset)}: thresholds chosen there would flatter what '
                         'is reported; set val_dataloader.dataset or test_dataloader.dataset to '
                         'other data (or image_ids of both to lists without a common id), or give '
                         '--synthetic FILE')
    return loader


def held_out_pairs(cfg: Config, path: str) -> dict:
    """The training dataset of a config, on another file of visible masks.

    The second object is always in front: the pictures have both orders all the same.

    Raises:
        ValueError: the file is trained on or reported, or the network needs images.
    """
    if cfg.model.get('with_image'):
        raise ValueError(f'{config_name(cfg)} needs images, and synthetic occlusions have none: '
                         'choose on a validation split with amodal truth')
    pairs = cfg.train_dataloader.dataset.to_dict()
    used = [pairs['dataset'], *(loader.dataset for loader in [cfg.get('test_dataloader')]
                                if loader and not loader.dataset.get('visible_only'))]
    if os.path.realpath(path) in [file for dataset in used for file in real_files(dataset)]:
        raise ValueError(f'{path} is what {config_name(cfg)} trains on or reports: give a file of '
                         'visible masks that were held out')
    steps = {step['type']: step for step in pairs['pipeline']}
    placed = dict(steps['PlaceOccluder'], front_prob=1.0)
    kept = {key: pairs['dataset'][key] for key in OF_ANY_FILE if key in pairs['dataset']}
    return dict(type='InstancePairDataset', pipeline=[steps['CropPair'], placed], dataset=dict(
        kept, type='AmodalCocoDataset', ann_file=path, visible_only=True))


def synthetic_samples(dataset: dict, count: int) -> List[dict]:
    """Batches of one picture of two objects each, always the same ones."""
    set_random_seed(0)
    built = DATASETS.build(dataset)
    chosen = np.random.permutation(len(built))
    return [dict(data_samples=[picture_of_pair(built[chosen[k % len(built)]], k)])
            for k in range(count)]


def picture_of_pair(pair: dict, img_id: int) -> DetDataSample:
    """An object and the one in front of it, as a picture of S×S pixels with amodal truth.

    Args:
        pair: from PlaceOccluder, set 1: ``target``, ``mask`` and ``occluder`` (S, S) uint8.
        img_id: the picture's id.
    """
    amodal = np.stack([pair['target'], pair['occluder']])
    visible = np.stack([pair['mask'], pair['occluder']])
    truth = InstanceData(
        masks=AmodalMasks(amodal, *amodal.shape[1:], visible=visible),
        labels=torch.zeros(2, dtype=torch.long),
        category_ids=torch.tensor([pair[key]['category_id'] for key in ('instance', 'other')]))
    return DetDataSample(gt_instances=truth, metainfo=dict(img_id=img_id, visible_only=False))


def real_files(dataset: dict) -> List[str]:
    """The files that say which objects a dataset has, also of one that it wraps."""
    return [os.path.realpath(file) for file in annotation_files(dataset)]


def source(dataset: dict) -> tuple:
    """What tells data from other data: the file, or the split and seed of drawn scenes."""
    path = real_files(dataset)[0] if dataset.get('ann_file') else ''
    return path, dataset.get('split'), dataset.get('seed')


def share_images(one: dict, other: dict) -> bool:
    """Whether two datasets may have images in common: they are of one source, and not restricted
    to different images of it."""
    if source(one) != source(other):
        return False
    first, second = chosen_ids(one), chosen_ids(other)
    return first is None or second is None or not first.isdisjoint(second)


def chosen_ids(dataset: dict) -> Optional[Set[int]]:
    """The ids of the images that ``image_ids`` restricts a dataset to; None: it does not.

    Raises:
        FileNotFoundError: the list is missing.
    """
    name = dataset.get('image_ids')
    return set(read_ids(str(Path(dataset.get('data_root') or '') / name))) if name else None


def describe(dataset: dict) -> str:
    """Where a dataset comes from, in words."""
    return ', '.join(str(part) for part in (dataset['type'], *source(dataset)) if part)
