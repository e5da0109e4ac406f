"""Tables of results: values, differences and their certainty, as Markdown and CSV."""

import csv
import io
import math

import numpy as np
import pytest

from mmamodal.evaluation.completion.completion_metric import completion_figures, completion_sums
from mmamodal.evaluation.completion.results_table import Row, as_csv, as_markdown, compare

NAMES = ('O_Acc', 'mIoU')


def row(name: str, right: list, inside: list) -> Row:
    """Of images with one object of 10 pixels, 4 hidden, and four pairs: right pairs and pixels."""
    images = [dict(img_id=k, **completion_sums(np.array([(good, 10, 0, 4, 4)]), (pairs, 4)))
              for k, (pairs, good) in enumerate(zip(right, inside))]
    return Row(name, completion_figures(images), images)


GOOD = row('good', [4, 4, 3, 4], [9, 8, 9, 10])
POOR = row('poor', [2, 1, 2, 3], [7, 6, 7, 8])


def test_values_and_differences_by_hand():
    (good, poor) = compare([GOOD, POOR], NAMES, 'good')
    assert [cell.value for cell in good] == [100 * 15 / 16, 90]
    assert all(math.isnan(cell.difference) and math.isnan(cell.p) for cell in good)
    assert [cell.difference for cell in poor] == pytest.approx([100 * -7 / 16, -20])
    # Each image loses 2 of 10 pixels: whichever are drawn, 20 points.
    assert (poor[1].difference_low, poor[1].difference_high) == pytest.approx((-20, -20))
    assert poor[1].p == pytest.approx(2 / 10001)
    assert poor[0].difference_low < poor[0].difference < poor[0].difference_high < 0
    for cell in (*good, *poor):
        assert cell.low < cell.value < cell.high


def test_without_a_reference_there_are_no_differences():
    ((cell, _), _) = compare([GOOD, POOR], NAMES)
    assert cell.low < cell.value and math.isnan(cell.difference) and math.isnan(cell.p)


def test_a_row_of_plain_numbers_has_no_intervals():
    plain = Row('plain', dict(mIoU=95.0))
    good, (order, shapes) = compare([GOOD, plain], NAMES, 'good')
    assert math.isnan(order.value)
    assert shapes.difference == 5 and math.isnan(shapes.low) and math.isnan(shapes.p)
    assert good[1].low < 90
    only = Row('other', {'amodal/AP_A_all': 30.0})
    assert compare([only], ['amodal/AP_A_all'])[0][0].value == 30


@pytest.mark.parametrize('other, words', [
    (row('other', [4], [9]), "'good' and 'other' were not tested on the same images.* 4 and 1"),
    (row('other', [4, 4, 3, 4], [9, 8, 9, 10])._replace(images=[
        dict(image, img_id=image['img_id'] + 1) for image in GOOD.images]), 'same images'),
    (row('other', [4, 4, 3, 4], [9, 8, 9, 10])._replace(images=[
        dict(image, O_Acc=[0, 5]) for image in GOOD.images]), 'same images and objects'),
    (GOOD, 'unlike names'),
])
def test_what_cannot_be_compared_is_refused(other, words):
    with pytest.raises(ValueError, match=words):
        compare([GOOD, other], NAMES, 'good')


def test_an_unknown_reference_is_refused():
    with pytest.raises(ValueError, match=r"'best' is no row: expected one of \['good', 'poor'\]"):
        compare([GOOD, POOR], NAMES, 'best')


def test_markdown():
    rows = [GOOD, POOR]
    lines = as_markdown(rows, NAMES, compare(rows, NAMES, 'good'), 'good').splitlines()
    assert lines[:2] == ['|  | O_Acc | mIoU |', '| --- | --- | --- |']
    assert lines[2].startswith('| good | 93.8 [') and lines[3].startswith('| poor | 50.0 [')
    assert lines[5] == 'Difference to good:'
    assert lines[9].endswith('| -20.0 [-20.0, -20.0] p<0.001 |') and '| poor | -43.8 [' in lines[9]
    assert '95 % intervals over 4 images' in lines[-1] and 'Without brackets' not in lines[-1]


def test_markdown_says_why_there_are_no_intervals():
    rows = [Row('detector', {'amodal/AP_A_all': 30.04})]
    text = as_markdown(rows, ['amodal/AP_A_all'], compare(rows, ['amodal/AP_A_all']))
    assert '|  | AP_A_all |' in text and '| detector | 30.0 |' in text
    assert 'Without brackets: no sums of single images' in text and 'resamples' not in text


def test_csv_can_be_read_back():
    rows = [GOOD, Row('plain', dict(mIoU=95.0))]
    first, second = csv.DictReader(io.StringIO(as_csv(rows, NAMES, compare(rows, NAMES, 'good'))))
    assert first['name'] == 'good' and float(first['mIoU']) == 90 and first['mIoU_p'] == ''
    assert float(second['mIoU_difference']) == 5 and second['mIoU_low'] == ''
    assert second['O_Acc'] == ''
