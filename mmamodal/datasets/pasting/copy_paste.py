"""Objects of other images pasted in front: occlusion whose truth is known, made while training.

Letters: N instances, P pasted objects, H×W image, h×w tight box of one object.
"""

from typing import List, NamedTuple, Sequence, Tuple

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmdet.registry import TRANSFORMS
from mmdet.structures.bbox import autocast_box_type
from mmengine.dataset import BaseDataset

from ...structures.amodal_masks import AmodalMasks
from ..coco_files import describe_image
from .cut_outs import Pasted, canvas_mask, cover, may_go_on, paste_pixels, turn_cut_out
from .paste_layout import PasteOptions, find_place

FIRST_PASTED_ID = 2**52  # above all ids of annotation files, and exact in every reader of JSON


class Found(NamedTuple):
    """A whole object of an image: its pixels (h, w, 3), tight mask (h, w), label, category id."""

    bgr: np.ndarray
    mask: np.ndarray
    label: int
    category_id: int


@TRANSFORMS.register_module()
class AmodalCopyPaste(BaseTransform):
    """Like mmdet's CopyPaste, but what is pasted hides and does not cut: the masks, boxes, labels
    and ids of the objects behind stay, only their visible masks lose the pixels.

    It belongs into the pipeline of mmdet's MultiImageMixDataset, after the images are loaded and
    resized by that of the dataset inside. Whole objects of other images are pasted in front: not
    occluded, no crowd, not at the image's rim; where a sample has visible masks only
    (``visible_only``), in one piece and touching no other object. Turning, placing and the limits
    are those of ``tools/dataset_converters/d2s_modal_aug.py``: an object is not pasted where one
    that it takes pixels from would be hidden beyond ``max_occlusion`` or keep fewer than
    ``min_visible`` pixels. With 1 and 0 objects may be hidden wholly; they stay, and their
    visible mask is empty. What is ignored (crowds) may always be hidden.

    Pasted objects come last in ``gt_masks``, ``gt_bboxes``, ``gt_bboxes_labels``,
    ``gt_ignore_flags``, ``gt_ann_ids`` and ``gt_category_ids`` (those of them that are there),
    the one in front the very last. Their annotation ids count from 2**52, or from above the
    sample's highest if it has such ids already: no file has them.

    Args:
        objects: (least, greatest) number of pasted objects; fewer where images have no more.
        num_images: images that they are taken from.
        max_angle: they are turned by up to this many degrees to either side.
        scale: (least, greatest) factor of their length.
        max_occlusion: greatest hidden share, see above.
        min_visible: least number of visible pixels, see above; pasted ones are no smaller.
        min_area: least number of pixels of an object to be taken.

    Raises:
        ValueError: an option is out of its range; on transforming: there are no other images.
        TypeError: on transforming: ``gt_masks`` is no AmodalMasks.
    """

    def __init__(self, objects: Tuple[int, int] = (1, 4), num_images: int = 1,
                 max_angle: float = 180.0, scale: Tuple[float, float] = (1.0, 1.0),
                 max_occlusion: float = 0.8, min_visible: int = 100,
                 min_area: int = 1024) -> None:
        if not isinstance(num_images, int) or num_images < 1:
            raise ValueError(f'num_images={num_images!r}: expected a whole number of at least 1')
        self.num_images, self.min_area = num_images, min_area
        self.options = PasteOptions(objects, max_angle, scale, max_occlusion=max_occlusion,
                                    min_visible=min_visible)

    @cache_randomness
    def get_indexes(self, dataset: BaseDataset) -> List[int]:
        """Places in the dataset of the images to take objects from."""
        return np.random.randint(len(dataset), size=self.num_images).tolist()

    @cache_randomness
    def _draw_seed(self) -> int:
        """All else that is random follows from it."""
        return int(np.random.randint(2**31))

    @autocast_box_type()
    def transform(self, results: dict) -> dict:
        """Paste objects of ``results['mix_results']``."""
        if 'mix_results' not in results:
            raise ValueError(f'{describe_image(results)}: AmodalCopyPaste found no mix_results: '
                             "put it into the pipeline of mmdet's MultiImageMixDataset")
        _check_masks(results)
        rng = np.random.default_rng(self._draw_seed())
        found = [item for other in results['mix_results']
                 for item in whole_objects(other, self.min_area)]
        count = int(rng.integers(self.options.objects[0], self.options.objects[1] + 1))
        chosen = [found[place] for place in rng.permutation(len(found))[:count]]
        return paste_objects(results, chosen, rng, self.options)

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(num_images={self.num_images}, min_area={self.min_area}, '
                f'options={self.options})')


def whole_objects(results: dict, min_area: int) -> List[Found]:
    """The objects of a loaded sample that are whole; see :class:`AmodalCopyPaste`."""
    _check_masks(results)
    masks, found = results['gt_masks'], []
    boxes = [cv2.boundingRect(mask) for mask in masks.masks]
    tight = [(mask[y:y + h, x:x + w], (x, y)) for mask, (x, y, w, h) in zip(masks.masks, boxes)]
    categories = results.get('gt_category_ids', np.zeros(len(masks), np.int64))
    for i, (x, y, w, h) in enumerate(boxes):
        mask = tight[i][0]
        inside = x > 0 and y > 0 and x + w < masks.width and y + h < masks.height
        if (inside and not results['gt_ignore_flags'][i] and np.count_nonzero(mask) >= min_area
                and np.array_equal(masks.masks[i], masks.visible.masks[i])
                and not (results.get('visible_only') and may_go_on(tight, i))):
            found.append(Found(results['img'][y:y + h, x:x + w], mask,
                               int(results['gt_bboxes_labels'][i]), int(categories[i])))
    return found


def paste_objects(results: dict, found: Sequence[Found], rng: np.random.Generator,
                  options: PasteOptions) -> dict:
    """A sample with objects pasted in front, in their order; those that find no place are not."""
    image, masks = results['img'].copy(), results['gt_masks']
    size, visible = image.shape[:2], masks.visible.masks.copy()
    behind = [Pasted(amodal, 0, 0, seen) for amodal, seen in zip(masks.masks, visible)]
    limited = [layer for layer, crowd in zip(behind, results['gt_ignore_flags']) if not crowd]
    pasted: List[Tuple[Pasted, Found]] = []
    for item in found:
        angle = float(rng.uniform(-options.max_angle, options.max_angle))
        bgr, mask = turn_cut_out(item.bgr, item.mask, angle, float(rng.uniform(*options.scale)))
        layer = find_place(rng, limited, mask, (0, 0, size[1], size[0]), size, options)
        if layer is not None:
            cover(behind, layer)
            paste_pixels(image, bgr, layer)
            for layers in (behind, limited):
                layers.append(layer)
            pasted.append((layer, item))
    old = AmodalMasks(masks.masks, *size, visible)
    return _append(dict(results, img=image, gt_masks=old), pasted) if pasted else results


def _append(results: dict, pasted: Sequence[Tuple[Pasted, Found]]) -> dict:
    """The sample with the pasted objects behind its own in every list."""
    size = results['img'].shape[:2]
    masks = AmodalMasks([canvas_mask(layer.mask, layer, size) for layer, _ in pasted], *size,
                        [canvas_mask(layer.visible, layer, size) for layer, _ in pasted])
    results['gt_masks'] = AmodalMasks.cat([results['gt_masks'], masks])
    if 'gt_bboxes' in results:
        boxes = results['gt_bboxes']
        results['gt_bboxes'] = boxes.cat([boxes, masks.get_bboxes(type(boxes))])
    first = max([FIRST_PASTED_ID, *(results.get('gt_ann_ids', np.zeros(0, np.int64)) + 1)])
    news = dict(gt_bboxes_labels=[item.label for _, item in pasted],
                gt_ignore_flags=[False] * len(pasted),
                gt_ann_ids=[int(first) + place for place in range(len(pasted))],
                gt_category_ids=[item.category_id for _, item in pasted])
    for key, values in news.items():
        if key in results:
            old = results[key]
            results[key] = np.concatenate([old, np.array(values, old.dtype)])
    return results


def _check_masks(results: dict) -> None:
    masks = results.get('gt_masks')
    if not isinstance(masks, AmodalMasks):
        raise TypeError(f'{describe_image(results)}: AmodalCopyPaste expected gt_masks of '
                        f'AmodalMasks, got {type(masks).__name__}: load them with '
                        'LoadAmodalAnnotations')
