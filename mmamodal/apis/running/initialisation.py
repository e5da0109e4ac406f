"""Weights that a training begins with: whether they can be had, before hours are spent."""

import copy
from pathlib import Path
from typing import Iterator, List, Optional

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
    return [part['init_cfg']['checkpoint'] for part in _begun_with_weights(model)]


def without_pretrained(cfg: Config) -> Config:
    """The config without initial weights that a checkpoint of the whole model overwrites."""
    cfg = copy.deepcopy(cfg)
    for part in _begun_with_weights(cfg.model):
        part['init_cfg'] = None
    return cfg


def _begun_with_weights(part: object) -> Iterator[dict]:
    """The dicts among nested dicts and lists that have weights as ``init_cfg``."""
    if isinstance(part, dict):
        start = part.get('init_cfg')
        if isinstance(start, dict) and start.get('type') == 'Pretrained':
            yield part
        part = list(part.values())
    for child in part if isinstance(part, (list, tuple)) else ():
        yield from _begun_with_weights(child)


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
