"""What stands where in a drawn scene."""

import numpy as np
import pytest

from mmamodal.datasets.scenes.layout import SceneOptions, compose_scene, hidden_pixels, place_behind


def test_too_many_objects_are_refused():
    options = SceneOptions(image_size=(32, 32), num_objects=(40, 40), object_size=(0.8, 0.9))
    with pytest.raises(ValueError, match='no place for 40 objects.*take fewer or smaller'):
        compose_scene(np.random.default_rng(0), options)


def test_hidden_pixels_by_hand():
    covered = np.array([[1, 1, 0], [1, 0, 0]], np.uint8)
    patch = np.array([[1, 1]], np.uint8)
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]])
    np.testing.assert_array_equal(hidden_pixels(patch, covered, corners), [2, 1, 1, 0])


def test_place_behind_keeps_its_bounds():
    rng, patch = np.random.default_rng(0), np.ones((4, 4), np.uint8)
    covered = np.zeros((8, 8), np.uint8)
    covered[:, :4] = 1
    x, _ = place_behind(rng, covered, patch, 0.5, (0.1, 0.7), 1)
    assert x == 2
    assert place_behind(rng, covered, patch, 0.0, (0.1, 0.7), 1)[0] == 4
    assert place_behind(rng, covered, patch, 0.5, (0.1, 0.7), 17) is None
    assert place_behind(rng, np.ones((8, 8), np.uint8), patch, 0.5, (0.1, 0.7), 1) is None
    assert place_behind(rng, covered, np.ones((9, 2), np.uint8), 0.5, (0.1, 0.7), 1) is None
