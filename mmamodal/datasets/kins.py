"""KINS as it is downloaded, of both versions: "Amodal Instance Segmentation with KINS Dataset",
CVPR 2019.
"""

import logging
from typing import List

from mmdet.registry import DATASETS
from mmengine.logging import print_log

from .amodal_coco import AmodalCocoDataset
from .coco_checks import check_coco, is_id

NAMES = ('cyclist', 'pedestrian', 'rider', 'car', 'tram', 'truck', 'van', 'misc')


@DATASETS.register_module()
class KINSDataset(AmodalCocoDataset):
    """Like AmodalCocoDataset, but of KINS's first files, ``instances_{train,val}.json``.

    They lie in ``data_root`` or in its folder ``annotations``. Image ids may be the same in both
    files. Where annotation ids are not unique, or not from 1, they are numbered anew in the order
    of the file.

    Args:
        with_rider: read eight classes; without, seven: the class has no instance.
        **kwargs: those of AmodalCocoDataset.
    """

    METAINFO = dict(classes=tuple(name for name in NAMES if name != 'rider'))
    published_categories = tuple(dict(id=i, name=name) for i, name in enumerate(NAMES, 1))
    ann_dirs = ('', 'annotations')
    visible_key = 'inmodal_seg'

    def __init__(self, *args, with_rider: bool = False, **kwargs) -> None:
        if with_rider:
            kwargs['metainfo'] = dict(dict(classes=NAMES), **kwargs.get('metainfo') or {})
        super().__init__(*args, **kwargs)

    def read_coco(self) -> dict:
        """The file, its annotation ids unique."""
        coco = check_coco(super().read_coco(), self.source)
        return dict(coco, annotations=self._numbered(coco['annotations']))

    def _numbered(self, annotations: List[dict]) -> List[dict]:
        ids = [ann.get('id') for ann in annotations]
        if all(is_id(i) and i > 0 for i in ids) and len(set(ids)) == len(ids):
            return annotations
        print_log(
            f'{self.source}: its annotation ids are not unique whole numbers from 1; annotations '
            'are numbered in the order of the file',
            logger='current',
            level=logging.WARNING)
        return [dict(ann, id=place) for place, ann in enumerate(annotations, 1)]


@DATASETS.register_module()
class KINS2020Dataset(KINSDataset):
    """Like KINSDataset, but of the files of 2020, ``update_{train,test}_2020.json``.

    They add the occlusion order: ``oco_id`` names a cluster of objects that occlude each other,
    ``ico_id`` the rank of an object in it, smaller is nearer. Parts of a visible mask with fewer
    than three points have no area and are left out; where none remains, nothing is visible.
    """

    amodal_key = 'a_segm'
    visible_key = 'i_segm'
    box_key = 'a_bbox'
    area_key = 'a_area'
    order_key = 'ico_id'
    cluster_key = 'oco_id'

    def read_coco(self) -> dict:
        """The file, its annotation ids unique, its visible masks with an area or empty."""
        coco = super().read_coco()
        sizes = {image['id']: (image['height'], image['width']) for image in coco['images']}
        annotations = [
            dict(ann, i_segm=_with_area(ann['i_segm'], *sizes[ann['image_id']]))
            if isinstance(ann.get('i_segm'), list) and is_id(ann.get('image_id'))
            and ann['image_id'] in sizes else ann for ann in coco['annotations']]
        return dict(coco, annotations=annotations)


def _with_area(polygons: list, height: int, width: int) -> object:
    """The polygons of three points and more; an empty RLE if there is none."""
    if polygons and not isinstance(polygons[0], list):
        polygons = [polygons]
    kept = [part for part in polygons if not isinstance(part, list) or len(part) > 5]
    return kept or dict(size=[height, width], counts=[height * width])
