"""The tables of the amodal metrics."""

import math

import amodal_scenes
from amodal_scenes import RULES, evaluated, one_image

from mmamodal.evaluation.detection.amodal_coco_eval import evaluate
from mmamodal.evaluation.detection.amodal_figures import (MAIN, class_figures, class_table, figures,
                                                          interval_table, table)


def test_tables_show_every_figure():
    evaluation = evaluated(amodal_scenes.random_scenes(1, stuff=True))
    text = table(evaluation)
    for name, value in figures(evaluation).items():
        if 'occluded' not in name and not name.endswith(('things', 'stuff')):
            assert math.isnan(value) or f'{value:.1f}' in text, name
    for word in ('all things', 'occluded stuff', 'IV_diff', 'partial', '12 images'):
        assert word in text
    rows = class_table(evaluation, amodal_scenes.CLASSES).splitlines()
    assert [row.split()[0] for row in rows] == ['class', 'box', 'bar']
    assert len({len(row) for row in rows}) == 1


def test_intervals_stand_beside_their_figures():
    evaluation = evaluate([one_image(['AAaa'], ['AAaa'])], 1, RULES)
    lines = interval_table(evaluation, {name: (12.34, float('nan')) for name in MAIN}).splitlines()
    assert len(lines) == len(MAIN) + 2 and lines[0].split() == ['figure', 'low', 'high']
    assert lines[1].split() == ['AP_AV_all', '100.0', '12.3', '-']


def test_figures_of_a_class_that_is_not_there_are_no_numbers():
    evaluation = evaluate([one_image(['AA'], ['AA'])], 2, RULES)
    assert figures(evaluation, 0)['AP_A_all'] == figures(evaluation)['AP_A_all'] == 100
    assert math.isnan(figures(evaluation, 1)['AP_A_all'])
    named = class_figures(evaluation, ['cup', 'hat'])
    assert set(named) == {f'{name}/{kind}' for name in MAIN for kind in ('cup', 'hat')}
