"""Annotation files by the names of their formats, for tools."""

from typing import Dict, Optional, Type

from .amodal_coco import AmodalCocoDataset
from .coco_files import read_json
from .cocoa import COCOAClsDataset, COCOADataset
from .d2sa import D2SADataset
from .kins import KINS2020Dataset, KINSDataset

FORMATS: Dict[str, Type[AmodalCocoDataset]] = {
    'kins': KINSDataset,
    'kins2020': KINS2020Dataset,
    'd2sa': D2SADataset,
    'cocoa': COCOADataset,
    'cocoa-cls': COCOAClsDataset,
    'coco': AmodalCocoDataset,  # visible masks only
    'amodal-coco': AmodalCocoDataset
}
# A key that annotations of no other format have.
TELLING_KEYS = dict(regions='cocoa', a_segm='kins2020', inmodal_seg='kins', amodal_region='d2sa')

# Formats that read amodal COCO, too.
ALIKE = ('d2sa', 'cocoa-cls', 'coco', 'amodal-coco')


def guess_format(coco: dict) -> str:
    """The name of the format that the annotations of a COCO dict are in.

    COCOA-cls is taken for amodal COCO, whose keys it has; so is a file without annotations.
    """
    annotations = coco.get('annotations') if isinstance(coco, dict) else None
    listed = annotations if isinstance(annotations, list) else []
    keys = {key for ann in listed if isinstance(ann, dict) for key in ann}
    for key, name in TELLING_KEYS.items():
        if key in keys:
            return name
    return 'amodal-coco' if 'visible_mask' in keys or not keys else 'coco'


def open_annotations(ann_file: str, format: Optional[str] = None, images: str = '',
                     **options: object) -> AmodalCocoDataset:
    """The dataset of an annotation file, whole, without a pipeline.

    Args:
        ann_file: path.
        format: one of ``FORMATS``; None: guessed from the keys of its annotations.
        images: folder of the images.
        **options: of the dataset. Annotations are loaded when they are first needed
            (``lazy_init=True``), unless these say otherwise.

    Raises:
        ValueError: another ``format``, or a file whose annotations have the keys of another one.
        FileNotFoundError: the file is missing.
    """
    if format not in (None, *FORMATS):
        raise ValueError(f'expected a format among {list(FORMATS)}, got {format!r}')
    coco = read_json(ann_file)
    guess = guess_format(coco)
    format = format or guess
    if format != guess and (guess in TELLING_KEYS.values() or format not in ALIKE):
        raise ValueError(f'{ann_file} is no file of {format}: its annotations have the keys of '
                         f'{guess}; read it as {guess}')
    if format == 'coco':
        options = dict(dict(visible_only=True), **options)
    dataset = FORMATS[format](
        ann_file=ann_file, data_prefix=dict(img=images), test_mode=True,
        **dict(options, lazy_init=True))
    dataset.parsed = coco
    if not options.get('lazy_init', True):
        dataset.full_init()
    return dataset
