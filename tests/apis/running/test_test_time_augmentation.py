"""``--tta`` on a whole detector: the same view twice changes nothing, mirrored ones are merged."""

import json
from pathlib import Path

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config

from mmamodal.apis.running.test_time_augmentation import add_tta, with_mirror_images
from mmamodal.apis.score import choose_evaluators, score

CONFIG = Path(__file__).parents[3] / 'configs/orcnn/orcnn_r18_fpn_scenes.py'


@pytest.fixture
def cfg(tmp_path: Path) -> Config:
    cfg = Config.fromfile(CONFIG)
    cfg.merge_from_dict({
        'work_dir': str(tmp_path / 'work'), 'launcher': 'none', 'randomness.seed': 0,
        'test_dataloader.dataset.num_scenes': 3, 'test_dataloader.num_workers': 0,
        'test_dataloader.persistent_workers': False, 'model.test_cfg.rcnn.score_thr': 0.1})
    cfg.test_evaluator = choose_evaluators(cfg, ['amodal'])
    return cfg


@pytest.fixture
def weights(cfg: Config, tmp_path: Path) -> str:
    torch.manual_seed(1)
    torch.save(MODELS.build(cfg.model).state_dict(), tmp_path / 'weights.pth')
    return str(tmp_path / 'weights.pth')


def test_a_view_seen_twice_changes_nothing(cfg: Config, weights: str):
    plain = score(cfg.copy(), weights)
    same = dict(type='RandomFlip', prob=0.0)
    *steps, pack = cfg.test_dataloader.dataset.pipeline
    cfg.tta_pipeline = [*steps, dict(type='TestTimeAug', transforms=[[same, same], [pack]])]
    add_tta(cfg)
    assert cfg.model.type == 'AmodalTTAModel'
    twice = score(cfg, weights)
    assert twice == pytest.approx(plain, nan_ok=True)
    assert twice['amodal/AR100_V_all'] >= 0


def test_mirror_images_are_merged_into_files_with_all_masks(cfg: Config, weights: str,
                                                            tmp_path: Path):
    add_tta(cfg)
    score(cfg, weights, str(tmp_path / 'out.json'))
    entries = json.loads((tmp_path / 'out.json').read_text())
    assert {'segmentation', 'visible_mask', 'invisible_mask'} <= set(entries[0])
    assert len({entry['image_id'] for entry in entries}) == 3


def test_views_of_a_pipeline():
    pipeline = [dict(type='A'), dict(type='Pack')]
    steps, views = with_mirror_images(pipeline)
    assert steps == dict(type='A') and views['transforms'] == [
        [dict(type='RandomFlip', prob=0.0), dict(type='RandomFlip', prob=1.0)],
        [dict(type='Pack')]]


def test_the_configs_own_way_goes_first(cfg: Config):
    cfg.tta_model = dict(type='Mine', tta_cfg=dict(nms=None))
    cfg.tta_pipeline = [dict(type='Load')]
    add_tta(cfg)
    assert cfg.model.type == 'Mine' and cfg.model.module.type == 'MaskRCNN'
    assert cfg.test_dataloader.dataset.pipeline == [dict(type='Load')]


def test_completers_have_no_views():
    with pytest.raises(ValueError, match='is a completer: leave it out'):
        add_tta(Config(dict(model=dict(type='MaskCompleter'))))
