"""What the plots share: ink, typeface, a page with its title, axes, the PNG file."""

import io
from typing import ContextManager, Tuple

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import get_font_names

# Those of the report by day.
INK, MUTED, RULE, BAR = '#1c1b19', '#6a675f', '#e4e1da', '#0072b2'
TYPEFACES = ('Helvetica Neue', 'Arial', 'Liberation Sans', 'DejaVu Sans')


def typeface() -> ContextManager[None]:
    """All that is drawn and written to a file inside of it is in the first typeface there is."""
    family = next(name for name in TYPEFACES if name in {*get_font_names(), TYPEFACES[-1]})
    return matplotlib.rc_context({'font.family': family})


def page(size: Tuple[float, float], place: Tuple[float, float], title: str,
         subtitle: str = '', below: float = 0.0) -> Figure:
    """A white page.

    Args:
        size: (width, height), inches.
        place: (x, y) where the title begins, parts of the page.
        title: says what is shown.
        subtitle: a second line, smaller.
        below: y of the second line.
    """
    figure = Figure(figsize=size, facecolor='white')
    FigureCanvasAgg(figure)
    figure.text(*place, title, color=INK, fontsize=15, fontweight='bold')
    figure.text(place[0], below, subtitle, color=MUTED, fontsize=10)
    return figure


def dress(axes: Axes, grid: str = 'both') -> None:
    """A light grid along ``grid`` (``'x'``, ``'y'``, ``'both'``), and little ink besides."""
    axes.grid(axis=grid, color=RULE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=MUTED, labelsize=9, length=0, pad=5)
    axes.spines[['top', 'right', 'left']].set_visible(False)
    axes.spines['bottom'].set_color(MUTED)


def png(figure: Figure, dpi: int = 160) -> bytes:
    """The page as a PNG file, the same bytes for the same page."""
    stream = io.BytesIO()
    figure.savefig(stream, format='png', dpi=dpi, metadata=dict(Software=None))
    return stream.getvalue()
