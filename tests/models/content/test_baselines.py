"""Content that learns nothing."""

import numpy as np
import pytest

from mmamodal.models import PlainContent
from mmamodal.structures.layers import on_image

HIDDEN = np.s_[20:30, 24:34]


def layers_of(method: str, image: np.ndarray, *masks: np.ndarray) -> np.ndarray:
    """(N, H, W, 4)"""
    layers = PlainContent(method).complete(image, *masks)
    return np.stack([on_image(layer, image.shape[:2]) for layer in layers])


def test_the_mean_colour_is_that_of_the_visible_part(scene):
    image, visible, amodal = scene
    image[14:20, 18:34] = (0, 0, 0)  # 96 of 156 visible pixels black
    layers = layers_of('mean', image, visible, amodal)
    expected = np.rint(np.array([30, 40, 200]) * 60 / 156)
    assert (layers[0][HIDDEN][..., :3] == expected).all()
    assert (layers[1][amodal[1] > 0] == (200, 60, 20, 255)).all()  # nothing of it is hidden


def test_inpainting_takes_nothing_from_the_occluder(scene):
    layers = layers_of('telea', *scene)
    off = layers[0][scene[2][0] > 0].astype(int) - (30, 40, 200, 255)
    assert np.abs(off).max() <= 4  # cv2.inpaint is off by some grey levels even on one colour


@pytest.mark.parametrize('method', ['mean', 'telea'])
def test_what_cannot_be_seen_is_black(scene, method):
    image, visible, amodal = scene
    visible[0] = 0
    layers = layers_of(method, image, visible, amodal)
    assert (layers[0][amodal[0] > 0] == (0, 0, 0, 255)).all() and not layers[0, :14].any()


def test_plain_content_is_not_trained():
    with pytest.raises(ValueError, match="'mean' or 'telea', got 'blur'"):
        PlainContent('blur')
    with pytest.raises(ValueError, match='nothing to learn'):
        PlainContent()(mode='loss')
