"""Models with their weights; wrong ones are tested where the tools are."""

from pathlib import Path

import pytest

from mmamodal.apis.running.command_line import load_config
from mmamodal.apis.running.models import load_model

CONFIGS = Path(__file__).parents[3] / 'configs'


@pytest.mark.parametrize('name, words', [
    ('asbu/asbu_unet_scenes', 'no checkpoint: the parameters of asbu_unet_scenes are at random\n'),
    ('baselines/raw_scenes', '')])
def test_parameters_at_random_are_told(capsys, name, words):
    model = load_model(load_config(str(CONFIGS / f'{name}.py')), 'none')
    assert not model.training and capsys.readouterr().out == words
