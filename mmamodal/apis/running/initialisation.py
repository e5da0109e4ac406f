"""Weights that a training begins with: whether they can be had, before hours are spent."""

import copy
from pathlib import Path
from typing import List, Optional

from mmengine.config import Config
from mmengine.utils.dl_utils import load_url

from ...weights import PREFIX, local_file
from .checkpoints import Progress

REMEDY = ('give a file that is here: --cfg-options model.backbone.init_cfg.checkpoint=/path/to/'
          'resnet50.pth (ImageNet) or load_from=/path/to/mask_rcnn.pth (a whole detector, such '
          'as one trained on COCO); or begin from scratch with model.backbone.init_cfg=None; '
          'a completer has its backbone in model.network.backbone')


def check_initialisation(cfg: Config, progress: Progress, resume: Optional[str] = None) -> None:
    """Fetch or find the weights that a training begins with; nothing if it resumes.

    Raises:
        ValueError: they cannot be downloaded, or the file does not exist; says what to do.
    """
    if resume:
        if '://' not in resume and not Path(resume).expanduser().is_file():
            raise ValueError(f'checkpoint {resume} does not exist')
    elif progress.checkpoint is None:
        sources = [cfg.load_from] if cfg.get('load_from') else pretrained(cfg.model)
        for source in sources:
            _check_available(source)


def pretrained(model: dict) -> List[str]:
    """Checkpoints that ``init_cfg`` of a model or of its parts name."""
    found = []
    for key, value in model.items():
        if isinstance(value, dict):
            if key == 'init_cfg' and value.get('type') == 'Pretrained':
                found.append(value['checkpoint'])
            found.extend(pretrained(value))
    return found


def without_pretrained(cfg: Config) -> Config:
    """The config without initial weights that a checkpoint of the whole model overwrites."""
    cfg = copy.deepcopy(cfg)
    _drop_pretrained(cfg.model)
    return cfg


def _drop_pretrained(model: dict) -> None:
    for key, value in model.items():
        if isinstance(value, dict):
            if key == 'init_cfg' and value.get('type') == 'Pretrained':
                model[key] = None
            else:
                _drop_pretrained(value)


def _check_available(source: str) -> None:
    if source.startswith(('http://', 'https://')):
        try:
            load_url(source, map_location='cpu', progress=True)
        except Exception as error:  # The network fails in many ways.
            raise ValueError(f'{source} cannot be downloaded ({error}): {REMEDY}') from None
    elif source.startswith(('torchvision://', 'modelzoo://')):
        _check_torchvision(source)
    elif source.startswith(PREFIX):
        local_file(source)
    elif '://' not in source and not Path(source).expanduser().is_file():
        raise ValueError(f'{source} does not exist: {REMEDY}')


def _check_torchvision(source: str) -> None:
    try:
        import torchvision  # noqa: F401
    except Exception as error:
        raise ValueError(f'{source} needs torchvision ({error}), which this package does without: '
                         f'{REMEDY}') from None
