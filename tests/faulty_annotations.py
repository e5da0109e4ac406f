"""An annotation file of two objects, and what may be wrong with it."""

from typing import Callable, Dict

import numpy as np

from mmamodal.annotations.check_report import count_kinds
from mmamodal.annotations.checks import check_dataset
from mmamodal.structures.segmentation import encode

H, W = 10, 12


def rectangle(x1: int, y1: int, x2: int, y2: int) -> np.ndarray:
    mask = np.zeros((H, W), np.uint8)
    mask[y1:y2, x1:x2] = 1
    return mask


FRONT = rectangle(1, 1, 6, 6)  # 25 pixels
BEHIND = rectangle(3, 2, 10, 8)  # 42 pixels, 12 of them behind FRONT
SHOWN = BEHIND & (1 - FRONT)


def clean() -> dict:
    """Two objects, the first in front of the second; the ids do not tell the places."""
    front = dict(id=7, image_id=4, category_id=3, iscrowd=0, order=1, segmentation=encode(FRONT),
                 bbox=[1, 1, 5, 5], area=25, occlude_rate=0.0)
    behind = dict(id=9, image_id=4, category_id=3, iscrowd=0, order=2, segmentation=encode(BEHIND),
                  visible_mask=encode(SHOWN), invisible_mask=encode(BEHIND & FRONT),
                  bbox=[3, 2, 7, 6], area=42, occlude_rate=12 / 42)
    return dict(images=[dict(id=4, file_name='a.png', height=H, width=W)],
                annotations=[front, behind], categories=[dict(id=3, name='thing')])


def drawn() -> dict:
    """The same as outlines, with areas and boxes of the outlines, as COCO has them."""
    coco = clean()
    front, behind = coco['annotations']
    front.update(segmentation=[[1, 1, 6, 1, 6, 6, 1, 6]])
    behind.update(segmentation=[[3, 2, 10, 2, 10, 8, 3, 8]])
    return coco


def changed(change: Callable[[dict, dict, dict], object], of: Callable[[], dict] = clean) -> dict:
    """The file after ``change(coco, front, behind)``."""
    coco = of()
    change(coco, *coco['annotations'])
    return coco


def kinds(coco: object, **options: object) -> Dict[str, int]:
    return count_kinds(check_dataset(coco, **options))


def put(entry: dict, **values: object) -> None:
    entry.update(values)


def flipped(mask: np.ndarray, *points: tuple) -> dict:
    """RLE of the mask with some pixels (x, y) changed."""
    mask = mask.copy()
    for x, y in points:
        mask[y, x] ^= 1
    return encode(mask)


EMPTY = encode(np.zeros((H, W), np.uint8))
BARE = dict(image_id=4, category_id=3, iscrowd=0)
# kind, what is done to the file, what the sentence says, the annotation or image that it names
VIOLATIONS = [
    ('structure', lambda c, f, b: c['annotations'].append(5), '5 is no dict', None),
    ('structure', lambda c, f, b: c['images'].append('a'), "'a' is no dict", None),
    ('structure', lambda c, f, b: put(c, annotations=[]), r'annotations is \[\]', None),
    ('structure', lambda c, f, b: c.pop('images'), 'images is None: expected a list', None),
    ('categories', lambda c, f, b: c.pop('categories'), 'categories is None', None),
    ('categories', lambda c, f, b: c['categories'].append(dict(id='4', name='x')),
     'expected a whole id and a name', None),
    ('categories', lambda c, f, b: c['categories'].append(dict(id=3, name='x')),
     'category at place 0 has this id, too', 3),
    ('categories', lambda c, f, b: c['categories'].append(dict(id=4, name='thing')),
     'category at place 0 has this name, too', 4),
    ('image', lambda c, f, b: put(c['images'][0], height=0), r'\[0, 12\]: expected whole', 4),
    ('image', lambda c, f, b: put(c['images'][0], width='12'), r"\[10, '12'\]", 4),
    ('image', lambda c, f, b: put(c['images'][0], width=10**9), 'in all at most', 4),
    ('image', lambda c, f, b: put(c['images'][0], file_name=None), 'file_name is None', 4),
    ('image', lambda c, f, b: c['images'].append(dict(c['images'][0], id='5')), "id is '5'", None),
    ('image_id', lambda c, f, b: c['images'].append(dict(c['images'][0], file_name='b.png')),
     'image at place 0 has this id, too', 4),
    ('file_name', lambda c, f, b: put(c['images'][0], file_name='../a.png'),
     "'../a.png' leads out of the image folder", 4),
    ('file_name', lambda c, f, b: put(c['images'][0], file_name='C:\\a.png'), 'leads out', 4),
    ('annotation_id', lambda c, f, b: put(b, id=7), 'annotation at place 0 has this id, too', 7),
    ('annotation_id', lambda c, f, b: put(b, id=0), 'id is 0: expected a whole number from 1', 0),
    ('annotation_id', lambda c, f, b: put(b, id='9'), "id is '9'", None),
    ('annotation_id', lambda c, f, b: b.pop('id'), 'id is None', None),
    ('unknown_image', lambda c, f, b: put(b, image_id=5), 'image_id is 5', 9),
    ('unknown_image', lambda c, f, b: put(b, image_id=[4]), r'image_id is \[4\]', 9),
    ('unknown_category', lambda c, f, b: put(b, category_id=1), r'category_id is 1.*\[3\]', 9),
    ('unknown_category', lambda c, f, b: put(b, category_id={}), r'category_id is \{\}', 9),
    ('broken_mask', lambda c, f, b: put(b, segmentation=[[1, 2, 3]]),
     'segmentation cannot be read: expected a polygon', 9),
    ('broken_mask', lambda c, f, b: b.pop('segmentation'), 'segmentation cannot be read', 9),
    ('broken_mask', lambda c, f, b: put(b, visible_mask=dict(size=[H, W], counts='zz')),
     'visible_mask cannot be read', 9),
    ('broken_mask', lambda c, f, b: put(b, invisible_mask=encode(FRONT.T)),
     r'invisible_mask cannot be read: expected an RLE of size \[10, 12\]', 9),
    ('empty_mask', lambda c, f, b: put(b, segmentation=EMPTY), 'covers no pixel', 9),
    ('empty_mask', lambda c, f, b: put(b, segmentation=[[1, 1, 1, 1, 1, 1]]), 'no pixel', 9),
    ('visible', lambda c, f, b: put(b, visible_mask=flipped(SHOWN, (10, 2), (0, 0)),
                                    invisible_mask=None),
     'visible mask leaves the amodal mask by 2 of 32 pixels', 9),
    ('invisible', lambda c, f, b: put(b, invisible_mask=flipped(BEHIND & FRONT, (3, 2))),
     'invisible_mask has 11 pixels, amodal minus visible 12; they differ in 1', 9),
    ('invisible', lambda c, f, b: b.pop('visible_mask'),
     'invisible_mask has 12 pixels, but there is no visible_mask', 9),
    ('bbox', lambda c, f, b: put(b, bbox=[3, 2, 6, 6]), r'1 pixels off .*\[3, 2, 7, 6\]', 9),
    ('bbox', lambda c, f, b: put(b, bbox=[3, 2, float('nan'), 6]), 'expected four finite', 9),
    ('area', lambda c, f, b: put(b, area=41), 'area is 41, but the mask has 42 pixels', 9),
    ('area', lambda c, f, b: put(b, area='42'), "area is '42': expected a finite number", 9),
    ('occlude_rate', lambda c, f, b: put(b, occlude_rate=0.3), '12 of 42 pixels are hidden', 9),
    ('occlude_rate', lambda c, f, b: put(f, occlude_rate=0.1), '0 of 25 pixels', 7),
    ('iscrowd', lambda c, f, b: put(b, iscrowd=2), 'iscrowd is 2: expected 0 or 1', 9),
    ('rank', lambda c, f, b: put(b, order='2'), "order is '2'", 9),
    ('rank', lambda c, f, b: put(b, cluster=0.5), 'cluster is 0.5', 9),
    ('order', lambda c, f, b: put(b, order=0),
     '12 of 12 pixels that it shares with annotation 9 show it, though its order 1 is behind 0', 7),
]
