"""A completer's probabilities against frequencies, and its uncertainty against its errors: one
picture.

Letters: B bins.
"""

from typing import Dict, Sequence

import numpy as np
from matplotlib.axes import Axes

from ...evaluation.completion.calibration import expected_gap
from .style import INK, MUTED, dress, page, png, typeface

REGIONS = {'occluded': ('behind its occluders', '#d55e00'), 'patch': ('whole patch', '#0072b2')}
PANELS = {  # what the bins are of: title, axes, limit, line of perfect calibration
    'reliability': ('Probability', 'amodal probability m', 'part that is amodal', 1.0, 't = m'),
    'doubt': ('Uncertainty', 'expected error u²', 'error |t - m|', 0.6, '|t - m| = u²')
}
LEAST = 0.001  # of the pixels: a bin of fewer says nothing


def reliability_diagram(bins: Dict[str, Dict[str, Sequence]], title: str,
                        subtitle: str = '') -> bytes:
    """The picture as a PNG file.

    Args:
        bins: what CalibrationMetric writes: by region ``reliability`` and, of completers with
            uncertainty, ``doubt``, each (3, B): number, sum of what is said, sum of what is.
        title: says what was measured.
        subtitle: a second line, smaller.
    """
    panels = [name for name in PANELS if all(name in region for region in bins.values())]
    with typeface():
        figure = page((5 * len(panels) + 0.6, 5.6), (0.075, 0.94), title, subtitle, 0.895)
        for place, name in enumerate(panels):
            left = (0.8 + 5 * place) / (5 * len(panels) + 0.6)
            width = 3.9 / (5 * len(panels) + 0.6)
            by_region = {region: np.asarray(sums[name], float) for region, sums in bins.items()}
            _draw(figure.add_axes((left, 0.27, width, 0.53)), PANELS[name], by_region)
            _count(figure.add_axes((left, 0.09, width, 0.10)), PANELS[name], by_region)
        return png(figure)


def _draw(axes: Axes, panel: Sequence, by_region: Dict[str, np.ndarray]) -> None:
    title, _, upward, limit, perfect = panel
    axes.set_title(title, loc='left', color=INK, fontsize=11, pad=10)
    axes.plot((0, limit), (0, limit), color=MUTED, linewidth=1, linestyle=(0, (3, 2)),
              label=perfect)
    for region, sums in by_region.items():
        words, colour = REGIONS[region]
        count, said, found = _known(sums)
        axes.plot(said / count, found / count, color=colour, linewidth=2, marker='o', markersize=5,
                  clip_on=False, label=f'{words}: off by {100 * expected_gap(sums):.1f} %')
    axes.set(xlim=(0, limit), ylim=(0, 1))
    axes.set_ylabel(upward, color=MUTED, fontsize=9.5)
    axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc='upper left')
    dress(axes)


def _count(axes: Axes, panel: Sequence, by_region: Dict[str, np.ndarray]) -> None:
    """How many pixels the points are made of."""
    _, along, _, limit, _ = panel
    for region, sums in by_region.items():
        count, said, _ = _known(sums)
        axes.plot(said / count, 100 * count / count.sum(), color=REGIONS[region][1], linewidth=1.5)
    axes.set(xlim=(0, limit), ylim=(0, 100), yticks=(0, 50, 100))
    axes.set_xlabel(along, color=MUTED, fontsize=9.5)
    axes.set_ylabel('pixels [%]', color=MUTED, fontsize=9.5)
    dress(axes)


def _known(sums: np.ndarray) -> np.ndarray:
    """The bins (3, B) that have enough pixels."""
    return sums[:, sums[0] > LEAST * sums[0].sum()]
