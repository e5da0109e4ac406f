"""Each kind of violation, one at a time; what must not be reported; and mending."""

import json
import re
from pathlib import Path
from typing import Callable, List, Optional

import pytest
from faulty_annotations import BARE, EMPTY, VIOLATIONS, changed, clean, drawn, kinds, put, rectangle
from hypothesis import given, settings
from hypothesis import strategies as st

from mmamodal.annotations.check_report import as_dict, as_text, count_kinds
from mmamodal.annotations.checks import KINDS, NOTES, check_dataset
from mmamodal.annotations.mending import MENDED, mend
from mmamodal.datasets import COCOADataset
from mmamodal.structures.segmentation import encode


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


def test_a_wholly_hidden_object_is_a_note() -> None:
    hidden = dict(BARE, id=11, order=3, segmentation=encode(rectangle(2, 2, 5, 5)),
                  visible_mask=EMPTY, occlude_rate=1.0)
    coco = changed(lambda c, f, b: c['annotations'].append(hidden))
    assert kinds(coco) == {'wholly_hidden': 1}
    assert as_dict('x', check_dataset(coco))['violations'] == []


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


@pytest.mark.parametrize('file, images', [
    ('composites/val/amodal.json', 'composites/val/images'), ('syntable/amodal.json', 'syntable'),
    ('coco_modal/annotations/instances_val.json', 'coco_modal/images')])
def test_real_files_are_clean(shared_data: Path, file: str, images: str) -> None:
    coco = json.loads((shared_data / file).read_text())
    assert set(kinds(coco, image_dir=str(shared_data / images))) <= set(NOTES)


def test_official_cocoa_records_are_clean(shared_data: Path) -> None:
    dataset = COCOADataset(ann_file=str(
        shared_data / 'cocoa_sample/annotations/COCO_amodal_val2014.json'), pipeline=[],
        test_mode=True, lazy_init=True)
    images = str(shared_data / 'cocoa_sample/val2014')
    assert kinds(dataset.as_amodal_coco(), image_dir=images) == {}
