"""COCOA-cls: regions of COCOA with the classes of the COCO instances that they are.

"Learning to See the Invisible: End-to-End Trainable Amodal Instance Segmentation", WACV 2019,
section 4.2. Letters: R regions, A annotations of COCO on one image.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Collection, Dict, List, Optional, Sequence, Tuple

import numpy as np
from mmengine.utils import track_iter_progress
from pycocotools import mask as mask_utils

from ..datasets.amodal_coco import AmodalCocoDataset
from ..datasets.coco_checks import check_coco, group_annotations, is_id
from ..datasets.coco_files import read_file, read_json
from ..structures.segmentation import to_rle
from ..version import __version__
from .conversion import amodal_annotations, file_names, image_entry, records

# Images of a split of COCOA -> its name, and images and objects in the released files of
# COCOA-cls (in the paper, for both). A copy of the val file has 1,225 images.
PUBLISHED = {2500: ('train', 2276, 6763), 1323: ('val', 1223, 3799),
             3823: ('train and val', 3501, 10592)}
TOLERANCE = 0.003
ROWS = dict(
    images='images',
    missing='  not in the COCO file',
    regions='regions',
    reader='  left out: smaller than a pixel, or outside the image',
    stuff='  left out: stuff',
    unmatched='  left out: no COCO instance fits',
    duplicates='  left out: another region fits the instance better',
    kept='objects kept',
    occluded='  of which occluded',
    kept_images='images kept')


def assign(iou: np.ndarray, threshold: float = 0.75) -> Tuple[np.ndarray, np.ndarray]:
    """Which COCO annotation each region is, by the paper's rule.

    Of regions whose best annotation is the same one (the paper is silent on them), the one with
    the highest IoU is kept, the first of equals.

    Args:
        iou: (R, A) of the regions' visible masks with the annotations' masks, in [0, 1].
        threshold: the IoU must be above it.

    Returns:
        best: (R,) int64, index of the best annotation; -1 where none is above the threshold.
        kept: (R,) bool.
    """
    best = np.full(len(iou), -1, dtype=np.int64)
    kept = np.zeros(len(iou), dtype=bool)
    if not iou.size:
        return best, kept
    highest = iou.max(axis=1)
    matched = highest > threshold
    best[matched] = iou[matched].argmax(axis=1)
    for annotation in set(best[matched].tolist()):
        kept[np.where(best == annotation, highest, -1).argmax()] = True
    return best, kept


def read_instances(path: str, image_ids: Collection[int]) -> dict:
    """A COCO file with no more than some images and their annotations that are no crowd.

    What is not wanted is dropped while the file is parsed: the 600,000 annotations of a COCO
    split would take several gigabytes.

    Raises:
        FileNotFoundError: it is missing.
        ValueError: it is no COCO instances file.
    """
    wanted = set(image_ids)

    def keep(item: dict) -> object:
        key = 'image_id' if 'image_id' in item else 'id' if 'file_name' in item else None
        mine = key is None or is_id(item.get(key)) and item[key] in wanted
        return item if mine and not item.get('iscrowd') else None

    try:
        coco = json.loads(read_file(path, 'COCO instances file'), object_hook=keep)
    except ValueError:
        coco = read_json(path)  # raises, and says where the file is broken
    categories = coco.get('categories') if isinstance(coco, dict) else None
    if not isinstance(categories, list) or not all(isinstance(c, dict) for c in categories):
        raise ValueError(f'{path} has no categories: expected a COCO file such as '
                         'instances_train2014.json; the file of COCOA goes before it')
    for key in ('images', 'annotations'):
        if isinstance(coco.get(key), list):
            coco[key] = [item for item in coco[key] if item is not None]
    if not coco.get('images') or not coco.get('annotations'):
        raise ValueError(f'{path} has none of the {len(wanted)} images of COCOA, or no instances '
                         'on them: expected the COCO instances of the same split (train2014 or '
                         'val2014)')
    return check_coco(coco, path)


def cocoa_cls(dataset: AmodalCocoDataset, coco: dict, coco_file: str,
              threshold: float = 0.75) -> Tuple[dict, Counter]:
    """COCOA's regions that are COCO instances, with their classes, as amodal COCO.

    A region's annotation keeps its id (its running number in the COCOA file), ``name`` and
    ``order``, and adds ``coco_ann_id`` and ``iou``. Images that keep no region are left out.

    Args:
        dataset: COCOADataset with all regions, in test mode.
        coco: of :func:`read_instances`, for the same images.
        coco_file: its path, for messages and ``info``.
        threshold: the IoU of the visible mask with an instance must be above it.

    Returns:
        COCO dict, and the counts that :func:`report` prints.

    Raises:
        ValueError: an image is of another size in COCO, a mask is broken, or nothing matches.
    """
    whole = dataset.as_amodal_coco()
    raw = {ann['id']: ann for ann in whole['annotations']}
    entries = {image['id']: image for image in whole['images']}
    instances = _by_image(coco, entries, coco_file)
    counts: Counter = Counter(regions=len(raw))
    images, annotations = [], []
    for record in track_iter_progress((records(dataset), len(dataset))):
        found, seen = _match_image(record, raw, instances.get(record['img_id']), coco_file,
                                   threshold)
        counts.update(seen)
        annotations.extend(found)
        if found:
            images.append(image_entry(record, entries[record['img_id']]))
    counts['reader'] = len(raw) - counts.pop('yielded')
    if not annotations:
        raise ValueError(f'none of the {len(raw)} regions of {dataset.source} fits an instance of '
                         f'{coco_file} with an IoU above {threshold}: expected COCO instances of '
                         'the same images')
    source = dict(regions=file_names(dataset)[0], instances=Path(coco_file).name,
                  iou=threshold, counts=dict(counts))
    info = dict(description='COCOA-cls', version=f'mmamodal {__version__}', source=source)
    return dict(info=info, licenses=coco.get('licenses', []), images=images,
                annotations=annotations, categories=coco['categories']), counts


def report(names: Sequence[str], counts: Sequence[Counter]) -> str:
    """Table of the counts of files, their sum, and what is published of the same splits."""
    columns = list(zip(names, counts))
    if len(columns) > 1:
        columns.append(('together', sum(counts, Counter())))
    lines = [f"{'':56}" + ''.join(f'{name[-21:]:>22}' for name, _ in columns)]
    lines += [f'{label:56}' + ''.join(f'{count[key]:>22,}' for _, count in columns)
              for key, label in ROWS.items()]
    return '\n'.join([*lines, '', *(f'{name}: {_beside_published(count)}'
                                    for name, count in columns)])


def _by_image(coco: dict, entries: Dict[int, dict], coco_file: str) -> Dict[int, List[dict]]:
    """Annotations of COCO by image id, of images that are as large as in COCOA."""
    for image in coco['images']:
        sizes = [(entry['height'], entry['width']) for entry in (image, entries[image['id']])]
        if sizes[0] != sizes[1]:
            raise ValueError(f"image {image['id']} has (height, width) {sizes[0]} in {coco_file}, "
                             f'but {sizes[1]} in COCOA: expected the same images')
    known = {category.get('id') for category in coco['categories']}
    for ann in coco['annotations']:
        if not is_id(ann.get('category_id')) or ann['category_id'] not in known:
            raise ValueError(f"annotation {ann.get('id')!r} of {coco_file} has category_id "
                             f"{ann.get('category_id')!r:.60}: expected the id of one of its "
                             'categories')
    return group_annotations(coco['images'], coco['annotations'], coco_file)


def _match_image(record: dict, raw: Dict[int, dict], instances: Optional[List[dict]],
                 coco_file: str, threshold: float) -> Tuple[List[dict], Dict[str, int]]:
    """Annotations of the regions of one image that are kept, and counts."""
    things = [i for i in record['instances'] if not raw[i['ann_id']].get('isStuff', 0)]
    iou = _iou(record, things, instances or [], coco_file)
    best, kept = assign(iou, threshold)
    chosen = np.flatnonzero(kept)
    annotations = amodal_annotations(dict(record, instances=[things[i] for i in chosen]), raw)
    for i, ann in zip(chosen, annotations):
        match = instances[best[i]]
        ann.update(category_id=match['category_id'], coco_ann_id=match['id'],
                   iou=float(iou[i, best[i]]))
    return annotations, dict(
        images=1, missing=int(instances is None), yielded=len(record['instances']),
        stuff=len(record['instances']) - len(things), unmatched=int((best < 0).sum()),
        duplicates=int(((best >= 0) & ~kept).sum()), kept=len(annotations),
        occluded=sum(ann['occlude_rate'] > 0 for ann in annotations),
        kept_images=int(len(annotations) > 0))


def _iou(record: dict, regions: List[dict], instances: List[dict], coco_file: str) -> np.ndarray:
    """(R, A) IoU of visible masks with COCO's."""
    if not regions or not instances:
        return np.zeros((len(regions), len(instances)))
    size = record['height'], record['width']
    visible = [_rle(region.get('visible_mask', region['mask']), *size, region['ann_id'],
                    record['ann_file']) for region in regions]
    masks = [_rle(ann.get('segmentation'), *size, ann.get('id'), coco_file) for ann in instances]
    return mask_utils.iou(visible, masks, [0] * len(masks))


def _rle(segmentation: object, height: int, width: int, ann_id: object, file: str) -> dict:
    try:
        return to_rle(segmentation, height, width)
    except ValueError as error:
        raise ValueError(f'annotation {ann_id!r} of {file}: {error}; mend or remove it') from None


def _beside_published(count: Counter) -> str:
    """The counts beside the published ones of a whole split."""
    if count['images'] not in PUBLISHED:
        return (f"{count['images']:,} images are no whole split of COCOA (train 2,500, val 1,323): "
                'published counts do not compare')
    split, images, objects = PUBLISHED[count['images']]
    off = max(abs(count['kept_images'] / images - 1), abs(count['kept'] / objects - 1))
    return (f"{count['kept_images']:,} images with {count['kept']:,} objects; published for "
            f"{split}: {images:,} and {objects:,}; "
            f"{'within' if off <= TOLERANCE else 'NOT within'} {TOLERANCE:.1%} (the largest "
            f'difference is {off:.2%})')
