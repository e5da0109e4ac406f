"""Layers: cut out, moved, put together."""

import numpy as np

from mmamodal.structures.layers import cut_out, moved, put_together


def image(*rows: str) -> np.ndarray:
    """A digit a pixel, three channels alike."""
    return np.array([[[int(char)] * 3 for char in row] for row in rows], np.uint8)


IMAGE = image('123', '456')
MASKS = np.array([[[1, 1, 0], [0, 0, 0]], [[0, 1, 1], [0, 0, 1]]], np.uint8)


def test_cut_out():
    layers = cut_out(IMAGE, MASKS)
    assert layers.dtype == np.uint8
    assert layers[..., 0].tolist() == [[[1, 2, 0], [0, 0, 0]], [[0, 2, 3], [0, 0, 6]]]
    assert np.array_equal(layers[..., 3], 255 * MASKS)
    assert cut_out(IMAGE, MASKS[:0]).shape == (0, 2, 3, 4)


def test_put_together_in_either_order():
    layers = cut_out(IMAGE, MASKS)
    layers[1, 0, 1, :3] = 9  # what the second one has behind the first
    ground = image('000', '000')
    assert put_together(ground, layers, [0, 1])[..., 0].tolist() == [[1, 2, 3], [0, 0, 6]]
    assert put_together(ground, layers, [1, 0])[..., 0].tolist() == [[1, 9, 3], [0, 0, 6]]
    assert put_together(ground, layers, [1])[..., 0].tolist() == [[0, 9, 3], [0, 0, 6]]
    assert put_together(ground, layers, [])[..., 0].tolist() == [[0, 0, 0], [0, 0, 0]]
    assert not ground.any()


def test_all_of_an_image_put_together_is_the_image():
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (9, 8, 3), np.uint8)
    masks = rng.integers(0, 2, (3, 9, 8), np.uint8)
    ground = picture * (masks.max(0) == 0)[..., None]
    assert np.array_equal(put_together(ground, cut_out(picture, masks), [2, 0, 1]), picture)


def test_moved():
    layer = cut_out(IMAGE, MASKS)[1]
    assert moved(layer, -1, 0)[..., 0].tolist() == [[2, 3, 0], [0, 6, 0]]
    assert moved(layer, 0, 1)[..., 3].tolist() == [[0, 0, 0], [0, 255, 255]]
    assert np.array_equal(moved(layer, 0, 0), layer)
    assert not moved(layer, 9, -9).any()
