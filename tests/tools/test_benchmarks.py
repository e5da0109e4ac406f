"""Benchmarks run, on little, and compare like with like."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope='module')
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location('detectors', ROOT / 'tools/benchmarks/detectors.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def options_of(tool: ModuleType, model: str) -> object:
    return tool.parse_args([
        '--base', str(ROOT / 'configs/mask_rcnn/mask-rcnn_r18_fpn_scenes.py'),
        '--model', str(ROOT / model), '--size', '64', '96', '--rounds', '1', '--detections', '3',
        '--device', 'cpu'])


def test_orcnn_against_mask_rcnn(tool: ModuleType, capsys):
    tool.measure_time(options_of(tool, 'configs/orcnn/orcnn_r18_fpn_scenes.py'))
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith(('prediction, 3 detections', 'training step'))
            ] == lines[-2:]
    assert all(' ms ' in line and line.endswith('x by CPU time') for line in lines[-2:])


def test_memory_is_more_than_the_weights(tool: ModuleType):
    options = options_of(tool, 'configs/orcnn/orcnn_r18_fpn_scenes.py')
    assert tool.peak(options.model, options, 3, True) > 50


def test_models_that_detect_otherwise_are_not_compared(tool: ModuleType, monkeypatch):
    options = options_of(tool, 'configs/orcnn/orcnn_r18_fpn_scenes.py')
    build = tool.build
    monkeypatch.setattr(tool, 'build', lambda config, device, count: build(
        config, device, count + (config == options.model)))
    with pytest.raises(ValueError, match='to detect as much, got'):
        tool.measure_time(options)
