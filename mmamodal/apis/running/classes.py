"""Classes of a detector and of its data."""

from mmengine.config import Config
from mmengine.runner import Runner

from ..label import annotation_files


def check_classes(runner: Runner, cfg: Config) -> None:
    """Refuse a detector whose heads tell apart another number of classes than its data has."""
    heads = [(name, head) for name in ('bbox_head', 'mask_head')
             for head in _as_list(cfg.model.get('roi_head', {}).get(name))
             if 'num_classes' in head]
    if not heads:
        return
    classes = len(runner.train_dataloader.dataset.metainfo['classes'])
    source = ', '.join(map(str, annotation_files(cfg.train_dataloader.dataset))) or 'its data'
    for name, head in heads:
        if head['num_classes'] != classes:
            raise ValueError(f'{cfg.filename}: model.roi_head.{name}.num_classes is '
                             f'{head["num_classes"]}, but {source} has {classes} classes: set it '
                             f'to {classes}')


def _as_list(value: object) -> list:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]
