"""The objects of drawn scenes."""

import cv2
import numpy as np
import pytest

from mmamodal.datasets.scenes.drawing import silhouette
from mmamodal.datasets.scenes.shapes import SHAPES, ellipse, normals, rounded, tint, tube


@pytest.mark.parametrize('shape', list(SHAPES))
def test_shapes_are_one_piece_and_not_convex(shape):
    filled = []
    for seed in range(12):
        mask = silhouette(dict(shape=shape, seed=seed, size=60.0, angle=0.3, flip=bool(seed % 2)))
        hull = cv2.fillConvexPoly(np.zeros_like(mask), cv2.convexHull(cv2.findNonZero(mask)), 1)
        filled.append(mask.sum() / hull.sum())
        assert cv2.connectedComponents(mask)[0] == 2 and 45 <= max(mask.shape) <= 85
    assert np.mean(filled) < 0.85


@pytest.mark.parametrize('factor, expected', [(1, (100, 50, 0)), (0.5, (50, 25, 0)),
                                              (2, (177.5, 152.5, 127.5))])
def test_tints(factor, expected):
    assert tint((100, 50, 0), factor) == expected


def test_an_ellipse_and_a_tube_by_hand():
    points = ellipse((1, 2), (3, 4), vertices=4)
    np.testing.assert_allclose(points, [[4, 2], [1, 6], [-2, 2], [1, -2]], atol=1e-9)
    path = np.array([[0.0, 0], [10, 0]])
    np.testing.assert_allclose(normals(path), [[0, 1], [0, 1]])
    contour = tube(path, 2)
    assert np.abs(contour[:, 1]).max() == pytest.approx(2)
    assert (contour[:, 0].min(), contour[:, 0].max()) == pytest.approx((-2, 12))  # round ends


@pytest.mark.parametrize('closed, expected', [
    (True, [[1, 0], [3, 0], [4, 1], [4, 3], [3, 4], [1, 4], [0, 3], [0, 1]]),
    (False, [[0, 0], [1, 0], [3, 0], [4, 1], [4, 3], [3, 4], [1, 4], [0, 4]])])
def test_corners_are_cut_off(closed, expected):
    square = [(0, 0), (4, 0), (4, 4), (0, 4)]
    assert rounded(square, closed, rounds=1).tolist() == expected
