"""COCOA as it is downloaded: one annotation per image, a list of regions in each."""

import logging
from typing import Dict, List

from mmdet.registry import DATASETS
from mmengine.logging import print_log

from .amodal_coco import AmodalCocoDataset
from .coco_files import check_coco, check_segmentation, is_id, mask_bbox_xywh, required


@DATASETS.register_module()
class COCOADataset(AmodalCocoDataset):
    """Like AmodalCocoDataset, but of the official COCOA files with image-level regions.

    "Semantic Amodal Segmentation", CVPR 2017; ``COCO_amodal_{train,val,test}2014.json``.
    Regions are joined to images by ``image_id``. They have names, but no classes: all are
    ``object``. A region's annotation id is its running number in the file, from 1, stuff and
    skipped annotators counted, so that it is the same for every choice of options. Where
    several people annotated an image, the first is taken and the log says so.

    Args:
        with_stuff: take regions marked ``isStuff`` too.
        **kwargs: those of AmodalCocoDataset.
    """

    METAINFO = dict(classes=('object', ))

    def __init__(self, *args, with_stuff: bool = True, **kwargs) -> None:
        self.with_stuff = with_stuff
        super().__init__(*args, **kwargs)

    def read_coco(self) -> dict:
        """The regions as amodal COCO; their ``order``, ``isStuff``, ``occlude_rate`` stay."""
        official = check_coco(super().read_coco(), self.source)
        images = {image['id']: image for image in official['images']}
        regions = [(place, self._image(record, images), region)
                   for place, record in enumerate(official['annotations'])
                   for region in self._regions(record)]
        first: Dict[int, int] = {}
        for place, image, _ in regions:
            first.setdefault(image['id'], place)
        self._log_annotators(len({place for place, _, _ in regions}) - len(first))
        annotations = [
            self._annotation(region, region_id, image)
            for region_id, (place, image, region) in enumerate(regions, 1)
            if first[image['id']] == place and (self.with_stuff or not region.get('isStuff', 0))
        ]
        return dict(
            images=official['images'],
            annotations=annotations,
            categories=[dict(id=1, name='object')])

    def _image(self, record: dict, images: Dict[int, dict]) -> dict:
        image_id = record.get('image_id')
        if not is_id(image_id) or image_id not in images:
            raise ValueError(f"annotation {record.get('id')!r} of {self.source} has image_id "
                             f'{image_id!r}: expected the id of one of its {len(images)} images; '
                             'add the image or remove the annotation')
        return images[image_id]

    def _regions(self, record: dict) -> List[dict]:
        regions = record.get('regions')
        if not isinstance(regions, list) or not all(isinstance(r, dict) for r in regions):
            raise ValueError(f"annotation {record.get('id')!r} of {self.source} has no list "
                             f"'regions', only {sorted(record)}: expected an official COCOA file; "
                             'COCO files are read by AmodalCocoDataset')
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
