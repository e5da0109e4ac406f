"""Each kind of violation, one at a time; what must not be reported; and mending."""

import copy
import json
import re
from pathlib import Path
from typing import Callable, Dict, List, Optional

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mmamodal.annotations.check_report import as_dict, as_text, count_kinds
from mmamodal.annotations.checks import KINDS, NOTES, Violation, check_dataset
from mmamodal.annotations.image_checks import image_dir_of
from mmamodal.annotations.mask_regions import is_thick, read_region
from mmamodal.annotations.mending import MENDED, mend, mended_fields
from mmamodal.datasets import COCOADataset
from mmamodal.structures.segmentation import decode, encode

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


@pytest.mark.parametrize('make', [clean, drawn])
def test_nothing_is_said_of_a_clean_file(make: Callable[[], dict]) -> None:
    assert check_dataset(make()) == []


@pytest.mark.parametrize('kind, change, text, number', VIOLATIONS)
def test_each_violation_is_found_alone(kind: str, change: Callable, text: str,
                                       number: Optional[int]) -> None:
    found = [v for v in check_dataset(changed(change)) if v.kind not in NOTES]
    assert [violation.kind for violation in found] == [kind]
    assert re.search(text, found[0].text) and found[0].id == number


@pytest.mark.parametrize('content', [None, 5, 'text', [], [1], {}, dict(images=5, annotations={})])
def test_what_is_no_coco_file_is_one_violation_a_list(content: object) -> None:
    found = check_dataset(content)
    assert {violation.kind for violation in found} == {'structure'}
    assert len(found) == (2 if isinstance(content, dict) else 1)


def test_sentences_name_entry_and_image() -> None:
    coco = changed(lambda c, f, b: (put(b, area=1), put(f, id='x', area=1)))
    lines = [str(violation) for violation in check_dataset(coco) if violation.kind == 'area']
    assert lines == ['annotation at place 0 (image 4): area is 1, but the mask has 25 pixels',
                     'annotation 9 (image 4): area is 1, but the mask has 42 pixels']


def test_annotations_of_a_broken_image_have_no_mistake_of_their_own() -> None:
    assert kinds(changed(lambda c, f, b: c['images'][0].pop('height'))) == {'image': 1}


def test_a_second_image_of_one_file_is_named() -> None:
    coco = changed(lambda c, f, b: c['images'].append(dict(c['images'][0], id=5)))
    assert kinds(coco) == {'file_name': 1, 'no_annotations': 1}


@pytest.mark.parametrize('change', [
    lambda c, f, b: put(b, occlude_rate=0.29),  # two digits
    lambda c, f, b: put(b, area=42.0, bbox=[3.0, 2.0, 7.0, 6.0]),
    lambda c, f, b: [b.pop(key) for key in ('area', 'bbox', 'occlude_rate', 'iscrowd', 'order')],
    lambda c, f, b: (b.pop('invisible_mask'), f.pop('occlude_rate')),
    lambda c, f, b: (put(f, order=2)),  # equal ranks say nothing
    lambda c, f, b: (put(f, order=3, cluster=1), put(b, cluster=2)),  # clusters do not compare
    lambda c, f, b: put(f, iscrowd=1, area=60, bbox=[1, 1, 4, 4]),  # as COCO's crowds are
])
def test_what_is_allowed(change: Callable) -> None:
    assert kinds(changed(change)) == {}


@pytest.mark.parametrize('change', [
    lambda c, f, b: put(b, visible_mask=flipped(SHOWN, (10, 2), (10, 3), (10, 4), (11, 4)),
                        invisible_mask=None),
    lambda c, f, b: put(b, invisible_mask=flipped(BEHIND & FRONT, (3, 2), (4, 2))),
    lambda c, f, b: put(b, bbox=[2.5, 1.2, 7.9, 7.3]),
    lambda c, f, b: put(b, area=50.5),
    lambda c, f, b: put(f, segmentation=[[-0.8, 1, 6, 1, 6, 6, -0.8, 6]], area=34,
                        bbox=[-0.8, 1, 6.8, 5]),
])
def test_a_polygon_is_uncertain_along_its_rim(change: Callable) -> None:
    assert kinds(changed(change, drawn)) == {}


@pytest.mark.parametrize('kind, change', [
    ('visible', lambda c, f, b: put(f, visible_mask=encode(FRONT | rectangle(7, 2, 10, 5)))),
    ('visible', lambda c, f, b: put(f, visible_mask=encode(rectangle(5, 4, 8, 5)),
                                    occlude_rate=None)),  # thin, but most of it
    ('invisible', lambda c, f, b: put(b, invisible_mask=encode(BEHIND & rectangle(3, 5, 12, 10)))),
    ('bbox', lambda c, f, b: put(b, bbox=[1.9, 2, 8, 6])),
    ('area', lambda c, f, b: put(b, area=56)),
    ('occlude_rate', lambda c, f, b: put(b, occlude_rate=0.7)),
    ('outside', lambda c, f, b: put(f, segmentation=[[-1.5, 1, 6, 1, 6, 6, -1.5, 6]], area=None,
                                    bbox=[-1.5, 1, 7.5, 5])),
])
def test_a_polygon_is_not_uncertain_beyond_it(kind: str, change: Callable) -> None:
    assert kinds(changed(change, drawn)) == {kind: 1}


def test_polygons_may_reach_into_a_margin() -> None:
    coco = changed(lambda c, f, b: put(f, segmentation=[[-3, 1, 6, 1, 6, 6, -3, 6]], area=None,
                                       bbox=[-3, 1, 9, 5]), drawn)
    assert [kinds(coco, margin=margin) for margin in (0, 1, 2)] == [{'outside': 1}] * 2 + [{}]


def test_a_polygon_of_two_parts_that_overlap_may_count_the_overlap_twice() -> None:
    parts = [[1, 1, 6, 1, 6, 6, 1, 6]] * 2
    assert kinds(changed(lambda c, f, b: put(f, segmentation=parts, area=50), drawn)) == {}
    assert kinds(changed(lambda c, f, b: put(f, segmentation=parts, area=80), drawn)) == {'area': 1}


def test_an_overlap_of_two_pixels_says_nothing_about_the_order() -> None:
    front, behind = rectangle(0, 0, 5, 9), rectangle(3, 0, 9, 9)
    coco = clean()
    for ann, mask in zip(coco['annotations'], (front, behind)):
        ann.update(segmentation=encode(mask), visible_mask=encode(mask), invisible_mask=None,
                   bbox=None, area=None, occlude_rate=0)
    assert kinds(coco) == {}
    coco['annotations'][0].update(segmentation=encode(front | rectangle(5, 4, 6, 7)),
                                  visible_mask=None)
    assert kinds(coco) == {'order': 1}


def test_the_order_of_many_is_checked_by_pairs() -> None:
    """Four stacked squares, ranks reversed: each of the six pairs contradicts."""
    coco = clean()
    masks = [rectangle(k, 0, k + 7, 7) for k in range(4)]
    coco['annotations'] = [
        dict(BARE, id=k + 1, order=-k, segmentation=encode(mask),
             visible_mask=encode(mask & (1 - np.clip(sum(masks[:k]), 0, 1)) if k else mask))
        for k, mask in enumerate(masks)]
    found = [violation for violation in check_dataset(coco) if violation.kind == 'order']
    # Of the second and on only strips of one pixel are seen: all contradict the first.
    assert [violation.id for violation in found] == [1, 1, 1]


def test_a_wholly_hidden_object_is_a_note() -> None:
    hidden = dict(BARE, id=11, order=3, segmentation=encode(rectangle(2, 2, 5, 5)),
                  visible_mask=EMPTY, occlude_rate=1.0)
    coco = changed(lambda c, f, b: c['annotations'].append(hidden))
    assert kinds(coco) == {'wholly_hidden': 1}
    assert as_dict('x', check_dataset(coco))['violations'] == []


@pytest.mark.parametrize('mask, thick', [
    (np.ones((2, 9)), False), (np.ones((3, 3)), True), (np.ones((9, 2)), False),
    (np.eye(9), False), (np.zeros((4, 4)), False), (np.zeros((0, 0)), False)])
def test_is_thick(mask: np.ndarray, thick: bool) -> None:
    assert is_thick(mask.astype(np.uint8)) == thick


@pytest.mark.parametrize('segmentation', [
    [[10**6 - 1, 0, -10**6 + 1, 0] * 2 + [0, 5]], [['1'] * 6], [10**400] * 6, [[True] * 6],
    [float('nan')] * 6, dict(size=[H, W], counts=[True, -1]), dict(size=None), {'counts': '0'}, ''])
def test_read_region_refuses(segmentation: object) -> None:
    with pytest.raises(ValueError):
        read_region(segmentation, H, W)


# Files of images


def photo(folder: Path, height: int, width: int, **options: object) -> str:
    Image.new('RGB', (width, height)).save(folder / 'a.png', **options)
    return str(folder)


@pytest.mark.parametrize('size, image, found', [
    ((H, W), {}, {}),
    ((W, H), {}, {'image_size': 1}),
    ((8, W), {}, {'image_size': 1}),
    ((8, W), dict(canvas_origin=[0, 0]), {}),
    ((7, W), dict(canvas_origin=[0, 0]), {'photo': 1}),  # row 7 of the second is beyond
    ((8, W), dict(canvas_origin=[0, 2]), {'photo': 1}),  # row 1 of the first
    ((8, W), dict(canvas_origin=[0, 3]), {'image_size': 1}),
    ((8, W), dict(canvas_origin=[0, 0], photo_size=[8, W]), {}),
    ((H, W), dict(canvas_origin=[0, 0], photo_size=[8, W]), {'image_size': 1}),
    ((H, W), dict(canvas_origin='here'), {'image_size': 1}),
])
def test_image_files_have_the_size_that_is_annotated(tmp_path: Path, size: tuple, image: dict,
                                                     found: dict) -> None:
    coco = changed(lambda c, f, b: c['images'][0].update(image))
    assert kinds(coco, image_dir=photo(tmp_path, *size)) == found


def test_a_stated_photo_is_compared_without_files() -> None:
    stated = dict(canvas_origin=[0, 0], photo_size=[7, W])
    found = check_dataset(changed(lambda c, f, b: c['images'][0].update(stated)))
    assert [(violation.kind, violation.id) for violation in found] == [('photo', 9)]
    assert found[0].text.startswith('7 of 30 visible pixels are outside the photo')


@pytest.mark.parametrize('content', [None, b'', b'no image', b'\x89PNG\r\n\x1a\n'])
def test_image_files_that_are_missing_or_broken(tmp_path: Path, content: Optional[bytes]) -> None:
    if content is not None:
        (tmp_path / 'a.png').write_bytes(content)
    found = check_dataset(clean(), str(tmp_path))
    assert [(violation.kind, violation.id) for violation in found] == [('image_file', 4)]
    assert 'a.png' in found[0].text


def test_a_file_outside_the_folder_is_not_looked_at(tmp_path: Path) -> None:
    photo(tmp_path, 3, 3)
    (tmp_path / 'images').mkdir()
    coco = changed(lambda c, f, b: put(c['images'][0], file_name='../a.png'))
    assert kinds(coco, image_dir=str(tmp_path / 'images')) == {'file_name': 1}


def test_image_dir_of_is_the_first_that_has_a_file(tmp_path: Path) -> None:
    (tmp_path / 'images').mkdir()
    photo(tmp_path / 'images', H, W)
    folders = [str(tmp_path / 'none'), str(tmp_path), str(tmp_path / 'images')]
    assert image_dir_of(clean(), folders) == folders[2]
    assert image_dir_of(clean(), folders[:2]) is None
    assert image_dir_of([1], folders) is None


# Mending


@pytest.mark.parametrize('kind, change', [
    (kind, change) for kind, change, _, _ in VIOLATIONS
    if kind in MENDED and kinds(changed(change)) != {'structure': 1} or kind == 'structure'
    and isinstance(changed(change).get('images'), list) and changed(change)['annotations']])
def test_what_is_mended_is_clean(kind: str, change: Callable) -> None:
    coco = changed(change)
    before = copy.deepcopy(coco)
    try:
        mended, counts = mend(coco, check_dataset(coco))
    except ValueError as error:  # its only image is broken
        assert kind == 'image' and 'nothing' in str(error)
        return
    assert coco == before
    assert kinds(mended) == {} and counts
    json.dumps(mended, allow_nan=False)


def test_a_clean_file_stays_as_it_is() -> None:
    assert mend(clean(), []) == (clean(), {})


def test_visible_masks_are_clipped_and_what_follows_is_computed() -> None:
    coco = changed(lambda c, f, b: put(b, visible_mask=flipped(SHOWN, (10, 2), (9, 7)), area=5))
    mended, counts = mend(coco, check_dataset(coco))
    behind = mended['annotations'][1]
    shown = SHOWN.copy()
    shown[7, 9] = 0
    assert (decode(behind['visible_mask'], H, W) == shown).all()
    assert (decode(behind['invisible_mask'], H, W) == BEHIND - shown).all()
    assert behind['area'] == 42 and behind['bbox'] == [3, 2, 7, 6]
    assert behind['occlude_rate'] == pytest.approx(13 / 42)
    assert mended['annotations'][0] == coco['annotations'][0] and behind['id'] == 9
    assert counts == {'annotations mended': 1}


def test_masks_stay_where_only_numbers_are_wrong() -> None:
    coco = changed(lambda c, f, b: put(b, area=500), drawn)
    mended, _ = mend(coco, check_dataset(coco))
    assert mended['annotations'][1]['segmentation'] == coco['annotations'][1]['segmentation']
    assert kinds(mended) == {}


def test_plain_coco_gains_no_visible_masks() -> None:
    outside = dict(BARE, id=1, segmentation=[[-5, 1, 6, 1, 6, 6, -5, 6]])
    coco = dict(clean(), annotations=[outside])
    ann = mend(coco, check_dataset(coco))[0]['annotations'][0]
    assert sorted(ann) == sorted([*outside, 'area', 'bbox'])
    assert ann['bbox'] == [0, 1, 6, 5] and ann['area'] == 30


def test_an_invisible_mask_alone_gives_the_visible_one() -> None:
    coco = changed(lambda c, f, b: b.pop('visible_mask'))
    mended, _ = mend(coco, check_dataset(coco))
    assert mended['annotations'][1]['visible_mask'] == encode(SHOWN)


def test_a_visible_mask_of_something_else_is_not_clipped() -> None:
    other = encode(rectangle(0, 8, 12, 10))
    coco = changed(lambda c, f, b: put(b, visible_mask=other))
    mended, _ = mend(coco, check_dataset(coco))
    assert mended['annotations'][1]['visible_mask'] == encode(SHOWN)  # by the invisible one
    coco['annotations'][1].pop('invisible_mask')
    mended, counts = mend(coco, check_dataset(coco))
    assert [ann['id'] for ann in mended['annotations']] == [7]
    assert counts == {'annotations left out (visible)': 1}


@pytest.mark.parametrize('ann, message', [
    (dict(segmentation=None), 'segmentation cannot be read'),
    (dict(segmentation=encode(FRONT), visible_mask=5), 'visible_mask cannot be read'),
    (dict(segmentation=encode(FRONT), visible_mask=encode(1 - FRONT)), 'half outside'),
    (dict(segmentation=EMPTY), 'empty')])
def test_mended_fields_refuses_what_is_unknown(ann: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mended_fields(ann, H, W)


def test_ids_that_are_fine_stay() -> None:
    extra = [dict(BARE, id=number, segmentation=encode(FRONT)) for number in (7, 'x', 0, None, 2)]
    coco = changed(lambda c, f, b: c['annotations'].extend(extra))
    mended, counts = mend(coco, check_dataset(coco))
    assert [ann['id'] for ann in mended['annotations']] == [7, 9, 1, 3, 4, 5, 2]
    assert counts == {'annotations renumbered': 4}


def test_what_cannot_be_mended_is_left_out_and_counted() -> None:
    extra = [dict(BARE, id=20, segmentation=EMPTY), dict(BARE, id=21, segmentation='x'), 'text',
             dict(BARE, id=22, segmentation=encode(FRONT), image_id=5),
             dict(BARE, id=23, segmentation=encode(FRONT), image_id=6)]
    coco = changed(lambda c, f, b: (c['annotations'].extend(extra),
                                    c['images'].append(dict(id=6, file_name='b.png'))))
    mended, counts = mend(coco, check_dataset(coco))
    assert mended == clean()
    assert counts == {
        'annotations left out (empty_mask)': 1, 'annotations left out (broken_mask)': 1,
        'annotations left out (structure)': 1, 'annotations left out (unknown_image)': 1,
        'annotations left out (image)': 1, 'images left out': 1}


def test_an_order_that_contradicts_stays() -> None:
    coco = changed(lambda c, f, b: put(b, order=0))
    assert mend(coco, check_dataset(coco)) == (coco, {})


def test_nothing_left_is_an_error() -> None:
    coco = changed(lambda c, f, b: (put(f, image_id=1), put(b, image_id=1)))
    with pytest.raises(ValueError, match='nothing can be mended'):
        mend(coco, check_dataset(coco))


# Reports


def test_report_shows_a_table_and_the_first_of_each_kind() -> None:
    coco = changed(lambda c, f, b: (put(f, area=1), put(b, area=1, id=-1)))
    lines = as_text('x.json', coco, check_dataset(coco), most=1).splitlines()
    assert lines[0] == 'x.json: 1 images, 2 annotations, 3 violations'
    assert [line.split()[:2] for line in lines[1:3]] == [['annotation_id', '1'], ['area', '2']]
    assert lines[-3:] == ['area', '  annotation 7 (image 4): area is 1, but the mask has 25 pixels',
                          '  … and 1 more']


def test_report_as_dict_names_file_and_ids() -> None:
    report = as_dict('x.json', [Violation('area', 'text', 'annotations', 0, 7, 4)])
    assert report['counts'] == {'area': 1} and report['notes'] == []
    assert report['violations'] == [dict(kind='area', file='x.json', table='annotations', place=0,
                                         image_id=4, annotation_id=7, text='text')]
    image = as_dict('x.json', [Violation('image_file', 'text', 'images', 0, 4)])['violations'][0]
    assert image['image_id'] == 4 and 'annotation_id' not in image


# Values of any type


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
    | st.sampled_from([10**400, 2**63, 1e308, '\ud800', 'x\0y']),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(
        st.sampled_from(['size', 'counts', 'id']), inner, max_size=2), max_leaves=8)
PLACES = [('annotations', key) for key in (
    'id', 'image_id', 'category_id', 'iscrowd', 'order', 'cluster', 'segmentation', 'visible_mask',
    'invisible_mask', 'bbox', 'area', 'occlude_rate')]
PLACES += [('images', key) for key in ('id', 'file_name', 'height', 'width', 'canvas_origin',
                                       'photo_size')]
PLACES += [('categories', 'id'), ('categories', 'name')]


@settings(max_examples=300, deadline=None, database=None)
@given(changes=st.lists(st.tuples(st.sampled_from(PLACES), st.booleans(), ANYTHING), min_size=1,
                        max_size=4))
def test_values_of_any_type_are_reported_or_right(changes: List[tuple]) -> None:
    coco = clean()
    for (table, key), last, value in changes:
        coco[table][-1 if last else 0][key] = value
    found = check_dataset(coco, '.')
    json.dumps(as_dict('x', found), allow_nan=False)
    assert as_text('x', coco, found, 5) and set(count_kinds(found)) <= set(KINDS)
    try:
        mended, _ = mend(coco, found)
    except ValueError:
        return
    assert not set(kinds(mended)).intersection(MENDED)


@pytest.mark.parametrize('value', [None, 5, 'x', [], {}, [None], {'a': [1]}, float('nan')])
@pytest.mark.parametrize('table', ['images', 'annotations', 'categories'])
def test_lists_of_any_type_are_reported(table: str, value: object) -> None:
    assert check_dataset(dict(clean(), **{table: value}))
    assert check_dataset(dict(clean(), **{table: [*clean()[table], value]}))


# Real data


def read(path: Path) -> dict:
    return json.loads(path.read_text())


@pytest.mark.parametrize('file, images', [
    ('composites/val/amodal.json', 'composites/val/images'), ('syntable/amodal.json', 'syntable'),
    ('coco_modal/annotations/instances_val.json', 'coco_modal/images')])
def test_real_files_are_clean(shared_data: Path, file: str, images: str) -> None:
    assert set(kinds(read(shared_data / file), image_dir=str(shared_data / images))) <= set(NOTES)


def test_official_cocoa_records_are_clean(shared_data: Path) -> None:
    dataset = COCOADataset(ann_file=str(
        shared_data / 'cocoa_sample/annotations/COCO_amodal_val2014.json'), pipeline=[],
        test_mode=True, lazy_init=True)
    images = str(shared_data / 'cocoa_sample/val2014')
    assert kinds(dataset.as_amodal_coco(), image_dir=images) == {}


def test_a_reversed_order_is_found_in_real_data(shared_data: Path) -> None:
    coco = read(shared_data / 'composites/val/amodal.json')
    for ann in coco['annotations']:
        ann['order'] = -ann['order']
    hidden = [ann for ann in coco['annotations'] if ann['occlude_rate'] > 0.1]
    found = [violation for violation in check_dataset(coco) if violation.kind == 'order']
    # Whoever hides something now shows where it should be covered.
    assert len(found) >= len(hidden) and set(kinds(coco)) == {'order'}


def test_mended_real_data_are_clean(shared_data: Path) -> None:
    coco = read(shared_data / 'syntable/amodal.json')
    for place, ann in enumerate(coco['annotations']):
        if place % 4 == 0:
            ann['visible_mask'] = encode(np.roll(decode(ann['visible_mask'], 480, 640), 2, axis=1))
        elif place % 4 == 1:
            ann.update(area=0, bbox=[0, 0, 1, 1], id=1)
    found = check_dataset(coco)
    assert {'visible', 'area', 'bbox', 'annotation_id'} <= {v.kind for v in found}
    mended, counts = mend(coco, found)
    assert set(kinds(mended)) <= set(NOTES)
    assert len(mended['annotations']) == 125 and counts['annotations renumbered'] > 0
