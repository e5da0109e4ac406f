"""Amodal masks that carry their visible part, and how sure they are, through every geometric
operation.

Letters: N instances, H×W image.
"""

import functools
from typing import Callable, Optional, Sequence, Union

import numpy as np
import torch
from mmdet.structures.mask import BitmapMasks
from mmdet.utils.util_random import ensure_rng

Masks = Union[np.ndarray, Sequence[np.ndarray]]


def _carried(operation: Callable) -> Callable:
    """A BitmapMasks operation that moves what belongs to the amodal masks as it moves these."""

    @functools.wraps(operation)
    def carry(self: 'AmodalMasks', *args, **kwargs) -> 'AmodalMasks':
        return self._join(operation(self, *args, **kwargs),
                          operation(self.visible, *args, **kwargs),
                          self._of_uncertainty(operation, *args, **kwargs))

    return carry


class AmodalMasks(BitmapMasks):
    """Like mmdet's BitmapMasks, but every mask has a visible part.

    To mmdet this is the amodal masks: ``masks``, ``areas``, ``get_bboxes``, iteration,
    ``to_ndarray`` and ``to_tensor`` give them alone. Operations act on both alike.

    Invariant: visible <= amodal in every pixel. It is checked here; operations do not check
    again, ``visible`` clips to the amodal masks as they are now. Nearest and bilinear
    interpolation keep it by themselves up to rounding, bicubic and Lanczos do not. The same
    minimum holds for the float masks of ``crop_and_resize(binarize=False)``, and for amodal
    pixels erased in place (mmdet's RandomErasing).

    Code that rebuilds masks from ``masks`` knows nothing of ``visible``, and is stopped:
    ``masks`` cannot be replaced (mmdet's CopyPaste does), and ``visible`` has no default
    (mmdet's Albu calls ``type(masks)(array, height, width)``).

    Args:
        masks: amodal, (N, H, W) array or N arrays (H, W), uint8 in {0, 1}, image pixels.
        height: H in pixels.
        width: W in pixels.
        visible: visible, like ``masks``; copied. None: nothing is occluded.
        uncertainty: of each pixel's label, (N, H, W) array or N arrays (H, W), uint8 levels of
            :mod:`.uncertainty_maps`, 0 where it is certain, as is all that operations add.
            None: nothing is known of it, and ``uncertainty`` is None.

    Raises:
        ValueError: a mask has another size, the numbers of amodal and visible masks or of
            uncertainties differ, or a visible mask leaves its amodal mask.
    """

    def __init__(self, masks: Masks, height: int, width: int, visible: Optional[Masks],
                 uncertainty: Optional[Masks] = None) -> None:
        amodal = _bitmaps(masks, height, width, 'amodal')
        super().__init__(amodal.masks, height, width)
        visible = amodal if visible is None else _bitmaps(visible, height, width, 'visible')
        self._visible = BitmapMasks(visible.masks.astype(amodal.masks.dtype), height, width)
        _check_inside(self._visible.masks, amodal.masks)
        self.uncertainty = None
        if uncertainty is not None:
            self.uncertainty = _bitmaps(uncertainty, height, width, 'uncertainty of')
            _check_number('uncertainty', self.uncertainty, amodal)

    @classmethod
    def _join(cls, amodal: BitmapMasks, visible: BitmapMasks,
              uncertainty: Optional[BitmapMasks]) -> 'AmodalMasks':
        """What an operation made of the three, unchecked."""
        self = cls.__new__(cls)
        BitmapMasks.__init__(self, amodal.masks, amodal.height, amodal.width)
        self._visible, self.uncertainty = visible, uncertainty
        return self

    def _of_uncertainty(self, operation: Callable, *args, **kwargs) -> Optional[BitmapMasks]:
        return None if self.uncertainty is None else operation(self.uncertainty, *args, **kwargs)

    @property
    def masks(self) -> np.ndarray:
        """Amodal masks (N, H, W). They may be written into, not replaced."""
        return self._masks

    @masks.setter
    def masks(self, masks: np.ndarray) -> None:
        if '_masks' in vars(self):
            raise AttributeError(
                'AmodalMasks.masks cannot be replaced: the visible masks would not belong to it. '
                "mmdet's CopyPaste does this; take it out of the pipeline, or load plain masks "
                "with mmdet's LoadAnnotations. Other code: build AmodalMasks(masks, height, "
                'width, visible) anew')
        self._masks = masks

    @property
    def visible(self) -> BitmapMasks:
        """Visible masks (N, H, W), clipped to the amodal ones."""
        self._visible.masks = np.minimum(self._visible.masks, self.masks)
        return self._visible

    @property
    def invisible(self) -> BitmapMasks:
        """Amodal and not visible (N, H, W); of float masks, the difference."""
        subtract = np.subtract if self.masks.dtype.kind == 'f' else np.bitwise_xor
        return BitmapMasks(subtract(self.masks, self.visible.masks), self.height, self.width)

    rescale = _carried(BitmapMasks.rescale)
    resize = _carried(BitmapMasks.resize)
    flip = _carried(BitmapMasks.flip)
    pad = _carried(BitmapMasks.pad)
    crop = _carried(BitmapMasks.crop)
    expand = _carried(BitmapMasks.expand)
    translate = _carried(BitmapMasks.translate)
    shear = _carried(BitmapMasks.shear)
    rotate = _carried(BitmapMasks.rotate)

    def crop_and_resize(self, *args, binarize: bool = True, **kwargs) -> 'AmodalMasks':
        """Like BitmapMasks.crop_and_resize; the uncertainty, float32, is never made binary."""
        crop = BitmapMasks.crop_and_resize
        return self._join(crop(self, *args, binarize=binarize, **kwargs),
                          crop(self.visible, *args, binarize=binarize, **kwargs),
                          self._of_uncertainty(crop, *args, binarize=False, **kwargs))

    def __getitem__(self, index: Union[int, slice, list, np.ndarray,
                                       torch.Tensor]) -> 'AmodalMasks':
        """Like BitmapMasks, but tensors of any device index, too. An int gives (1, H, W)."""
        if isinstance(index, torch.Tensor):
            index = index.cpu().numpy()
        return self._join(BitmapMasks.__getitem__(self, index), self.visible[index],
                          self._of_uncertainty(BitmapMasks.__getitem__, index))

    @classmethod
    def cat(cls, masks: Sequence['AmodalMasks']) -> 'AmodalMasks':
        """Like BitmapMasks.cat, but of AmodalMasks only; with uncertainty if all items have it.

        Raises:
            TypeError: an item has no visible masks.
            ValueError: there is no item, or their sizes differ.
        """
        for position, item in enumerate(masks):
            if not isinstance(item, cls):
                raise TypeError(
                    f'cat expected AmodalMasks only, got {type(item).__name__} at {position}, '
                    'which has no visible masks; make it AmodalMasks(masks, height, width, '
                    'visible), with visible=None where nothing is occluded')
        unsure = [m.uncertainty for m in masks if m.uncertainty is not None]
        return cls._join(
            BitmapMasks.cat([BitmapMasks(m.masks, m.height, m.width) for m in masks]),
            BitmapMasks.cat([m.visible for m in masks]),
            BitmapMasks.cat(unsure) if unsure and len(unsure) == len(masks) else None)

    @classmethod
    def random(cls,
               num_masks: int = 3,
               height: int = 32,
               width: int = 32,
               dtype: type = np.uint8,
               rng: Union[None, int, np.random.RandomState] = None) -> 'AmodalMasks':
        """Like BitmapMasks.random; about half of each mask is visible."""
        rng = ensure_rng(rng)
        amodal = BitmapMasks.random(num_masks, height, width, dtype, rng).masks
        visible = amodal * rng.randint(0, 2, amodal.shape).astype(dtype)
        return cls(amodal, height, width, visible)


def _bitmaps(masks: Masks, height: int, width: int, name: str) -> BitmapMasks:
    """N masks (H, W) as BitmapMasks. Raises ValueError where one has another size."""
    shapes = {tuple(np.shape(mask)) for mask in masks}
    if shapes - {(height, width)}:
        raise ValueError(
            f'{name} masks: expected one of (height, width) = {(height, width)} per instance, '
            f'got masks of shape {sorted(shapes)}')
    is_array = isinstance(masks, np.ndarray)
    return BitmapMasks(masks if is_array else [np.asarray(m) for m in masks], height, width)


def _check_number(name: str, parts: Sequence, amodal: Sequence) -> None:
    if len(parts) != len(amodal):
        raise ValueError(f'expected one {name} mask per amodal mask, got {len(parts)} {name} and '
                         f'{len(amodal)} amodal')


def _check_inside(visible: np.ndarray, amodal: np.ndarray) -> None:
    """Raises ValueError unless each of the (N, H, W) visible masks lies in its amodal mask."""
    _check_number('visible', visible, amodal)
    outside = np.count_nonzero(visible > amodal, axis=(1, 2))
    if outside.any():
        first = int(np.flatnonzero(outside)[0])
        raise ValueError(
            f'visible mask {first} has {outside[first]} pixels outside its amodal mask: expected '
            'visible inside amodal; where it is noise of an annotation, clip it first')
