"""The geometry of patches: boxes by hand, crops against a padded image."""

import numpy as np
import pytest

from mmamodal.structures.patches import (crop_image, crop_mask, crop_window, paste_into,
                                         resize_mask, square_patch)


@pytest.mark.parametrize('bbox, options, expected', [
    # sqrt(3 * 10 * 10) = 17.32 wide, around (15, 25): 15 - 8.66 = 6.34, 25 - 8.66 = 16.34
    ((10, 20, 20, 30), {}, (6, 16, 23, 33)),
    # 1.1 * 100 beats sqrt(3 * 100 * 4) = 34.6: 50 - 55 = -5, 2 - 55 = -53
    ((0, 0, 100, 4), {}, (-5, -53, 105, 57)),
    ((0, 0, 4, 100), {}, (-53, -5, 57, 105)),
    # 16.97 around (4, 4): -4.48 becomes -4, not -5
    ((0, 0, 8, 12), {}, (-4, -2, 12, 14)),
    # half a pixel: sqrt(3) around (0.5, 0.5): -0.37 becomes 0
    ((0, 0, 1, 1), {}, (0, 0, 1, 1)),
    ((0, 0, 2, 2), {}, (0, 0, 3, 3)),
    ((3, 3, 3, 3), {}, (3, 3, 3, 3)),
    # the side before zoom moves the centre: 15 + 0.2 * 17.32 - 17.32 / 0.8 / 2 = 7.64
    ((10, 20, 20, 30), dict(shift=(0.2, -0.2), zoom=0.8), (7, 10, 28, 31)),
    ((10, 20, 20, 30), dict(zoom=1.2), (7, 17, 21, 31)),
    ((10, 20, 20, 30), dict(enlarge=1.0), (9, 19, 20, 30)),  # the margin: side 11
    ((10, 20, 20, 30), dict(enlarge=7.0), (1, 11, 27, 37)),
])
def test_square_patch(bbox, options, expected):
    patch = square_patch(bbox, **options)
    assert patch.dtype == np.int64
    np.testing.assert_array_equal(patch, expected)


def padded(image: np.ndarray, patch: tuple, rim: int = 40) -> np.ndarray:
    x1, y1, x2, y2 = (edge + rim for edge in patch)
    return np.pad(image, [(rim, rim), (rim, rim)] + [(0, 0)] * (image.ndim - 2))[y1:y2, x1:x2]


IMAGE = np.arange(1, 7 * 9 + 1, dtype=np.uint8).reshape(7, 9)


@pytest.mark.parametrize('patch', [
    (0, 0, 9, 7), (2, 1, 5, 4), (-3, -2, 4, 5), (6, 4, 14, 12), (-5, -5, 20, 20), (3, 3, 3, 3),
    (9, 0, 12, 3), (0, 7, 3, 10), (-4, 0, 0, 4), (0, -4, 4, 0), (20, 20, 24, 24), (-9, -9, -5, -5)
])
def test_crop_window_is_a_crop_of_the_image_with_a_black_rim(patch):
    window = crop_window(IMAGE, patch)
    assert window.dtype == np.uint8
    np.testing.assert_array_equal(window, padded(IMAGE, patch))
    rgb = np.stack([IMAGE, IMAGE + 1, IMAGE + 2], axis=-1)
    np.testing.assert_array_equal(crop_window(rgb, patch), padded(rgb, patch))


@pytest.mark.parametrize('origin', [(0, 0), (2, 3), (-4, 5)])
def test_crop_window_of_an_image_that_lies_elsewhere(origin):
    x, y = origin
    np.testing.assert_array_equal(crop_window(IMAGE, (x + 1, y + 2, x + 12, y + 13), origin),
                                  padded(IMAGE, (1, 2, 12, 13)))


def test_crop_mask_of_the_tight_box_is_the_crop_of_the_image():
    image = np.zeros((30, 40), np.uint8)
    image[5:20, 30:38] = np.random.default_rng(0).integers(0, 2, (15, 8))
    patch = square_patch((30, 5, 38, 20))
    for smooth in (False, True):
        np.testing.assert_array_equal(
            crop_mask(image[5:20, 30:38], patch, 16, smooth, origin=(30, 5)),
            crop_mask(image, patch, 16, smooth))


def test_crop_mask_scales_nearest_or_smoothly():
    mask = np.array([[1, 0], [0, 0]], np.uint8)
    nearest = crop_mask(mask, (0, 0, 2, 2), 4)
    np.testing.assert_array_equal(nearest, np.kron(mask, np.ones((2, 2), np.uint8)))
    # bilinear: weights 1, 0.75, 0.25, 0 along each axis; above a half: 1, 0.75 and 0.5625
    smooth = crop_mask(mask, (0, 0, 2, 2), 4, smooth=True)
    np.testing.assert_array_equal(smooth, nearest)
    np.testing.assert_array_equal(
        resize_mask(np.array([[1, 1], [1, 0]], np.uint8), 4, smooth=True),
        [[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 0, 0]])
    assert smooth.dtype == nearest.dtype == np.uint8


def test_a_half_is_outside_when_smooth():
    stripes = np.tile(np.array([[1, 0]], np.uint8), (2, 1))
    np.testing.assert_array_equal(resize_mask(stripes, 1, smooth=True), [[0]])


def test_crop_image_scales_bicubically_and_is_black_outside():
    image = np.full((8, 8, 3), 200, np.uint8)
    crop = crop_image(image, (-8, 0, 8, 16), 32)
    assert crop.shape == (32, 32, 3) and crop.dtype == np.uint8
    # clear of the rim, where bicubic interpolation overshoots
    assert (crop[:12, 20:] == 200).all() and not crop[:, :12].any() and not crop[20:].any()


@pytest.mark.parametrize('patch', [(2, 3, 10, 11), (-3, -2, 5, 6), (8, 6, 16, 14), (-8, -8, 0, 0)])
def test_paste_inverts_crop_at_the_same_scale(patch):
    mask = np.random.default_rng(0).integers(0, 2, (12, 14)).astype(np.uint8)
    x1, y1, x2, y2 = patch
    inside = np.zeros_like(mask)
    inside[max(y1, 0):max(y2, 0), max(x1, 0):max(x2, 0)] = 1
    for dtype in (np.uint8, bool):
        pasted = np.zeros_like(mask)
        paste_into(pasted, crop_mask(mask, patch, 8).astype(dtype), patch)
        np.testing.assert_array_equal(pasted, mask & inside)


def test_paste_into_an_image_writes_the_patch_alone():
    out = np.full((12, 14), 7, np.uint8)
    mask = np.eye(8, dtype=bool)
    paste_into(out, mask, (10, -3, 18, 5))
    np.testing.assert_array_equal(out[:5, 10:], mask[3:, :4])
    out[:5, 10:] = 7
    assert (out == 7).all()


def test_paste_inverts_crop_of_a_large_object_up_to_its_rim():
    mask = np.zeros((60, 80), np.uint8)
    mask[10:50, 20:70] = 1
    patch = square_patch((20, 10, 70, 50))
    for size in (64, 100, 256):
        pasted = np.zeros_like(mask)
        paste_into(pasted, crop_mask(mask, patch, size, smooth=True), patch)
        wrong = mask != pasted
        assert not wrong[12:48, 22:68].any() and wrong.sum() < 100
