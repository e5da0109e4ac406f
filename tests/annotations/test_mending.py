"""Files mended: what changes, what stays, what goes."""

import copy
import json
from pathlib import Path
from typing import Callable

import numpy as np
import pytest
from faulty_annotations import (BARE, BEHIND, EMPTY, FRONT, SHOWN, VIOLATIONS, H, W, changed, clean,
                                drawn, flipped, kinds, put, rectangle)

from mmamodal.annotations.checks import NOTES, check_dataset
from mmamodal.annotations.mending import MENDED, mend, mended_fields
from mmamodal.structures.segmentation import decode, encode


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


def test_mended_real_data_are_clean(shared_data: Path) -> None:
    coco = json.loads((shared_data / 'syntable/amodal.json').read_text())
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
