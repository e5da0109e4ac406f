"""The synthetic occlusion: an object with another pasted on it or behind it.

After PCNet (CVPR'20) and ASBU (ICCV'21), as their published code does it. Letters: S patch
side; A the object to complete, B the other one. Masks are (S, S) uint8 in {0, 1}.
"""

from functools import partial
from typing import Callable, Optional, Tuple

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform, LoadImageFromFile
from mmdet.registry import TRANSFORMS

from ...structures import occlusion, patches, segmentation
from ..canvas import as_annotated
from ..coco_files import decode_image, describe_image, read_image_bytes
from .cache import ArrayCache


@TRANSFORMS.register_module()
class CropPair(BaseTransform):
    """Cuts both instances out as patches around their visible masks.

    Adds ``visible`` and ``other_visible`` (S, S) and, with the image, ``image`` (S, S, 3) uint8
    BGR and ``other_image``, a function that gives the other's: it is read where it is used. Gives
    None, so that the dataset draws again, if either is empty or its patch is smaller than
    ``min_side``. Where the sample has ``further`` records, their masks become the list
    ``further_visible``, without those too small.

    Args:
        patch_size: S in pixels.
        enlarge: area of the patch over the area of the visible mask's box.
        shift: greatest move of A's patch, in units of its side.
        zoom: (least, greatest) random scale of either object.
        flip_prob: probability of a mirror image, for each by itself.
        min_side: least side of a patch in image pixels.
        image_loader: transform that loads ``img`` from a record; None: no image is read.
        cache_mb: memory of each process for decoded masks and images of a dataset's records, in
            megabytes.
    """

    def __init__(self, patch_size: int = 256, enlarge: float = 3.0, shift: float = 0.2,
                 zoom: Tuple[float, float] = (0.8, 1.2), flip_prob: float = 0.5,
                 min_side: int = 5, image_loader: Optional[dict] = None,
                 cache_mb: float = 256) -> None:
        self.patch_size, self.enlarge, self.shift = patch_size, enlarge, shift
        self.zoom, self.flip_prob, self.min_side = zoom, flip_prob, min_side
        self.image_loader = image_loader and TRANSFORMS.build(image_loader)
        self.cache = ArrayCache(cache_mb)

    def transform(self, results: dict) -> Optional[dict]:
        """Adds both patches."""
        for prefix, record, shift in (('', results['instance'], self.shift),
                                      ('other_', results['other'], 0.0)):
            crop = self._crop(record, shift)
            if crop is None:
                return None
            results[prefix + 'visible'], read_image = crop
            if self.image_loader:
                results[prefix + 'image'] = read_image
        if self.image_loader:
            results['image'] = results['image']()
        if 'further' in results:
            crops = [self._crop(record, 0.0) for record in results['further']]
            results['further_visible'] = [crop[0] for crop in crops if crop is not None]
        return results

    def _crop(self, record: dict, shift: float) -> Optional[Tuple[np.ndarray, Callable]]:
        """The mask on its patch, and a function that reads the image and cuts the same out."""
        mask, (x, y) = self._cached('sample_idx', record, _decoded)
        box = (x, y, x + mask.shape[1], y + mask.shape[0])
        patch = patches.square_patch(box, self.enlarge)
        if patch[2] - patch[0] < self.min_side:
            return None
        patch = patches.square_patch(box, self.enlarge, zoom=np.random.uniform(*self.zoom),
                                     shift=np.random.uniform(-shift, shift, 2))
        crop = patches.crop_mask(mask, patch, self.patch_size, origin=(x, y))
        flip = np.random.rand() < self.flip_prob
        return cv2.flip(crop, 1) if flip else crop, partial(self._crop_image, record, patch, flip)

    def _crop_image(self, record: dict, patch: np.ndarray, flip: bool) -> np.ndarray:
        image, = self._cached('img_path', record, self._image)
        crop = patches.crop_image(image, patch, self.patch_size)
        return cv2.flip(crop, 1) if flip else crop

    def _cached(self, key: str, record: dict, make: Callable[[dict], tuple]) -> tuple:
        """What is made of a record, remembered if it comes from a dataset."""
        if 'sample_idx' not in record:
            return make(record)
        return self.cache.get((key, record[key]), partial(make, record))

    def _image(self, record: dict) -> Tuple[np.ndarray]:
        from_file = type(self.image_loader) is LoadImageFromFile
        if from_file:
            read_image_bytes(record['img_path'], self.image_loader.backend_args)
        try:
            image = self.image_loader(dict(record))['img']
        except AssertionError:  # mmcv's, on what is no image
            if from_file:
                decode_image(record['img_path'], self.image_loader.backend_args)
            raise
        return as_annotated(image, record),


def _decoded(record: dict) -> Tuple[np.ndarray, Tuple[int, int]]:
    """The visible mask, tight, and its (x, y)."""
    try:
        return segmentation.decode_tight(record['visible'], record['height'], record['width'])
    except ValueError as error:
        raise ValueError(f"annotation {record['ann_id']} of image {describe_image(record)}: "
                         f'visible mask: {error}; mend or remove the annotation') from error


@TRANSFORMS.register_module()
class PlaceOccluder(BaseTransform):
    """Puts B on A (set 1) or behind it (set 2).

    Adds ``target`` = A, ``offset`` (x, y) by which B moved, and

    ============ =================== ==================
    .            set 1               set 2
    ============ =================== ==================
    ``mask``     A without B         A
    ``occluder`` B, outside A too    B without A
    ============ =================== ==================

    Each of ``further_visible`` is put on or behind what is there so far in the same way and
    joins the occluder; or it is a bystander, which hides its part of all of them, ``target``
    included, and is no occluder: masks have been cut by others at test time, too.

    Args:
        front_prob: probability of set 1, PCNet's γ.
        overlap: (least, greatest) overlap of the two patches' areas.
        cut: (least, greatest) part of A that B covers; drawn again until it fits.
        max_tries: after so many draws the last is taken.
        bystander_prob: probability that a further object is a bystander.
    """

    def __init__(self, front_prob: float = 0.8, overlap: Tuple[float, float] = (0.4, 1.0),
                 cut: Tuple[float, float] = (0.001, 0.9), max_tries: int = 100,
                 bystander_prob: float = 0.3) -> None:
        self.front_prob, self.overlap, self.cut = front_prob, overlap, cut
        self.max_tries, self.bystander_prob = max_tries, bystander_prob

    def transform(self, results: dict) -> dict:
        """Adds mask, occluder, target and offset."""
        target = results['visible']
        offset, other = self._place(target, results['other_visible'])
        layers = self._put(target, np.zeros_like(target), target, other)
        for further in results.get('further_visible', ()):
            other = self._place(layers[0], further)[1]
            if np.random.rand() < self.bystander_prob:
                layers = tuple(layer & (1 - other) for layer in layers)
            else:
                layers = self._put(*layers, other)
        results.update(offset=offset, mask=layers[0], occluder=layers[1], target=layers[2])
        return results

    def _put(self, mask: np.ndarray, occluder: np.ndarray, target: np.ndarray,
             other: np.ndarray) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mask, occluder and target with one more object, in front or behind."""
        if np.random.rand() < self.front_prob:
            return mask & (1 - other), occluder | other, target
        return mask, occluder | other & (1 - target), target

    def _place(self, target: np.ndarray,
               other: np.ndarray) -> Tuple[Tuple[int, int], np.ndarray]:
        area = cv2.countNonZero(target) + 1e-5
        for _ in range(self.max_tries):
            offset = self._draw_offset(len(target))
            moved = shifted(other, offset)
            if self.cut[0] <= cv2.countNonZero(cv2.bitwise_and(target, moved)) / area < self.cut[1]:
                break
        return offset, moved

    def _draw_offset(self, size: int) -> Tuple[int, int]:
        """(x, y) in pixels such that the patches overlap by a random part of their area."""
        overlap = np.random.uniform(*self.overlap)
        x = np.random.uniform(overlap - 1, 1 - overlap)
        y = (1 - overlap / (1 - abs(x))) * (-1, 1)[np.random.randint(2)]
        return int(x * size), int(y * size)


def shifted(patch: np.ndarray, offset: Tuple[int, int]) -> np.ndarray:
    """``out[y, x] = patch[y + offset[1], x + offset[0]]``, zero outside; (S, S) or (S, S, 3)."""
    x, y = offset
    return patches.crop_window(patch, (x, y, x + patch.shape[1], y + patch.shape[0]))


@TRANSFORMS.register_module()
class OcclusionBoundary(BaseTransform):
    """Adds ``boundary``: where mask and occluder touch (ASBU, §3.1).

    Args:
        width: of the dilation, odd, pixels of the patch.
    """

    def __init__(self, width: int = 5) -> None:
        self.width = width

    def transform(self, results: dict) -> dict:
        """Adds the boundary."""
        results['boundary'] = occlusion.occlusion_boundary(
            results['occluder'], results['mask'], self.width)
        return results


@TRANSFORMS.register_module()
class CompositeOccluder(BaseTransform):
    """Blends the other's image into ``image`` with ASBU's α map: ``alpha`` inside the
    occluder, ``boundary_alpha`` on the boundary, 0 elsewhere.

    Args:
        alpha: inside the occluder.
        boundary_alpha: on the boundary, on both its sides.
    """

    def __init__(self, alpha: float = 0.8, boundary_alpha: float = 0.5) -> None:
        self.alpha, self.boundary_alpha = alpha, boundary_alpha

    def transform(self, results: dict) -> dict:
        """Blends ``image``; needs it from CropPair, and the boundary."""
        if 'other_image' not in results or 'boundary' not in results:
            raise ValueError('CompositeOccluder needs CropPair(image_loader=...), PlaceOccluder '
                             'and OcclusionBoundary before it')
        if results.get('further_visible'):
            raise ValueError('CompositeOccluder blends one occluder in, got a sample with several: '
                             'leave num_others of InstancePairDataset at 1 where images are used')
        weight = self.alpha * results['occluder'].astype(np.float32)
        weight[results['boundary'] > 0] = self.boundary_alpha
        image, other = results['image'], shifted(results['other_image'](), results['offset'])
        blend = image.copy()
        for region, alpha in ((results['occluder'], self.alpha),
                              (results['boundary'], self.boundary_alpha)):
            cv2.copyTo(cv2.addWeighted(image, 1 - alpha, other, alpha, 0), region, blend)
        results.update(image=blend, alpha=weight)
        return results


@TRANSFORMS.register_module()
class PackCompletionInputs(BaseTransform):
    """Packs a training sample for :class:`~mmamodal.models.completion.completer.MaskCompleter`:
    ``inputs`` with mask, occluder, and boundary, category and image where there are any,
    and ``target``; uint8 tensors, the image (3, S, S)."""

    def transform(self, results: dict) -> dict:
        """The packed sample."""
        inputs = {key: torch.from_numpy(results[key])
                  for key in ('mask', 'occluder', 'boundary') if key in results}
        inputs['category'] = torch.from_numpy(np.array(results['instance']['category_id']))
        if 'image' in results:
            inputs['image'] = torch.from_numpy(np.stack(cv2.split(results['image'])))
        return dict(inputs=inputs, target=torch.from_numpy(results['target']))
