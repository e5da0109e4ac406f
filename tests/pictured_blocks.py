"""Rectangles as masks, and the pixels of pictures of them."""

import numpy as np


def block(top: int, left: int, bottom: int, right: int, size: int = 48) -> np.ndarray:
    """(S, S) uint8 mask."""
    mask = np.zeros((size, size), np.uint8)
    mask[top:bottom, left:right] = 1
    return mask


def pixel(picture: np.ndarray, y: int, x: int) -> tuple:
    """BGR of an (H, W, 3) picture."""
    return tuple(int(value) for value in picture[y, x])
