"""The reliability diagram and its tool."""

import json
import runpy
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmamodal.visualization.plots.reliability import reliability_diagram

TOOL = runpy.run_path(str(Path(__file__).parents[3] / 'tools/analysis_tools/reliability.py'))
SUMS = [[4, 0, 4], [0.4, 0, 3.6], [0, 0, 4]]
BOTH = dict(occluded=dict(reliability=SUMS, doubt=SUMS), patch=dict(reliability=SUMS, doubt=SUMS))
ONE = dict(occluded=dict(reliability=SUMS), patch=dict(reliability=SUMS))


def decoded(png: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)


def test_a_panel_for_each_thing_that_is_known():
    both, one = decoded(reliability_diagram(BOTH, 'x')), decoded(reliability_diagram(ONE, 'x'))
    assert both.shape[0] == one.shape[0] and both.shape[1] > 1.5 * one.shape[1]


def test_no_pixels_make_a_picture_too():
    nothing = np.zeros((3, 3)).tolist()
    empty = dict(occluded=dict(reliability=nothing), patch=dict(reliability=SUMS))
    assert decoded(reliability_diagram(empty, 'x')).std() > 0


def test_tool_draws_what_the_metric_wrote(tmp_path, capsys):
    (tmp_path / 'bins.json').write_text(json.dumps(BOTH))
    TOOL['main']([str(tmp_path / 'bins.json'), '--out', str(tmp_path / 'a' / 'b.png')])
    assert decoded((tmp_path / 'a' / 'b.png').read_bytes()) is not None
    assert 'Wrote' in capsys.readouterr().out


@pytest.mark.parametrize('content, out, words', [
    ('{}', 'a.jpg', 'ends in .png'),
    *((text, 'a.png', 'bins.json holds no bins of occluded and patch') for text in (
        '[]', 'no JSON', '["occluded", "patch"]', '{"occluded": {}, "patch": {}}',
        '{"occluded": {"reliability": 3}, "patch": {"reliability": 3}}'))])
def test_tool_refuses(tmp_path, content, out, words):
    (tmp_path / 'bins.json').write_text(content)
    with pytest.raises(ValueError, match=words):
        TOOL['main']([str(tmp_path / 'bins.json'), '--out', str(tmp_path / out)])
