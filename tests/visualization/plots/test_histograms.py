"""Histograms of a data set: their bars by hand, and that each is drawn."""

import cv2
import numpy as np
import pytest

from mmamodal.visualization.plots.histograms import even_edges, histograms, whole_edges


@pytest.mark.parametrize('counts, expected', [
    ([], [-0.5, 0.5, 1.5]), ([0, 0], [-0.5, 0.5, 1.5]), ([3], [-0.5, 0.5, 1.5, 2.5, 3.5]),
    (range(30), np.arange(-0.5, 30)), (range(31), np.arange(-0.5, 32, 2)),
    ([*range(100)] * 2, np.arange(-0.5, 101, 5)),
    # One in two hundred lies far beyond the others: it does not squeeze them into one bar.
    ([2] * 200 + [90], [-0.5, 0.5, 1.5, 2.5])])
def test_bars_stand_around_whole_numbers(counts, expected):
    np.testing.assert_allclose(whole_edges(np.array(counts)), expected)


@pytest.mark.parametrize('sizes, first, last, bars', [
    ([], 0.05, 1, 20), ([0.5], 0.05, 1, 20), ([3.0, 60.0], 2, 60, 30), ([3.0, 61.0], 5, 65, 13),
    ([640.0], 50, 650, 13), ([10.0] * 200 + [900.0], 0.5, 12, 24)])
def test_bars_have_round_widths_and_are_thirty_at_most(sizes, first, last, bars):
    edges = even_edges(np.array(sizes))
    assert edges[0] == 0 and edges[1] == pytest.approx(first) and edges[-1] == pytest.approx(last)
    assert len(edges) == bars + 1
    np.testing.assert_allclose(np.diff(edges), first)


@pytest.mark.parametrize('rates, counts, sizes', [
    ([], [], []), ([], [0, 0], []), ([1.0], [1], [1.0]),
    ([0.1, 0.2, 0.95], [3, 2, 40], [5.0, 20.0, 33.0])])
def test_picture_is_a_png_of_one_size(rates, counts, sizes):
    data = histograms(np.array(rates), np.array(counts, int), np.array(sizes), 'A set', 'of things')
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (624, 1920, 3) and (picture[:3] == 255).all()
    assert picture.min() < 60


def test_bars_count_and_axes_name_their_units(figure):
    histograms(np.array([0.04, 0.05, 0.52]), np.array([1, 2, 2]), np.full(5, 7.5), 'Cups', '5 cups')
    occlusion, crowding, size = figure[0].axes
    heights = [[bar.get_height() for bar in axes.patches] for axes in figure[0].axes]
    assert [place for place, height in enumerate(heights[0]) if height] == [0, 1, 10]
    assert heights[1] == [0, 1, 2] and sum(heights[2]) == 5
    assert [axes.get_xlabel() for axes in (occlusion, crowding, size)] == [
        'occlusion rate [%]', 'objects per image', 'square root of amodal area [px]']
    assert [axes.get_ylabel() for axes in (occlusion, crowding, size)] == [
        'objects', 'images', 'objects']
    assert [axes.texts[0].get_text() for axes in figure[0].axes] == [
        'mean 20.3 %', 'mean 1.7', 'mean 7.5 px']
    assert [text.get_text() for text in figure[0].texts] == ['Cups', '5 cups']


def test_what_lies_beyond_the_bars_is_told(figure):
    histograms(np.array([0.5]), np.array([2] * 200 + [90]), np.full(490, 7.5), 'Cups')
    crowding = figure[0].axes[1]
    assert crowding.get_title(loc='right') == '1 beyond, up to 90'
    assert sum(bar.get_height() for bar in crowding.patches) == 200
    assert figure[0].axes[2].get_title(loc='right') == ''
