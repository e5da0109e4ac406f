"""Two objects of a drawn scene that occlude each other: in front here, behind there.

Letters: H×W image, h×w tight patch of one object, K crossings.
"""

from typing import List, Optional, Sequence, Tuple

import cv2
import numpy as np

from ...structures.patches import crop_window
from .drawing import silhouette

Placed = Tuple[dict, np.ndarray]  # an object with its place, and its silhouette

TRIED_PLACES = 64
# Of the smaller object: the least area of a crossing, and, of its side, between two crossings.
LEAST_CROSSING, LEAST_GAP = 0.03, 0.15


def place_across(rng: np.random.Generator, items: Sequence[dict], size: Tuple[int, int],
                 occlusion: Tuple[float, float],
                 min_visible: int) -> Optional[Tuple[List[Placed], dict]]:
    """Find places where two objects cross at two places or more.

    Args:
        rng: source of the tried places.
        items: two objects without a place.
        size: (H, W) of the image, inside which they stay.
        occlusion: (least, greatest) hidden share of each.
        min_visible: least number of visible pixels of each.

    Returns:
        Both with their places, and what a scene with them in front says besides; None if no
        tried place will do.
    """
    patches = [silhouette(item) for item in items]
    shapes = np.array([patch.shape[::-1] for patch in patches])
    room = np.array(size[::-1]) - shapes
    if room.min() < 0:
        return None
    for _ in range(TRIED_PLACES):
        first = rng.integers(0, room[0] + 1)
        second = rng.integers(np.maximum(first - shapes[1] + 1, 0),
                              np.minimum(first + shapes[0] - 1, room[1]) + 1)
        x, y = (first - second).tolist()
        other = crop_window(patches[1], (x, y, x + shapes[0][0], y + shapes[0][1]))
        point = choose_lifted(patches[0], other, int(patches[1].sum()), occlusion, min_visible)
        if point is not None:
            placed = [(dict(item, x=int(corner[0]), y=int(corner[1])), patch)
                      for item, corner, patch in zip(items, (first, second), patches)]
            return placed, dict(lifted_at=(first + point).tolist())
    return None


def choose_lifted(first: np.ndarray, second: np.ndarray, second_area: int,
                  occlusion: Tuple[float, float], min_visible: int) -> Optional[np.ndarray]:
    """At which crossing of two objects the second one is to be in front.

    Args:
        first: (h, w) uint8 in {0, 1}.
        second: (h, w) uint8 in {0, 1}, what there is of it on the first one's patch.
        second_area: pixels of the whole second object.
        occlusion: (least, greatest) hidden share of each.
        min_visible: least number of visible pixels of each.

    Returns:
        (2,) int xy of a pixel of the second largest crossing; None if there is only one, if
        one is so small or so near another that what is in front there could hardly be seen,
        or if too much or too little would be hidden.
    """
    areas = np.array([np.count_nonzero(first), second_area])
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(first & second)
    pixels = stats[1:, cv2.CC_STAT_AREA]
    if count < 3 or pixels.min() < LEAST_CROSSING * areas.min():
        return None
    lifted = 1 + np.argsort(-pixels, kind='stable')[1]
    hidden = np.array([pixels[lifted - 1], pixels.sum() - pixels[lifted - 1]])
    if not ((hidden >= occlusion[0] * areas) & (hidden <= occlusion[1] * areas)
            & (areas - hidden >= min_visible)).all():
        return None
    others = ((pieces > 0) & (pieces != lifted)).astype(np.uint8)
    gap = cv2.distanceTransform(1 - others, cv2.DIST_L2, 5)[pieces == lifted].min()
    if gap < LEAST_GAP * np.sqrt(areas.min()):
        return None
    return np.argwhere(pieces == lifted)[0, ::-1]
