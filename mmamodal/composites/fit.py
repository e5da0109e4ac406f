"""Paste options under which composites are occluded as those of the paper (ORCNN, Table 3).

Objects of other sources differ in size and shape, so that the same options hide more or less of
them. Images are simulated by their masks alone, small, until the figures are met.
"""

from dataclasses import replace
from typing import Dict, List, NamedTuple, Sequence, Tuple

import numpy as np
from scipy.optimize import minimize

from ..datasets.pasting.cut_outs import turn_mask
from ..datasets.pasting.paste_layout import PasteOptions, by_class, compose
from .sources import Sources


class Figures(NamedTuple):
    """Images with an occluded object, occluded objects, mean hidden share of all objects and of
    the occluded ones, all in percent; objects per image."""

    images_percent: float
    objects_percent: float
    all_percent: float
    occluded_percent: float
    objects_per_image: float


# Table 3 of "Learning to See the Invisible" (WACV 2019), column "modal aug": 2000 images, 1930
# occluded, 15851 objects, 11302 occluded.
MODAL_AUG = Figures(96.5, 71.3, 23.0, 33.0, 7.9255)
# Least and greatest value of what may be fitted.
RANGES: Dict[str, Tuple[float, float]] = dict(
    density=(0.05, 3.0), max_occlusion=(0.2, 1.0), even_size=(0.0, 1.0))
CUT_OUTS, BACKGROUNDS, SIDE = 500, 200, 200  # at most, of a simulation; pixels of its longer side
CLOSE_ENOUGH = 0.5  # points, root of the mean square over the figures


class Simulation:
    """Images of masks alone, about 200 pixels wide.

    Args:
        sources: of which up to 500 cut-outs are taken.
        number: of images.
        seed: of all of them.
    """

    def __init__(self, sources: Sources, number: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        backgrounds = _some(rng, sources.backgrounds, BACKGROUNDS)
        cut_outs = _some(rng, sources.cut_outs, CUT_OUTS)
        longest = max(max(background[1:]) for background in backgrounds)
        self.shrink = min(SIDE / longest, 1.0)
        masks = [turn_mask(cut_out.bitmap(), 0, self.shrink) for cut_out in cut_outs]
        kept = [place for place, mask in enumerate(masks) if mask.size]
        if not kept:
            raise ValueError('the cut-outs are too small beside the backgrounds to be fitted: take '
                             'larger objects (--min-area), or give the options')
        self.masks = [masks[place] for place in kept]
        self.areas = np.array([np.count_nonzero(mask) for mask in self.masks], np.float64)
        self.groups = by_class([cut_outs[place].category_id for place in kept])
        self.sizes = [tuple(max(round(side * self.shrink), 1) for side in background[1:])
                      for background in backgrounds]
        self.number, self.seed = number, seed

    def run(self, options: PasteOptions) -> Figures:
        """The figures of the simulated images."""
        least = max(round(options.min_visible * self.shrink**2), 1)
        options = replace(options, min_visible=least)
        return summarise([self._rates(k, options) for k in range(self.number)])

    def _rates(self, k: int, options: PasteOptions) -> List[float]:
        rng = np.random.default_rng([self.seed, k])
        size = self.sizes[rng.integers(len(self.sizes))]
        layers = compose(rng, self.areas, self.groups, self.masks.__getitem__, size, options)
        return [1 - np.count_nonzero(layer.visible) / np.count_nonzero(layer.mask)
                for layer in layers]


def summarise(rates: Sequence[Sequence[float]]) -> Figures:
    """The figures of images, given the hidden share of each object of each image."""
    flat = np.array([rate for image in rates for rate in image])
    hidden = flat > 0
    return Figures(
        100 * float(np.mean([any(rate > 0 for rate in image) for image in rates])),
        100 * float(hidden.mean()) if len(flat) else 0.0,
        100 * float(flat.mean()) if len(flat) else 0.0,
        100 * float(flat[hidden].mean()) if hidden.any() else 0.0,
        len(flat) / len(rates))


def distance(figures: Figures, target: Figures) -> float:
    """How far figures are from others, in points: root of the mean square; a tenth of an object
    per image counts as a point."""
    gaps = np.subtract(figures, target) * (1, 1, 1, 1, 10)
    return float(np.sqrt(np.mean(gaps**2)))


class _Found(Exception):
    """The search may end."""


def fit(sources: Sources, options: PasteOptions, free: Sequence[str], number: int = 300,
        tries: int = 60, target: Figures = MODAL_AUG) -> Tuple[PasteOptions, Figures]:
    """The options with which simulated images come closest to some figures.

    Every trial simulates the same images, so that only the options make a difference.

    Args:
        sources: cut-outs and backgrounds.
        options: to begin with; those not in ``free`` stay.
        free: names among ``RANGES`` of those to search.
        number: of images of a trial.
        tries: at most; the search ends sooner when it is close enough.
        target: the figures.

    Returns:
        the best options, rounded to three digits, and the figures that they give.

    Raises:
        ValueError: there is nothing to search, or no such option.
    """
    if not free or set(free) - set(RANGES):
        raise ValueError(f'expected some of {list(RANGES)} to fit, got {list(free)}')
    simulation = Simulation(sources, number)
    trials: Dict[PasteOptions, Figures] = {}

    def loss(position: np.ndarray) -> float:
        tried = _options_at(position, options, free)
        if tried not in trials:
            trials[tried] = simulation.run(tried)
        gap = distance(trials[tried], target)
        if gap < CLOSE_ENOUGH or len(trials) >= tries:
            raise _Found
        return gap

    start = np.array([_position(getattr(options, name), name) for name in free])
    step = np.where(start < 0.7, 0.2, -0.2)
    simplex = np.vstack([start, start + np.diag(step)])
    try:
        minimize(loss, start, method='Nelder-Mead', bounds=[(0, 1)] * len(free),
                 options=dict(initial_simplex=simplex, maxfev=5 * tries))
    except _Found:
        pass
    best = min(trials, key=lambda tried: distance(trials[tried], target))
    return best, trials[best]


def _options_at(position: np.ndarray, options: PasteOptions, free: Sequence[str]) -> PasteOptions:
    """The options at a position of the search, each from 0 to 1 over its range."""
    values = {}
    for name, share in zip(free, position):
        low, high = RANGES[name]
        values[name] = round(float(low + (high - low) * np.clip(share, 0, 1)), 3)
    return replace(options, **values)


def _position(value: float, name: str) -> float:
    low, high = RANGES[name]
    return float(np.clip((value - low) / (high - low), 0, 1))


def _some(rng: np.random.Generator, items: Sequence, most: int) -> list:
    """At most so many of the items, at random, in order."""
    chosen = rng.choice(len(items), min(most, len(items)), replace=False)
    return [items[place] for place in sorted(chosen)]
