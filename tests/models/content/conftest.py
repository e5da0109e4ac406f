"""An image whose content is known."""

import numpy as np
import pytest


@pytest.fixture
def scene() -> tuple:
    """An image of 48x64, grey but for a red square that a blue one hides in part."""
    image = np.full((48, 64, 3), 120, np.uint8)
    amodal = np.zeros((2, 48, 64), np.uint8)
    amodal[0, 14:30, 18:34], amodal[1, 20:40, 24:50] = 1, 1
    visible = np.stack([amodal[0] & ~amodal[1], amodal[1]])
    image[amodal[0] > 0], image[amodal[1] > 0] = (30, 40, 200), (200, 60, 20)
    return image, visible, amodal
