"""Two objects that occlude each other."""

import numpy as np
import pytest

from mmamodal.datasets.scenes.crossings import choose_lifted, place_across
from mmamodal.datasets.scenes.drawing import amodal_masks, seen_masks
from mmamodal.datasets.scenes.layout import SceneOptions, draw_item


@pytest.mark.parametrize('rows, hidden_most, expected', [
    ((2, 3), 0.7, [0, 6]),  # the smaller of two crossings
    ((2, ), 0.7, None),  # one crossing is no mutual occlusion
    ((2, 3), 0.1, None),  # more would be hidden than may be
])
def test_the_second_largest_crossing_is_lifted(rows, hidden_most, expected):
    first, second = np.zeros((2, 10, 10), np.uint8)
    first[:, :4] = 1
    for place, width in zip((1, 6), rows):
        second[place:place + 2, :(6 - width)] = 1
    point = choose_lifted(first, second, int(second.sum()) + 20, (0.05, hidden_most), 1)
    assert expected is None and point is None or point.tolist() == expected


def crossed(gap: int) -> tuple:
    """A bar of 4 columns, and an object that crosses it in two pieces of 2 rows each, ``gap`` rows
    between them."""
    first, second = np.zeros((2, 12, 10), np.uint8)
    first[:, :4] = 1
    second[0:2, :5] = second[2 + gap:4 + gap, :5] = 1
    return first, second


@pytest.mark.parametrize('gap, second_area, occlusion, min_visible, found', [
    (4, 40, (0.05, 0.7), 1, True),
    (0, 40, (0.05, 0.7), 1, False),  # it is one
    (4, 40, (0.25, 0.7), 1, False),  # 8 of 48 pixels are too few
    (4, 40, (0.05, 0.7), 33, False),  # of the second 32 stay visible
    (4, 400, (0.0, 0.7), 1, True), (4, 400, (0.05, 0.7), 1, False)])
def test_what_is_hidden_of_each_is_in_bounds(gap, second_area, occlusion, min_visible, found):
    point = choose_lifted(*crossed(gap), second_area, occlusion, min_visible)
    assert (point is not None) == found


def test_crossings_that_are_too_near_each_other_are_refused():
    """Of objects of 400 pixels 3 between the crossings are asked for, a seventh of the side."""
    first, second = (mask.repeat(3, 0).repeat(3, 1) for mask in crossed(1))
    areas = int(first.sum()), int(second.sum()) + 400
    assert min(areas) > 400 and choose_lifted(first, second, areas[1], (0.05, 0.7), 1) is not None
    near = second.copy()
    near[7:9] = second[0]  # two rows less between them
    assert choose_lifted(first, near, areas[1], (0.05, 0.7), 1) is None


def test_objects_larger_than_the_image_find_no_place():
    items = [dict(shape='star', seed=0, size=60.0, angle=0.0, flip=False)] * 2
    assert place_across(np.random.default_rng(0), items, (40, 40), (0.1, 0.7), 1) is None


def test_a_crossing_comes_with_its_places():
    options, rng, found = SceneOptions(), np.random.default_rng(0), None
    while found is None:
        items = [draw_item(rng, options), draw_item(rng, options)]
        found = place_across(rng, items, (128, 128), (0.1, 0.7), 40)
    placed, lifted = found
    scene = dict(height=128, width=128, objects=[item for item, _ in placed], **lifted)
    amodal = amodal_masks(scene)
    assert [mask.sum() for mask in amodal] == [patch.sum() for _, patch in placed]
    x, y = lifted['lifted_at']
    assert amodal[:, y, x].all()
    hidden = (amodal & (1 - seen_masks(scene, amodal))).sum((1, 2)) / amodal.sum((1, 2))
    assert ((hidden >= 0.1) & (hidden <= 0.7)).all()
