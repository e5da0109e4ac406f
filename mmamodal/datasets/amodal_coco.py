"""Amodal COCO: the one annotation format, and the one path by which annotations come in.

Letters: H×W image.
"""

import logging
import posixpath
from collections import Counter
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmdet.datasets import BaseDetDataset
from mmdet.registry import DATASETS
from mmengine.fileio import join_path
from mmengine.logging import print_log
from mmengine.utils import is_abs

from .canvas import as_annotated, moved, reaches_out
from .coco_checks import (check_box, check_coco, check_published, check_segmentation,
                          choose_categories, choose_images, crowd_flag, group_annotations, is_id,
                          mask_bbox_xywh, number, required, whole_number)
from .coco_files import decode_image, located, read_ids, read_image_bytes, read_json


@DATASETS.register_module()
class AmodalCocoDataset(BaseDetDataset):
    """Like mmdet's CocoDataset, but masks are amodal and carry their visible part.

    The file is COCO whose ``segmentation``, ``bbox`` and ``area`` are amodal, with a
    ``visible_mask`` (RLE or polygons) beside them; an annotation without one is not
    occluded. ``bbox`` (xywh), ``area`` and ``order`` (depth rank, smaller is nearer) may be
    absent. A dataset with other keys, classes or folders is a subclass with other class
    attributes. An image whose masks are on a larger canvas says ``canvas_origin``.

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
    ``visible_mask`` where the object is not occluded. Where the file has them there are
    ``order`` and ``cluster``, within which orders compare (absent: the image is one), and
    ``is_stuff``, 0 or 1, and the ``uncertainty_map`` of pseudo-labels. Where
    masks reach beyond the photo, ``canvas_origin`` says where its upper left pixel lies, (x, y),
    on the canvas of the masks, whose size ``height`` and ``width`` then are.

    Args:
        ann_file: path of the annotation file, joined to ``data_root``.
        visible_only: take nothing but visible masks: the visible one where an annotation has
            it, else ``segmentation`` (a plain COCO file, or an object that is not occluded).
            They then stand in the place of the amodal ones, and every record says
            ``visible_only=True``: it holds no amodal truth. Nothing is guessed: a plain COCO
            file read with False is taken at its word, that nothing is occluded, with a warning.
        one_class: put all (chosen) classes into one, ``object``, with category id 1. Such a
            file needs no categories.
        image_ids: path of a text file with one image id a line, joined to ``data_root``: no
            other images are taken. Empty: all are.
        margin: pixels by which the canvas of the masks is to be larger than the photo on each
            side, so that polygons which reach beyond it are not cut off; the transform
            PadToCanvas then pads the photo.
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
    order_key: str = 'order'
    cluster_key: str = 'cluster'
    # dict(id, name) of all classes, in the place of the file's; its METAINFO chooses among them.
    published_categories: Tuple[dict, ...] = ()
    # Where else below data_root the files may be, if they are not where the config says.
    ann_dirs: Tuple[str, ...] = ()
    img_dirs: Tuple[str, ...] = ()
    # The content of ann_file, from whoever had to look into it before; for the first reading.
    parsed: Optional[object] = None

    def __init__(self,
                 ann_file: str = '',
                 visible_only: bool = False,
                 one_class: bool = False,
                 image_ids: str = '',
                 margin: int = 0,
                 data_prefix: Optional[dict] = None,
                 **kwargs) -> None:
        self.visible_only = visible_only
        self.one_class = one_class
        self.image_ids = image_ids
        self.margin = margin
        if not isinstance(margin, int) or margin < 0:
            raise ValueError(f'expected a margin of whole pixels >= 0, got {margin!r}')
        data_prefix = dict(img='') if data_prefix is None else data_prefix
        super().__init__(ann_file=ann_file, data_prefix=data_prefix, **kwargs)

    @property
    def source(self) -> str:
        """Where the annotations come from, for messages."""
        return self.ann_file or type(self).__name__

    def read_coco(self) -> dict:
        """The annotations as a COCO dict: ``images``, ``annotations``, ``categories``."""
        coco, self.parsed = self.parsed, None
        return read_json(self.ann_file, self.backend_args) if coco is None else coco

    def as_amodal_coco(self) -> dict:
        """The annotation file again, in the keys and category ids of amodal COCO.

        Nothing is left out, masks are as in the file, and annotations are not checked; reads the
        file, each time it is called.
        """
        names = {self.amodal_key: 'segmentation', self.visible_key: 'visible_mask',
                 self.box_key: 'bbox', self.area_key: 'area', self.order_key: 'order',
                 self.cluster_key: 'cluster'}
        coco = self._chosen()
        annotations = [{names.get(key, key): value for key, value in ann.items()}
                       for ann in coco['annotations']]
        return dict(coco, annotations=annotations, categories=self._categories(coco))

    def load_data_list(self) -> List[dict]:
        """Records of all images, in the order of the file."""
        coco = self._chosen()
        grouped = group_annotations(coco['images'], coco['annotations'], self.source)
        self._warn_if_never_occluded(coco['annotations'])
        self._set_classes(self._categories(coco))
        self._left_out: Counter = Counter()
        self._cut_off = 0
        records = [
            self.parse_data_info(dict(raw_img_info=image, raw_ann_info=grouped[image['id']]))
            for image in coco['images']
        ]
        self._log_left_out(len(coco['annotations']))
        self._log_cut_off()
        return records

    def parse_data_info(self, raw_data_info: dict) -> dict:
        """One image and its annotations, both as in the file, to a record."""
        image = raw_data_info['raw_img_info']
        instances = (self._instance(ann, image) for ann in raw_data_info['raw_ann_info'])
        record = dict(
            img_path=self._img_path(image),
            file_name=image['file_name'],
            ann_file=self.source,
            img_id=image['id'],
            height=image['height'] + 2 * self.margin,
            width=image['width'] + 2 * self.margin,
            visible_only=self.visible_only,
            instances=[instance for instance in instances if instance is not None])
        if self.margin or 'canvas_origin' in image:
            x, y = image.get('canvas_origin', (0, 0))
            record['canvas_origin'] = (x + self.margin, y + self.margin)
        return record

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
        return as_annotated(decode_image(record['img_path'], self.backend_args), record)

    def _join_prefix(self) -> None:
        """Like BaseDataset's, but looks for the files in other layouts, too."""
        super()._join_prefix()
        self.ann_file = self._located(self.ann_file)
        if 'img' in self.data_prefix:
            self.data_prefix['img'] = located(self.data_prefix['img'], self.data_root or '',
                                              self.img_dirs, backend_args=self.backend_args)
        if self.image_ids and not is_abs(self.image_ids) and self.data_root:
            self.image_ids = join_path(self.data_root, self.image_ids)

    def _located(self, ann_file: str) -> str:
        return located(ann_file, self.data_root or '', self.ann_dirs,
                       posixpath.basename(ann_file), self.backend_args)

    def _chosen(self) -> dict:
        """The COCO dict of the file, with no other images than ``image_ids``."""
        coco = check_coco(self.read_coco(), self.source)
        if not self.image_ids:
            return coco
        return choose_images(coco, read_ids(self.image_ids, self.backend_args), self.source)

    def _categories(self, coco: dict) -> Optional[List[dict]]:
        """All categories that annotations may have."""
        if not self.published_categories:
            return coco.get('categories')
        check_published(coco.get('categories'), self.published_categories, self.source)
        return [dict(category) for category in self.published_categories]

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
            instance.update(self._depth(ann))
            if ann.get('isStuff') is not None and not self.visible_only:
                instance['is_stuff'] = int(bool(ann['isStuff']))
            if 'uncertainty_map' in ann and not self.visible_only:
                instance['uncertainty_map'] = ann['uncertainty_map']
            area = number(ann, self.area_key, default=1)
            crowd = crowd_flag(ann)
            if self.margin:
                instance = moved(instance, self.margin, image['height'], image['width'],
                                 self.visible_only)
        except ValueError as error:
            raise ValueError(f"annotation {ann['id']} of {self.source}: {error}") from None
        size = (image['height'] + 2 * self.margin, image['width'] + 2 * self.margin)
        reason = _why_left_out(ann, label, instance['bbox'], area, size)
        if reason:
            self._left_out[reason] += 1
            return None
        instance.update(
            bbox_label=label,
            category_id=1 if self.one_class else ann['category_id'],
            ann_id=ann['id'],
            ignore_flag=crowd)
        self._cut_off += reaches_out(instance['mask'], *size)
        return instance

    def _without_amodal(self, ann: dict) -> dict:
        """The annotation as a file of visible masks would have it."""
        amodal = (self.amodal_key, self.visible_key, self.box_key, self.area_key, 'occlude_rate')
        rest = {key: value for key, value in ann.items() if key not in amodal}
        return {**rest, self.amodal_key: ann[self.visible_key]}

    def _depth(self, ann: dict) -> Dict[str, int]:
        """``order`` and ``cluster`` where the annotation has them; they are amodal truth."""
        keys = {} if self.visible_only else dict(order=self.order_key, cluster=self.cluster_key)
        return {name: whole_number(ann, key) for name, key in keys.items()
                if ann.get(key) is not None}

    def _label(self, ann: dict) -> Optional[int]:
        """The label of the annotation's class; None where the class is not chosen."""
        if self._labels is None:
            return 0
        category = required(ann, 'category_id', 'or read the file with one_class=True')
        if not is_id(category) or category not in self._labels:
            raise ValueError(f'expected the id of a category as category_id, got {category!r:.60}, '
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
        if annotations and not self.visible_only and not any(
                self.visible_key in ann for ann in annotations):
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

    def _log_cut_off(self) -> None:
        if self._cut_off:
            print_log(
                f'{self.source}: {self._cut_off} polygons reach beyond their images by more than a '
                'pixel and are cut off there; with margin=PIXELS and the transform PadToCanvas '
                'they are not',
                logger='current',
                level=logging.WARNING)


def _why_left_out(ann: dict, label: Optional[int], bbox: Sequence[float], area: float,
                  size: Tuple[int, int]) -> Optional[str]:
    """The reason not to take an annotation, by mmdet's rules; None for taking it."""
    x1, y1, x2, y2 = bbox
    if ann.get('ignore', False):
        return "marked 'ignore'"
    if label is None:
        return 'of classes not chosen'
    if x2 - x1 < 1 or y2 - y1 < 1 or area <= 0:
        return 'smaller than a pixel'
    if x2 <= 0 or y2 <= 0 or x1 >= size[1] or y1 >= size[0]:
        return 'outside the image'
    return None
