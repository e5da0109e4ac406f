"""Pictures of whole objects: what shows where."""

import numpy as np

from mmamodal.structures.layers import Layer
from mmamodal.visualization.content_pictures import content_picture, on_chequers


def layer() -> np.ndarray:
    out = np.zeros((32, 32, 4), np.uint8)
    out[8:16, 8:24] = (10, 20, 30, 255)
    return out


def test_a_layer_on_chequers():
    panel = on_chequers(layer(), (64, 64), side=4)
    assert panel.shape == (64, 64, 3)
    assert (panel[16:32, 16:48] == (10, 20, 30)).all()
    assert panel[0, [0, 3, 4, 7, 8], 0].tolist() == [240, 240, 205, 205, 240]
    assert set(np.unique(panel[32:])) == {205, 240}


def test_all_objects_beside_their_image():
    image = np.full((32, 32, 3), 99, np.uint8)
    none, many = (content_picture(image, [Layer(0, 0, layer())] * count) for count in (0, 6))
    assert (none == 99).all(-1).sum() == 256 * 256  # small images are drawn eight times larger
    assert (many == (10, 20, 30)).all(-1).sum() == 6 * 64 * 128
    assert many.shape[1] > 4 * 256 and many.shape[0] > 2 * 256
