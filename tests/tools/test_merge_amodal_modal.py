"""tools/analysis_tools/merge_amodal_modal.py, as a user calls it."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from mmamodal.apis.running.command_line import run_tool

TOOL = Path(__file__).parents[2] / 'tools/analysis_tools/merge_amodal_modal.py'


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The tool, in a folder with two files of predictions on masks of 1×4 pixels."""
    monkeypatch.chdir(tmp_path)
    write('amodal.json', [entry([0, 4], 0.75), entry([1, 3], 0.5)])
    write('visible.json', [entry([0, 3, 1], 0.25), entry([3, 1], 0.5)])
    spec = importlib.util.spec_from_file_location('merge_amodal_modal', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def entry(counts, score):
    return dict(image_id=1, category_id=1, score=score,
                segmentation=dict(size=[1, 4], counts=counts))


def write(path, content):
    Path(path).write_text(json.dumps(content))


@pytest.mark.parametrize('options, scores, matched', [
    ((), [0.5, 0.5], 1),
    (('--unmatched', 'keep'), [0.5, 0.5, 0.5], 1),
    (('--iou-thr', '0.3'), [0.5, 0.5], 2),
    (('--iou-thr', '0.8'), [0.75, 0.5], 0),
    (('--iou-thr', '0.4'), [0.5, 0.5], 1),
    (('--iou-thr', '0.4', '--many-to-one'), [0.5, 0.375], 2)])
def test_two_files_become_one(tool, capsys, options, scores, matched):
    tool.main(['amodal.json', 'visible.json', 'new/out.json', *options])
    entries = json.loads(Path('new/out.json').read_text())
    assert [e['score'] for e in entries] == scores
    assert all({'visible_mask', 'invisible_mask'} <= set(e) for e in entries)
    assert (f'Wrote new/out.json: {len(scores)} detections; {matched} of 2 amodal ones took one '
            'of 2 visible ones\n') == capsys.readouterr().out


@pytest.mark.parametrize('options, message', [
    (('absent.json', 'visible.json', 'out.json'), "'absent.json' is not a file"),
    (('text.json', 'visible.json', 'out.json'), "'text.json' is no valid JSON"),
    (('amodal.json', 'truth.json', 'out.json'), 'truth.json holds a dict: expected a COCO result'),
    (('amodal.json', 'visible.json', 'visible.json'), 'is to be written, but is read'),
    (('amodal.json', 'visible.json', 'out.pkl'), 'ends in .json'),
    (('amodal.json', './amodal.json', 'out.json'), './amodal.json is both files'),
    (('amodal.json', 'orcnn.json', 'out.json'), 'orcnn.json has visible masks beside the amodal'),
    (('amodal.json', 'visible.json', 'out.json', '--iou-thr', '2'), 'threshold from 0 to below 1'),
])
def test_what_cannot_be_merged_ends_with_one_line(tool, monkeypatch, capsys, options, message):
    Path('text.json').write_text('no JSON')
    write('truth.json', dict(images=[]))
    one = entry([0, 4], 0.5)
    write('orcnn.json', [dict(one, visible_mask=one['segmentation'])])
    monkeypatch.setattr(sys, 'argv', ['merge_amodal_modal.py', *options])
    assert run_tool(tool.main) == 1
    printed = capsys.readouterr().err
    assert 'Traceback' not in printed and message in printed.splitlines()[-1]
    assert not Path('out.json').exists() and not Path('out.pkl').exists()
