"""Objects as a panel shows them, pixel by pixel."""

import numpy as np
import pytest

from mmamodal.visualization.pictures import Objects, draw_objects, occlusion_rates, with_rates

BLUE = (178, 114, 0)
GROUND = np.full((32, 32, 3), 200, np.uint8)


def block(left: int, right: int) -> np.ndarray:
    """All but a rim of the rows; columns from ``left`` on."""
    mask = np.zeros((1, 32, 32), np.uint8)
    mask[:, 4:28, left:right] = 1
    return mask


def kinds(picture: np.ndarray, left: int, right: int) -> str:
    """How columns inside the mask look: filled, striped, striped upon a fill, or bare."""
    pixels = {tuple(pixel.tolist()) for pixel in picture[8:24, left:right].reshape(-1, 3)}
    pure, bare = BLUE in pixels, (200, 200, 200) in pixels
    if len(pixels) == 1:
        return 'bare' if bare else 'filled'
    assert len(pixels) == 2 and pure
    return 'striped' if bare else 'both'


@pytest.mark.parametrize('visible, invisible, expected', [
    (block(4, 16), None, ('filled', 'striped')),
    (block(4, 16), block(16, 28), ('filled', 'striped')),
    (block(4, 16), block(4, 28), ('both', 'striped')),  # what is said is shown
    (block(4, 16), block(0, 0), ('filled', 'bare')),
    (block(0, 0), block(4, 28), ('striped', 'striped')),
])
def test_visible_is_filled_invisible_striped_amodal_outlined(visible, invisible, expected):
    objects = Objects(block(4, 28), visible, '', invisible=invisible)
    out = draw_objects(GROUND, objects, np.array([BLUE], np.uint8))
    assert (kinds(out, 6, 16), kinds(out, 16, 26)) == expected
    rim = np.concatenate([out[4:6, 4:28].reshape(-1, 3), out[4:28, 26:28].reshape(-1, 3)])
    assert (rim == BLUE).all() and (out[:4] == 200).all() and (GROUND == 200).all()


def test_a_visible_mask_beyond_the_amodal_one_is_shown_if_predicted():
    objects = Objects(block(4, 16), block(4, 28), '')
    colours = np.array([BLUE], np.uint8)
    assert kinds(draw_objects(GROUND, objects, colours), 18, 28) == 'bare'
    predicted = objects._replace(invisible=block(0, 0))
    assert kinds(draw_objects(GROUND, predicted, colours), 18, 28) == 'filled'


def test_occlusion_rates():
    amodal = np.concatenate([block(4, 28), block(4, 8), block(0, 0)])
    invisible = np.concatenate([block(4, 10), block(4, 28), block(4, 28)])
    np.testing.assert_allclose(occlusion_rates(amodal, invisible), [0.25, 1, 0])
    assert occlusion_rates(amodal[:0], invisible[:0]).shape == (0, )


def test_names_with_rates():
    assert with_rates(['a', 'b', 'c', 'd'], np.array([0, 0.004, 0.006, 1])) == [
        'a', 'b', 'c 1%', 'd 100%']
    assert with_rates([], np.zeros(0)) == []
