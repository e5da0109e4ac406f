"""Cut-outs: turned, placed, pasted in front; what they hide is known to the pixel."""

import numpy as np
import pytest

from mmamodal.datasets.pasting.cut_outs import (Pasted, canvas_mask, cover, feather, may_cover,
                                                paste_pixels, taken, turn_cut_out, turn_mask)

L_SHAPE = np.array([[1, 0, 0], [1, 0, 0], [1, 0, 0], [1, 1, 1]], np.uint8)


def block(height: int, width: int) -> np.ndarray:
    return np.ones((height, width), np.uint8)


def layer(mask: np.ndarray, x: int = 0, y: int = 0) -> Pasted:
    return Pasted(mask, x, y, mask.copy())


# Turning


def test_neither_turned_nor_scaled_a_mask_is_made_tight():
    np.testing.assert_array_equal(turn_mask(np.pad(L_SHAPE, 2), 0, 1), L_SHAPE)


@pytest.mark.parametrize('quarters', [1, 2, 3])
def test_quarter_turns_are_exact(quarters):
    angle = 90 * quarters
    np.testing.assert_array_equal(turn_mask(L_SHAPE, angle, 1), np.rot90(L_SHAPE, quarters))
    bgr = np.arange(36, dtype=np.uint8).reshape(4, 3, 3)
    turned, mask = turn_cut_out(bgr, L_SHAPE, angle, 1)
    np.testing.assert_array_equal(turned, np.rot90(bgr, quarters))
    np.testing.assert_array_equal(mask, np.rot90(L_SHAPE, quarters))


@pytest.mark.parametrize('scale, shape', [(2, (8, 6)), (0.5, (2, 2))])
def test_scaled_sizes(scale, shape):
    assert turn_mask(block(4, 3), 0, scale).shape == shape


@pytest.mark.parametrize('angle, scale', [(17.0, 1.0), (-123.4, 1.0), (45.0, 1.5), (200.0, 0.5)])
def test_turning_keeps_the_area(angle, scale):
    mask = np.pad(block(30, 20), 3)
    turned = turn_mask(mask, angle, scale)
    assert turned.sum() == pytest.approx(600 * scale**2, rel=0.04)
    assert turned.any(0).all() and turned.any(1).all()


def test_pixels_and_mask_of_a_cut_out_go_together():
    mask = np.pad(L_SHAPE.repeat(9, 0).repeat(9, 1), 4)
    turned, turned_mask = turn_cut_out(mask[..., None].repeat(3, 2) * np.uint8(200), mask, 33, 1.3)
    np.testing.assert_array_equal(turned_mask, turn_mask(mask, 33, 1.3))
    np.testing.assert_array_equal(turned[..., 0] >= 100, turned_mask)


@pytest.mark.parametrize('mask', [np.zeros((4, 4), np.uint8), np.zeros((0, 0), np.uint8)])
def test_of_nothing_nothing_is_left(mask):
    assert turn_mask(mask, 0, 1).shape == (0, 0)


# Layers


@pytest.mark.parametrize('x, y, hidden', [(0, 0, 4), (1, 1, 1), (-1, 0, 2), (2, 0, 0), (0, 5, 0)])
def test_taken(x, y, hidden):
    assert taken(layer(block(2, 2)), layer(block(2, 2), x, y)) == hidden


@pytest.mark.parametrize('x, max_occlusion, min_visible, expected', [
    (3, 0.25, 12, True), (3, 0.24, 0, False), (3, 1, 13, False),  # a quarter is hidden
    (0, 1, 0, True), (0, 0.99, 0, False), (0, 1, 1, False),  # all of it
    (4, 0, 16, True),  # beside it
])
def test_may_cover(x, max_occlusion, min_visible, expected):
    assert may_cover([layer(block(4, 4))], layer(block(4, 4), x), max_occlusion,
                     min_visible) is expected


def test_what_is_hidden_already_counts():
    layers = [layer(block(1, 4))]
    cover(layers, layer(block(1, 2), 0))
    assert not may_cover(layers, layer(block(1, 1), 3), 0.5, 0)
    assert may_cover(layers, layer(block(1, 2), 0), 0.5, 0)  # takes nothing more


def test_cover_hides_in_every_layer():
    layers = [layer(block(2, 3)), layer(L_SHAPE, 1, 1)]
    cover(layers, layer(block(2, 2), 1, 1))
    np.testing.assert_array_equal(layers[0].visible, [[1, 1, 1], [1, 0, 0]])
    np.testing.assert_array_equal(layers[1].visible, [[0, 0, 0], [0, 0, 0], [1, 0, 0], [1, 1, 1]])
    np.testing.assert_array_equal(layers[1].mask, L_SHAPE)


def test_canvas_mask():
    np.testing.assert_array_equal(
        canvas_mask(block(1, 2), layer(block(1, 2), 1, 1), (3, 4)),
        [[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]])


def test_feather_mixes_the_rim_only_and_by_half_at_most():
    alpha = feather(np.pad(block(5, 5), 1))
    assert (alpha[2:5, 2:5] == 1).all() and alpha[0].max() == alpha[:, -1].max() == 0
    np.testing.assert_allclose(alpha[1, 1:6], [0.5, 2 / 3, 2 / 3, 2 / 3, 0.5], rtol=1e-6)


@pytest.mark.parametrize('kind', [np.uint8, np.float32])
def test_paste_pixels(kind):
    image = np.full((9, 9, 3), 20, kind)
    before = image.copy()
    mask = np.pad(block(5, 5), 1)
    front = layer(mask, 1, 2)
    paste_pixels(image, np.full((7, 7, 3), 200, np.uint8), front)
    inside = canvas_mask(mask, front, (9, 9)) > 0
    assert image.dtype == kind
    np.testing.assert_array_equal(image[~inside], before[~inside])
    assert (image[inside] >= 110).all() and (image[4:7, 3:6] == 200).all()
