"""The canvas of the masks where it is larger than the photo: objects may reach beyond it.

Letters: h×w photo, H×W canvas.
"""

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS

from ..structures.segmentation import Segmentation, decode, encode
from .coco_files import describe_image


def as_annotated(image: np.ndarray, record: dict, pad_val: int = 0) -> np.ndarray:
    """The image of a data record on the canvas that its masks were drawn on.

    Args:
        image: (h, w, 3), the photo as it is in its file.
        record: of a dataset. Its ``height`` H and ``width`` W are those of the canvas, its
            ``canvas_origin``, if any, is where the photo's upper left pixel lies on it, (x, y).
        pad_val: value of the canvas around the photo.

    Returns:
        (H, W, 3); ``image`` itself where it has that size.

    Raises:
        ValueError: it has another size and there is no such place, or it does not fit in there.
    """
    size, canvas = image.shape[:2], (record['height'], record['width'])
    if size == canvas:
        return image
    x, y = record.get('canvas_origin', (0, 0))
    right, bottom = canvas[1] - size[1] - x, canvas[0] - size[0] - y
    if 'canvas_origin' not in record or min(right, bottom) < 0:
        raise ValueError(f'image file {describe_image(record)} has (height, width) {size}, but '
                         f'its annotations say {canvas}: use the file that the masks were drawn '
                         'on, not turned or scaled')
    return cv2.copyMakeBorder(image, y, bottom, x, right, cv2.BORDER_CONSTANT,
                              value=(pad_val, ) * 3)


def reaches_out(mask: Segmentation, height: int, width: int) -> bool:
    """Whether polygons leave the canvas by more than a pixel; an RLE cannot."""
    return not isinstance(mask, dict) and any(
        min(polygon) < -1 or max(polygon[::2]) > width + 1 or max(polygon[1::2]) > height + 1
        for polygon in mask)


def moved(instance: dict, margin: int, height: int, width: int, visible_only: bool) -> dict:
    """An instance of a data record of an h×w photo, on a canvas with a margin around it.

    Nothing is visible outside the photo: a visible mask ends there, and an object that goes on
    gets one. With ``visible_only`` its ``mask`` is the visible one.
    """
    x1, y1, x2, y2 = instance['bbox']
    seen = instance.get('visible_mask', instance['mask'])
    goes_on = not isinstance(seen, dict) and any(
        min(polygon) < 0 or max(polygon[::2]) > width or max(polygon[1::2]) > height
        for polygon in seen)
    masks = {key: _moved_mask(instance[key], margin, height, width)
             for key in ('mask', 'visible_mask') if key in instance}
    if 'uncertainty_map' in instance:
        masks['uncertainty_map'] = [dict(entry, **_moved_mask(entry, margin, height, width))
                                    for entry in instance['uncertainty_map']]
    if goes_on:
        inside = encode(np.pad(decode(seen, height, width), margin))
        masks['mask' if visible_only else 'visible_mask'] = inside
    return dict(instance, bbox=[x1 + margin, y1 + margin, x2 + margin, y2 + margin], **masks)


def _moved_mask(mask: Segmentation, margin: int, height: int, width: int) -> Segmentation:
    if isinstance(mask, dict):
        return encode(np.pad(decode(mask, height, width), margin))
    return [[value + margin for value in polygon] for polygon in mask]


@TRANSFORMS.register_module()
class PadToCanvas(BaseTransform):
    """Pads a photo to the canvas of its masks; comes after the image is loaded.

    What was annotated beyond the photo lies on the padding then, and every transform, target and
    prediction keeps it. An image that has the size of the canvas stays as it is.

    Args:
        pad_val: value of the padding.

    Raises:
        ValueError: on loading: the photo does not fit on the canvas.
    """

    def __init__(self, pad_val: int = 0) -> None:
        self.pad_val = pad_val

    def transform(self, results: dict) -> dict:
        """Pad ``img``; ``ori_shape`` and ``img_shape`` are those of the canvas."""
        if 'height' in results:
            results['img'] = as_annotated(results['img'], results, self.pad_val)
            results['ori_shape'] = results['img_shape'] = results['img'].shape[:2]
        return results
