"""What trainings leave on disk, and configs of them."""

from pathlib import Path

import torch
from mmengine.config import Config

from mmamodal.apis.running.checkpoints import Progress

BY_ITERATION = dict(type='IterBasedTrainLoop', max_iters=8)
NOT_BEGUN = Progress(None, 0, 8, 'iterations')


def save_checkpoint(path: Path, iterations: int = 0, epochs: int = 0, **weights) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(dict(meta=dict(iter=iterations, epoch=epochs), state_dict=weights), path)
    return path


def finished(folder: Path) -> Progress:
    return Progress(save_checkpoint(folder / 'iter_8.pth', 8), 8, 8, 'iterations')


def a_config(folder: Path, **keys) -> Config:
    return Config(dict(dict(train_cfg=BY_ITERATION, work_dir=str(folder), launcher='none'), **keys))


def labels_config(folder: Path, **model) -> Config:
    dataset = dict(ann_file=str(folder / 'train.json'))
    return Config(dict(model=dict(type='MaskCompleter', **model),
                       test_dataloader=dict(dataset=dataset), test_evaluator=dict(
                           type='PseudoLabelWriter', out_file=str(folder / 'labels.json'))))
