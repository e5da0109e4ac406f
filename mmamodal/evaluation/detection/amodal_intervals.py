"""How much the amodal metrics owe to chance: bootstrap intervals over images."""

import math
import sys
from typing import Dict, Sequence, Tuple

import numpy as np
from mmengine.utils import track_iter_progress

from .amodal_coco_eval import evaluate
from .amodal_figures import MAIN, figures
from .amodal_overlaps import Overlaps
from .amodal_rules import AmodalRules

Interval = Tuple[float, float]


def intervals(images: Sequence[Overlaps], num_classes: int, rules: AmodalRules, draws: int,
              seed: int = 0) -> Dict[str, Interval]:
    """95 % intervals of the figures in ``MAIN``, in percent (percentile bootstrap).

    Each draw takes as many images as there are, with replacement, and evaluates them.

    Args:
        images: of each what overlaps, made with these ``rules``.
        num_classes: K.
        rules: what there is to choose.
        draws: how many, from 2; a thousand are usual.
        seed: of the draws.

    Returns:
        (low, high) by figure; NaN for a figure that had nothing to find in any draw.

    Raises:
        ValueError: fewer draws, or no image.
    """
    if draws < 2 or not images:
        raise ValueError('expected an image at least and 2 draws or more for an interval, got '
                         f'{len(images)} images and {draws} draws')
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in track_iter_progress(range(draws), file=sys.stderr):
        places = rng.integers(0, len(images), len(images))
        sample = [(place, images[chosen]) for place, chosen in enumerate(places)]
        drawn.append(figures(evaluate(sample, num_classes, rules)))
    return {name: _middle([named[name] for named in drawn]) for name in MAIN}


def _middle(values: Sequence[float]) -> Interval:
    """What 95 % of the known values lie between."""
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return math.nan, math.nan
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)
