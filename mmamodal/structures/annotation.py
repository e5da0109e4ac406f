"""One object's masks as the fields of an amodal COCO annotation.

Letters: H×W image.
"""

import numpy as np
from pycocotools import mask as mask_utils

from .segmentation import encode


def annotation_of_masks(amodal: np.ndarray, visible: np.ndarray) -> dict:
    """Fields of an annotation that follow from its masks; ids and category are the caller's.

    Args:
        amodal: (H, W) uint8 or bool in {0, 1}.
        visible: (H, W) uint8 or bool in {0, 1}, inside ``amodal``.

    Returns:
        ``segmentation`` and ``visible_mask`` (RLE), ``bbox`` (tight, xywh), ``area`` (pixels),
        both of the amodal mask, ``occlude_rate`` (hidden part of the area) and ``iscrowd`` 0.

    Raises:
        ValueError: the amodal mask is empty, or the visible one leaves it.
    """
    area, seen = np.count_nonzero(amodal), np.count_nonzero(visible)
    if not area:
        raise ValueError('the amodal mask is empty: expected one pixel at least')
    outside = np.count_nonzero(visible & (amodal == 0))
    if outside:
        raise ValueError(f'{outside} of {seen} visible pixels are outside the amodal mask: clip '
                         'the visible mask first')
    rle = encode(amodal)
    return dict(
        segmentation=rle,
        bbox=mask_utils.toBbox(rle).tolist(),
        area=area,
        iscrowd=0,
        visible_mask=encode(visible),
        occlude_rate=1 - seen / area)
