"""COCOA as it is downloaded: one annotation per image, a list of regions in each."""

import logging
from typing import Dict, List

from mmdet.datasets import CocoDataset
from mmdet.registry import DATASETS
from mmengine.logging import print_log

from .amodal_coco import AmodalCocoDataset
from .coco_checks import check_coco, check_segmentation, is_id, mask_bbox_xywh, required

# COCO numbers its 80 classes from 1 to 90 with gaps.
COCO_IDS = [i for i in range(1, 91) if i not in (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)]


@DATASETS.register_module()
class COCOADataset(AmodalCocoDataset):
    """Like AmodalCocoDataset, but of the official COCOA files with image-level regions.

    "Semantic Amodal Segmentation", CVPR 2017; ``COCO_amodal_{train,val,test}2014.json``.
    Regions are joined to images by ``image_id``. They have names, but no classes: all are
    ``object``. A region's annotation id is its running number in the file, from 1, stuff and
    skipped annotators counted, so that it is the same for every choice of options. Where
    several people annotated an image, the first is taken and the log says so.

    Args:
        regions: ``'all'``, ``'things'``, or ``'stuff'``, those marked ``isStuff``.
        **kwargs: those of AmodalCocoDataset.

    Raises:
        ValueError: as AmodalCocoDataset; another ``regions``.
    """

    METAINFO = dict(classes=('object', ))

    def __init__(self, *args, regions: str = 'all', **kwargs) -> None:
        if regions not in ('all', 'things', 'stuff'):
            raise ValueError(f"expected regions to be 'all', 'things' or 'stuff', got {regions!r}")
        self.regions = regions
        super().__init__(*args, **kwargs)

    def read_coco(self) -> dict:
        """The regions as amodal COCO; their ``order``, ``isStuff``, ``occlude_rate`` stay."""
        official = check_coco(super().read_coco(), self.source)
        images = {image['id']: image for image in official['images']}
        regions = [(place, self._image(record, place, images), region)
                   for place, record in enumerate(official['annotations'])
                   for region in self._regions(record, place)]
        first: Dict[int, int] = {}
        for place, image, _ in regions:
            first.setdefault(image['id'], place)
        self._log_annotators(len({place for place, _, _ in regions}) - len(first))
        annotations = [
            self._annotation(region, region_id, image)
            for region_id, (place, image, region) in enumerate(regions, 1)
            if first[image['id']] == place and self.regions in ('all', _kind(region))
        ]
        return dict(
            images=official['images'],
            annotations=annotations,
            categories=[dict(id=1, name='object')])

    def _image(self, record: dict, place: int, images: Dict[int, dict]) -> dict:
        image_id = record.get('image_id')
        if not is_id(image_id) or image_id not in images:
            raise ValueError(f"annotation {record.get('id')!r:.60} at place {place} of "
                             f'{self.source} has image_id {image_id!r:.60}: expected the id of one '
                             f'of its {len(images)} images; add the image or remove the annotation')
        return images[image_id]

    def _regions(self, record: dict, place: int) -> List[dict]:
        regions = record.get('regions')
        if not isinstance(regions, list) or not all(isinstance(r, dict) for r in regions):
            raise ValueError(f"annotation {record.get('id')!r:.60} at place {place} of "
                             f"{self.source} has no list 'regions', only {sorted(record)!s:.200}: "
                             'expected an official COCOA file; COCO files are read by '
                             'AmodalCocoDataset')
        return regions

    def _annotation(self, region: dict, region_id: int, image: dict) -> dict:
        height, width = image['height'], image['width']
        try:
            outline = required(region, 'segmentation', 'the amodal outline of the region')
            polygons = check_segmentation(outline, 'segmentation', height, width)
        except ValueError as error:
            raise ValueError(f"annotation {region_id} of {self.source} (a region of image "
                             f"{image['id']}): {error}") from None
        return dict(
            region,
            id=region_id,
            image_id=image['id'],
            category_id=1,
            iscrowd=0,
            segmentation=polygons,
            bbox=mask_bbox_xywh(polygons, height, width))

    def _log_annotators(self, skipped: int) -> None:
        if skipped:
            print_log(
                f'{self.source}: some images have several annotators; the first of each is taken '
                f'and {skipped} annotations are left out',
                logger='current',
                level=logging.WARNING)


def _kind(region: dict) -> str:
    return 'stuff' if region.get('isStuff', 0) else 'things'


@DATASETS.register_module()
class COCOAClsDataset(AmodalCocoDataset):
    """Like AmodalCocoDataset, but of COCOA-cls, ``COCO_amodal_{train,val}2014_with_classes.json``.

    The regions of COCOA that are objects of COCO, with its 80 classes and their ids, whichever of
    them a file has. "Learning to See the Invisible", WACV 2019.
    """

    METAINFO = dict(classes=CocoDataset.METAINFO['classes'])
    published_categories = tuple(
        dict(id=i, name=name) for i, name in zip(COCO_IDS, CocoDataset.METAINFO['classes']))
