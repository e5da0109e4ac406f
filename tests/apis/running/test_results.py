"""Results on disk as rows of a table."""

from pathlib import Path

import pytest
from written_runs import write_results

from mmamodal.apis.running.results import FIGURES, known_figures, read_row, results_folder
from mmamodal.evaluation.completion.results_table import Row

ASBU = str(Path(__file__).parents[3] / 'configs/asbu/asbu_unet_scenes.py')


def test_what_to_do_where_there_are_no_results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match='train.py .*asbu_unet_scenes.py and .* CHECKPOINT'):
        read_row('x', ASBU)
    with pytest.raises(FileNotFoundError, match='--work-dir nowhere, or give the path'):
        read_row('x', 'nowhere')
    assert results_folder(ASBU) == Path('work_dirs/asbu_unet_scenes/test')


def test_files_of_two_tests_are_refused(tmp_path):
    write_results(tmp_path / 'a', 8)
    write_results(tmp_path / 'b', 9)
    (tmp_path / 'b/metrics.json').rename(tmp_path / 'a/metrics.json')
    with pytest.raises(ValueError, match='are of two tests: mIoU is 80.0 in the one and 90.0'):
        read_row('x', str(tmp_path / 'a'))
    (tmp_path / 'a/completion_per_image.json').write_text('[{"mIoU": 3}]')
    with pytest.raises(ValueError, match='no list of sums'):
        read_row('x', str(tmp_path / 'a'))


def test_columns():
    rows = [Row('a', {'mIoU': 1.0, 'O_Acc': 2.0, 'loss': 3.0}), Row('b', {'coco/segm_mAP': 4.0})]
    assert known_figures(rows) == ['O_Acc', 'mIoU', 'coco/segm_mAP']
    assert set(known_figures(rows)) < set(FIGURES)
    assert known_figures(rows, ['loss']) == ['loss']
    with pytest.raises(ValueError, match=r"no row has AP: expected some of \['O_Acc', 'coco/"):
        known_figures(rows, ['AP'])
