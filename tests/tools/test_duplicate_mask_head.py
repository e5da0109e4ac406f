"""tools/model_converters/duplicate_mask_head.py, on a few numbers in place of weights."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from mmamodal.apis.running.command_line import run_tool

TOOL = Path(__file__).parents[2] / 'tools/model_converters/duplicate_mask_head.py'
CLASSES = ('person', 'car', 'train')


@pytest.fixture
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location('duplicate_mask_head', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def checkpoint(tmp_path, monkeypatch) -> Path:
    """A checkpoint of three classes, as mmengine leaves it behind."""
    monkeypatch.chdir(tmp_path)
    save('in.pth', dict(dataset_meta=dict(classes=CLASSES)))
    return Path('in.pth')


def save(path: str, meta: dict, count: int = 3, head: str = 'mask_head') -> None:
    rows = torch.arange(1., count + 1)
    weights = {f'module.roi_head.{head}.conv_logits.bias': rows,
               'module.roi_head.bbox_head.fc_cls.bias': torch.cat([rows, torch.zeros(1)]),
               'module.backbone.conv1.weight': torch.ones(2)}
    torch.save(dict(meta=meta, state_dict=weights, optimizer=dict(lr=1.0)), path)


def converted(tool: ModuleType, *options: str) -> dict:
    tool.main(['in.pth', 'out/out.pth', *options])
    return torch.load('out/out.pth', weights_only=True)


def test_both_heads(tool, capsys):
    made = converted(tool)
    assert set(made['state_dict']) == {
        'roi_head.mask_head.conv_logits.bias', 'roi_head.visible_mask_head.conv_logits.bias',
        'roi_head.bbox_head.fc_cls.bias', 'backbone.conv1.weight'}
    assert made['state_dict']['roi_head.visible_mask_head.conv_logits.bias'].tolist() == [1, 2, 3]
    assert 'optimizer' not in made and capsys.readouterr().out == 'Wrote out/out.pth\n'


@pytest.mark.parametrize('options, masks, scores', [
    (['--class-agnostic'], [2], [1, 2, 3, 0]),
    (['--one-class'], [2], [2 + 1.0986, 0]),
    (['--one-class', '--class-agnostic'], [2], [2 + 1.0986, 0]),
    (['--classes', 'tram', 'car', 'misc', '--same', 'tram=train'], [3, 2, 2], [3, 2, 2, 0])])
def test_other_classes(tool, options, masks, scores):
    weights = converted(tool, *options)['state_dict']
    for head in ('mask_head', 'visible_mask_head'):
        assert weights[f'roi_head.{head}.conv_logits.bias'].tolist() == masks
    assert weights['roi_head.bbox_head.fc_cls.bias'].tolist() == pytest.approx(scores, abs=1e-4)


def test_what_each_class_begins_with_is_printed_and_kept(tool, capsys):
    made = converted(tool, '--classes', 'tram', 'car', 'misc', '--same', 'tram=train')
    assert capsys.readouterr().out.splitlines()[:3] == [
        'tram: train', 'car: car', 'misc: mean of all']
    assert made['meta'] == dict(dataset_meta=dict(classes=('tram', 'car', 'misc')))


def test_classes_without_names_are_coco_s_if_they_are_eighty(tool):
    save('in.pth', {}, 80)
    weights = converted(tool, '--classes', 'car', 'toothbrush')['state_dict']
    assert weights['roi_head.mask_head.conv_logits.bias'].tolist() == [3, 80]


@pytest.mark.parametrize('options, message', [
    (['absent.pth', 'out.pth'], 'checkpoint absent.pth does not exist'),
    (['in.pth', './in.pth'], './in.pth would be overwritten: give another file'),
    (['two.pth', 'out.pth'], 'expected a Mask R-CNN with roi_head.mask_head alone, got none'),
    (['in.pth', 'out.pth', '--same', 'a=b'], "expected --same NEW=OLD beside --classes, got 'a=b'"),
    (['in.pth', 'out.pth', '--classes', 'a', '--same', 'a'], "beside --classes, got 'a'"),
    (['in.pth', 'out.pth', '--classes', 'a', '--same', 'a=tram'], "classes ['tram'] are not there"),
    (['nameless.pth', 'out.pth', '--classes', 'car'], 'has 3 classes and does not name them')])
def test_one_line_says_what_is_wrong(tool, monkeypatch, capsys, options, message):
    save('two.pth', {}, head='other_head')
    save('nameless.pth', {})
    monkeypatch.setattr(sys, 'argv', ['duplicate_mask_head.py', *options])
    assert run_tool(tool.main) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith('error: ') and message in error
    assert not Path('out.pth').exists()


def test_help_shows_how_it_is_called(tool, capsys):
    with pytest.raises(SystemExit):
        tool.main(['--help'])
    assert 'python tools/model_converters/duplicate_mask_head.py \\' in capsys.readouterr().out
