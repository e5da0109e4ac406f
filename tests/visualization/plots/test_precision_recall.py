"""Precision over recall: its means by hand, and that each curve is drawn."""

import cv2
import numpy as np
import pytest

from mmamodal.evaluation.detection.amodal_coco_eval import Curves, Variant
from mmamodal.visualization.plots.precision_recall import (PANELS, Curve, curves_of, mean_precision,
                                                           precision_recall)

NAN = np.nan


def found(*classes: float, thresholds: int = 2) -> Curves:
    """Of each class the same precision at all thresholds and recalls."""
    values = np.array(classes)[:, None, None]
    return Curves(np.broadcast_to(values, (len(classes), thresholds, 101)), np.zeros(0),
                  np.zeros(0))


@pytest.mark.parametrize('precision, expected', [
    ([[[1, 0.5, 0]]], [1, 0.5, 0]),
    ([[[1, 0.5, 0], [0, 0.5, 0]]], [0.5, 0.5, 0]),  # over thresholds
    ([[[1, 1, 0]], [[0, 1, 1]], [[NAN] * 3]], [0.5, 1, 0.5]),  # over classes with objects
    ([[[NAN, NAN]]], []),
    (np.zeros((0, 1, 3)), []),
])
def test_mean_over_classes_and_thresholds(precision, expected):
    np.testing.assert_allclose(mean_precision(np.array(precision, float)), expected)


def test_curves_that_there_are():
    panels = curves_of({Variant('A', 'all'): found(0.5, NAN), Variant('V', 'all'): found(NAN),
                        Variant('AV', 'all', size='s'): found(0.1),
                        Variant('IV'): found(0.25, 0.75, thresholds=1),
                        Variant('IV', 'same'): found(0.1)})
    assert list(panels) == list(PANELS)
    assert [[curve.figure for curve in curves] for curves in panels.values()] == [
        ['AP_A 50.0'], [], ['AP50_IV 50.0']]


def test_lines_and_their_figures(figure):
    falling = np.linspace(1, 0, 101)
    precision_recall({'All': [Curve('A', falling), Curve('AV', falling**2)], 'Hidden': []},
                     'Cups', '5 cups')
    first, second = figure[0].axes
    np.testing.assert_allclose(first.lines[0].get_xdata(), np.arange(101))
    np.testing.assert_allclose(first.lines[0].get_ydata(), np.arange(100, -1, -1), atol=1e-9)
    texts = [text.get_text() for text in first.texts]
    assert texts == ['AP_A 50.0', 'amodal masks', 'AP_AV 33.5', 'both together']
    assert (first.get_xlabel(), first.get_ylabel()) == ('recall [%]', 'precision [%]')
    assert [text.get_text() for text in second.texts] == ['none'] and not second.lines
    assert [text.get_text() for text in figure[0].texts] == ['Cups', '5 cups']


def test_picture_is_a_png_and_the_same_each_time():
    panels = {'All': [Curve('V', np.linspace(1, 0, 101))], 'Hidden': [Curve('IV', np.ones(101))]}
    data = precision_recall(panels, 'Cups')
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (752, 2400, 3) and (picture[:3] == 255).all() and picture.min() < 60
    assert data == precision_recall(panels, 'Cups')
