"""Figures of completers as the masks they are given are eroded: one picture."""

import io
from typing import Dict, List, Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import get_font_names

from .histograms import INK, MUTED, RULE, TYPEFACES

PANELS = {'O_Acc': 'Order of pairs', 'mIoU': 'Whole objects', 'inv_mIoU': 'Hidden parts'}
COLOURS = ('#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00')


def erosion_curves(curves: Dict[str, List[Dict[str, float]]], widths: Sequence[float], title: str,
                   baseline: str = '') -> bytes:
    """The picture as a PNG file.

    Args:
        curves: by name the figures at each width, in percent.
        widths: of the erosion, pixels of the image.
        title: says what was measured.
        baseline: which of the curves is drawn dashed and grey.
    """
    family = next(name for name in TYPEFACES if name in {*get_font_names(), TYPEFACES[-1]})
    colours = iter(COLOURS * len(curves))
    styles = {name: dict(color=MUTED, linestyle=(0, (4, 2))) if name == baseline else
              dict(color=next(colours)) for name in curves}
    with matplotlib.rc_context({'font.family': family}):
        figure = Figure(figsize=(13.5, 5.4), facecolor='white')
        FigureCanvasAgg(figure)
        figure.text(0.05, 0.925, title, color=INK, fontsize=15, fontweight='bold')
        for place, key in enumerate(PANELS):
            axes = figure.add_axes((0.05 + 0.325 * place, 0.22, 0.275, 0.57))
            for name, style in styles.items():
                axes.plot(widths, [row[key] for row in curves[name]], label=name, linewidth=2,
                          marker='o', markersize=4.5, **style)
            _dress(axes, key, widths)
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc='lower left', bbox_to_anchor=(0.042, 0.0), ncol=4,
                      frameon=False, fontsize=10, labelcolor=INK)
        stream = io.BytesIO()
        figure.savefig(stream, format='png', dpi=150, metadata=dict(Software=None))
    return stream.getvalue()


def _dress(axes: Axes, key: str, widths: Sequence[float]) -> None:
    axes.set_title(f'{PANELS[key]}: {key} [%]', loc='left', color=INK, fontsize=11, pad=10)
    axes.set_xlabel('width of the erosion [pixels of the image]', color=MUTED, fontsize=9.5)
    axes.set_xticks(widths, [f'{width:g}' for width in widths])
    axes.grid(color=RULE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=MUTED, labelsize=9, length=0, pad=5)
    axes.spines[['top', 'right', 'left']].set_visible(False)
    axes.spines['bottom'].set_color(MUTED)
