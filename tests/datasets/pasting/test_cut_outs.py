"""Cut-outs: turned, placed, pasted in front; what they hide is known to the pixel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmamodal.datasets.pasting.cut_outs import (Layer, canvas_mask, cover, feather, may_cover,
                                                paste_pixels, taken, turn_cut_out, turn_mask)
from mmamodal.datasets.pasting.paste_layout import (PasteOptions, by_class, compose, draw_places,
                                                    find_place, paste_region)

L_SHAPE = np.array([[1, 0, 0], [1, 0, 0], [1, 0, 0], [1, 1, 1]], np.uint8)


def block(height: int, width: int) -> np.ndarray:
    return np.ones((height, width), np.uint8)


def layer(mask: np.ndarray, x: int = 0, y: int = 0) -> Layer:
    return Layer(mask, x, y, mask.copy())


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


# Layout


@pytest.mark.parametrize('name, value', [
    ('objects', (0, 3)), ('objects', (4, 3)), ('objects', (1, )), ('scale', (0, 1)),
    ('scale', (2, 1)), ('max_angle', 181), ('density', -1), ('max_occlusion', 1.1),
    ('max_occlusion', float('nan')), ('min_visible', -1), ('even_size', 2)])
def test_options_out_of_range_are_refused(name, value):
    with pytest.raises(ValueError, match=f'{name}=.*expected'):
        PasteOptions(**{name: value})


@pytest.mark.parametrize('mean_area, density, side, shrink', [
    (25, 0, 1, 1),  # the image
    (25, 1, 0.5, 1),  # 10 objects of 25 pixels side by side in a quarter of the image
    (25, 0.25, 1, 1),
    (100, 0.25, 1, 0.5),  # four times the image
])
def test_paste_region(mean_area, density, side, shrink):
    options = PasteOptions(objects=(8, 12), density=density)
    (x1, y1, x2, y2), factor = paste_region(np.random.default_rng(0), mean_area, (20, 50), options)
    assert (x2 - x1, y2 - y1) == pytest.approx((50 * side, 20 * side))
    assert 0 <= x1 and x2 <= 50 + 1e-9 and 0 <= y1 and y2 <= 20 + 1e-9
    assert factor == pytest.approx(shrink)


@settings(deadline=None)
@given(st.integers(0, 99), st.tuples(st.integers(1, 20), st.integers(1, 30)),
       st.floats(0, 15), st.floats(0, 10))
def test_places_are_inside_the_image(seed, shape, width, height):
    places = draw_places(np.random.default_rng(seed), 5, shape, (15 - width, 10 - height, 15, 10),
                         (20, 30))
    for x, y in places:
        assert 0 <= x <= 30 - shape[1] and 0 <= y <= 20 - shape[0]


def test_places_fill_the_region_and_no_more():
    places = np.array(draw_places(np.random.default_rng(0), 300, (2, 3), (4, 5, 10, 9), (20, 30)))
    assert set(places[:, 0]) == {4, 5, 6, 7} and set(places[:, 1]) == {5, 6, 7}


@pytest.mark.parametrize('mask, options', [
    (block(0, 0), dict(min_visible=0)), (block(11, 2), {}), (block(3, 3), dict(min_visible=10))])
def test_objects_that_fit_nowhere(mask, options):
    options = PasteOptions(**dict(dict(min_visible=1), **options))
    assert find_place(np.random.default_rng(0), [], mask, (0, 0, 10, 10), (10, 10), options) is None


def test_no_place_is_found_where_too_much_would_be_hidden():
    under, rng = layer(block(10, 10)), np.random.default_rng(0)
    for limit, found in ((0.24, False), (0.25, True)):
        options = PasteOptions(max_occlusion=limit, min_visible=1)
        place = find_place(rng, [under], block(5, 5), (0, 0, 10, 10), (10, 10), options)
        assert (place is not None) == found
    assert under.visible.all()  # find_place does not cover


def test_by_class():
    assert [group.tolist() for group in by_class([7, 3, 7])] == [[1], [0, 2]]


MASKS = [block(12, 9), L_SHAPE.repeat(5, 0).repeat(5, 1), block(4, 20), block(7, 7)]
AREAS = np.array([mask.sum() for mask in MASKS], float)


def composed(seed: int, **options) -> list:
    options = PasteOptions(**dict(dict(density=0.8, even_size=0, min_visible=5), **options))
    return compose(np.random.default_rng(seed), AREAS, by_class([1, 1, 2, 2]), MASKS.__getitem__,
                   (48, 64), options)


@pytest.mark.parametrize('seed', range(20))
def test_composed_layers(seed):
    layers = composed(seed, max_occlusion=0.6)
    assert 1 <= len(layers) <= 14
    wholes = [canvas_mask(item.mask, item, (48, 64)) for item in layers]
    for i, item in enumerate(layers):
        assert item.x + item.mask.shape[1] <= 64 and item.y + item.mask.shape[0] <= 48
        np.testing.assert_array_equal(
            item.mask, turn_mask(MASKS[item.source], item.angle, item.scale))
        in_front = np.any([np.zeros((48, 64)), *wholes[i + 1:]], axis=0)
        np.testing.assert_array_equal(
            canvas_mask(item.visible, item, (48, 64)), wholes[i] * ~in_front)
        assert item.visible.sum() >= max(5, 0.4 * item.mask.sum())


def test_a_seed_gives_one_composition():
    one, same, other = composed(3), composed(3), composed(4)
    assert repr(one) == repr(same) != repr(other)


def test_the_number_of_objects_is_met_where_there_is_room():
    for seed in range(10):
        assert len(composed(seed, objects=(4, 4), max_occlusion=1, min_visible=0)) == 4


def test_even_sizes():
    layers = composed(0, even_size=1, max_angle=0, density=0.1, max_occlusion=1)
    areas = [item.mask.sum() for item in layers]
    assert max(areas) < 1.3 * min(areas)
    untouched = composed(0, max_angle=0)
    assert all(item.scale == 1 for item in untouched)


def test_classes_are_equally_likely():
    sources = [item.source for seed in range(300)
               for item in compose(np.random.default_rng(seed), AREAS, by_class([1, 1, 1, 2]),
                                   MASKS.__getitem__, (200, 200),
                                   PasteOptions(objects=(1, 1), density=0, min_visible=5))]
    assert 0.4 < np.mean([source == 3 for source in sources]) < 0.6
