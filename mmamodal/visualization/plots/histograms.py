"""A data set's occlusion, objects per image and object sizes: one picture of three histograms.

Letters: N objects, M images.
"""

import math
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from .style import BAR, INK, MUTED, dress, page, png, typeface

MOST_BARS = 30
LEFT, WIDTH, STEP = 0.066, 0.245, 0.331  # of a panel, parts of the picture's width


class Panel(NamedTuple):
    """One histogram: the bars between ``edges`` count ``values``."""

    title: str
    axis: str
    counted: str
    values: np.ndarray
    edges: np.ndarray
    unit: str = ''


def histograms(rates: np.ndarray, counts: np.ndarray, sizes: np.ndarray, title: str,
               subtitle: str = '') -> bytes:
    """The picture as a PNG file.

    Args:
        rates: occlusion rates of the occluded objects, in (0, 1].
        counts: (M,) int, objects of each image.
        sizes: (N,) √area of the objects, pixels.
        title: names the data set.
        subtitle: a second line, smaller.
    """
    panels = (
        Panel('Occlusion of occluded objects', 'occlusion rate [%]', 'objects',
              100 * np.asarray(rates), np.arange(0, 101, 5), ' %'),
        Panel('Crowding of images', 'objects per image', 'images', counts, whole_edges(counts)),
        Panel('Size of objects', 'square root of amodal area [px]', 'objects', sizes,
              even_edges(sizes), ' px'))
    with typeface():
        figure = page((12, 3.9), (LEFT, 0.90), title, subtitle, 0.835)
        for place, panel in enumerate(panels):
            _draw(figure.add_axes((LEFT + STEP * place, 0.155, WIDTH, 0.54)), panel)
        return png(figure)


def whole_edges(counts: np.ndarray) -> np.ndarray:
    """Edges of bars around whole numbers from 0: a bar for each, or for several if they are many.

    >>> whole_edges(np.array([1, 3])).tolist()
    [-0.5, 0.5, 1.5, 2.5, 3.5]
    """
    most = max(int(_reach(counts)), 1)
    step = max(1, round(_round_step(most + 1)))
    return np.arange(0, most + 1 + step, step) - 0.5


def even_edges(sizes: np.ndarray) -> np.ndarray:
    """Edges from 0 on, in round steps.

    >>> even_edges(np.array([3.0, 60.0]))[:4].tolist()
    [0.0, 2.0, 4.0, 6.0]
    """
    most = max(_reach(sizes), 1.0)
    step = _round_step(most)
    return step * np.arange(math.ceil(most / step) + 1)


def _reach(values: np.ndarray) -> float:
    """How far the bars go: to the greatest, but not along a thin tail, which would leave the
    others in a few bars; what lies beyond is told in words."""
    most, bulk = (float(np.quantile(values, q)) if len(values) else 0.0 for q in (1, 0.99))
    return most if most <= 1.5 * bulk else 1.2 * bulk


def _round_step(span: float) -> float:
    """The least of …, 0.5, 1, 2, 5, 10, … that takes at most 30 steps for it."""
    power = 10.0 ** math.floor(math.log10(span / MOST_BARS))
    return next(power * digit for digit in (1, 2, 5, 10) if power * digit * MOST_BARS >= span)


def _draw(axes: Axes, panel: Panel) -> None:
    heights, edges = np.histogram(panel.values, panel.edges)
    axes.bar(edges[:-1], heights, np.diff(edges), align='edge', color=BAR, edgecolor='white',
             linewidth=0.6)
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(0, 1.12 * max(heights.max(), 1))
    _dress(axes, panel)
    if not len(panel.values):
        axes.text(0.5, 0.5, 'none', transform=axes.transAxes, ha='center', color=MUTED)
        return
    _mark_mean(axes, float(np.mean(panel.values)), panel.unit)
    beyond = len(panel.values) - heights.sum()
    if beyond:
        axes.set_title(f'{beyond:,} beyond, up to {np.max(panel.values):,.0f}{panel.unit}',
                       loc='right', color=MUTED, fontsize=9, pad=9)


def _mark_mean(axes: Axes, mean: float, unit: str) -> None:
    """A thin line, and above the bars its number, on the side that has more room."""
    side = 1 if mean < np.mean(axes.get_xlim()) else -1
    axes.axvline(mean, color=INK, linewidth=0.9)
    axes.annotate(f'mean {mean:.1f}{unit}', (mean, 1), (4 * side, -1), color=INK, fontsize=9,
                  xycoords=axes.get_xaxis_transform(), textcoords='offset points',
                  ha='left' if side > 0 else 'right', va='top',
                  bbox=dict(facecolor='white', edgecolor='none', pad=1))


def _dress(axes: Axes, panel: Panel) -> None:
    """Labels, and little ink besides."""
    axes.set_title(panel.title, loc='left', color=INK, fontsize=10.5, pad=9)
    axes.set_xlabel(panel.axis, color=MUTED, fontsize=9.5)
    axes.set_ylabel(panel.counted, color=MUTED, fontsize=9.5)
    axes.yaxis.set_label_coords(-0.165, 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f'{y:,.0f}'))
    dress(axes, 'y')
