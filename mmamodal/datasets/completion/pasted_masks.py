"""Images of masks alone: objects of a file of visible masks pasted on each other.

Letters: H×W image, h×w tight box of one object, B cut-outs.
"""

from typing import List, Sequence, Tuple

import numpy as np
from mmdet.registry import DATASETS

from ...structures.annotation import annotation_of_masks
from ...structures.segmentation import decode_tight
from ..amodal_coco import AmodalCocoDataset
from ..coco_checks import check_coco, group_annotations
from ..coco_files import annotation_named
from ..pasting.cut_outs import canvas_mask, may_go_on
from ..pasting.paste_layout import PasteOptions, by_class, compose


@DATASETS.register_module()
class PastedMasksDataset(AmodalCocoDataset):
    """Like AmodalCocoDataset, but its objects are pasted on each other, so that a file of visible
    masks gives amodal truth to validate completers on.

    Taken are objects that look whole: inside the image, in one piece, touching no other. Image
    ``i`` depends on the file, the options and ``(seed, i)`` only. There are masks and no pixels:
    file names are made up. Annotations stand front first, with ``order`` from 1.

    Args:
        num_images: how many are made.
        seed: of all of them, at least 0.
        size: (H, W).
        objects: (least, greatest) number of objects of an image.
        max_occlusion: greatest hidden share of an object.
        min_area: least number of pixels of an object in its file.
        **kwargs: those of AmodalCocoDataset.

    Raises:
        ValueError: the file has no such object, or no AmodalCocoDataset could be read from it.
    """

    def __init__(self, num_images: int = 100, seed: int = 0, size: Tuple[int, int] = (360, 480),
                 objects: Tuple[int, int] = (3, 8), max_occlusion: float = 0.7,
                 min_area: int = 400, **kwargs) -> None:
        self.num_images, self.seed, self.size = num_images, seed, tuple(size)
        self.min_area = min_area
        self.options = PasteOptions(objects, max_angle=30, scale=(1.0, 2.5), density=0.35,
                                    max_occlusion=max_occlusion)
        super().__init__(**kwargs)

    def read_coco(self) -> dict:
        """The pasted images as amodal COCO."""
        coco = check_coco(super().read_coco(), self.source)
        masks, categories = self._whole_objects(coco)
        if not masks:
            raise ValueError(f'{self.source} has no object that looks whole: expected some of at '
                             f'least {self.min_area} pixels, inside the image, in one piece and '
                             'touching no other; give another file, or a smaller min_area')
        groups, areas = by_class(categories), np.array([mask.sum() for mask in masks], np.float64)
        images, annotations = [], []
        for k in range(self.num_images):
            layers = compose(np.random.default_rng([self.seed, k]), areas, groups,
                             masks.__getitem__, self.size, self.options)
            images.append(dict(id=k + 1, file_name=f'pasted_{self.seed}_{k + 1:06d}.png',
                               height=self.size[0], width=self.size[1]))
            for order, layer in enumerate(reversed(layers), 1):
                fields = annotation_of_masks(canvas_mask(layer.mask, layer, self.size),
                                             canvas_mask(layer.visible, layer, self.size))
                annotations.append(dict(fields, id=len(annotations) + 1, image_id=k + 1,
                                        category_id=categories[layer.source], order=order))
        return dict(images=images, annotations=annotations, categories=coco.get('categories'))

    def _whole_objects(self, coco: dict) -> Tuple[List[np.ndarray], List[int]]:
        """Masks (h, w) of those that look whole, and their category ids."""
        masks, categories = [], []
        grouped = group_annotations(coco['images'], coco['annotations'], self.source)
        for image in coco['images']:
            size, anns = (image['height'], image['width']), grouped[image['id']]
            tight = [self._tight(ann, size) for ann in anns]
            for place, (ann, (mask, corner)) in enumerate(zip(anns, tight)):
                if (not ann.get('iscrowd') and mask.sum() >= self.min_area
                        and _inside(mask, corner, size) and may_go_on(tight, place) is None):
                    masks.append(mask)
                    categories.append(ann.get('category_id', 1))
        return masks, categories

    def _tight(self, ann: dict, size: Tuple[int, int]) -> Tuple[np.ndarray, Tuple[int, int]]:
        """What is visible of an object, (h, w), and its (x, y)."""
        with annotation_named(ann['id'], self.source):
            return decode_tight(ann.get(self.visible_key) or ann.get(self.amodal_key), *size)


def _inside(mask: np.ndarray, corner: Sequence[int], size: Tuple[int, int]) -> bool:
    """Whether a mask at (x, y) keeps off the rim of the image."""
    (x, y), (height, width) = corner, mask.shape
    return x > 0 and y > 0 and x + width < size[1] and y + height < size[0]
