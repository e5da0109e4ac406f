"""Weights that a training begins with."""

from urllib.error import URLError

import pytest
from mmengine.config import Config
from trainings import NOT_BEGUN, finished, save_checkpoint

from mmamodal.apis.running import initialisation
from mmamodal.apis.running.initialisation import (check_initialisation, pretrained,
                                                  without_pretrained)


def pretrained_config(source: str, **keys) -> Config:
    return Config(dict(model=dict(type='MaskRCNN', backbone=dict(
        init_cfg=dict(type='Pretrained', checkpoint=source))), **keys))


@pytest.mark.parametrize('source', ['https://host/resnet50.pth', 'torchvision://resnet50',
                                    'absent.pth'])
def test_weights_out_of_reach_name_the_remedy(monkeypatch, source):
    def offline(*args, **kwargs):
        raise URLError('no network')

    monkeypatch.setattr(initialisation, 'load_url', offline)
    monkeypatch.setitem(__import__('sys').modules, 'torchvision', None)
    with pytest.raises(ValueError, match=f'{source}.*model.backbone.init_cfg.checkpoint=/path.*'
                       'load_from=/path.*model.backbone.init_cfg=None'):
        check_initialisation(pretrained_config(source), NOT_BEGUN)


def test_weights_are_not_needed_to_resume_or_beside_load_from(tmp_path):
    whole = save_checkpoint(tmp_path / 'detector.pth')
    check_initialisation(pretrained_config('absent.pth'), finished(tmp_path))
    check_initialisation(pretrained_config('absent.pth', load_from=str(whole)), NOT_BEGUN)
    check_initialisation(pretrained_config('absent.pth'), NOT_BEGUN, resume=str(whole))


def test_without_pretrained_leaves_the_config_itself_alone():
    cfg = pretrained_config('x.pth')
    assert without_pretrained(cfg).model.backbone.init_cfg is None
    assert cfg.model.backbone.init_cfg.checkpoint == 'x.pth'


def test_weights_are_found_in_lists_of_parts():
    cfg = Config(dict(model=dict(
        backbone=dict(init_cfg=dict(type='Xavier', checkpoint='none')),
        roi_head=dict(bbox_head=[dict(init_cfg=None), dict(
            init_cfg=dict(type='Pretrained', checkpoint='head.pth'))]))))
    assert pretrained(cfg.model) == ['head.pth']
    assert pretrained(without_pretrained(cfg).model) == []
    assert without_pretrained(cfg).model.backbone == cfg.model.backbone
