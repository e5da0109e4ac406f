"""Loss curves as SVG elements that take the colours of the page around them."""

import io
import math
import re
from html import escape
from typing import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

# Drawn in these, replaced by the page's own colours: these follow light and dark.
INK, MUTED = '#010101', '#020202'
LINES = ('#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9')


def loss_curve(name: str, log: Sequence[dict]) -> str:
    """The losses of one training over its iterations, total and parts, as an SVG element.

    Args:
        name: of the run.
        log: records with ``step``, ``loss`` and ``loss_…``, ascending.
    """
    figure = Figure(figsize=(4.2, 2.6))
    axes = figure.add_axes((0.13, 0.17, 0.85, 0.74))
    parts = [part for part in log[-1] if part.startswith('loss_')]
    curves = {'loss': INK, **(dict(zip(parts, LINES)) if len(parts) > 1 else {})}
    for part, colour in curves.items():
        points = [(record['step'], record[part]) for record in log
                  if isinstance(record.get(part), (int, float)) and math.isfinite(record[part])]
        if points:
            _plot(axes, part, colour, *np.array(points, dtype=float).T)
    _dress(axes)
    with matplotlib.rc_context({'svg.fonttype': 'none', 'svg.hashsalt': name}):
        stream = io.StringIO()
        figure.savefig(stream, format='svg', transparent=True,
                       metadata=dict.fromkeys(('Creator', 'Date', 'Format', 'Type')))
    return _themed(stream.getvalue(), f'loss of {name} over iterations')


def _plot(axes: Axes, part: str, colour: str, steps: np.ndarray,
          values: np.ndarray) -> None:
    window = max(len(values) // 20, 1)
    label = 'total' if part == 'loss' else part[len('loss_'):].replace('_', ' ')
    if window > 1:
        axes.plot(steps, values, color=colour, linewidth=0.7, alpha=0.35)
        values = np.convolve(values, np.ones(window) / window, 'valid')
        steps = np.convolve(steps, np.ones(window) / window, 'valid')
    axes.plot(steps, values, color=colour, linewidth=1.8, label=label)


def _dress(axes: Axes) -> None:
    """A logarithmic scale where the loss falls to a fifth or less, and little ink besides."""
    heights = np.concatenate([line.get_ydata() for line in axes.lines] or [[1.0]])
    if heights.min() > 0 and heights.max() > 5 * heights.min():
        axes.set_yscale('log')
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f'{y:g}'))
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel('iteration', color=MUTED, fontsize=9)
    axes.tick_params(which='both', colors=MUTED, labelsize=8.5, length=3)
    axes.spines[['top', 'right']].set_visible(False)
    axes.spines[['left', 'bottom']].set_color(MUTED)
    if len(axes.get_legend_handles_labels()[1]) > 1:
        axes.legend(frameon=False, fontsize=8, labelcolor=INK, ncol=6, loc='lower right',
                    bbox_to_anchor=(1.02, 0.97), handlelength=1, handletextpad=0.4,
                    columnspacing=1)


def _themed(svg: str, name: str) -> str:
    """A matplotlib SVG document -> an element in the page's colours and typeface."""
    svg = re.sub(r'<metadata>.*?</metadata>', '', svg[svg.index('<svg'):], flags=re.DOTALL)
    svg = re.sub(r"font: ([\d.]+px) [^;\"]*", r'font: \1 var(--sans)', svg)  # older matplotlib
    svg = re.sub(r'font-family: [^;"]*', 'font-family: var(--sans)', svg)
    svg = svg.replace(INK, 'var(--ink)').replace(MUTED, 'var(--muted)')
    return svg.replace('<svg', f'<svg role="img" aria-label="{escape(name)}"', 1)
