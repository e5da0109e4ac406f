"""Where two objects touch, piece by piece, and which of them is in front there.

One sign for a pair cannot say that each hides a part of the other; a sign for each place can.

Letters: N instances, H×W image, P pairs, K pixels of a piece.
"""

from typing import List, NamedTuple, Optional, Sequence

import cv2
import numpy as np

from .occlusion import occlusion_boundary, tight_boxes, touching_pairs


class Contact(NamedTuple):
    """A connected piece of the contact of two objects that one of them owns.

    ``first`` < ``second``: the objects. ``front``: the one of them that is in front there, -1 if
    neither is. ``points``: (K, 2) int64 xy, image pixels.
    """

    first: int
    second: int
    front: int
    points: np.ndarray


def find_contacts(visible: np.ndarray, completed: np.ndarray, pairs: Optional[np.ndarray] = None,
                  width: int = 3, window: Optional[int] = None) -> List[Contact]:
    """Who is in front at each place where two objects touch.

    ASBU's Eq. (3), place by place: at a pixel of the contact, of the two the one that grows
    less into the other within a window around this pixel is in front, neither on a tie. A
    window as large as the image gives :func:`~mmamodal.structures.occlusion.order_from_growth`
    at every place.

    Args:
        visible: (N, H, W) uint8 in {0, 1}.
        completed: (N, H, W) uint8 in {0, 1}, amodal masks.
        pairs: (P, 2) int of those that touch; by default all that do.
        width: of the contact, as of an occlusion boundary, odd; masks ``width - 1`` pixels or
            more apart have none.
        window: side of the square window in pixels, odd. By default for each pair about
            half the root of the smaller visible area.

    Returns:
        Pieces by pair, each of one owner and 8-connected.

    Raises:
        ValueError: ``width`` or ``window`` is even or not positive.
    """
    pairs = touching_pairs(visible) if pairs is None else pairs
    boxes, contacts = tight_boxes(visible), []
    for i, j in np.sort(pairs, axis=1).tolist():
        side = _default_window(visible[i], visible[j]) if window is None else window
        reach = width // 2 + side // 2
        x1, y1 = np.maximum(np.maximum(boxes[i, :2], boxes[j, :2]) - reach, 0)
        x2, y2 = np.minimum(boxes[i, 2:], boxes[j, 2:]) + reach
        if x2 <= x1 or y2 <= y1:
            continue
        place = np.s_[[i, j], y1:y2, x1:x2]
        signs = front_signs(visible[place], completed[place], side)
        band = occlusion_boundary(*visible[place], width)
        for front, sign in ((i, 1), (j, -1), (-1, 0)):
            for points in _pieces(band & (signs == sign)):
                contacts.append(Contact(i, j, front, points + [x1, y1]))
    return contacts


def front_signs(visible: np.ndarray, completed: np.ndarray, window: int) -> np.ndarray:
    """Which of two objects is in front, at every pixel.

    Args:
        visible: (2, H, W) uint8 in {0, 1}.
        completed: (2, H, W) uint8 in {0, 1}.
        window: side of the square window in pixels, odd.

    Returns:
        (H, W) int8: +1 the first one, -1 the second one, 0 neither.

    Raises:
        ValueError: ``window`` is even or not positive.
    """
    if window < 1 or window % 2 == 0:
        raise ValueError(f'expected an odd window, which has a middle, got {window}')
    grown = completed & (1 - visible) & visible[::-1]
    less, more = (cv2.boxFilter(growth, cv2.CV_32S, (window, window), normalize=False,
                                borderType=cv2.BORDER_CONSTANT) for growth in grown)
    return np.sign(more - less).astype(np.int8)


def with_mutual(order: np.ndarray, contacts: Sequence[Contact],
                least: float = 0.2) -> np.ndarray:
    """The order, and in it the pairs of which each is in front of the other somewhere.

    Args:
        order: (N, N) int8, one sign for a pair.
        contacts: as :func:`find_contacts` gives them.
        least: what share of a pair's owned contact the one that owns less of it has to have.

    Returns:
        (N, N) int8, -1 both ways for these pairs, else as it was.
    """
    owned = np.zeros(order.shape)
    for first, second, front, points in contacts:
        if front >= 0:
            owned[front, first + second - front] += len(points)
    is_mutual = (owned > 0) & (owned.T > 0) & (
        np.minimum(owned, owned.T) >= least * (owned + owned.T))
    return np.where(is_mutual, -1, order).astype(np.int8)


def _default_window(one: np.ndarray, other: np.ndarray) -> int:
    return 2 * int(np.sqrt(min(np.count_nonzero(one), np.count_nonzero(other))) / 4) + 1


def _pieces(mask: np.ndarray) -> List[np.ndarray]:
    """(K, 2) xy of the pixels of each 8-connected piece of a mask (H, W)."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8))
    return [np.argwhere(labels == label)[:, ::-1] for label in range(1, count)]
