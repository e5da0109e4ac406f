"""An image as layers: whole objects with their content, which put together give an image again.

Letters: N objects, H×W image. A layer is (H, W, 4) uint8, BGR and opacity in {0, 255}; what is
not opaque is 0.
"""

from typing import Sequence

import cv2
import numpy as np


def cut_out(image: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 image, (N, H, W) uint8 masks -> (N, H, W, 4) layers."""
    layers = np.zeros((*masks.shape, 4), np.uint8)
    for layer, mask in zip(layers, masks > 0):
        layer[mask, :3] = image[mask]
        layer[mask, 3] = 255
    return layers


def put_together(background: np.ndarray, layers: np.ndarray,
                 front_to_back: Sequence[int]) -> np.ndarray:
    """The image that layers make.

    Args:
        background: (H, W, 3) uint8.
        layers: (N, H, W, 4).
        front_to_back: the layers that are drawn; those that are not named are left out.

    Returns:
        (H, W, 3) uint8.
    """
    image = background.copy()
    for layer in layers[list(front_to_back)[::-1]]:
        cv2.copyTo(layer[..., :3], layer[..., 3], image)
    return image


def moved(layer: np.ndarray, x: int, y: int) -> np.ndarray:
    """(H, W, 4) layer -> the same, ``x`` pixels to the right and ``y`` down, cut off at the
    image's edges."""
    shift = np.float32([[1, 0, x], [0, 1, y]])
    return cv2.warpAffine(layer, shift, layer.shape[1::-1], flags=cv2.INTER_NEAREST)
