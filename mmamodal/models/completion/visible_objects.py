"""The visible masks of one image, and the patches around them.

Letters: N instances, H×W image.
"""

from typing import Optional, Sequence

import numpy as np

from ...structures import patches
from ...structures.gaps import close_gaps
from ...structures.occlusion import tight_boxes


class VisibleObjects:
    """What a completer is given of an image.

    ``boxes`` (N, 4) and ``patches`` (N, 4) are int64 xyxy, ``sides`` (N,) the patches' sides;
    ``seen`` (N,) bool are the objects of which something is visible. ``visible`` are the masks
    with the gaps between them closed and the rims they lacked, ``given`` those that came in.

    Args:
        visible: (N, H, W) uint8 in {0, 1}.
        categories: (N,) what each mask is multiplied by.
        image: (H, W, 3) uint8 BGR, if the network sees it.
        enlarge: area of a patch over its object's box.
        contact_gap: widest gap that is closed, in sides of a patch.
        cautious_gaps: see :func:`~mmamodal.structures.gaps.close_gaps`.
    """

    def __init__(self, visible: np.ndarray, categories: np.ndarray,
                 image: Optional[np.ndarray], enlarge: float, contact_gap: float = 0.0,
                 cautious_gaps: bool = True) -> None:
        self.given, self.categories, self.image = visible, categories, image
        self.boxes = tight_boxes(visible)
        self.patches = np.array([patches.square_patch(box, enlarge) for box in self.boxes],
                                dtype=np.int64).reshape(-1, 4)
        self.sides = self.patches[:, 2] - self.patches[:, 0]
        self.seen = self.sides > 0
        self.visible = visible
        if contact_gap:
            self.visible = close_gaps(visible, self.boxes, contact_gap * self.sides,
                                      cautious_gaps)
            self.boxes = tight_boxes(self.visible)

    def union(self, indices: Sequence[int], patch: Sequence[int]) -> np.ndarray:
        """The union of some visible masks inside a patch: (y2 - y1, x2 - x1) uint8."""
        out = np.zeros((patch[3] - patch[1], patch[2] - patch[0]), np.uint8)
        for index in indices:
            x1, y1, x2, y2 = self.boxes[index]
            if x1 < patch[2] and y1 < patch[3] and x2 > patch[0] and y2 > patch[1]:
                out |= patches.crop_window(self.visible[index], patch)
        return out

    def clip(self, mask: np.ndarray, index: int, occluders: Sequence[int]) -> None:
        """Cut off, in place, what lies outside an object and its occluders.

        Args:
            mask: (H, W) uint8 in {0, 1}, the completed object.
            index: of the object.
            occluders: their indices.
        """
        height, width = mask.shape
        x1, y1, x2, y2 = np.clip(self.patches[index], 0, (width, height) * 2)
        mask[y1:y2, x1:x2] &= self.union([index, *occluders], (x1, y1, x2, y2))

    def unite(self, masks: np.ndarray) -> None:
        """Add, in place, the given visible masks to (N, H, W) uint8 masks."""
        for mask, visible, (x1, y1, x2, y2) in zip(masks, self.given, self.boxes):
            mask[y1:y2, x1:x2] |= visible[y1:y2, x1:x2]
