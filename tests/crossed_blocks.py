"""Two objects in front of each other at different places, and one apart from them."""

import numpy as np

IMAGE = np.full((64, 96, 3), 128, np.uint8)
MUTUAL = np.array([(0, -1, 1), (-1, 0, 0), (-1, 0, 0)], np.int8)


def block(x1: int, y1: int, x2: int, y2: int) -> np.ndarray:
    mask = np.zeros((64, 96), np.uint8)
    mask[y1:y2, x1:x2] = 1
    return mask


SEEN = np.stack([block(10, 10, 40, 50), block(40, 10, 70, 50), block(80, 10, 90, 50)])
# Above the middle 0 goes on below 1, under it 1 below 0.
WHOLE = SEEN | np.stack([block(40, 10, 50, 30), block(30, 30, 40, 50), block(0, 0, 0, 0)])
