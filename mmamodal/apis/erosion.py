"""How completers stand masks that are too small: their figures as all masks are eroded."""

import copy
from pathlib import Path
from typing import Dict, List, Optional, Sequence

import numpy as np
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmengine.utils import track_iter_progress

from ..datasets.completion.mask_jitter import moved_border
from ..evaluation.completion.completion_metric import completion_figures, sums_of_sample
from ..files import add_line, open_lines, read_lines
from ..structures.amodal_masks import AmodalMasks
from ..version import __version__
from .label import decided_by, fingerprint_of
from .running.command_line import config_name, say
from .running.models import load_model

Figures = Dict[str, float]
HULL = dict(type='HullCompleter', method='convexr')


def erosion_curve(cfg: Config, checkpoint: str, widths: Sequence[float],
                  part: Optional[Path] = None) -> List[Figures]:
    """The figures of a completer on its config's test set, by the width of the erosion.

    What is given is eroded; measured is against the true amodal and visible masks.

    Args:
        cfg: of a completer.
        checkpoint: path of its weights; ``'none'``: it has none.
        widths: of the rim that all visible masks lose, pixels of the image.
        part: file that gets the figures of each width as they are measured; those that it has of
            the same model, weights and test set are taken from it.

    Raises:
        ValueError: the test set has no amodal truth, or the checkpoint is of another model.
    """
    loader = cfg.get('test_dataloader')
    if not loader or loader.dataset.get('visible_only'):
        raise ValueError(f'{config_name(cfg)} has no test set with amodal truth: set '
                         'test_dataloader.dataset, and visible_only=False in it')
    weights = None if checkpoint == 'none' else checkpoint
    fingerprint = fingerprint_of(decided_by(cfg, weights)) if part else ''
    figures = read_figures(part, fingerprint) if part else {}
    missing = [width for width in widths if width not in figures]
    if missing:
        model, batches = load_model(cfg, checkpoint), Runner.build_dataloader(loader, seed=0)
    for width in missing:
        say(f'eroded by {width:g}:')
        figures[width] = completion_figures([
            sums for batch in track_iter_progress((batches, len(batches)))
            for sums in _sums(model, batch, width)])
        if part:
            keep_figures(part, fingerprint, width, figures[width])
    return [figures[width] for width in widths]


def read_figures(part: Path, fingerprint: str) -> Dict[float, Figures]:
    """The figures that a part has of a model, its weights and its test set, by width."""
    lines = [line for _, line in read_lines(part)] if part.exists() else []
    return {line['width']: line['figures'] for line in lines
            if line.get('fingerprint') == fingerprint}


def keep_figures(part: Path, fingerprint: str, width: float, figures: Figures) -> None:
    """Add the figures at one width to a part; they are on disk when this returns."""
    with open_lines(part, dict(version=f'mmamodal {__version__}')) as file:
        add_line(file, dict(fingerprint=fingerprint, width=width, figures=figures))


def hull_curve(cfg: Config, widths: Sequence[float], part: Optional[Path] = None) -> List[Figures]:
    """The same of hulls behind their occluders, told of the gaps that erosion makes.

    Closed are gaps of up to one and a half times as wide, for at corners they are wider.
    """
    curve = []
    for width in widths:
        hull = copy.deepcopy(cfg)
        hull.model = dict(HULL, contact_gap=3 * width)
        curve += erosion_curve(hull, 'none', [width], part)
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
