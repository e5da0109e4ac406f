"""One row a model: figures, how sure they are, and how they differ from a reference."""

import csv
import io
import math
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from .bootstrap import RESAMPLES, interval, p_value, resampled_figures

# Of the true masks alone: rows that differ in the number of these are of other data.
TRUTH = ('O_Acc', 'mIoU_instance', 'inv_mIoU_instance')


class Row(NamedTuple):
    """A model's name, its figures in percent, and the sums of each image, if there are such
    (see :class:`~mmamodal.evaluation.completion.completion_metric.CompletionMetric`)."""
    name: str
    figures: Dict[str, float]
    images: Optional[List[dict]] = None


class Cell(NamedTuple):
    """A figure; its 95 % interval; its difference to the reference, the interval of that, and its
    p-value. NaN is what is not known."""
    value: float
    low: float = math.nan
    high: float = math.nan
    difference: float = math.nan
    difference_low: float = math.nan
    difference_high: float = math.nan
    p: float = math.nan


def compare(rows: Sequence[Row], names: Sequence[str],
            reference: Optional[str] = None) -> List[List[Cell]]:
    """The cells of a table.

    Args:
        rows: with unlike names.
        names: figures, the columns.
        reference: name of the row that the others are held against; None: no differences.

    Returns:
        Cells by row and column.

    Raises:
        ValueError: rows are not of the same images, or as in :func:`check_names`.
    """
    known = [row.name for row in rows]
    check_names(known, reference)
    base = rows[known.index(reference)] if reference is not None else None
    cells = [[_plain(row, base, name) for name in names] for row in rows]
    _add_certainties(cells, rows, names, base)
    return cells


def check_names(known: Sequence[str], reference: Optional[str]) -> None:
    """ValueError if rows share a name, or the reference is none of them."""
    if len(set(known)) < len(known):
        raise ValueError(f'expected rows of unlike names, got {known}: name them NAME=PATH')
    if reference is not None and reference not in known:
        raise ValueError(f'the reference {reference!r} is no row: expected one of {known}')


def _plain(row: Row, base: Optional[Row], name: str) -> Cell:
    value = row.figures.get(name, math.nan)
    if base is None or row is base:
        return Cell(value)
    return Cell(value, difference=value - base.figures.get(name, math.nan))


def _add_certainties(cells: List[List[Cell]], rows: Sequence[Row], names: Sequence[str],
                     base: Optional[Row]) -> None:
    """Intervals and p-values into the cells that have sums of images."""
    sampled = [k for k, row in enumerate(rows) if row.images]
    shared = [c for c, name in enumerate(names)
              if sampled and name in rows[sampled[0]].images[0]]
    if not shared:
        return
    _check_same_images([rows[k] for k in sampled])
    figures = resampled_figures(np.array([[[image[names[c]] for c in shared]
                                           for image in rows[k].images] for k in sampled]))
    of_base = [values for k, values in zip(sampled, figures) if rows[k] is base]
    for k, values in zip(sampled, figures):
        apart = values - of_base[0] if of_base and rows[k] is not base else None
        for c, certainty in zip(shared, _certainties(values, apart)):
            cells[k][c] = cells[k][c]._replace(**certainty)


def _certainties(figures: np.ndarray, apart: Optional[np.ndarray]) -> List[Dict[str, float]]:
    """Fields of the cells of a row, from its resampled figures (R, F) and differences (R, F)."""
    found = dict(zip(('low', 'high'), interval(figures)))
    if apart is not None:
        low, high = interval(apart)
        found.update(difference_low=low, difference_high=high, p=p_value(apart))
    return [{key: float(values[c]) for key, values in found.items()}
            for c in range(figures.shape[1])]


def _check_same_images(rows: Sequence[Row]) -> None:
    first = rows[0]
    for row in rows[1:]:
        if _truth(row) != _truth(first):
            raise ValueError(
                f'{first.name!r} and {row.name!r} were not tested on the same images and objects: '
                f'expected the same image ids and true masks, got {len(first.images)} and '
                f'{len(row.images)} images; test both on the same data')


def _truth(row: Row) -> List[Tuple[object, ...]]:
    return [(image['img_id'], *(image[name][1] for name in TRUTH)) for image in row.images]


def as_markdown(rows: Sequence[Row], names: Sequence[str], cells: List[List[Cell]],
                reference: Optional[str] = None) -> str:
    """The figures with their intervals, the differences below them, and what both mean."""
    lines = _table(rows, names, [[_value(cell) for cell in line] for line in cells])
    others = [k for k, row in enumerate(rows) if row.name != reference]
    if reference is not None and others:
        lines += ['', f'Difference to {reference}:', '']
        lines += _table([rows[k] for k in others], names,
                        [[_difference(cell) for cell in cells[k]] for k in others])
    return '\n'.join([*lines, '', _legend(rows, cells, reference)]) + '\n'


def _table(rows: Sequence[Row], names: Sequence[str], cells: List[List[str]]) -> List[str]:
    head = ['', *(name.split('/')[-1] for name in names)]
    lines = [head, ['---'] * len(head), *([row.name, *line] for row, line in zip(rows, cells))]
    return ['| ' + ' | '.join(line) + ' |' for line in lines]


def _value(cell: Cell) -> str:
    if math.isnan(cell.value):
        return '–'
    return f'{cell.value:.1f}' + _bounds(cell.low, cell.high, '.1f')


def _difference(cell: Cell) -> str:
    if math.isnan(cell.difference):
        return '–'
    text = f'{cell.difference:+.1f}' + _bounds(cell.difference_low, cell.difference_high, '+.1f')
    if math.isnan(cell.p):
        return text
    return f'{text} p<0.001' if cell.p < 0.001 else f'{text} p={cell.p:.2g}'


def _bounds(low: float, high: float, form: str) -> str:
    return '' if math.isnan(low) else f' [{low:{form}}, {high:{form}}]'


def _legend(rows: Sequence[Row], cells: List[List[Cell]], reference: Optional[str]) -> str:
    """What the brackets are, or why there are none."""
    counts = {len(row.images) for row in rows if row.images}
    words = ['In percent.']
    if counts:
        words.append(f'In brackets 95 % intervals over {counts.pop()} images ({RESAMPLES:,} '
                     'bootstrap resamples, the same images for all rows).')
        if reference is not None:
            words.append('p: two-sided, of the paired differences, not corrected for their number.')
    if any(math.isnan(cell.low) for line in cells for cell in line if not math.isnan(cell.value)):
        words.append('Without brackets: no sums of single images are there; an AP is no ratio of '
                     'such sums.')
    return ' '.join(words)


def as_csv(rows: Sequence[Row], names: Sequence[str], cells: List[List[Cell]]) -> str:
    """One line a row, of each figure all fields of its Cell; empty where nothing is known."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator='\n')
    writer.writerow(['name', *(name if field == 'value' else f'{name}_{field}'
                               for name in names for field in Cell._fields)])
    for row, line in zip(rows, cells):
        writer.writerow([row.name, *('' if math.isnan(value) else f'{value:.4f}'
                                     for cell in line for value in cell)])
    return out.getvalue()
