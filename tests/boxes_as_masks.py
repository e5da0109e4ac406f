"""Objects and detections that are boxes on a 10×10 image."""

from typing import Optional, Sequence, Tuple

import numpy as np

from mmamodal.evaluation.detection.amodal_overlaps import Predicted, Truth
from mmamodal.structures.segmentation import encode

Box = Tuple[int, int, int, int]
LEFT, RIGHT, BOTH = (0, 0, 4, 4), (6, 0, 10, 4), (0, 0, 10, 4)  # xyxy
HALF, THIRD = (0, 0, 4, 2), (0, 0, 4, 3)  # of LEFT: its upper half, and three quarters
NOWHERE = (0, 0, 0, 0)


def mask(box: Box) -> dict:
    x1, y1, x2, y2 = box
    out = np.zeros((10, 10), np.uint8)
    out[y1:y2, x1:x2] = 1
    return encode(out)


def truth_of(*amodal: Box, visible: Optional[Sequence[Box]] = None, labels: Sequence[int] = (),
             crowd: Sequence[int] = ()) -> Truth:
    whole = [mask(box) for box in amodal]
    return Truth(np.array(labels or [0] * len(whole), np.int64), whole,
                 whole if visible is None else [mask(box) for box in visible],
                 np.array([place in crowd for place in range(len(whole))], bool),
                 np.full(len(whole), -1))


def predicted_of(*amodal: Box, visible: Optional[Sequence[Box]] = None,
                 invisible: Optional[Sequence[Box]] = None, labels: Sequence[int] = (),
                 scores: Sequence[float] = ()) -> Predicted:
    count = len(amodal)
    return Predicted(np.array(labels or [0] * count, np.int64),
                     np.array(scores or [0.9] * count, np.float64), [mask(box) for box in amodal],
                     *(boxes if boxes is None else [mask(box) for box in boxes]
                       for boxes in (visible, invisible)))
