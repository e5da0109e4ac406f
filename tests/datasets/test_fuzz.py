"""Malformed records thrown at every reader: each ends in samples or in an error that names it.

Longer runs: ``MMAMODAL_FUZZ_EXAMPLES=5000 pytest tests/datasets/test_fuzz.py``.
"""

import copy
import json
import os
import random
import re
from pathlib import Path
from typing import List, Tuple
from unittest import mock

import numpy as np
import published_files
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mmdet.registry import DATASETS
from mmengine.logging import MMLogger

from mmamodal.datasets.formats import guess_format

EXAMPLES = int(os.environ.get('MMAMODAL_FUZZ_EXAMPLES', 100))
PIPELINE = [dict(type='LoadAmodalAnnotations'), dict(type='PackAmodalInputs')]
NAN, INFINITE = float('nan'), float('inf')
NUMBERS = [NAN, INFINITE, -INFINITE, 0, -1, 1, 2, 0.5, -0.0, 63.0, 2**31, 2**63, -2**63, 10**400,
           -10**18, 1e300, -1e300, 1e308, True, False]
OTHERS = [None, '', 'x', '0', '\ud800', 'a/../../b', '\0', [], {}, [[]], [None], [1, 2], [[1, 2]],
          [[[1, 2, 3, 4, 5, 6]]], [1] * 6, [0, 0, 1e300, 0, 1e300, 1e300], ['x'] * 6,
          [10**400] * 6, [[0, 0, 9, 0, 9, 9], None], [[0, 0, 9, 0, 9, 9], [5]], dict(size=[48, 64]),
          dict(size=[48, 64], counts=[]), dict(size=[48, 64], counts=[1, 2]),
          dict(size=[48, 64], counts=[3072]), dict(size=[48., 64.], counts='PPo2'),
          dict(size=[2**20, 2**20], counts=[2**40]), dict(size=[0, 0], counts=''),
          dict(size='48', counts='x'), dict(size=[48, 64], counts=[-1, 3073])]
SCRAPS = [b'', b'{', b'}', b'[', b']', b'"', b',', b'-', b'9', b'e9', b'\xff', b'\0', b'null',
          b'9' * 5000, b'[' * 100_000, b'{"a":' * 100_000]
EXTRA_KEYS = ('ignore', 'iscrowd', 'occlude_rate', 'visible_mask', 'order', 'isStuff', 'regions',
              'bbox', 'area', 'canvas_origin')
OPTIONS = [{}] * 4 + [dict(visible_only=True), dict(one_class=True), dict(margin=3),
                      dict(image_ids='ids.txt')]
LIKELY = dict(info=1, categories=2, images=8, annotations=40)
ID = re.compile(r'(annotation|image|place|id)s? \[?-?\d')


def drawn_path(chance: random.Random, content: object) -> list:
    """Keys that lead to somewhere in a JSON value, mostly into an entry of its lists."""
    path: list = []
    while isinstance(content, (dict, list)) and content and (
            not path or chance.random() < (0.97 if len(path) < 3 else 0.7)):
        keys = list(content) if isinstance(content, dict) else range(len(content))
        weights = [LIKELY.get(key, 4) for key in keys]
        path.extend(chance.choices(keys, weights))
        content = content[path[-1]]
    return path


def at(content: object, path: list) -> object:
    """What lies at the end of a path."""
    for key in path:
        content = content[key]
    return content


def spoil_place(chance: random.Random, coco: dict) -> list:
    """Spoil one place of a file's content; its path."""
    path = drawn_path(chance, coco)
    parent, key = at(coco, path[:-1]), path[-1]
    kind = chance.choice(['drop', 'number', 'other', 'cut', 'letter', 'twice', 'copy', 'add'])
    value = copy.deepcopy(chance.choice(NUMBERS if kind == 'number' else OTHERS))
    if kind == 'drop':
        del parent[key]
    elif kind == 'add' and isinstance(parent[key], dict):
        parent[key][chance.choice(EXTRA_KEYS)] = value
    elif kind == 'cut' and isinstance(parent[key], (str, list)):
        parent[key] = parent[key][:chance.randrange(len(parent[key]) + 1)]
    elif kind == 'letter' and isinstance(parent[key], str):
        place = chance.randrange(len(parent[key]) + 1)
        parent[key] = parent[key][:place] + chance.choice('0oP`\0é') + parent[key][place + 1:]
    elif kind == 'twice' and isinstance(parent, list):
        parent.append(copy.deepcopy(parent[key]))
    elif kind == 'copy':
        parent[key] = copy.deepcopy(at(coco, drawn_path(chance, coco)))
    else:
        parent[key] = value
    return path


def spoil_text(chance: random.Random, text: bytes) -> bytes:
    """Cut a file off, or put something in the place of some of its bytes."""
    first = chance.randrange(len(text))
    last = chance.choice([len(text), first, first + 1, first + chance.randrange(99)])
    return text[:first] + chance.choice(SCRAPS) + text[last:]


def read_all(config: dict) -> Tuple[list, List[dict], List[str]]:
    """Records, packed samples and the log of a dataset that is read whole."""
    lines: List[str] = []
    with mock.patch.object(MMLogger.get_current_instance(), 'handle',
                           lambda record: lines.append(record.getMessage())):
        dataset = DATASETS.build(config)
        records = [dataset.get_data_info(index) for index in range(len(dataset))]
        samples = [dataset.prepare_data(index)['data_samples'] for index in range(len(dataset))]
    return records, samples, lines


def assert_samples(records: List[dict], samples: list) -> None:
    """All instances arrive, with numbers that a model can work with."""
    for record, sample in zip(records, samples):
        assert len(sample.gt_instances) + len(sample.ignored_instances) == len(record['instances'])
        for instances in (sample.gt_instances, sample.ignored_instances):
            assert np.isfinite(instances.bboxes.tensor.numpy()).all()
            masks = instances.masks
            assert masks.masks.shape[1:] == (record['height'], record['width'])
            assert masks.masks.dtype == np.uint8 and (masks.visible.masks <= masks.masks).all()


def assert_counted(records: List[dict], log: List[str], annotations: List[dict],
                   image_ids: list) -> None:
    """No annotation of the file is gone without a word."""
    chosen = [ann for ann in annotations if not image_ids or ann.get('image_id') in image_ids]
    counts = [int(count) for line in log for count in re.findall(r'left out (\d+) of', line)]
    taken = sum(len(record['instances']) for record in records) + sum(counts)
    several_annotators = any('several annotators' in line for line in log)
    assert taken <= len(chosen) if several_annotators else taken == len(chosen)


def assert_worded(error: Exception, source: Path, paths: List[list]) -> None:
    """The error says which file, and which entry of it where the fault is in one."""
    assert type(error) in (ValueError, FileNotFoundError), repr(error)
    assert str(source) in str(error) and len(str(error)) < 1000, str(error)
    in_entry = all(path[0] in ('images', 'annotations') and len(path) > 1 for path in paths)
    assert not in_entry or ID.search(str(error).replace(str(source), '')), str(error)


def training_file(name: str) -> dict:
    """Content of the first training file of a data set, as JSON has it."""
    layout, shown = published_files.LAYOUTS[name], published_files.pictures(name)
    shown = shown[:len(shown) // len(layout.ann_files['train'])]
    return json.loads(json.dumps(published_files.annotation_file(layout, shown)))


def check(name: str, coco: dict, text: bytes, paths: List[list], options: dict,
          folder: Path) -> None:
    """Read a file with this text, of the content ``coco``, which was spoilt at ``paths``."""
    source = folder / 'spoilt.json'
    source.write_bytes(text)
    image_ids = [published_files.pictures(name)[1].image_id] if 'image_ids' in options else []
    (folder / 'ids.txt').write_text(''.join(map(str, image_ids)))
    config = dict(published_files.dataset_config(name, folder), data_root=str(folder),
                  ann_file=source.name, test_mode=True, pipeline=PIPELINE, serialize_data=False)
    config.pop('more_ann_files', None)
    try:
        records, samples, log = read_all(dict(config, **options))
    except Exception as error:
        assert_worded(error, source, paths)
    else:
        assert_samples(records, samples)
        annotations = coco['annotations'] if name != 'cocoa' else [
            dict(region, image_id=ann['image_id'])
            for ann in coco['annotations'] for region in ann['regions']]
        assert_counted(records, log, annotations, image_ids)


def check_places(name: str, chance: random.Random, folder: Path) -> None:
    """One to three places are spoilt."""
    coco = training_file(name)
    paths = [spoil_place(chance, coco) for _ in range(chance.choice([1, 1, 1, 2, 3]))]
    guess_format(coco)
    check(name, coco, json.dumps(coco).encode(), paths, chance.choice(OPTIONS), folder)


def check_text(name: str, chance: random.Random, folder: Path) -> None:
    """The text is spoilt, in JSON's syntax or within."""
    text = spoil_text(chance, json.dumps(training_file(name)).encode())
    try:
        coco = json.loads(text)
    except (ValueError, RecursionError):
        coco = {}
    check(name, coco, text, [['info']], {}, folder)


@pytest.fixture(scope='module')
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp('spoilt')


FUZZ = settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
                suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize('name', published_files.NAMES)
@FUZZ
@given(chance=st.randoms(use_true_random=False))
def test_spoilt_places_end_in_samples_or_in_worded_errors(name, folder, chance):
    check_places(name, chance, folder)


@FUZZ
@given(name=st.sampled_from(published_files.NAMES), chance=st.randoms(use_true_random=False))
def test_spoilt_text_ends_in_samples_or_in_worded_errors(name, folder, chance):
    check_text(name, chance, folder)
