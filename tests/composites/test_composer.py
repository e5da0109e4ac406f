"""Composites as one file of annotations."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from mmamodal.composites.backgrounds import Background
from mmamodal.composites.composer import Composer, annotate, describe_settings, merge
from mmamodal.composites.sources import CutOut, Sources
from mmamodal.datasets.pasting.cut_outs import Pasted
from mmamodal.datasets.pasting.paste_layout import PasteOptions
from mmamodal.structures.segmentation import decode


def test_merge_numbers_annotations():
    records = [dict(id=1, file_name='a', annotations=[dict(order=1), dict(order=2)]),
               dict(id=2, file_name='b', annotations=[dict(order=1)])]
    coco = merge(records, [dict(id=3, name='c')], dict(seed=0))
    assert coco['images'] == [dict(id=1, file_name='a'), dict(id=2, file_name='b')]
    assert [(ann['id'], ann['image_id']) for ann in coco['annotations']] == [(1, 1), (2, 1), (3, 2)]


def test_images_without_any_object_are_refused():
    with pytest.raises(ValueError, match='no object found a place'):
        merge([dict(id=1, annotations=[])], [], {})


def test_a_layer_as_an_annotation():
    mask = np.ones((2, 3), np.uint8)
    visible = np.array([[1, 1, 0], [1, 1, 0]], np.uint8)
    fields = annotate(Pasted(mask, 4, 1, visible), (5, 8))
    assert (fields['bbox'], fields['area']) == ([4, 1, 3, 2], 6)
    assert fields['occlude_rate'] == pytest.approx(1 / 3, abs=1e-4)
    assert np.argwhere(decode(fields['invisible_mask'], 5, 8)).tolist() == [[1, 6], [2, 6]]


def test_settings_tell_all_that_images_depend_on():
    cut_out = CutOut(0, 7, 3, 6, (4, 1, 7, 3), dict(size=[5, 8], counts=[40]), (5, 8))
    sources = Sources([cut_out], [Background('folder/a.png', 5, 8)], Counter())
    composer = Composer(None, sources, PasteOptions(), seed=1)
    settings = describe_settings(composer, 9)
    assert settings == describe_settings(composer, 9) == json.loads(json.dumps(settings))
    assert (settings['number'], settings['seed'], settings['objects']) == (9, 1, [2, 14])
    other = sources._replace(cut_outs=[cut_out._replace(ann_id=8)])
    changed = describe_settings(replace(composer, sources=other), 9)
    assert {key for key in settings if settings[key] != changed[key]} == {'sources'}
