"""Configs of other networks: that of their name, and a training and a test of each kind."""

from pathlib import Path

import published_files
import pytest
from mmdet.registry import MODELS
from mmengine.logging import MessageHub, MMLogger

from mmamodal.apis.running.chain import build_runner
from mmamodal.apis.running.command_line import load_config

CONFIGS = Path(__file__).parents[1] / 'configs/asbu'


# torchvision's DeepLabv3 with a ResNet-50 and without the auxiliary head has 39,638,869 parameters.
# Here, 19 classes and one channel of the image are fewer, no normalisation follows the pooled
# branch, and the five branches have a bias.
DEEPLABV3 = 39_638_869 - 19 * 257 - 64 * 49 - 2 * 256 + 5 * 256
# Low-level features, as many more channels in the decoder, and a second layer of it.
PLUS = (256 * 48 + 2 * 48) + 9 * 48 * 256 + (9 * 256 * 256 + 2 * 256)


@pytest.mark.parametrize('slot, parameters', [
    ('unet025', 53_098), ('unet05', 210_738), ('unet1', 839_650), ('unet', 3_352_002),
    ('unet4', 13_394_818), ('unet-rgb', 14_955_266), ('deeplabv3', DEEPLABV3),
    ('deeplabv3plus', DEEPLABV3 + PLUS)])
def test_network_is_that_of_the_name_and_all_else_is_asbu(slot, parameters):
    cfg, asbu = (load_config(str(CONFIGS / f'asbu_{name}_56k_cocoa.py')) for name in (slot, 'unet'))
    network = MODELS.build(cfg.model.network)
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters
    sees_image = slot == 'unet-rgb'
    assert cfg.model.pop('with_image', False) == sees_image
    keys = ['model', 'optim_wrapper', 'train_cfg', 'param_scheduler']
    if not sees_image:
        keys += ['train_dataloader', 'val_dataloader', 'test_dataloader']
    for made in (cfg, asbu):
        made.model.pop('network')
    assert {key: cfg[key] for key in keys} == {key: asbu[key] for key in keys}


@pytest.mark.parametrize('stem', [
    'asbu_deeplabv3_scenes', 'asbu_deeplabv3plus_scenes', 'asbu_unet-rgb_scenes',
    'asbu_unet-rgb_56k_cocoa'])
def test_network_trains_and_completes(stem, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for kind in (MMLogger, MessageHub):
        kind._instance_dict.clear()
    cfg = load_config(str(CONFIGS / f'{stem}.py'))
    if stem.endswith('cocoa'):
        published_files.write('cocoa', tmp_path / 'data')
        cfg.train_dataloader.dataset.pipeline[0].patch_size = 64
        cfg.merge_from_dict({'model.patch_size': 64, 'model.network.base_channels': 4,
                             'model.network.backbone.init_cfg': None})
    for key in ('train_dataloader', 'val_dataloader'):
        cfg[key].update(num_workers=0, persistent_workers=False)
    if stem.endswith('scenes'):
        cfg.train_dataloader.dataset.dataset.num_scenes = 4
        cfg.val_dataloader.dataset.num_scenes = 2
    cfg.merge_from_dict({
        'work_dir': 'work', 'train_dataloader.batch_size': 2, 'train_cfg.max_iters': 1,
        'train_cfg.val_interval': 1, 'model.network.backbone.base_channels': 8,
        'model.cpu_bf16': False, 'randomness.seed': 0})
    runner = build_runner(cfg)
    before = {name: value.clone() for name, value in runner.model.named_parameters()}
    runner.train()
    first = 'network.backbone.conv1.weight'
    assert (dict(runner.model.named_parameters())[first] != before[first]).any()
    assert Path('work/iter_1.pth').is_file()
    metrics = runner.message_hub.get_scalar('val/completion/mIoU').current()
    assert 0 <= metrics <= 100
