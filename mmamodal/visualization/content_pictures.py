"""Pictures of whole objects with their content: functions of arrays.

Letters: H×W image, h×w panel. Layers are those of :mod:`mmamodal.structures.layers`.
"""

from typing import Sequence, Tuple

import cv2
import numpy as np

from mmamodal.structures.layers import Layer, on_image
from mmamodal.visualization.drawing import panel_shape, resize_image, tile


def content_picture(image: np.ndarray, layers: Sequence[Layer], columns: int = 4) -> np.ndarray:
    """The image (H, W, 3), and beside it each of its objects, whole, on a chequered ground.

    Args:
        image: uint8 BGR.
        layers: of its objects.
        columns: panels in a row.
    """
    shape = panel_shape(*image.shape[:2])
    panels = [('image', resize_image(image, shape))]
    panels += [(f'object {number}', on_chequers(on_image(layer, image.shape[:2]), shape))
               for number, layer in enumerate(layers, 1)]
    return tile(panels, columns)


def on_chequers(layer: np.ndarray, shape: Tuple[int, int], side: int = 8) -> np.ndarray:
    """(H, W, 4) layer -> (h, w, 3), grey squares where it is not opaque."""
    y, x = np.indices(shape) // side
    ground = np.where((x + y) % 2, 205, 240).astype(np.uint8)[..., None].repeat(3, 2)
    opaque = cv2.resize(layer[..., 3], shape[::-1], interpolation=cv2.INTER_NEAREST)
    return cv2.copyTo(cv2.resize(layer[..., :3], shape[::-1], interpolation=cv2.INTER_NEAREST),
                      opaque, ground)
