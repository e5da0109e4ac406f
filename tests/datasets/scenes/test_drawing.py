"""Drawn scenes as arrays: masks, and pictures that show what they say."""

import cv2
import numpy as np

from mmamodal.datasets.scenes.dataset import SceneDataset
from mmamodal.datasets.scenes.drawing import (amodal_masks, draw_scene, lifted_crossing, seen_masks,
                                              visible_masks, window)


def composed(**options) -> tuple:
    """A scene and its amodal masks."""
    return SceneDataset(num_scenes=1, pipeline=[], serialize_data=False, **options).compose(0)


def test_visible_masks_by_hand():
    amodal = np.array([[[1, 1, 0, 0]], [[0, 1, 1, 0]], [[1, 1, 1, 1]]], np.uint8)
    expected = [[[1, 1, 0, 0]], [[0, 0, 1, 0]], [[0, 0, 0, 1]]]
    np.testing.assert_array_equal(visible_masks(amodal), expected)
    assert visible_masks(amodal[:0]).shape == (0, 1, 4)


def test_amodal_masks_of_the_scene_are_those_it_was_composed_with():
    scene, amodal = composed()
    np.testing.assert_array_equal(amodal_masks(scene), amodal)


def test_image_shows_the_objects_and_nothing_else():
    scene, amodal = composed(num_objects=(1, 1))
    empty = draw_scene(dict(scene, objects=[])).astype(int)
    change = np.abs(draw_scene(scene).astype(int) - empty).max(-1)
    assert np.mean(change[amodal[0] == 1] > 8) > 0.8
    surroundings = cv2.dilate(amodal[0], np.ones((41, 41), np.uint8))
    assert not change[surroundings == 0].any()


def test_front_object_covers_the_one_behind():
    scene, amodal = composed(num_objects=(2, 2), occluded_share=1.0)
    front = draw_scene(dict(scene, objects=scene['objects'][:1]))
    both = draw_scene(scene)
    inside = cv2.erode(amodal[0], np.ones((5, 5), np.uint8)) == 1
    np.testing.assert_array_equal(both[inside], front[inside])
    back = visible_masks(amodal)[1] == 1
    assert (both[back] != front[back]).any(-1).mean() > 0.8


def test_window_is_a_view():
    picture = np.zeros((4, 5))
    window(picture, dict(x=3, y=1), (2, 2))[:] = 1
    np.testing.assert_array_equal(np.argwhere(picture), [[1, 3], [1, 4], [2, 3], [2, 4]])


def test_image_shows_who_is_in_front_at_each_crossing():
    scene, amodal = composed(mutual=True, num_objects=(2, 4))
    lifted = lifted_crossing(scene, amodal)
    assert lifted[scene['lifted_at'][1], scene['lifted_at'][0]] == 1
    below = dict(scene)
    below.pop('lifted_at')
    above = dict(below, objects=[scene['objects'][i] for i in (1, 0, *range(2, len(amodal)))])
    drawn = draw_scene(scene).astype(int)
    others = (amodal[0] & amodal[1] & (1 - lifted)) == 1
    assert np.abs(drawn - draw_scene(above))[lifted == 1].max() <= 1
    assert np.abs(drawn - draw_scene(below))[others].max() <= 1
    assert np.abs(drawn - draw_scene(below))[lifted == 1].mean() > 10


def test_seen_masks_of_two_that_hide_each_other():
    amodal = np.array([[[1, 1, 1], [0, 0, 0], [1, 1, 1]], [[0, 1, 0], [0, 1, 0], [0, 1, 0]]],
                      np.uint8)
    scene = dict(lifted_at=(1, 2))
    assert lifted_crossing(scene, amodal).tolist() == [[0] * 3, [0] * 3, [0, 1, 0]]
    assert seen_masks(scene, amodal).tolist() == [
        [[1, 1, 1], [0, 0, 0], [1, 0, 1]], [[0, 0, 0], [0, 1, 0], [0, 1, 0]]]
    assert seen_masks({}, amodal)[1].tolist() == [[0] * 3, [0, 1, 0], [0] * 3]
