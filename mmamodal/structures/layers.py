"""An image as layers: whole objects with their content, which put together give an image again.

Letters: H×W image, h×w box of an object.
"""

from typing import NamedTuple, Sequence, Tuple

import cv2
import numpy as np

from .patches import crop_window


class Layer(NamedTuple):
    """An object on its box, whose upper left pixel lies at (x, y) of the image: ``pixels``
    (h, w, 4) uint8, BGR and opacity in {0, 255}; what is not opaque is 0."""

    x: int
    y: int
    pixels: np.ndarray


def cut_out(image: np.ndarray, mask: np.ndarray) -> Layer:
    """(H, W, 3) uint8 image, (H, W) uint8 mask in {0, 1} -> the layer, on the mask's tight box."""
    x, y, w, h = cv2.boundingRect(mask)
    inside = mask[y:y + h, x:x + w, None]
    return Layer(x, y, np.concatenate([image[y:y + h, x:x + w] * inside, 255 * inside], axis=2))


def on_image(layer: Layer, size: Tuple[int, int]) -> np.ndarray:
    """(H, W, 4) of ``size`` (H, W), cut off at its edges; inverse of :func:`cut_out`."""
    return crop_window(layer.pixels, (0, 0, size[1], size[0]), (layer.x, layer.y))


def put_together(background: np.ndarray, layers: Sequence[Layer],
                 front_to_back: Sequence[int]) -> np.ndarray:
    """The image that layers make.

    Args:
        background: (H, W, 3) uint8.
        layers: of any number of objects.
        front_to_back: the layers that are drawn; those that are not named are left out.

    Returns:
        (H, W, 3) uint8.
    """
    image = background.copy()
    for index in list(front_to_back)[::-1]:
        layer = on_image(layers[index], image.shape[:2])
        cv2.copyTo(layer[..., :3], layer[..., 3], image)
    return image


def moved(layer: Layer, x: int, y: int) -> Layer:
    """The layer, ``x`` pixels to the right and ``y`` down."""
    return layer._replace(x=layer.x + x, y=layer.y + y)
