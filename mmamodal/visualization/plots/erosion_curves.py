"""Figures of completers as the masks they are given are eroded: one picture."""

from typing import Dict, List, Sequence

from matplotlib.axes import Axes

from .style import INK, MUTED, dress, page, png, typeface

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
    colours = iter(COLOURS * len(curves))
    styles = {name: dict(color=MUTED, linestyle=(0, (4, 2))) if name == baseline else
              dict(color=next(colours)) for name in curves}
    with typeface():
        figure = page((13.5, 5.4), (0.05, 0.925), title)
        for place, key in enumerate(PANELS):
            axes = figure.add_axes((0.05 + 0.325 * place, 0.22, 0.275, 0.57))
            for name, style in styles.items():
                axes.plot(widths, [row[key] for row in curves[name]], label=name, linewidth=2,
                          marker='o', markersize=4.5, **style)
            _dress(axes, key, widths)
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc='lower left', bbox_to_anchor=(0.042, 0.0), ncol=4,
                      frameon=False, fontsize=10, labelcolor=INK)
        return png(figure, 150)


def _dress(axes: Axes, key: str, widths: Sequence[float]) -> None:
    axes.set_title(f'{PANELS[key]}: {key} [%]', loc='left', color=INK, fontsize=11, pad=10)
    axes.set_xlabel('width of the erosion [pixels of the image]', color=MUTED, fontsize=9.5)
    axes.set_xticks(widths, [f'{width:g}' for width in widths])
    dress(axes)
