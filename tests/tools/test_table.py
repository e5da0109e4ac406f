"""tools/analysis_tools/table.py and tune_thresholds.py: what they read, print and write."""

import json
import runpy
from pathlib import Path
from typing import Callable

import pytest
from written_runs import write_results

from mmamodal.apis.running.results import read_row

REPO = Path(__file__).parents[2]
RAW = f'{REPO}/configs/baselines/raw_scenes.py'
HULL = f'{REPO}/configs/baselines/convexr_scenes.py'
ASBU = f'{REPO}/configs/asbu/asbu_unet_scenes.py'
SMALL = ['test_dataloader.dataset.num_scenes=3', 'test_dataloader.num_workers=0',
         'test_dataloader.persistent_workers=False', 'val_dataloader.num_workers=0',
         'val_dataloader.persistent_workers=False']


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable:
    """main of the tool, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return runpy.run_path(str(REPO / 'tools/analysis_tools/table.py'))['main']


def test_what_is_missing_is_run(table, tmp_path, capsys):
    args = [f'raw={RAW}', f'hull={HULL}', '--reference', 'raw', '--markdown', 'out/table.md',
            '--csv', 'out/table.csv']
    with pytest.raises(FileNotFoundError, match='run python tools/test.py .*raw_scenes.py none'):
        table(args)
    table([*args, '--run', '--cfg-options', *SMALL])
    text = (tmp_path / 'out/table.md').read_text()
    assert text.rstrip() in capsys.readouterr().out and 'over 3 images' in text
    assert (tmp_path / 'out/table.csv').read_text().count('\n') == 3
    written = (tmp_path / 'work_dirs/raw_scenes/test/metrics.json').stat().st_mtime_ns
    table([*args, '--run'])  # nothing is run twice
    assert (tmp_path / 'work_dirs/raw_scenes/test/metrics.json').stat().st_mtime_ns == written
    raw = read_row('raw', RAW)
    assert raw.figures['inv_mIoU'] == 0 and len(raw.images) == 3


@pytest.mark.parametrize('options, words', [
    (['--reference', 'b'], "the reference 'b' is no row"), (['--csv', 'a/metrics.json'], r'ends in .csv'),
    (['--markdown', 'a/metrics.json'], r'ends in .md, got .a/metrics.json')])
def test_faults_are_told_before_hours_of_training(table, options, words, monkeypatch):
    monkeypatch.setitem(table.__globals__, 'produce', lambda *args: pytest.fail('it trained'))
    with pytest.raises((ValueError, OSError), match=words):
        table([f'a={ASBU}', '--run', *options])


def test_folders_and_names(table, tmp_path, capsys):
    write_results(tmp_path / 'work/a/one', 8)
    write_results(tmp_path / 'two', 9)
    table(['work/a/one', 'b=two', '--reference', 'a/one', '--figures', 'mIoU'])
    out = capsys.readouterr().out
    assert '| a/one | 80.0 [80.0, 80.0] |' in out
    assert '| b | +10.0 [+10.0, +10.0] p<0.001 |' in out


def test_numbers_of_detectors(table, tmp_path, capsys):
    (tmp_path / 'metrics.json').write_text('{"amodal/AP_A_all": 25.25, "coco/segm_mAP": 0.31}')
    table([f'detector={tmp_path}'])
    out = capsys.readouterr().out
    assert '|  | AP_A_all | segm_mAP |' in out and '| detector | 25.2 | 31.0 |' in out
    assert 'Without brackets' in out


def test_thresholds_are_printed_and_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tool = runpy.run_path(str(REPO / 'tools/analysis_tools/tune_thresholds.py'))
    choice = tool['Choice']('amodal_thr', 0.4, {
        value: dict(O_Acc=float('nan'), mIoU=90.0, inv_mIoU=figure)
        for value, figure in ((0.3, 60.0), (0.4, 61.25))})
    tool['main'].__globals__['choose_thresholds'] = lambda *args: [choice]
    tool['main']([ASBU, 'weights.pth'])
    out = capsys.readouterr().out
    assert 'amodal_thr, by inv_mIoU' in out and '  0.40*          –      90.0      61.2' in out
    assert out.endswith('--cfg-options model.amodal_thr=0.4\n')
    written = json.loads(Path('work_dirs/asbu_unet_scenes/thresholds.json').read_text())
    assert written['amodal_thr'] == 0.4 and written['checkpoint'] == 'weights.pth'
    assert written['tables']['amodal_thr'][0] == dict(value=0.3, O_Acc=None, mIoU=90, inv_mIoU=60)


@pytest.mark.parametrize('args, words', [
    (['--pairs', '0'], 'at least one of --pairs'), (['--thresholds', '1.5'], 'between 0 and 1')])
def test_options_out_of_range(args, words, capsys):
    tool = runpy.run_path(str(REPO / 'tools/analysis_tools/tune_thresholds.py'))
    with pytest.raises(SystemExit):
        tool['main']([ASBU, 'weights.pth', *args])
    assert words in capsys.readouterr().err
