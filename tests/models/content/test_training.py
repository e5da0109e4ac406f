"""Training of content completion from its config: both optimisers go on where they stopped."""

from pathlib import Path

import pytest
import torch
from mmcv.cnn import VGG
from mmdet.visualization import DetLocalVisualizer
from mmengine.config import Config
from mmengine.logging import MessageHub, MMLogger

from mmamodal.apis.running.chain import run_chain
from mmamodal.apis.running.command_line import load_config
from mmamodal.apis.score import score

CONFIGS = Path(__file__).parents[3] / 'configs'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as current directory."""
    for kind in (MMLogger, MessageHub, DetLocalVisualizer):  # mmengine names them by the second
        kind._instance_dict.clear()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr('yapf.yapflib.yapf_api.FormatCode', lambda text, **style: (text, True))
    return tmp_path


def small(iterations: int, work_dir: str = 'work', config: str = 'pcnet/pcnet-c_unet_scenes',
          **options) -> Config:
    loader = dict(num_workers=0, persistent_workers=False)
    scenes = dict(num_scenes=2, image_size=(64, 64), num_objects=(2, 3))
    cfg = load_config(str(CONFIGS / f'{config}.py'), dict(
        train_dataloader=dict(batch_size=2, dataset=dict(dataset=scenes), **loader),
        val_dataloader=dict(dataset=scenes, **loader),
        test_dataloader=dict(dataset=scenes, **loader),
        train_cfg=dict(max_iters=iterations, val_interval=iterations),
        default_hooks=dict(checkpoint=dict(interval=1), logger=dict(interval=1)),
        randomness=dict(seed=0), work_dir=work_dir, **options))
    if 'generator' in cfg.model:
        cfg.model.generator.base_channels = cfg.model.discriminator.base_channels = 4
    return cfg


def test_training_goes_on_with_both_optimisers(project, capsys):
    run_chain(small(2))
    two = torch.load('work/iter_2.pth', weights_only=False)
    run_chain(small(4))
    assert 'resumes from work/iter_2.pth' in capsys.readouterr().out
    four = torch.load('work/iter_4.pth', weights_only=False)
    assert set(four['optimizer']) == {'generator', 'discriminator'}
    for name, optimiser in four['optimizer'].items():
        assert {int(state['step']) for state in optimiser['state'].values()} == {4}
        rate = optimiser['param_groups'][0]['lr']
        assert rate == two['optimizer'][name]['param_groups'][0]['lr'] > 0
    for part in ('generator', 'discriminator'):
        changed = [not torch.equal(value, two['state_dict'][name])
                   for name, value in four['state_dict'].items()
                   if name.startswith(part) and name.endswith(('weight', 'original'))]
        assert changed and all(changed)
    metrics = score(small(4, 'test'), 'work/iter_4.pth')
    assert set(metrics) == {'content/L1', 'content/PSNR', 'content/L1_instance'}
    assert 0 < metrics['content/L1'] < 255


def test_perceptual_losses_by_path_train_and_are_not_needed_to_test(project):
    torch.save(VGG(16).state_dict(), 'vgg16.pth')
    run_chain(small(1, model=dict(vgg16='vgg16.pth')))
    Path('vgg16.pth').unlink()
    logged = next(Path('work').glob('*/vis_data/scalars.json')).read_text()
    assert '"loss_perceptual": ' in logged and '"loss_style": ' in logged
    with_losses = small(1, 'test', model=dict(vgg16='vgg16.pth'))
    assert score(with_losses, 'work/iter_1.pth') == score(small(1, 'test'), 'work/iter_1.pth')
    with pytest.raises(ValueError, match="vgg16='vgg16.pth' has no weights"):
        run_chain(small(1, 'other', model=dict(vgg16='vgg16.pth')))


@pytest.mark.parametrize('method', ['mean', 'telea'])
def test_baselines_are_measured_without_weights(project, method):
    metrics = score(small(1, config=f'baselines/content-{method}_scenes'), 'none')
    assert 0 < metrics['content/L1'] < 100


@pytest.mark.parametrize('data', ['cocoa', 'kins'])
def test_published_settings(data):
    cfg = load_config(str(CONFIGS / f'pcnet/pcnet-c_unet_450k_{data}.py'))
    assert cfg.train_cfg.max_iters == 450_000
    assert cfg.train_dataloader.batch_size == 16
    rates = [(cfg.optim_wrapper[name].optimizer.lr,
              tuple(cfg.optim_wrapper[name].optimizer.get('betas', (0.9, 0.999))))
             for name in ('generator', 'discriminator')]
    assert rates == [(1e-4, (0.9, 0.999)), (1e-5, (0.0, 0.9))]
    assert cfg.model.get('category_input', False) == (data == 'kins')
    assert cfg.train_dataloader.dataset.pipeline[1] == dict(type='PlaceOccluder', front_prob=1.0)
