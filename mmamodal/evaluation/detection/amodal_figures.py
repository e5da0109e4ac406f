"""The figures of the amodal metrics, in percent, and the table that shows them."""

import math
from typing import Dict, List, Optional, Sequence

import numpy as np

from .amodal_coco_eval import KINDS, MASKS, SIZES, WAYS, Curves, Evaluation, Variant

BINS = ('none', 'partial', 'heavy')
WORDS = dict(A='amodal  A', V='visible V', AV='both   AV')
# The columns of the paper's tables.
MAIN = ('AP_AV_all', 'AP_A_all', 'AP_V_all', 'AP_AV_occluded', 'AP_A_occluded', 'AP_V_occluded',
        'AP50_IV', 'AP50_IV_diff')


def figures(evaluation: Evaluation, label: Optional[int] = None) -> Dict[str, float]:
    """All figures by name, in percent; NaN where there is nothing to find.

    ``AP``, ``AP50``, ``AP75`` and ``AR1``, … for all sizes, ``APs`` and ``ARs``, … for one, with
    ``_A``, ``_V`` or ``_AV`` for the masks, ``_all`` or ``_occluded`` for the objects, and
    ``_things`` or ``_stuff``; ``AR…_none``, ``_partial`` and ``_heavy``; ``AP50_IV``,
    ``AP50_IV_diff``, and the same with ``_same``.

    Args:
        evaluation: what was measured.
        label: of one class; None: the mean over all classes that have objects to find.
    """
    chosen = slice(None) if label is None else slice(label, label + 1)
    named: Dict[str, float] = {}
    for variant, curves in evaluation.curves.items():
        part = Curves(*(values[chosen] for values in curves))
        named.update(_figures(variant, part, evaluation.rules.max_dets))
    return named


def class_figures(evaluation: Evaluation, classes: Sequence[str]) -> Dict[str, float]:
    """``<figure>/<class>`` of the figures in ``MAIN``."""
    return {f'{name}/{class_name}': value for label, class_name in enumerate(classes)
            for name, value in figures(evaluation, label).items() if name in MAIN}


def table(evaluation: Evaluation) -> str:
    """All figures for people to read."""
    named, counts = figures(evaluation), evaluation.counts
    kinds = [kind for kind in KINDS if f'AP_A_all_{kind}' in named]
    lines = ['{images} images, {objects} objects ({occluded} occluded), {ignored} ignored, '
             '{detections} detections; figures in percent'.format(**counts), '']
    lines += _seen_table(named, kinds, evaluation.rules.max_dets)
    lines += ['', *_bin_table(named, kinds, evaluation)]
    lines += ['', *_hidden_table(named, counts)]
    return '\n'.join(lines)


def class_table(evaluation: Evaluation, classes: Sequence[str]) -> str:
    """The figures in ``MAIN`` of each class, for people to read."""
    width = max(map(len, ('class', *classes)))
    objects = [evaluation.curves[Variant('A', subset)].objects for subset in ('all', 'occluded')]
    lines = [f'{"class":{width}s}  objects  occluded  ' + '  '.join(MAIN)]
    for label, class_name in enumerate(classes):
        named = figures(evaluation, label)
        lines.append(f'{class_name:{width}s}  {objects[0][label]:7d}  {objects[1][label]:8d}  '
                     + '  '.join(_cell(named[name], len(name)) for name in MAIN))
    return '\n'.join(lines)


def interval_table(evaluation: Evaluation, ends: Dict[str, Sequence[float]]) -> str:
    """The figures in ``MAIN``, each with its interval, for people to read."""
    named = figures(evaluation)
    lines = [_row('figure', '', ['', 'low', 'high'])]
    lines += [_row(name, '', [named[name], *ends[name]]) for name in MAIN]
    return '\n'.join([*lines, 'low, high: 95 % of the draws of images lie between (bootstrap)'])


def _figures(variant: Variant, curves: Curves, max_dets: Sequence[int]) -> Dict[str, float]:
    """The figures of one variant."""
    name, size = variant.name, variant.size
    if variant.masks in WAYS:
        return {f'AP50_{name}': _percent(curves.precision)}
    if size:
        return {f'AP{size}_{name}': _percent(curves.precision),
                f'AR{size}_{name}': _percent(curves.recall)}
    if variant.subset in BINS:
        return {f'AR{max_dets[-1]}_{name}': _percent(curves.recall[..., -1])}
    recall = {f'AR{most}_{name}': _percent(curves.recall[..., place])
              for place, most in enumerate(max_dets)}
    return {f'AP_{name}': _percent(curves.precision),
            f'AP50_{name}': _percent(curves.precision[:, 0]),
            f'AP75_{name}': _percent(curves.precision[:, 5]), **recall}


def _percent(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(100 * known.mean()) if len(known) else math.nan


def _seen_table(named: Dict[str, float], kinds: Sequence[str],
                max_dets: Sequence[int]) -> List[str]:
    stats = ['AP', 'AP50', 'AP75', *(f'AP{size}' for size in SIZES),
             *(f'AR{most}' for most in max_dets), *(f'AR{size}' for size in SIZES)]
    lines = [_row('objects', 'masks', stats)]
    for kind in ('', *kinds):
        for subset in ('all', 'occluded'):
            title = ' '.join(filter(None, (subset, kind)))
            for masks in MASKS:
                name = Variant(masks, subset, kind).name
                values = [named.get(f'{stat}_{name}') for stat in stats]
                lines.append(_row(title if masks == MASKS[0] else '', WORDS[masks], values))
    sides = [round(area**0.5) for _, area in list(SIZES.values())[:2]]
    return [*lines, 's, m, l: area of the amodal mask, for V of the visible one, up to '
            f'{sides[0]}², up to {sides[1]}², and above']


def _bin_table(named: Dict[str, float], kinds: Sequence[str],
               evaluation: Evaluation) -> List[str]:
    low, high = evaluation.rules.occ_bins
    lines = [_row(f'AR{evaluation.rules.max_dets[-1]} by occlusion', 'masks', BINS)]
    for kind in ('', *kinds):
        for masks in MASKS:
            names = [Variant(masks, subset, kind).name for subset in BINS]
            values = [named[f'AR{evaluation.rules.max_dets[-1]}_{name}'] for name in names]
            lines.append(_row(kind or 'all' if masks == MASKS[0] else '', WORDS[masks], values))
    return [*lines, f'rates: none up to {low:g}, partial {low:g} to {high:g}, heavy from {high:g}']


def _hidden_table(named: Dict[str, float], counts: Dict[str, int]) -> List[str]:
    lines = [_row('AP50 of invisible masks', '', ['any', 'same'])]
    for way, words in zip(WAYS, ('direct', 'difference')):
        values = [named[f'AP50_{way}'], named[f'AP50_{way}_same']]
        lines.append(_row(f'{words}', way, values))
    return [*lines, 'same: only with an object whose amodal mask lets the detection in; judged '
            'are {gated} detections on {occluded} objects'.format(**counts)]


def _row(title: str, masks: str, values: Sequence[object]) -> str:
    return f'{title:24s}{masks:10s}' + ''.join(_cell(value, 8) for value in values)


def _cell(value: object, width: int) -> str:
    if isinstance(value, str):
        return value.rjust(width)
    return ('-' if value is None or math.isnan(value) else f'{value:.1f}').rjust(width)
