"""tools/analysis_tools/erosion_curve.py: what it measures, prints and writes."""

import json
import runpy
from pathlib import Path
from typing import Callable, Dict

import pytest

from mmamodal.apis import erosion
from mmamodal.evaluation.completion.completion_metric import FIGURES as NAMES

REPO = Path(__file__).parents[2]
CONFIG = f'{REPO}/configs/baselines/convexr_scenes.py'
SMALL = ['test_dataloader.dataset.num_scenes=1', 'test_dataloader.num_workers=0',
         'test_dataloader.persistent_workers=False']
SUMS = [{name: (1, 2) for name in NAMES}]
FIGURES = [dict(O_Acc=90.0, mIoU=80.0, inv_mIoU=float('nan')),
           dict(O_Acc=70.0, mIoU=60.5, inv_mIoU=50.0)]


@pytest.fixture(scope='module')
def tool() -> Dict[str, Callable]:
    return runpy.run_path(str(REPO / 'tools/analysis_tools/erosion_curve.py'))


def test_table(tool):
    assert tool['table'](dict(hull=FIGURES), [0, 1.5]).splitlines() == [
        '| | eroded by | 0 | 1.5 |', '|---|---|---|---|', '| hull | O_Acc | 90.0 | 70.0 |',
        '| hull | mIoU | 80.0 | 60.5 |', '| hull | inv_mIoU | – | 50.0 |']


def test_tool_writes_figures_and_picture(tool, tmp_path, capsys):
    out = tmp_path / 'curve.json'
    tool['main']([CONFIG, 'none', '--names', 'again', '--widths', '0', '--out', str(out),
                  '--cfg-options', *SMALL])
    written = json.loads(out.read_text())
    assert written['widths'] == [0] and set(written['curves']) == {'again', 'hull behind occluders'}
    assert written['curves']['again'] == written['curves']['hull behind occluders']
    assert out.with_suffix('.png').read_bytes().startswith(b'\x89PNG')
    assert '| again | O_Acc |' in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ['curve.json', 'curve.png']


def test_what_was_measured_survives_a_kill(tool, tmp_path, monkeypatch, capsys):
    measured, names = [], ['--names', 'model']
    monkeypatch.setattr(erosion, '_sums', lambda model, batch, width: measured.append(width) or (
        pytest.fail('killed') if len(measured) == 4 else SUMS))

    def run(*options: str) -> list:
        measured.clear()
        tool['main']([CONFIG, 'none', *names, '--widths', '0', '2', '--out',
                      str(tmp_path / 'curve.json'), '--cfg-options', *SMALL, *options])
        return measured

    with pytest.raises(pytest.fail.Exception, match='killed'):
        run()
    part = tmp_path / 'curve.json.part.jsonl'
    begun = part.read_text() + '{"finger'
    names[1] = 'renamed'
    for options, expected in (((), [2]), (('model.contact_gap=3', ), [0, 2])):
        part.write_text(begun)
        assert run(*options) == expected and not part.exists()
    assert 'is there from an interrupted run' in capsys.readouterr().out
    curves = json.loads((tmp_path / 'curve.json').read_text())['curves']
    assert curves['renamed'] == curves['hull behind occluders']


def test_a_checkpoint_that_is_missing_is_told_before_anything_is_measured(tool, tmp_path,
                                                                        monkeypatch):
    monkeypatch.setattr(erosion, '_sums', lambda *args: pytest.fail('was measured'))
    with pytest.raises(FileNotFoundError, match='checkpoint absent.pth does not exist'):
        tool['main']([CONFIG, 'absent.pth', '--out', str(tmp_path / 'x.json')])


@pytest.mark.parametrize('arguments, message', [
    ([CONFIG], 'expected a checkpoint after every config'),
    ([CONFIG, 'none', '--names', 'a', 'b'], 'expected 1 of --names, got 2'),
    ([CONFIG, 'none', '--widths', '0', '-2'], '--widths of at least 0')])
def test_what_does_not_belong_together_is_refused(tool, arguments, message, capsys):
    with pytest.raises(SystemExit):
        tool['main']([*arguments, '--out', 'x.json'])
    assert message in capsys.readouterr().err


def test_the_truth_is_not_written_over(tool, tmp_path):
    truth = tmp_path / 'truth.json'
    truth.write_text('{}')
    with pytest.raises(ValueError, match='truth.json is to be written, but is read'):
        tool['main']([CONFIG.replace('scenes', 'coco'), 'none', '--out', str(truth),
                      '--cfg-options', 'test_dataloader.dataset.data_root=',
                      f'test_dataloader.dataset.ann_file={truth}'])
    assert truth.read_text() == '{}'


def test_one_name_for_two_is_refused(tool, tmp_path):
    with pytest.raises(ValueError, match='need different names, got convexr_scenes, convexr_scene'):
        tool['main']([CONFIG, 'none', CONFIG, 'none', '--out', str(tmp_path / 'x.json')])
