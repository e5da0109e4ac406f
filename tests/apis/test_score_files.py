"""Files scored: COCO's own numbers."""

import json
from pathlib import Path

import numpy as np
import pytest

from mmamodal.apis.score_files import score_files
from mmamodal.evaluation.detection.amodal_rules import AmodalRules
from mmamodal.structures.segmentation import encode

RULES = AmodalRules()
ORACLE = {'AP_A_all': .3195452758576433, 'AP50_A_all': .5622883972521636,
          'AP75_A_all': .29892653412086784, 'AR100_A_all': .4168394992198818}


def test_segm_of_the_coco_oracle(shared_data: Path):
    folder = shared_data / 'coco_eval_oracle'
    scores = score_files(str(folder / 'instances_val2014_100.json'),
                         str(folder / 'instances_val2014_fakesegm100_results.json'), RULES)
    named = scores.as_dict()
    for name, expected in ORACLE.items():
        assert named[name] / 100 == pytest.approx(expected, abs=1e-10)
        # Nothing is occluded, nothing visible predicted: all three are the same.
        for masks in ('_V_', '_AV_'):
            assert named[name.replace('_A_', masks)] == named[name]
    assert named['AP_A_occluded'] is None and named['AP50_IV'] is None


@pytest.fixture
def files(tmp_path: Path) -> tuple:
    """One object of four pixels in each of two images; one of them is found."""
    mask = encode(np.ones((2, 2), np.uint8))
    truth = dict(
        images=[dict(id=i, file_name=f'{i}.png', height=2, width=2) for i in (1, 2)],
        annotations=[dict(id=i, image_id=i, category_id=5, bbox=[0, 0, 2, 2], area=4, iscrowd=0,
                          segmentation=mask) for i in (1, 2)],
        categories=[dict(id=5, name='cup')])
    found = [dict(image_id=2, category_id=5, score=0.5, segmentation=mask)]
    for name, content in (('truth.json', truth), ('found.json', found)):
        (tmp_path / name).write_text(json.dumps(content))
    return str(tmp_path / 'truth.json'), str(tmp_path / 'found.json')


def test_figures_of_two_files(files):
    named = score_files(*files, RULES).as_dict(classwise=True)
    assert named['AP_A_all'] == named['AP_A_all/cup'] == pytest.approx(100 * 51 / 101)
    assert named['AP_A_occluded'] is None  # there is none
    assert {key: value for key, value in named.items() if key.startswith('num_')} == dict(
        num_images=2, num_objects=2, num_occluded=0, num_ignored=0, num_detections=1, num_gated=0)
    assert not any(name.endswith(('_low', '_high')) for name in named)


def test_intervals_have_two_ends(files):
    named = score_files(*files, RULES, draws=10).as_dict()
    assert named['AP_A_all_low'] == 0 and named['AP_A_all_high'] == pytest.approx(100)


def test_missing_and_broken_files_are_named(files, tmp_path):
    with pytest.raises(FileNotFoundError, match='prediction file absent.json does not exist'):
        score_files(files[0], 'absent.json', RULES)
    (tmp_path / 'broken.json').write_text('{}')
    with pytest.raises(ValueError, match='broken.json holds a dict'):
        score_files(files[0], str(tmp_path / 'broken.json'), RULES)
