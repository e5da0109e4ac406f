"""A data set to look into: that of a config, or an annotation file."""

from typing import Optional

from mmdet.registry import DATASETS
from mmengine.registry import init_default_scope

from ...datasets.amodal_coco import AmodalCocoDataset
from ...datasets.formats import open_annotations
from .command_line import load_config


def open_data(source: str, split: str = 'train', format: Optional[str] = None,
              images: str = '', options: Optional[dict] = None) -> AmodalCocoDataset:
    """The dataset, without its pipeline; annotations are read when they are first needed.

    Args:
        source: path of a config (``.py``), or of an annotation file.
        split: of a config, whose ``<split>_dataloader`` says which data: train, val or test.
        format: of a file; see :func:`open_annotations`.
        images: folder of the images of a file.
        options: settings that override those of a config.

    Raises:
        ValueError: the config has no such split, or none with a dataset to look into, or a
            format is given besides; see also :func:`open_annotations`.
        FileNotFoundError: there is no such file.
    """
    init_default_scope('mmdet')
    if not source.endswith('.py'):
        return open_annotations(source, format, images)
    if format:
        raise ValueError(f'{source} is a config, which says how its files are read: leave out the '
                         f'format, {format!r}')
    cfg = load_config(source, options)
    loader = cfg.get(f'{split}_dataloader')
    if not loader:
        raise ValueError(f'config {source} has no {split}_dataloader: choose another split')
    dataset = dict(loader['dataset'])
    while isinstance(dataset.get('dataset'), dict):  # pairs of instances, repetitions
        dataset = dict(dataset['dataset'])
    data = DATASETS.build(dict(dataset, pipeline=[], test_mode=True, lazy_init=True))
    if not isinstance(data, AmodalCocoDataset):
        raise ValueError(f'the {split} data of config {source} are a {type(data).__name__}: '
                         'expected AmodalCocoDataset or a subclass')
    return data
