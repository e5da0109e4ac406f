"""Precision over recall of each amodal metric: one picture.

Letters: K classes, T IoU thresholds, R recalls.
"""

from typing import Dict, List, NamedTuple, Sequence

import numpy as np
from matplotlib.axes import Axes

from mmamodal.evaluation.detection.amodal_coco_eval import MASKS, WAYS, Curves, Variant
from mmamodal.visualization.plots.style import INK, MUTED, dress, page, png, typeface

DASHED = (0, (3, 1.5))
# What is measured, its colour, and how it is drawn: dashed what often lies upon another line.
LINES = {
    'A': ('amodal masks', '#0072b2', '-'),
    'V': ('visible masks', '#e69f00', '-'),
    'AV': ('both together', '#009e73', DASHED),
    'IV': ('predicted directly', '#d55e00', '-'),
    'IV_diff': ('as a difference', '#56b4e9', DASHED),
}
PANELS = {
    'All objects, IoU 0.50 to 0.95': [Variant(masks, 'all') for masks in MASKS],
    'Occluded objects, IoU 0.50 to 0.95': [Variant(masks, 'occluded') for masks in MASKS],
    'Invisible masks, IoU 0.50': [Variant(way) for way in WAYS],
}


class Curve(NamedTuple):
    """One line: ``precision`` (R,) in [0, 1] at recalls from 0 to 1, evenly."""

    masks: str  # one of LINES
    precision: np.ndarray

    @property
    def average(self) -> float:
        """The average precision in percent: the area below the line."""
        return 100 * float(np.mean(self.precision))

    @property
    def figure(self) -> str:
        """As the evaluation names it, with its value."""
        return f'AP{"50" * (self.masks in WAYS)}_{self.masks} {self.average:.1f}'


def mean_precision(precision: np.ndarray) -> np.ndarray:
    """(K, T, R) precision, NaN for classes that have nothing to find, to its mean (R,) over all
    others and all thresholds; empty if there are no others."""
    known = precision[~np.isnan(precision).any(axis=(1, 2))]
    return known.mean(axis=(0, 1)) if len(known) else np.zeros(0)


def curves_of(measured: Dict[Variant, Curves]) -> Dict[str, List[Curve]]:
    """By panel, the curves that there are."""
    panels = {}
    for title, variants in PANELS.items():
        found = [Curve(variant.masks, mean_precision(measured[variant].precision))
                 for variant in variants if variant in measured]
        panels[title] = [curve for curve in found if len(curve.precision)]
    return panels


def precision_recall(panels: Dict[str, Sequence[Curve]], title: str, subtitle: str = '') -> bytes:
    """The picture as a PNG file.

    Args:
        panels: curves by the title of their panel, in the order of their legend.
        title: says what was measured.
        subtitle: a second line, smaller.
    """
    with typeface():
        figure = page((15, 4.7), (0.042, 0.915), title, subtitle, 0.86)
        for place, (name, curves) in enumerate(panels.items()):
            axes = figure.add_axes((0.042 + 0.316 * place, 0.13, 0.2, 0.60))
            _draw(axes, name, curves, is_first=place == 0)
        return png(figure)


def _draw(axes: Axes, title: str, curves: Sequence[Curve], is_first: bool) -> None:
    _dress(axes, title, 'precision [%]' if is_first else '')
    for curve in curves:
        _, colour, style = LINES[curve.masks]
        axes.plot(np.linspace(0, 100, len(curve.precision)), 100 * curve.precision, color=colour,
                  linestyle=style, linewidth=2, solid_capstyle='round', clip_on=False, zorder=3)
    for row, curve in enumerate(curves):
        _name(axes, curve, 0.96 - 0.135 * row)
    if not curves:
        axes.text(0.5, 0.5, 'none', transform=axes.transAxes, ha='center', color=MUTED)


def _name(axes: Axes, curve: Curve, height: float) -> None:
    """A line of the legend, right of the axes: what it is, and its average precision."""
    words, colour, style = LINES[curve.masks]
    axes.plot((1.05, 1.13), (height, height), color=colour, linestyle=style, linewidth=2,
              transform=axes.transAxes, clip_on=False)
    for offset, text, paint, size in (
            (0.0, curve.figure, INK, 10), (0.055, words, MUTED, 8.5)):
        axes.text(1.17, height - offset, text, transform=axes.transAxes, color=paint,
                  fontsize=size, va='center')


def _dress(axes: Axes, title: str, upward: str) -> None:
    axes.set_title(title, loc='left', color=INK, fontsize=10.5, pad=10)
    axes.set(xlim=(0, 100), ylim=(0, 100), xticks=range(0, 101, 20), yticks=range(0, 101, 20))
    axes.set_xlabel('recall [%]', color=MUTED, fontsize=9.5)
    axes.set_ylabel(upward, color=MUTED, fontsize=9.5)
    dress(axes)
