"""Drawn scenes as a dataset: exact amodal masks, visible masks and order, without a download.

Letters: N objects of a scene (front first), H×W image.
"""

import hashlib
from typing import List, Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import DATASETS, TRANSFORMS
from pycocotools import mask as mask_utils

from ...structures.segmentation import encode
from ..amodal_coco import AmodalCocoDataset
from ..coco_checks import check_coco
from .drawing import draw_scene, seen_masks
from .layout import SceneOptions, compose_scene
from .shapes import SHAPES

SPLITS = ('train', 'val', 'test')


@TRANSFORMS.register_module()
class LoadSceneImage(BaseTransform):
    """Like LoadImageFromFile, but draws the ``scene`` of a SceneDataset's record.

    Adds ``img`` (H, W, 3) uint8 BGR, ``img_shape`` and ``ori_shape``.
    """

    def transform(self, results: dict) -> dict:
        """Add the image."""
        if 'scene' not in results:
            raise ValueError(f"{results.get('img_path')} has no 'scene': expected a record of "
                             'SceneDataset; use LoadImageFromFile for image files')
        image = draw_scene(results['scene'])
        results.update(img=image, img_shape=image.shape[:2], ori_shape=image.shape[:2])
        return results


@DATASETS.register_module()
class SceneDataset(AmodalCocoDataset):
    """Like AmodalCocoDataset, but its scenes are drawn from a seed.

    Objects of six classes lie on textured grounds and occlude each other; every one is wholly
    inside the image and partly visible. Scene ``i`` of a split depends on the options below
    and on ``(seed, split, i)`` only, so that splits differ and a longer one begins like a
    shorter one. Annotations stand front first; ``order`` is 1 for the one in front.

    Images are drawn when asked for, by LoadSceneImage in the pipeline or by ``read_image``,
    from the record's ``scene``. File names are made up; they carry a fingerprint of seed and
    options, so that annotations of other scenes are not taken for those of these.

    Args:
        ann_file: an amodal COCO file on the same scenes (pseudo-labels), joined by image id;
            its annotations stand in the place of the true ones. Empty: the truth.
        split: ``'train'``, ``'val'`` or ``'test'``.
        num_scenes: number of scenes.
        seed: of all splits together, at least 0.
        image_size, num_objects, object_size, occlusion, occluded_share, min_visible,
            max_angle: see :class:`~mmamodal.datasets.scenes.layout.SceneOptions`.
        mutual: the two objects in front cross at two places or more, and each is in front of
            the other at one of them; ``order`` is then 1 for the one that hides more.
        **kwargs: those of AmodalCocoDataset.

    Raises:
        ValueError: an option is out of its range, objects do not fit, or ``ann_file`` is about
            other images; names the option, or file and image id.
    """

    METAINFO = dict(classes=tuple(SHAPES),
                    palette=[(240, 205, 60), (60, 160, 70), (245, 130, 180), (60, 120, 220),
                             (130, 90, 60), (245, 110, 50)])

    def __init__(self, ann_file: str = '', split: str = 'train', num_scenes: int = 400,
                 seed: int = 0, image_size: Sequence[int] = (128, 128),
                 num_objects: Sequence[int] = (2, 8), object_size: Sequence[float] = (0.3, 0.5),
                 occlusion: Sequence[float] = (0.1, 0.7), occluded_share: float = 0.8,
                 min_visible: int = 40, max_angle: float = 40.0, mutual: bool = False,
                 **kwargs) -> None:
        if split not in SPLITS:
            raise ValueError(f'split={split!r}: expected one of {SPLITS}')
        for name, value, least in (('num_scenes', num_scenes, 1), ('seed', seed, 0)):
            if not isinstance(value, int) or value < least:
                raise ValueError(f'{name}={value!r}: expected a whole number of at least {least}')
        self.split, self.num_scenes, self.seed, self.mutual = split, num_scenes, seed, mutual
        self.options = SceneOptions(image_size, num_objects, object_size, occlusion,
                                    occluded_share, min_visible, max_angle)
        if mutual and self.options.num_objects[0] < 2:
            raise ValueError(f'num_objects={self.options.num_objects} with mutual=True: expected '
                             'at least two objects')
        super().__init__(ann_file=ann_file, **kwargs)

    def read_coco(self) -> dict:
        """The scenes as amodal COCO; each image carries its ``scene``."""
        drawn = [self.compose(index) for index in range(self.num_scenes)]
        images = [self._image(index, scene) for index, (scene, _) in enumerate(drawn)]
        if self.ann_file:
            return join_images(super().read_coco(), images, self.ann_file)
        annotations: List[dict] = []
        for image, (_, amodal) in zip(images, drawn):
            annotations += annotate(image, amodal, len(annotations) + 1)
        return dict(images=images, annotations=annotations, categories=CATEGORIES)

    def compose(self, index: int) -> tuple:
        """Scene ``index`` and its amodal masks, as :func:`compose_scene` gives them."""
        entropy = [self.seed, SPLITS.index(self.split), index]
        rng = np.random.default_rng(np.random.SeedSequence(entropy))
        return compose_scene(rng, self.options, self.mutual)

    def parse_data_info(self, raw_data_info: dict) -> dict:
        """Like AmodalCocoDataset's, with the ``scene``."""
        record = super().parse_data_info(raw_data_info)
        return dict(record, scene=raw_data_info['raw_img_info']['scene'])

    def read_image(self, idx: int) -> np.ndarray:
        """The image as (H, W, 3) uint8, BGR, drawn now."""
        return draw_scene(self.get_data_info(idx)['scene'])

    def _image(self, index: int, scene: dict) -> dict:
        recipe = self.seed, self.options, *['mutual'] * self.mutual
        recipe = hashlib.sha1(repr(recipe).encode()).hexdigest()[:8]
        return dict(id=index + 1, file_name=f'scenes-{recipe}_{self.split}_{index + 1:06d}.png',
                    height=scene['height'], width=scene['width'], scene=scene)


CATEGORIES = [dict(id=number, name=name) for number, name in enumerate(SHAPES, 1)]


def annotate(image: dict, amodal: np.ndarray, first_id: int) -> List[dict]:
    """Amodal COCO annotations of a scene, front first.

    Args:
        image: COCO image with its ``scene``.
        amodal: (N, H, W) uint8 in {0, 1}, front first.
        first_id: id of the first annotation; the others follow.
    """
    numbers = {category['name']: category['id'] for category in CATEGORIES}
    annotations = []
    for order, (item, whole, visible) in enumerate(
            zip(image['scene']['objects'], amodal, seen_masks(image['scene'], amodal)), 1):
        rle, area, seen = encode(whole), int(whole.sum()), int(visible.sum())
        annotation = dict(id=first_id + order - 1, image_id=image['id'], iscrowd=0,
                          category_id=numbers[item['shape']], segmentation=rle, area=area,
                          bbox=mask_utils.toBbox(rle).tolist(), order=order,
                          occlude_rate=1 - seen / area)
        if seen < area:
            annotation['visible_mask'] = encode(visible)
        annotations.append(annotation)
    return annotations


def join_images(coco: dict, images: List[dict], ann_file: str) -> dict:
    """An annotation file whose images carry their ``scene``, joined to the drawn ones by id.

    Raises:
        ValueError: the file is no COCO, or has an image that is not drawn here, or other than
            here; names file and id.
    """
    drawn = {image['id']: image for image in images}
    joined = []
    for image in check_coco(coco, ann_file)['images']:
        here = drawn.get(image['id'])
        if here is None:
            raise ValueError(f"image {image['id']} of {ann_file} is not among the {len(images)} "
                             'scenes of this dataset: expected annotations of these scenes; raise '
                             'num_scenes, or write the file again')
        for key in ('file_name', 'height', 'width'):
            if image[key] != here[key]:
                raise ValueError(f"image {image['id']} of {ann_file} has {key} {image[key]!r}, but "
                                 f'{here[key]!r} is drawn here: it is of another split, seed or '
                                 'option of SceneDataset; use the same, or write the file again')
        joined.append(dict(image, scene=here['scene']))
    return dict(coco, images=joined)
