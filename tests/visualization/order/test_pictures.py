"""Pictures of an order: what colour is where."""

import numpy as np
from crossed_blocks import IMAGE, MUTUAL, SEEN, WHOLE

from mmamodal.structures.contacts import find_contacts
from mmamodal.visualization import drawing
from mmamodal.visualization.order.pictures import (BLUE, RED, contacts_picture, mutual_picture,
                                                   order_picture)


def share(picture: np.ndarray, colour: tuple, window: tuple) -> float:
    """The share of pixels of a colour in a window of the panel, in pixels of the image."""
    scale = picture.shape[0] // 64
    x1, y1, x2, y2 = (scale * side for side in window)
    return float((picture[y1:y2, x1:x2] == colour).all(-1).mean())


def test_arrow_leads_from_the_front_to_what_is_behind():
    order = np.zeros((3, 3), np.int8)
    nothing = order_picture(IMAGE, SEEN, order)
    order[0, 2], order[2, 0] = 1, -1
    drawn = order_picture(IMAGE, SEEN, order)
    assert drawn.shape == nothing.shape and drawn.shape[1] >= 480
    changed = (drawn != nothing).any(-1)
    columns = np.flatnonzero(changed.any(0)) * 96 / drawn.shape[1]
    assert 24 < columns.min() < 32 and 78 < columns.max() < 86
    # The head is at the end of the object behind.
    heights = changed.sum(0)[changed.any(0)]
    assert heights[-12:].max() > 2 * np.median(heights)
    swapped = order_picture(IMAGE, SEEN, -order)
    assert (swapped != drawn).any()


def test_arrows_of_a_ring_have_their_own_colour():
    def orange(order: np.ndarray) -> int:
        picture = order_picture(IMAGE, SEEN[:2], order).astype(int)
        return np.count_nonzero(np.abs(picture - (0, 94, 213)).max(-1) < 8)

    assert orange(MUTUAL[:2, :2]) > 50
    assert orange(np.array([(0, 1), (-1, 0)])) == 0


def test_an_object_that_is_not_seen_is_left_out():
    hidden = SEEN * np.array([1, 0, 1], np.uint8)[:, None, None]
    order_picture(IMAGE, hidden, MUTUAL)
    assert order_picture(IMAGE, SEEN[:0], MUTUAL[:0, :0]).ndim == 3


def test_each_piece_has_the_colour_of_the_object_in_front():
    picture = contacts_picture(IMAGE, SEEN, find_contacts(SEEN, WHOLE))
    first, second, _ = drawing.object_colours(3)
    above, below = (38, 14, 42, 24), (38, 36, 42, 46)
    assert share(picture, second, above) > 0.4 and share(picture, first, above) == 0
    assert share(picture, first, below) > 0.4 and share(picture, second, below) == 0
    nobody = contacts_picture(IMAGE, SEEN, find_contacts(SEEN, SEEN))
    assert share(nobody, (255, 255, 255), above) > 0.4


def test_mutual_picture_is_red_and_blue_with_dashes_around_the_growth():
    picture = mutual_picture(IMAGE, SEEN, WHOLE, find_contacts(SEEN, WHOLE), (1, 0))
    h, w = drawing.panel_shape(64, 96)
    panels = [picture[23 + 5:23 + 5 + h, 10 + k * (w + 10):][:, :w] for k in range(4)]
    assert [panel.shape for panel in panels] == [(h, w, 3)] * 4
    assert share(panels[0], BLUE, (39, 14, 41, 24)) > 0.5
    assert share(panels[0], RED, (39, 36, 41, 46)) > 0.5
    assert share(panels[1], RED, (10, 10, 40, 50)) == share(panels[1], BLUE, (40, 10, 70, 50)) == 1
    assert share(panels[2], RED, (42, 14, 48, 26)) == 1 and not share(panels[2], BLUE,
                                                                       (0, 0, 96, 64))
    white = share(panels[2], (255, 255, 255), (39, 9, 51, 31))
    assert 0.02 < white < 0.3 and not share(panels[2], (255, 255, 255), (0, 0, 38, 64))
