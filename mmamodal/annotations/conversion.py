"""Any reader's data set as clean amodal COCO, the one format that other tools need to know.

Letters: H×W image, the canvas of the masks.
"""

from pathlib import Path
from typing import Dict, Iterator, List, Optional

from mmengine.utils import track_iter_progress

from ..datasets.amodal_coco import AmodalCocoDataset
from ..datasets.coco_files import describe_image, photo_size
from ..datasets.loading import decode_instance
from ..structures.annotation import annotation_of_masks
from ..structures.segmentation import encode
from ..version import __version__

# What is computed anew, and what would only say again, in other words, where the visible part is.
COMPUTED = ('segmentation', 'visible_mask', 'invisible_mask', 'bbox', 'area', 'occlude_rate',
            'iscrowd', 'ignore', 'order', 'cluster', 'inmodal_bbox', 'i_bbox', 'i_area')


def converted(dataset: AmodalCocoDataset, format: str = '', with_photos: bool = False) -> dict:
    """All annotations that a reader yields, as amodal COCO.

    Ids, the order of images, and what else the file says (names, licences, …) are kept; what a
    mask implies (box, area, rate) is computed from it. Annotations that the reader leaves out,
    and those without a pixel, are not written: ``info['left_out']`` counts them. The masks of
    one image at most are decoded at a time.

    Args:
        dataset: in test mode, if images without annotations are to be kept.
        format: its name, for ``info``; the name of the class if empty.
        with_photos: compare the sizes of the image files, too.

    Returns:
        COCO dict; see :func:`amodal_annotation` for its annotations, :func:`image_entry` for its
        images.

    Raises:
        ValueError: a mask is broken, or visible is not inside amodal; names file and id. An image
            file has another size.
        FileNotFoundError: an image file is missing.
    """
    dataset.full_init()
    coco = dataset.as_amodal_coco()
    raw = {ann['id']: ann for ann in coco['annotations']}
    entries = {image['id']: image for image in coco['images']}
    images, annotations, yielded = [], [], 0
    for record in track_iter_progress((records(dataset), len(dataset))):
        images.append(image_entry(record, entries[record['img_id']], with_photos))
        found = amodal_annotations(record, raw)
        yielded += len(found)
        annotations.extend(ann for ann in found if ann is not None)
    left_out = dict(by_the_reader=len(raw) - yielded, without_a_pixel=yielded - len(annotations))
    source = dict(files=file_names(dataset), format=format or type(dataset).__name__,
                  visible_only=dataset.visible_only, info=coco.get('info'))
    info = dict(description=f"{' + '.join(source['files'])} as amodal COCO",
                version=f'mmamodal {__version__}', source=source, left_out=left_out)
    made = dict(info=info, images=images, annotations=annotations,
                categories=dataset.metainfo['categories'])
    return dict(dict(info=info), **dict(coco, **made))


def records(dataset: AmodalCocoDataset) -> Iterator[dict]:
    """The data records, one by one."""
    return (dataset.get_data_info(index) for index in range(len(dataset)))


def file_names(dataset: AmodalCocoDataset) -> List[str]:
    """The names of the annotation files, without their folders."""
    return [Path(path).name
            for path in [dataset.ann_file, *getattr(dataset, 'more_ann_files', [])]]


def image_entry(record: dict, entry: dict, with_photo: bool = False) -> dict:
    """COCO image of a data record, of the size of the canvas that its masks lie on.

    Args:
        record: of an AmodalCocoDataset.
        entry: the image as in the file, whose other keys stay.
        with_photo: read the size of the image file, too.

    Returns:
        ``entry`` with ``height`` and ``width`` of the canvas; where the photo may be smaller,
        ``canvas_origin``, where on the canvas it begins, [x, y]; where it is known to be,
        ``photo_size``, [height, width].

    Raises:
        ValueError: the photo does not fit on the canvas.
        FileNotFoundError: its file is missing.
    """
    height, width = record['height'], record['width']
    image = dict(entry, height=height, width=width)
    if 'canvas_origin' in record:
        image['canvas_origin'] = list(record['canvas_origin'])
    size = photo_size(record['img_path']) if with_photo else (height, width)
    if size == (height, width):
        return image
    x, y = record.get('canvas_origin', (0, 0))
    if 'canvas_origin' not in record or size[0] + y > height or size[1] + x > width:
        raise ValueError(f'image file {describe_image(record)} has (height, width) {size}, but its '
                         f'annotations say {(height, width)}: use the file that the masks were '
                         'drawn on')
    return dict(image, photo_size=list(size))


def amodal_annotations(record: dict, raw: Dict[int, dict]) -> List[Optional[dict]]:
    """Annotations of a data record's instances; None for a mask without a pixel.

    Args:
        record: of an AmodalCocoDataset.
        raw: annotation id -> annotation as in the file, whose other keys stay.

    Raises:
        ValueError: a mask is broken, or visible is not inside amodal; names file and id.
    """
    annotations: List[Optional[dict]] = []
    for instance in record['instances']:
        try:
            fields = amodal_annotation(instance, record['height'], record['width'])
        except ValueError as error:
            raise ValueError(f"annotation {instance['ann_id']} of {record['ann_file']}: {error}; "
                             'mend or remove it') from None
        rest = {key: value for key, value in raw[instance['ann_id']].items()
                if key not in COMPUTED}
        ids = dict(id=instance['ann_id'], image_id=record['img_id'],
                   category_id=instance['category_id'])
        annotations.append(fields and {**rest, **ids, **fields})
    return annotations


def amodal_annotation(instance: dict, height: int, width: int) -> Optional[dict]:
    """All fields but the ids of an instance's annotation; None if its mask has no pixel.

    Args:
        instance: of a data record.
        height: H in pixels.
        width: W in pixels.

    Returns:
        ``segmentation`` as the instance has it where that is polygons (smaller, and quick to
        draw), an RLE otherwise; ``bbox`` (tight, xywh), ``area`` and ``occlude_rate`` of the
        masks in pixels; ``iscrowd``; ``visible_mask`` and ``invisible_mask`` (RLE) where
        anything is hidden; ``order`` and ``cluster`` where the instance has them.

    Raises:
        ValueError: a mask is broken, or visible is not inside amodal.
    """
    amodal, visible = decode_instance(instance, height, width)
    if not amodal.any():
        return None
    fields = annotation_of_masks(amodal, visible)
    if isinstance(instance['mask'], list):
        fields['segmentation'] = instance['mask']
    if fields['occlude_rate']:
        fields['invisible_mask'] = encode(amodal - visible)
    else:
        del fields['visible_mask']
    depth = {key: instance[key] for key in ('order', 'cluster') if key in instance}
    return dict(fields, iscrowd=instance['ignore_flag'], **depth)
