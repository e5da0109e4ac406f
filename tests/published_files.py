"""The published data sets, tiny: a few drawn scenes, written in the layout of each.

A scene is a list of things, front first; what hides what follows from that. ``LAYOUTS`` tells
where each data set keeps its files; the functions named after the data sets write the annotations
of a picture in their keys, oddities included. ``pictures`` is the truth of what is written.
Letters: N things, H×W canvas.
"""

import json
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Sequence, Tuple

import cv2
import numpy as np
from mmdet.datasets import CocoDataset
from pycocotools import mask as mask_utils
from scipy.sparse.csgraph import connected_components

MARGIN = 8  # Rows by which D2S amodal's canvas is higher than its photos.


class Thing(NamedTuple):
    """An object: its class (0..3) and polygons [x, y, ...] in scene pixels. They may leave the
    photo downwards. ``tag`` says which data sets know such things: see ``Layout.tags``."""
    kind: int
    parts: List[List[float]]
    tag: str = ''


class Scene(NamedTuple):
    """Things, front first, in a photo of ``size_wh`` pixels."""
    size_wh: Tuple[int, int]
    things: List[Thing]


class Picture(NamedTuple):
    """An image of a data set and what is true of it: masks (N, H, W) uint8 on the canvas, of
    which the photo is the upper ``photo_height`` rows; the image file has ``file_height``."""
    image_id: int
    file_name: str
    things: List[Thing]
    amodal: np.ndarray
    visible: np.ndarray
    photo_height: int
    file_height: int


class Layout(NamedTuple):
    """Where a data set keeps its files and what its annotations are like.

    ``image_ids`` are those of the four scenes in each split; ``categories`` and ``kinds`` the
    classes and the category ids of the four kinds of things; ``tags`` the things that it
    annotates besides ordinary ones; ``parts`` how many polygons an object may have.
    """
    type: str
    root: str
    ann_files: Dict[str, List[str]]
    image_dirs: Dict[str, str]
    file_name: str
    image_ids: Dict[str, Sequence[int]]
    annotate: Callable[[Picture], List[dict]]
    categories: List[dict]
    kinds: Sequence[int]
    tags: Sequence[str] = ()
    parts: int = 2
    first_id: int = 1
    options: dict = {}


def box(x1: float, y1: float, x2: float, y2: float) -> List[float]:
    """A rectangle as a polygon."""
    return [x1, y1, x2, y1, x2, y2, x1, y2]


SCENES = [
    Scene((64, 48), [  # Two that overlap, one alone that leaves the photo, a crowd, the ground.
        Thing(0, [box(8, 10, 34, 36)]),
        Thing(1, [[20.5, 4, 52, 4.25, 56, 30, 40, 39.5, 22, 38]]),
        Thing(2, [box(44, 41, 62, 54)]),
        Thing(1, [box(2, 2, 20, 8)], 'crowd'),
        Thing(3, [[0, 30.5, 64, 28, 64, 48, 0, 48]], 'stuff')]),
    Scene((96, 64), [  # A pole that cuts a car in two, a van behind both, one of two polygons.
        Thing(1, [box(44, 2, 54, 62)]),
        Thing(0, [[16, 30, 24, 24, 80, 24, 86.5, 50, 16, 50]]),
        Thing(2, [box(30, 8, 70, 40)]),
        Thing(3, [box(2, 4, 18, 20), [6, 22.5, 14, 22.5, 14, 29, 6, 29]])]),
    Scene((80, 64), [  # One wholly hidden, one that leaves the photo behind another.
        Thing(0, [box(10, 10, 50, 50)]),
        Thing(1, [box(20, 20, 36, 36)], 'hidden'),
        Thing(3, [[40, 30, 72, 34.5, 78, 71, 36, 71]]),
        Thing(2, [[52, 4, 76, 4, 64, 26]])]),
    Scene((64, 64), [  # A stack of three at the rim.
        Thing(3, [[0, 20, 28, 14, 36, 44, 0, 40.75]]),
        Thing(2, [[18, 24, 60, 20, 64, 46, 20, 52]]),
        Thing(0, [box(30, 2, 50, 70)])]),
]
COLOURS = np.array([(60, 60, 200), (80, 170, 60), (200, 110, 50), (60, 190, 220)])


def mirrored(scene: Scene) -> Scene:
    """The scene, left and right exchanged."""
    width = scene.size_wh[0]
    return scene._replace(things=[
        thing._replace(parts=[[width - v if place % 2 == 0 else v for place, v in enumerate(part)]
                              for part in thing.parts]) for thing in scene.things])


def pictures(name: str, split: str = 'train') -> List[Picture]:
    """The images of a split and the truth about them, in the order of the files."""
    scenes = SCENES if split == 'train' else [mirrored(scene) for scene in SCENES]
    return [_picture(LAYOUTS[name], scene, image_id, place, split)
            for place, (scene, image_id) in enumerate(zip(scenes, LAYOUTS[name].image_ids[split]))]


def write(name: str, data: Path) -> None:
    """Write annotation files and images of a data set under ``data``."""
    layout = LAYOUTS[name]
    for split, files in layout.ann_files.items():
        shown = pictures(name, split)
        for part, file in enumerate(files):
            share = shown[part * 4 // len(files):(part + 1) * 4 // len(files)]
            path = data / layout.root / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(annotation_file(layout, share)))
        for picture in shown:
            path = data / layout.root / layout.image_dirs[split] / picture.file_name
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), photo(picture))


def dataset_config(name: str, data: Path, split: str = 'train') -> dict:
    """The config of the dataset that reads a split."""
    layout = LAYOUTS[name]
    first, *more = layout.ann_files[split]
    return dict(type=layout.type, data_root=str(data / layout.root), ann_file=first,
                data_prefix=dict(img=layout.image_dirs[split]), **layout.options,
                **(dict(more_ann_files=more) if more else {}))


def annotation_file(layout: Layout, shown: List[Picture]) -> dict:
    """The content of an annotation file."""
    images = [dict(id=p.image_id, file_name=p.file_name, height=p.file_height,
                   width=p.amodal.shape[2]) for p in shown]
    annotations = [dict(annotation, image_id=picture.image_id)
                   for picture in shown for annotation in layout.annotate(picture)]
    annotations = [dict(dict(id=layout.first_id + place), **annotation)
                   for place, annotation in enumerate(annotations)]
    categories = dict(categories=layout.categories) if layout.categories else {}
    return dict(info={}, images=images, annotations=annotations, **categories)


def photo(picture: Picture) -> np.ndarray:
    """The image (file_height, W, 3) uint8 BGR, black where the canvas goes beyond the photo."""
    rng = np.random.default_rng(picture.image_id)
    image = np.full((*picture.amodal.shape[1:], 3), 150.)
    for thing, mask in reversed(list(zip(picture.things, picture.amodal))):
        image[mask > 0] = COLOURS[thing.kind] * (0.6 if thing.tag else 1)
    image = np.clip(image + rng.normal(0, 6, image.shape), 0, 255).astype(np.uint8)
    image[picture.photo_height:] = 0
    return image[:picture.file_height]


def kins(picture: Picture) -> List[dict]:
    """KINS v1: RLEs of both kinds, one a pixel wider than its polygon; ids from 0."""
    seen = picture.visible.copy()
    seen[0] |= _pixel_beside(seen[0]) & (picture.amodal.sum(0) == 0)
    return [
        dict(segmentation=thing.parts, bbox=bbox_xywh(amodal), area=int(amodal.sum()), iscrowd=0,
             inmodal_seg=run_lengths(visible) if place % 2 else rle(visible),
             inmodal_bbox=bbox_xywh(visible), category_id=_category('kins', thing))
        for place, (thing, amodal, visible) in enumerate(
            zip(picture.things, picture.amodal, seen))
    ]


def kins2020(picture: Picture) -> List[dict]:
    """KINS 2020: ids restart in each image; the first has no order."""
    clusters, ranks = clusters_and_ranks(picture.amodal)
    annotations = []
    for place, (thing, amodal, visible) in enumerate(
            zip(picture.things, picture.amodal, picture.visible)):
        x, y = thing.parts[0][:2]
        annotation = dict(
            id=place + 1, category_id=_category('kins2020', thing), a_segm=thing.parts,
            a_bbox=bbox_xywh(amodal), a_area=int(amodal.sum()),
            i_segm=rectangles(visible) if visible.any() else [[x, y] * 3],
            i_bbox=bbox_xywh(visible) if visible.any() else [x, y, 0, 0],
            i_area=int(visible.sum()))
        if picture.image_id != LAYOUTS['kins2020'].image_ids['train'][0]:
            annotation.update(oco_id=clusters[place] + 1, ico_id=ranks[place])
        annotations.append(annotation)
    return annotations


def d2sa(picture: Picture) -> List[dict]:
    """D2S amodal: RLEs of the canvas."""
    overlap = _overlap(picture.amodal)
    return [
        dict(segmentation=rle(amodal), bbox=bbox_xywh(amodal), area=int(amodal.sum()), iscrowd=0,
             category_id=_category('d2sa', thing), occl_depth=int(overlap[place, :place].sum()),
             amodal_region=dict(name=f'item {thing.kind}', area=int(amodal.sum()), isStuff=0,
                                bbox=bbox_xywh(amodal), order=place + 1),
             amodal_base=dict(depth_constraint=depth_constraint(picture.amodal)),
             **occlusion(amodal, visible))
        for place, (thing, amodal, visible) in enumerate(
            zip(picture.things, picture.amodal, picture.visible))
    ]


def cocoa(picture: Picture) -> List[dict]:
    """COCOA: one annotation an image, flat polygons, free names; no depth_constraint in one."""
    regions = [
        dict(segmentation=thing.parts[0], name=('car', 'person', 'dog ', 'the grass')[thing.kind],
             area=int(amodal.sum()), isStuff=int(thing.tag == 'stuff'), order=place + 1,
             **occlusion(amodal, visible))
        for place, (thing, amodal, visible) in enumerate(
            zip(picture.things, picture.amodal, picture.visible))
    ]
    record = dict(author='somebody', url=f'http://example.org/{picture.file_name}',
                  size=len(regions), regions=regions,
                  depth_constraint=depth_constraint(picture.amodal))
    if picture.image_id == LAYOUTS['cocoa'].image_ids['train'][0]:
        del record['depth_constraint']
    return [record]


def cocoa_cls(picture: Picture) -> List[dict]:
    """COCOA-cls: the visible mask is a flat polygon where nothing is occluded, else an RLE."""
    return [
        dict(dict(visible_mask=thing.parts[0]), segmentation=thing.parts, bbox=bbox_xywh(amodal),
             area=int(amodal.sum()), iscrowd=0, category_id=_category('cocoa-cls', thing),
             **occlusion(amodal, visible))
        for thing, amodal, visible in zip(picture.things, picture.amodal, picture.visible)
    ]


def coco(picture: Picture) -> List[dict]:
    """COCO: visible polygons, crowds as uncompressed RLE, no amodal truth."""
    return [
        dict(segmentation=run_lengths(visible) if thing.tag else rectangles(visible),
             bbox=bbox_xywh(visible), area=float(visible.sum()), iscrowd=int(thing.tag == 'crowd'),
             category_id=_category('coco', thing))
        for thing, visible in zip(picture.things, picture.visible)
    ]


def occlusion(amodal: np.ndarray, visible: np.ndarray) -> dict:
    """occlude_rate, and the two masks where it is not 0."""
    hidden = amodal & ~visible & 1
    rate = dict(occlude_rate=float(hidden.sum() / amodal.sum()))
    return dict(rate, visible_mask=rle(visible), invisible_mask=rle(hidden)) if rate[
        'occlude_rate'] else rate


def depth_constraint(amodal: np.ndarray) -> str:
    """COCOA's pairs of overlapping things, from 1: the first occludes the second."""
    return ','.join(f'{front + 1}-{back + 1}'
                    for front, back in np.argwhere(np.triu(_overlap(amodal), 1)))


def clusters_and_ranks(amodal: np.ndarray) -> Tuple[List[int], List[int]]:
    """Of each thing its cluster of overlapping ones, and 0 if alone there, else 1 for the front
    and one more behind each occluder."""
    overlap = _overlap(amodal)
    clusters = connected_components(overlap)[1].tolist()
    ranks: List[int] = []
    for place in range(len(amodal)):
        in_front = [rank for rank, over in zip(ranks, overlap[place]) if over]
        ranks.append(1 + max(in_front, default=0) if clusters.count(clusters[place]) > 1 else 0)
    return clusters, ranks


def rle(mask: np.ndarray) -> dict:
    """A mask as a compressed RLE with text counts."""
    code = mask_utils.encode(np.asfortranarray(mask))
    return dict(size=list(mask.shape), counts=code['counts'].decode())


def run_lengths(mask: np.ndarray) -> dict:
    """A mask as an uncompressed RLE: runs of 0 and 1 in turn, down the columns."""
    flat = mask.ravel(order='F')
    ends = [*np.flatnonzero(np.diff(flat, prepend=0)).tolist(), flat.size]
    return dict(size=list(mask.shape), counts=np.diff(ends, prepend=0).tolist())


def rectangles(mask: np.ndarray) -> List[List[float]]:
    """A mask as polygons that give exactly it: rectangles of rows that are alike."""
    found, open_runs = [], {}
    for y, row in enumerate([*mask.tolist(), [0] * mask.shape[1]]):
        ends = np.flatnonzero(np.diff(row, prepend=0, append=0)).reshape(-1, 2).tolist()
        runs = {(x1, x2): open_runs.get((x1, x2), y) for x1, x2 in ends}
        found += [box(x1, top, x2, y) for (x1, x2), top in open_runs.items()
                  if (x1, x2) not in runs]
        open_runs = runs
    return found


def bbox_xywh(mask: np.ndarray) -> List[int]:
    """The tight box."""
    return list(cv2.boundingRect(mask))


def _picture(layout: Layout, scene: Scene, image_id: int, place: int, split: str) -> Picture:
    width, photo_height = scene.size_wh
    height = photo_height + (MARGIN if layout.type == 'D2SADataset' else 0)
    things = [_inside(thing, height, layout.parts) for thing in scene.things
              if not thing.tag or thing.tag in layout.tags]
    amodal = np.stack([_drawn(thing.parts, height, width) for thing in things])
    in_front = np.cumsum(amodal, axis=0) - amodal
    visible = amodal * (in_front == 0)
    visible[:, photo_height:] = 0
    number = place + 1 + 10 * (split != 'train')
    return Picture(image_id, layout.file_name.format(split=split, number=number), things, amodal,
                   visible.astype(np.uint8), photo_height,
                   photo_height if split == 'train' else height)


def _inside(thing: Thing, height: int, parts: int) -> Thing:
    """The thing cut off at the lower rim of the canvas, with no more than so many polygons."""
    return thing._replace(parts=[[min(v, height) if place % 2 else v
                                  for place, v in enumerate(part)]
                                 for part in thing.parts[:parts]])


def _drawn(polygons: List[List[float]], height: int, width: int) -> np.ndarray:
    return mask_utils.decode(mask_utils.merge(mask_utils.frPyObjects(polygons, height, width)))


def _pixel_beside(mask: np.ndarray) -> np.ndarray:
    """The pixel left of the upper left corner of the mask's box, as a mask."""
    x, y, _, _ = cv2.boundingRect(mask)
    outside = np.zeros_like(mask)
    outside[y, max(x - 1, 0)] = 1
    return outside


def _overlap(amodal: np.ndarray) -> np.ndarray:
    """(N, N) bool: which things overlap, none with itself."""
    flat = amodal.reshape(len(amodal), -1).astype(int)
    return (flat @ flat.T > 0) & ~np.eye(len(flat), dtype=bool)


def _category(name: str, thing: Thing) -> int:
    return LAYOUTS[name].kinds[thing.kind]


KINS_NAMES = ('cyclist', 'pedestrian', 'rider', 'car', 'tram', 'truck', 'van', 'misc')
KINS_CATEGORIES = [dict(id=number, name=name, supercategory='Amodal')
                   for number, name in enumerate(KINS_NAMES, 1)]
COCO_IDS = sorted({*range(1, 91)} - {12, 26, 29, 30, 45, 66, 68, 69, 71, 83})
COCO_CATEGORIES = [dict(id=number, name=name)
                   for number, name in zip(COCO_IDS, CocoDataset.METAINFO['classes'])]


def both(value: object) -> dict:
    """The same for either split."""
    return dict.fromkeys(('train', 'val'), value)


KITTI_DIRS = dict(train='training/image_2/', val='testing/image_2/')
COCO2014 = dict(
    root='.',
    image_dirs=dict(train='coco/train2014/', val='coco/val2014/'),
    file_name='COCO_{split}2014_{number:012d}.jpg',
    image_ids=both((343254, 6608, 188819, 9)))
COCOA_FILE = 'COCOA/annotations/COCO_amodal_{}2014{}.json'

LAYOUTS = {
    'kins': Layout(
        type='KINSDataset', root='KINS/', image_dirs=KITTI_DIRS, file_name='{number:06d}.png',
        ann_files=dict(train=['instances_train.json'], val=['instances_val.json']),
        image_ids=both((0, 1, 3, 7)), annotate=kins, kinds=(4, 2, 7, 8), tags=('hidden', ),
        first_id=0,
        categories=[category for category in KINS_CATEGORIES if category['name'] != 'rider']),
    'kins2020': Layout(
        type='KINS2020Dataset', root='KINS/', image_dirs=KITTI_DIRS, file_name='{number:06d}.png',
        ann_files=dict(train=['update_train_2020.json'], val=['update_test_2020.json']),
        image_ids=both((0, 1, 3, 7)), annotate=kins2020, kinds=(4, 2, 7, 1), tags=('hidden', ),
        categories=KINS_CATEGORIES),
    'd2sa': Layout(
        type='D2SADataset', root='D2SA/', file_name='D2S_{number:06d}.jpg',
        image_dirs=both('d2s_amodal_images_v1/images/'),
        ann_files={split: [f'd2s_amodal_annotations_v1/D2S_amodal_{part}.json' for part in parts]
                   for split, parts in dict(train=['training_rot0', 'augmented'],
                                            val=['validation']).items()},
        image_ids=dict(train=(1, 2, 1, 2), val=(1, 2, 3, 4)), annotate=d2sa, kinds=(1, 17, 42, 60),
        categories=[dict(id=number, name=f'item_{number:02d}', supercategory='items')
                    for number in range(1, 61)]),
    'cocoa': Layout(
        type='COCOADataset', annotate=cocoa, categories=[], kinds=(1, 1, 1, 1), parts=1,
        tags=('stuff', ), ann_files={split: [COCOA_FILE.format(split, '')]
                                     for split in ('train', 'val')}, **COCO2014),
    'cocoa-cls': Layout(
        type='COCOAClsDataset', annotate=cocoa_cls, categories=COCO_CATEGORIES,
        kinds=(3, 1, 88, 90), parts=1, ann_files={
            split: [COCOA_FILE.format(split, '_with_classes')] for split in ('train', 'val')},
        **COCO2014),
    'coco': Layout(
        type='AmodalCocoDataset', root='coco/', file_name='{number:012d}.jpg',
        image_dirs=dict(train='train2017/', val='val2017/'),
        ann_files={split: [f'annotations/instances_{split}2017.json']
                   for split in ('train', 'val')},
        image_ids=both((9, 25, 30, 139)), annotate=coco, categories=COCO_CATEGORIES,
        kinds=(3, 1, 88, 90), tags=('crowd', ), options=dict(visible_only=True)),
}
NAMES = tuple(LAYOUTS)
