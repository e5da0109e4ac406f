"""How completers stand masks that are too small: their figures as all masks are eroded."""

import copy
from typing import Dict, List, Sequence

import numpy as np
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmengine.utils import track_iter_progress

from ..datasets.completion.mask_jitter import moved_border
from ..evaluation.completion.completion_metric import completion_figures, sums_of_sample
from ..structures.amodal_masks import AmodalMasks
from .running.command_line import config_name
from .running.models import load_model

Figures = Dict[str, float]
HULL = dict(type='HullCompleter', method='convexr')


def erosion_curve(cfg: Config, checkpoint: str, widths: Sequence[float]) -> List[Figures]:
    """The figures of a completer on its config's test set, by the width of the erosion.

    What is given is eroded; measured is against the true amodal and visible masks.

    Args:
        cfg: of a completer.
        checkpoint: path of its weights; ``'none'``: it has none.
        widths: of the rim that all visible masks lose, pixels of the image.

    Raises:
        ValueError: the test set has no amodal truth, or the checkpoint is of another model.
    """
    loader = cfg.get('test_dataloader')
    if not loader or loader.dataset.get('visible_only'):
        raise ValueError(f'{config_name(cfg)} has no test set with amodal truth: set '
                         'test_dataloader.dataset, and visible_only=False in it')
    model = load_model(cfg, checkpoint)
    sums: Dict[float, List[dict]] = {width: [] for width in widths}
    batches = Runner.build_dataloader(loader, seed=0)
    for batch in track_iter_progress((batches, len(batches))):
        for width in widths:
            sums[width] += _sums(model, batch, width)
    return [completion_figures(sums[width]) for width in widths]


def hull_curve(cfg: Config, widths: Sequence[float]) -> List[Figures]:
    """The same of hulls behind their occluders, told of the gaps that erosion makes.

    Closed are gaps of up to one and a half times as wide, for at corners they are wider.
    """
    curve = []
    for width in widths:
        hull = copy.deepcopy(cfg)
        hull.model = dict(HULL, contact_gap=3 * width)
        curve += erosion_curve(hull, 'none', [width])
    return curve


def _sums(model: BaseModel, batch: dict, width: float) -> List[dict]:
    """The sums of each sample of a batch, its visible masks eroded."""
    truth = [sample.gt_instances.masks for sample in batch['data_samples']]
    given = [eroded(sample, width) for sample in batch['data_samples']]
    predicted = model.test_step(dict(batch, data_samples=given))
    for sample, masks in zip(predicted, truth):
        sample.gt_instances.masks = masks
    return [sums_of_sample(sample.to_dict()) for sample in predicted]


def eroded(sample: DetDataSample, width: float) -> DetDataSample:
    """A copy of a sample whose visible masks lost a rim of ``width`` pixels of the image."""
    masks = sample.gt_instances.masks
    visible = [moved_border(mask, width) for mask in masks.visible.masks]
    sample = copy.deepcopy(sample)
    sample.gt_instances.masks = AmodalMasks(
        masks.masks, masks.height, masks.width,
        np.array(visible, np.uint8).reshape(masks.masks.shape))
    return sample
