"""Occluded or not: counts and percentages, in text and in the picture."""

import cv2
import numpy as np
import pytest

from mmamodal.visualization.plots.confusion import (confusion_picture, confusion_text, right_words,
                                                    shares)

COUNTS = np.array([[3, 1], [0, 1200]])


@pytest.mark.parametrize('counts, expected', [
    (COUNTS, [[75, 25], [0, 100]]), (np.zeros((2, 2), int), [[0, 0], [0, 0]]),
    ([[0, 0], [1, 3]], [[0, 0], [25, 75]])])
def test_shares_are_those_of_rows(counts, expected):
    assert shares(np.array(counts)).tolist() == expected


def test_text():
    lines = confusion_text(COUNTS).splitlines()
    assert [line.split() for line in lines[1:3]] == [
        ['not', 'occluded', '4', '3', '75.0', '%', '1', '25.0', '%'],
        ['occluded', '1200', '0', '0.0', '%', '1200', '100.0', '%']]
    assert lines[3] == 'right: 1,203 of 1,204 (99.9 %)'
    assert len({len(line) for line in lines[:3]}) == 1  # columns end where their heads do
    assert right_words(np.zeros((2, 2), int)) == 'right: 0 of 0 (0.0 %)'


@pytest.mark.parametrize('counts', [COUNTS, np.zeros((2, 2), int)])
def test_picture(figure, counts):
    data = confusion_picture(counts, 'Occluded or not', 'cups')
    axes, = figure[0].axes
    parts = shares(counts).ravel()
    assert [text.get_text() for text in axes.texts] == [
        text for count, part in zip(counts.ravel(), parts) for text in (
            f'{count:,}', f'{part:.1f} %')]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        f'not occluded\n{counts[0].sum():,} objects', f'occluded\n{counts[1].sum():,} objects']
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (864, 1024, 3) and (picture[:3] == 255).all()
    assert data == confusion_picture(counts, 'Occluded or not', 'cups')


def test_the_larger_part_is_darker():
    data = confusion_picture(COUNTS, 'Occluded or not')
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    cells = [[int(picture[y, x]) for x in (300, 650)] for y in (260, 560)]
    assert cells[1][1] < cells[0][0] < cells[0][1] < cells[1][0]
