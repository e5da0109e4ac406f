"""Uncertainty on the image and in a file, and back."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmamodal.structures.segmentation import decode
from mmamodal.structures.uncertainty_maps import (LEVELS, decode_levels, encode_uncertainty,
                                                  uncertainty_on_image)


@pytest.mark.parametrize('squared, level', [
    (0, 0), (0.06, 0), (0.07, 91), (0.125, 91), (0.25, 128), (0.375, 157), (0.5, 182), (4, 182)])
def test_levels_are_even_steps_of_the_expected_error(squared, level):
    encoded = encode_uncertainty(np.full((2, 3), np.sqrt(squared)))
    assert decode_levels(encoded, 2, 3).tolist() == [[level] * 3] * 2
    assert len(encoded) == list(LEVELS).index(level)


def test_each_level_is_the_pixels_of_at_least_that_level():
    unsure = np.sqrt(np.array([[0, 0.125, 0.25], [0.5, 0.375, 0]]))
    encoded = json.loads(json.dumps(encode_uncertainty(unsure)))
    assert [entry['level'] for entry in encoded] == [91, 128, 157, 182]
    assert [decode(entry, 2, 3).tolist() for entry in encoded] == [
        [[0, 1, 1], [1, 1, 0]], [[0, 0, 1], [1, 1, 0]], [[0, 0, 0], [1, 1, 0]],
        [[0, 0, 0], [1, 0, 0]]]
    assert decode_levels(encoded, 2, 3).tolist() == [[0, 91, 128], [182, 157, 0]]


def test_certain_everywhere_is_an_empty_list():
    assert encode_uncertainty(np.zeros((4, 5))) == []
    assert not decode_levels([], 4, 5).any()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 0.75), min_size=12, max_size=12))
def test_what_is_read_is_near_what_was_written(values):
    unsure = np.array(values).reshape(3, 4)
    read = decode_levels(encode_uncertainty(unsure), 3, 4) / 256
    assert np.abs(read**2 - np.minimum(unsure**2, 0.5)).max() <= 0.0625 + 0.006


@pytest.mark.parametrize('encoded', [
    None, {}, [1], [dict(size=[2, 3], counts='6')], [dict(level=256, size=[2, 3], counts='6')],
    [dict(level=1.5, size=[2, 3], counts='6')], [dict(level=91, size=[9, 9], counts='6')]])
def test_broken_maps_are_refused(encoded):
    with pytest.raises(ValueError, match='expected'):
        decode_levels(encoded, 2, 3)


def test_patch_is_put_back_where_it_was():
    patch = np.array([[0.2, 0.4], [0.6, 0.8]], np.float32)
    found = uncertainty_on_image(patch, (2, 1, 4, 3), (4, 6))
    expected = np.zeros((4, 6), np.float32)
    expected[1:3, 2:4] = patch
    np.testing.assert_array_equal(found, expected)


def test_patch_beyond_the_image_is_cut_off():
    patch = np.full((4, 4), 0.5, np.float32)
    found = uncertainty_on_image(patch, (-2, 3, 6, 11), (6, 5))
    assert found.shape == (6, 5) and (found[3:] == 0.5).all() and not found[:3].any()


def test_object_without_a_patch():
    assert not uncertainty_on_image(np.ones((4, 4)), (0, 0, 0, 0), (3, 3)).any()
