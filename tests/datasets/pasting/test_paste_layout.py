"""The rules of placing: regions, places, and whole compositions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmamodal.datasets.pasting.cut_outs import Pasted, canvas_mask, turn_mask
from mmamodal.datasets.pasting.paste_layout import (PasteOptions, by_class, compose, draw_places,
                                                    find_place, paste_region)

L_SHAPE = np.array([[1, 0, 0], [1, 0, 0], [1, 0, 0], [1, 1, 1]], np.uint8)


def block(height: int, width: int) -> np.ndarray:
    return np.ones((height, width), np.uint8)


def layer(mask: np.ndarray, x: int = 0, y: int = 0) -> Pasted:
    return Pasted(mask, x, y, mask.copy())


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
