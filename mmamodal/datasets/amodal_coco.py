"""Amodal COCO: the one annotation format, and the one path by which annotations come in.

Letters: H×W image.
"""

import logging
import posixpath
from collections import Counter
from typing import Dict, List, Optional, Sequence

import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmdet.datasets import BaseDetDataset
from mmdet.registry import DATASETS
from mmengine.fileio import join_path
from mmengine.logging import print_log

from .coco_files import (check_box, check_coco, check_segmentation, choose_categories,
                         decode_image, group_annotations, is_id, mask_bbox_xywh, number,
                         read_image_bytes, read_json, required)


@DATASETS.register_module()
class AmodalCocoDataset(BaseDetDataset):
    """Like mmdet's CocoDataset, but masks are amodal and carry their visible part.

    The file is COCO whose ``segmentation``, ``bbox`` and ``area`` are amodal, with a
    ``visible_mask`` (RLE or polygons) beside them; an annotation without one is not
    occluded. A dataset with other keys is a subclass with other class attributes. ``bbox``
    (xywh) and ``area`` may be absent.

    Classes come from the file's ``categories`` unless ``metainfo`` names some; labels follow
    the order of the names. ``metainfo`` then holds ``classes``, ``categories`` (in label
    order) and ``ann_file``.

    As in CocoDataset, annotations are left out that are marked ``ignore``, of a class not
    chosen, outside the image, under one pixel wide or high, or without area; the log says
    how many.

    A sample's record is ``dict(img_path, file_name, ann_file, img_id, height, width,
    visible_only, instances, sample_idx)``; each of its instances ``dict(bbox, bbox_label,
    category_id, ann_id, ignore_flag, mask, visible_mask)`` with ``bbox`` xyxy in image pixels,
    ``ignore_flag`` 1 for a crowd, masks as in the file (polygons always in a list), and no
    ``visible_mask`` where the object is not occluded.

    Args:
        ann_file: path of the annotation file, joined to ``data_root``.
        visible_only: take nothing but visible masks: the visible one where an annotation has
            it, else ``segmentation`` (a plain COCO file, or an object that is not occluded).
            They then stand in the place of the amodal ones, and every record says
            ``visible_only=True``: it holds no amodal truth. Nothing is guessed: a plain COCO
            file read with False is taken at its word, that nothing is occluded, with a warning.
        one_class: put all (chosen) classes into one, ``object``, with category id 1. Such a
            file needs no categories.
        data_prefix: ``dict(img=folder of the images)``, joined to ``data_root``.
        **kwargs: those of mmengine's BaseDataset. ``filter_cfg`` knows ``filter_empty_gt``
            and ``min_size`` (of the image, in pixels), used in training only.

    Raises:
        ValueError: the file is no amodal COCO; names the file, the id, and what to do.
        FileNotFoundError: the file is missing.
    """

    METAINFO: dict = {}
    amodal_key: str = 'segmentation'
    visible_key: str = 'visible_mask'
    box_key: str = 'bbox'
    area_key: str = 'area'

    def __init__(self,
                 ann_file: str = '',
                 visible_only: bool = False,
                 one_class: bool = False,
                 data_prefix: Optional[dict] = None,
                 **kwargs) -> None:
        self.visible_only = visible_only
        self.one_class = one_class
        data_prefix = dict(img='') if data_prefix is None else data_prefix
        super().__init__(ann_file=ann_file, data_prefix=data_prefix, **kwargs)

    @property
    def source(self) -> str:
        """Where the annotations come from, for messages."""
        return self.ann_file or type(self).__name__

    def read_coco(self) -> dict:
        """The annotations as a COCO dict: ``images``, ``annotations``, ``categories``."""
        return read_json(self.ann_file, self.backend_args)

    def load_data_list(self) -> List[dict]:
        """Records of all images, in the order of the file."""
        coco = check_coco(self.read_coco(), self.source)
        grouped = group_annotations(coco['images'], coco['annotations'], self.source)
        self._warn_if_never_occluded(coco['annotations'])
        self._set_classes(coco.get('categories'))
        self._left_out: Counter = Counter()
        records = [
            self.parse_data_info(dict(raw_img_info=image, raw_ann_info=grouped[image['id']]))
            for image in coco['images']
        ]
        self._log_left_out(len(coco['annotations']))
        return records

    def parse_data_info(self, raw_data_info: dict) -> dict:
        """One image and its annotations, both as in the file, to a record."""
        image = raw_data_info['raw_img_info']
        instances = (self._instance(ann, image) for ann in raw_data_info['raw_ann_info'])
        return dict(
            img_path=self._img_path(image),
            file_name=image['file_name'],
            ann_file=self.source,
            img_id=image['id'],
            height=image['height'],
            width=image['width'],
            visible_only=self.visible_only,
            instances=[instance for instance in instances if instance is not None])

    def filter_data(self) -> List[dict]:
        """Records that ``filter_cfg`` lets into training; all of them in test mode."""
        config = {} if self.test_mode else self.filter_cfg or {}
        kept = [
            record for record in self.data_list
            if min(record['height'], record['width']) >= config.get('min_size', 0)
            and (record['instances'] or not config.get('filter_empty_gt', False))
        ]
        if not kept:
            raise ValueError(f'{self.source} leaves no image to train on: all of its '
                             f'{len(self.data_list)} images are smaller than min_size or without '
                             f"an annotation of the classes {self._metainfo['classes']}; check "
                             f'the classes and filter_cfg={config}')
        return kept

    def prepare_data(self, idx: int) -> Optional[dict]:
        """Like BaseDataset's, but an image file that is broken, or no image, is named."""
        record = self.get_data_info(idx)
        loaders = [transform for transform in self.pipeline.transforms
                   if type(transform) is LoadImageFromFile and not transform.ignore_empty]
        for loader in loaders:
            read_image_bytes(record['img_path'], loader.backend_args)
        try:
            return self.pipeline(record)
        except AssertionError:  # mmcv's, on what is no image
            for loader in loaders:
                decode_image(record['img_path'], loader.backend_args)
            raise

    def read_image(self, idx: int) -> np.ndarray:
        """The image as (H, W, 3) uint8, BGR.

        Raises:
            FileNotFoundError: its file is missing.
            ValueError: it is truncated, no image, or not H×W as annotated.
        """
        record = self.get_data_info(idx)
        image = decode_image(record['img_path'], self.backend_args)
        size, annotated = image.shape[:2], (record['height'], record['width'])
        if size != annotated:
            raise ValueError(f"image file {record['img_path']!r} has (height, width) {size}, but "
                             f"image {record['img_id']} of {self.source} is annotated with "
                             f'{annotated}: use the file that the masks were drawn on')
        return image

    def _img_path(self, image: dict) -> str:
        parts = posixpath.normpath(image['file_name'].replace('\\', '/')).split('/')
        if parts[0] in ('', '.', '..') or parts[0].endswith(':'):
            raise ValueError(f"image {image['id']} of {self.source} has file_name "
                             f"{image['file_name']!r}: expected a file inside the image folder; "
                             "make it relative, and set data_prefix=dict(img='...')")
        return join_path(self.data_prefix.get('img', self.data_root or ''), image['file_name'])

    def _set_classes(self, categories: Optional[List[dict]]) -> None:
        """Fill the metainfo, and the label (None: not chosen) of each category id."""
        wanted: Optional[Sequence[str]] = self._metainfo.get('classes')
        self._labels: Optional[Dict[int, Optional[int]]] = None
        chosen = [dict(id=1, name='object')]
        if not self.one_class or wanted is not None and tuple(wanted) != ('object', ):
            found = choose_categories(categories, wanted, self.source)
            self._labels = dict.fromkeys(category['id'] for category in categories)
            for label, category in enumerate(found):
                self._labels[category['id']] = 0 if self.one_class else label
            chosen = chosen if self.one_class else found
        self._metainfo.update(
            classes=tuple(category['name'] for category in chosen),
            categories=chosen,
            ann_file=self.ann_file)

    def _instance(self, ann: dict, image: dict) -> Optional[dict]:
        """The annotation as an instance of a record; None where it is left out."""
        if self.visible_only and ann.get(self.visible_key) is not None:
            ann = self._without_amodal(ann)
        try:
            label = self._label(ann)
            instance = self._masks(ann, image['height'], image['width'])
            area = number(ann, self.area_key, default=1)
            crowd = _crowd(ann)
        except ValueError as error:
            raise ValueError(f"annotation {ann['id']} of {self.source}: {error}") from None
        reason = _why_left_out(ann, label, instance['bbox'], area, image)
        if reason:
            self._left_out[reason] += 1
            return None
        instance.update(
            bbox_label=label,
            category_id=1 if self.one_class else ann['category_id'],
            ann_id=ann['id'],
            ignore_flag=crowd)
        return instance

    def _without_amodal(self, ann: dict) -> dict:
        """The annotation as a file of visible masks would have it."""
        amodal = (self.amodal_key, self.visible_key, self.box_key, self.area_key, 'occlude_rate')
        rest = {key: value for key, value in ann.items() if key not in amodal}
        return {**rest, self.amodal_key: ann[self.visible_key]}

    def _label(self, ann: dict) -> Optional[int]:
        """The label of the annotation's class; None where the class is not chosen."""
        if self._labels is None:
            return 0
        category = required(ann, 'category_id', 'or read the file with one_class=True')
        if not is_id(category) or category not in self._labels:
            raise ValueError(f'expected the id of a category as category_id, got {category!r}, '
                             f'and the file has {sorted(self._labels)}; add the category')
        return self._labels[category]

    def _masks(self, ann: dict, height: int, width: int) -> dict:
        """Box (xyxy), mask and, where occluded, visible mask of an annotation."""
        mask = check_segmentation(
            required(ann, self.amodal_key, 'a dataset with other keys is a subclass of '
                     'AmodalCocoDataset with another amodal_key'), self.amodal_key, height, width)
        box = ann.get(self.box_key)
        x, y, w, h = mask_bbox_xywh(mask, height, width) if box is None else check_box(
            box, self.box_key)
        instance = dict(bbox=[x, y, x + w, y + h], mask=mask)
        visible = ann.get(self.visible_key)
        if visible is not None:
            visible = check_segmentation(visible, self.visible_key, height, width)
            return dict(instance, visible_mask=visible)
        if number(ann, 'occlude_rate', 0) > 0:
            raise ValueError(f'expected an RLE as {self.visible_key!r}, since occlude_rate is '
                             f"{ann['occlude_rate']}, got none; add it, or set the rate to 0")
        return instance

    def _warn_if_never_occluded(self, annotations: List[dict]) -> None:
        if not self.visible_only and not any(self.visible_key in ann for ann in annotations):
            print_log(
                f'{self.source}: no annotation has {self.visible_key!r} (the first one has '
                f'{sorted(annotations[0])}), so nothing counts as occluded. If its masks are '
                'visible ones, as in plain COCO, set visible_only=True.',
                logger='current',
                level=logging.WARNING)

    def _log_left_out(self, total: int) -> None:
        if self._left_out:
            reasons = ', '.join(f'{count} {reason}' for reason, count in self._left_out.items())
            print_log(
                f'{self.source}: left out {sum(self._left_out.values())} of {total} annotations: '
                f'{reasons}',
                logger='current',
                level=logging.WARNING)


def _crowd(ann: dict) -> int:
    """1 for a crowd, else 0."""
    crowd = ann.get('iscrowd', 0)
    if crowd not in (0, 1):
        raise ValueError(f"expected 0 or 1 as 'iscrowd', got {crowd!r:.60}; mend it, or leave it "
                         'out')
    return int(crowd)


def _why_left_out(ann: dict, label: Optional[int], bbox: Sequence[float], area: float,
                  image: dict) -> Optional[str]:
    """The reason not to take an annotation, by mmdet's rules; None for taking it."""
    x1, y1, x2, y2 = bbox
    if ann.get('ignore', False):
        return "marked 'ignore'"
    if label is None:
        return 'of classes not chosen'
    if x2 - x1 < 1 or y2 - y1 < 1 or area <= 0:
        return 'smaller than a pixel'
    if x2 <= 0 or y2 <= 0 or x1 >= image['width'] or y1 >= image['height']:
        return 'outside the image'
    return None
