"""Who is taken for occluded: a table of two rows and two columns, as a picture and as text."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from .style import BAR, INK, page, png, typeface

WORDS = ('not occluded', 'occluded')
SHADES = LinearSegmentedColormap.from_list('shades', ('#f4f2ee', BAR))


def shares(counts: np.ndarray) -> np.ndarray:
    """(2, 2) percent of each row of counts, 0 in an empty one."""
    return 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def confusion_text(counts: np.ndarray) -> str:
    """The table for a terminal.

    Args:
        counts: (2, 2) objects; row 0 not occluded, 1 occluded; column 0 predicted not occluded,
            1 predicted occluded.
    """
    head = f'{"truth":14s}{"objects":>8s}' + ''.join(f'{"predicted " + word:>26s}'
                                                      for word in WORDS)
    lines = [f'{word:14s}{row.sum():8d}' + ''.join(
        f'{count:17d} {share:6.1f} %' for count, share in zip(row, parts))
        for word, row, parts in zip(WORDS, counts, shares(counts))]
    return '\n'.join([head, *lines, right_words(counts)])


def right_words(counts: np.ndarray) -> str:
    """How many are right."""
    right, total = int(np.trace(counts)), int(counts.sum())
    return f'right: {right:,} of {total:,} ({100 * right / max(total, 1):.1f} %)'


def confusion_picture(counts: np.ndarray, title: str, subtitle: str = '') -> bytes:
    """The table as a PNG file; the larger the part of its row, the darker a cell.

    Args:
        counts: (2, 2), see :func:`confusion_text`.
        title: says what was measured.
        subtitle: a second line, smaller.
    """
    with typeface():
        figure = page((6.4, 5.4), (0.05, 0.925), title, subtitle, 0.878)
        _draw(figure.add_axes((0.24, 0.04, 0.72, 0.69)), counts)
        return png(figure)


def _draw(axes: Axes, counts: np.ndarray) -> None:
    parts = shares(counts)
    axes.pcolormesh(parts, cmap=SHADES, vmin=0, vmax=100, edgecolors='white', linewidth=3)
    for (row, column), count in np.ndenumerate(counts):
        colour = 'white' if parts[row, column] > 65 else INK
        axes.text(column + 0.5, row + 0.44, f'{count:,}', ha='center', va='center', fontsize=22,
                  color=colour)
        axes.text(column + 0.5, row + 0.63, f'{parts[row, column]:.1f} %', ha='center',
                  va='center', fontsize=11, color=colour)
    axes.set(xlim=(0, 2), ylim=(2, 0), xticks=(0.5, 1.5), yticks=(0.5, 1.5))
    axes.set_xticklabels([f'predicted\n{word}' for word in WORDS])
    axes.set_yticklabels([f'{word}\n{total:,} objects' for word, total in zip(
        WORDS, counts.sum(axis=1))], ha='right')
    axes.xaxis.tick_top()
    axes.tick_params(colors=INK, labelsize=10, length=0, pad=8)
    axes.spines[:].set_visible(False)
