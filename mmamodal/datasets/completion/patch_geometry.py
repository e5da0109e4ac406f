"""Training patches turned, and cut out again as at test time.

Letters: S patch side. Masks are (S, S) uint8 in {0, 1}.
"""

from typing import Optional, Tuple

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS

from ...structures import patches


def turned(patch: np.ndarray, angle: float) -> np.ndarray:
    """A mask turned about the middle of its patch by degrees, counter-clockwise."""
    middle = (len(patch) - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), angle, 1.0)
    return cv2.warpAffine(255 * patch, matrix, patch.shape[::-1]) // 128


@TRANSFORMS.register_module()
class TurnPair(BaseTransform):
    """Turns the masks from CropPair, each by a random angle; for masks without images.

    Args:
        angle: greatest turn of the object to complete, in degrees to either side.
        other_angle: of the others.
    """

    def __init__(self, angle: float = 30.0, other_angle: float = 180.0) -> None:
        self.angle, self.other_angle = angle, other_angle

    def transform(self, results: dict) -> dict:
        """Turns ``visible``, ``other_visible`` and, if any, ``further_visible``."""
        results['visible'] = self._turn(results['visible'], self.angle)
        results['other_visible'] = self._turn(results['other_visible'], self.other_angle)
        results['further_visible'] = [self._turn(mask, self.other_angle)
                                      for mask in results.get('further_visible', ())]
        return results

    @staticmethod
    def _turn(mask: np.ndarray, most: float) -> np.ndarray:
        return turned(mask, np.random.uniform(-most, most))


@TRANSFORMS.register_module()
class FocusOnVisible(BaseTransform):
    """Cuts the patch out again, around what is left of the object, as it is at test time.

    CropPair cuts around the whole object, which nobody knows at test time. For masks without
    images, after PlaceOccluder. Gives None, so that the dataset draws again, if too little is
    left.

    Args:
        patch_size: S of the result in pixels.
        enlarge: area of the patch over the area of the box of the mask.
        shift: greatest move of the patch, in units of its side.
        zoom: (least, greatest) random scale.
        min_side: least side of the new patch in pixels of the old one.
    """

    def __init__(self, patch_size: int = 128, enlarge: float = 3.0, shift: float = 0.05,
                 zoom: Tuple[float, float] = (0.9, 1.1), min_side: int = 24) -> None:
        self.patch_size, self.enlarge, self.shift = patch_size, enlarge, shift
        self.zoom, self.min_side = zoom, min_side

    def transform(self, results: dict) -> Optional[dict]:
        """Cuts out ``mask``, ``occluder`` and ``target``."""
        x, y, w, h = cv2.boundingRect(results['mask'])
        patch = patches.square_patch((x, y, x + w, y + h), self.enlarge,
                                     shift=np.random.uniform(-self.shift, self.shift, 2),
                                     zoom=np.random.uniform(*self.zoom))
        if patch[2] - patch[0] < self.min_side:
            return None
        for key in ('mask', 'occluder', 'target'):
            results[key] = patches.crop_mask(results[key], patch, self.patch_size, smooth=True)
        results['mask'] &= 1 - results['occluder']
        return results
