"""Layers: cut out, moved, put together."""

import numpy as np
import pytest

from mmamodal.structures.layers import cut_out, moved, on_image, put_together


def image(*rows: str) -> np.ndarray:
    """A digit a pixel, three channels alike."""
    return np.array([[[int(char)] * 3 for char in row] for row in rows], np.uint8)


IMAGE = image('123', '456')
MASKS = np.array([[[1, 1, 0], [0, 0, 0]], [[0, 1, 1], [0, 0, 1]]], np.uint8)
LAYERS = [cut_out(IMAGE, mask) for mask in MASKS]


def test_cut_out():
    first, second = LAYERS
    assert (first.x, first.y, second.x, second.y) == (0, 0, 1, 0)
    assert first.pixels.dtype == np.uint8
    assert first.pixels[..., 0].tolist() == [[1, 2]]
    assert second.pixels[..., 0].tolist() == [[2, 3], [0, 6]]
    assert second.pixels[..., 3].tolist() == [[255, 255], [0, 255]]
    assert cut_out(IMAGE, 0 * MASKS[0]).pixels.size == 0


def test_on_the_image():
    assert on_image(LAYERS[1], (2, 3))[..., 0].tolist() == [[0, 2, 3], [0, 0, 6]]
    for layer, mask in zip(LAYERS, MASKS):
        assert np.array_equal(on_image(layer, (2, 3))[..., 3], 255 * mask)
    assert not on_image(cut_out(IMAGE, 0 * MASKS[0]), (2, 3)).any()


def test_put_together_in_either_order():
    behind = LAYERS[1]._replace(pixels=LAYERS[1].pixels.copy())
    behind.pixels[0, 0, :3] = 9  # what the second one has behind the first
    layers, ground = [LAYERS[0], behind], image('000', '000')
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
    layers = [cut_out(picture, mask) for mask in masks]
    assert np.array_equal(put_together(ground, layers, [2, 0, 1]), picture)


@pytest.mark.parametrize('x, y, expected', [
    (-1, 0, [[2, 3, 0], [0, 6, 0]]), (0, 1, [[0, 0, 0], [0, 2, 3]]),
    (0, 0, [[0, 2, 3], [0, 0, 6]]), (9, -9, [[0, 0, 0], [0, 0, 0]])])
def test_moved(x, y, expected):
    assert on_image(moved(LAYERS[1], x, y), (2, 3))[..., 0].tolist() == expected
    back = moved(moved(LAYERS[1], x, y), -x, -y)
    assert back[:2] == LAYERS[1][:2] and back.pixels is LAYERS[1].pixels
