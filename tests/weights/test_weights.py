"""Weights by name: from a training to a file, from its name to a test; what ships is as it says."""

import copy
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Iterator

import pytest
import torch
from mmengine.config import Config
from mmengine.fileio import load
from mmengine.logging import MessageHub, MMLogger
from mmengine.runner import CheckpointLoader
from mmengine.runner.checkpoint import load_checkpoint

from mmamodal import weights
from mmamodal.apis.publish import halved, publish
from mmamodal.apis.running.chain import build_runner, check_initialisation
from mmamodal.apis.running.checkpoints import Progress, check_fit
from mmamodal.apis.running.command_line import load_config
from mmamodal.apis.score import score
from mmamodal.files import sha256
from mmamodal.models import CompletionUNet

REPO = Path(__file__).parents[2]
CONFIG = REPO / 'configs/asbu/asbu_unet_scenes.py'
TINY = {
    'model.network.base_channels': 4, 'model.cpu_bf16': False, 'train_dataloader.batch_size': 2,
    'train_cfg.max_iters': 2, 'train_cfg.val_interval': 10, 'default_hooks.checkpoint.interval': 2,
    'work_dir': 'work', 'randomness.seed': 0, 'randomness.deterministic': False}


def tiny_config(path: Path = CONFIG) -> Config:
    """Two iterations of a small completer, its average kept; four scenes to test on."""
    cfg = load_config(str(path))
    loaders = [cfg[f'{split}_dataloader'] for split in ('train', 'val', 'test')]
    for loader in filter(None, loaders):
        loader.update(num_workers=0, persistent_workers=False)
        loader.dataset.get('dataset', loader.dataset).num_scenes = 4
    cfg.merge_from_dict(TINY)
    cfg.custom_hooks = [dict(type='EMAHook', momentum=0.3)]
    return cfg


@pytest.fixture(scope='module')
def trained(tmp_path_factory) -> Iterator[tuple]:
    """A checkpoint of a training with averaged weights; these, and those of its last step."""
    folder = tmp_path_factory.mktemp('training')
    for kind in (MMLogger, MessageHub):
        kind._instance_dict.clear()
    cfg = tiny_config()
    cfg.work_dir = str(folder)
    runner = build_runner(cfg)
    runner.train()
    ema = next(hook for hook in runner.hooks if type(hook).__name__ == 'EMAHook').ema_model.module
    yield str(folder / 'iter_2.pth'), ema.state_dict(), runner.model.state_dict()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """An empty folder of weights in place of the package's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(weights, 'FOLDER', tmp_path / 'weights')
    (tmp_path / 'weights').mkdir()
    return tmp_path / 'weights'


def test_averaged_weights_are_published_and_come_back_by_name(trained, folder):
    checkpoint, averaged, last = trained
    path = publish(checkpoint, folder / 'tiny.pth')
    assert path.parent == folder and path.name == f'tiny-{sha256(path)[:8]}.pth'
    assert [file.name for file in folder.iterdir()] == [path.name]
    loaded = CheckpointLoader.load_checkpoint('mmamodal://tiny', map_location='cpu')['state_dict']
    assert list(loaded) == list(averaged)
    for name, value in averaged.items():
        assert loaded[name].dtype == value.dtype, name
        exact = value.ndim < 2
        torch.testing.assert_close(loaded[name], value, rtol=0 if exact else 1e-3,
                                   atol=0 if exact else 1e-7)
    bias = 'network.encoder.1.0.bn.bias'
    assert (loaded[bias] != last[bias]).any()


def test_published_file_is_small_and_tells_no_paths(trained, folder):
    checkpoint = trained[0]
    path = publish(checkpoint, folder / 'tiny.pth')
    made = torch.load(path, weights_only=True)
    assert set(made) == {'meta', 'state_dict'} and set(made['meta']) == {
        'cfg', 'mmamodal_version', 'iter'}
    assert made['meta']['iter'] == 2 and str(Path(checkpoint).parent) not in str(made['meta'])
    for name, value in made['state_dict'].items():
        half = value.is_floating_point() and value.ndim > 1
        assert (value.dtype == torch.float16) == half, name
    assert path.stat().st_size < Path(checkpoint).stat().st_size / 4


def test_a_network_computes_what_it_did_before(folder):
    """Float16 has eleven bits; kernels of the published beginning are small, variances tiny."""
    torch.manual_seed(0)
    network = CompletionUNet(base_channels=4)
    network.init_weights()
    for _ in range(20):
        network(torch.rand(4, 2, 32, 32))
    kept = copy.deepcopy(network.eval())
    torch.save(dict(state_dict=halved(network.state_dict())), folder / 'half.pth')
    digits = sha256(folder / 'half.pth')[:8]
    (folder / 'half.pth').rename(folder / f'half-{digits}.pth')
    for path in ('mmamodal://half', str(folder / f'half-{digits}.pth')):
        network.head.weight.data.fill_(3)
        load_checkpoint(network, path, map_location='cpu', strict=True)
        assert all(value.dtype == torch.float32 for value in network.parameters())
        x = torch.rand(4, 2, 32, 32)
        with torch.no_grad():
            torch.testing.assert_close(network(x), kept(x), rtol=0.01, atol=2e-3)


@pytest.mark.parametrize('config, other', [
    ('asbu_unet_scenes.py', None), ('uncertainty_unet_scenes.py', "evidence='boundary', not 'mask'")
])
def test_a_name_stands_for_a_checkpoint_in_a_test(trained, folder, config, other):
    publish(trained[0], folder / 'tiny.pth')
    cfg = tiny_config(CONFIG.parent / config)
    if other:
        with pytest.raises(ValueError, match=f'mmamodal://tiny is a checkpoint of .*{other}'):
            score(cfg, 'mmamodal://tiny')
    else:
        assert 0 < score(cfg, 'mmamodal://tiny')['completion/mIoU'] <= 100


def test_pseudo_labels_name_the_weights_and_their_digest(trained, folder):
    path = publish(trained[0], folder / 'tiny.pth')
    cfg = tiny_config(CONFIG.parent / 'asbu_unet_scenes_pseudo-labels.py')
    cfg.test_evaluator.out_file = 'labels.json'
    score(cfg, 'mmamodal://tiny')
    info = load('labels.json')['info']
    assert (info['checkpoint'], info['checkpoint_sha256']) == ('mmamodal://tiny', sha256(path))


def test_a_training_can_begin_with_a_name(trained, folder):
    publish(trained[0], folder / 'tiny.pth')
    cfg = tiny_config()
    cfg.load_from, cfg.custom_hooks = 'mmamodal://tiny', []
    check_initialisation(cfg, Progress(None, 0, 2, 'iterations'))
    runner = build_runner(cfg)
    runner.load_or_resume()
    for name, value in runner.model.state_dict().items():
        torch.testing.assert_close(value, trained[1][name], rtol=1e-3, atol=1e-7)
    cfg.load_from = 'mmamodal://other'
    with pytest.raises(ValueError, match='other: there are no weights'):
        check_initialisation(cfg, Progress(None, 0, 2, 'iterations'))


@pytest.mark.parametrize('names, words', [
    ([], 'expected one of none: no file is here'),
    (['b-0123abcd.pth', 'a_c-89abcdef.pth', 'x.pth', 'metafile.yml'],
     'expected one of mmamodal://a_c, mmamodal://b$')])
def test_unknown_names_are_told_the_known(folder, names, words):
    for name in names:
        (folder / name).touch()
    for ask in (weights.local_file, CheckpointLoader.load_checkpoint):
        with pytest.raises(ValueError, match=f'mmamodal://x: there are no weights.*{words}'):
            ask('mmamodal://x')
    with pytest.raises(ValueError, match='mmamodal://x: there are no weights'):
        check_fit(torch.nn.Linear(1, 1), 'mmamodal://x', Config())
    assert weights.local_file('some/x.pth') == 'some/x.pth'


def test_damaged_files_and_two_of_a_name_are_refused(trained, folder):
    path = publish(trained[0], folder / 'tiny.pth')
    assert weights.local_file('mmamodal://tiny') == str(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match='tiny-.*.pth is damaged'):
        weights.local_file('mmamodal://tiny')
    shutil.copy(path, folder / 'tiny-00000000.pth')
    with pytest.raises(ValueError, match='same name mmamodal://tiny: remove the old one'):
        weights.local_file('mmamodal://tiny')


def test_weights_go_into_the_wheel_and_the_source_distribution(tmp_path):
    pytest.importorskip('setuptools')
    project = tmp_path / 'project'
    shutil.copytree(REPO / 'mmamodal', project / 'mmamodal',
                    ignore=shutil.ignore_patterns('__pycache__', '*.pth'))
    for name in ('setup.cfg', 'pyproject.toml', 'README.md', 'LICENSE'):
        shutil.copy(REPO / name, project)
    (project / 'mmamodal/weights/x-01234567.pth').write_text('x')
    (project / 'mmamodal/weights/metafile.yml').write_text('x')
    build = ("import setuptools.build_meta as made; print(made.build_sdist('.')); "
             "print(made.build_wheel('.'))")
    output = subprocess.run([sys.executable, '-c', build], cwd=project, check=True, text=True,
                            capture_output=True).stdout
    sdist, wheel = (project / line for line in output.splitlines() if line.endswith(
        ('.tar.gz', '.whl')))
    with tarfile.open(sdist) as archive, zipfile.ZipFile(wheel) as wheel_archive:
        contents = [archive.getnames(), wheel_archive.namelist()]
    for names in contents:
        for wanted in ('x-01234567.pth', 'metafile.yml', '__init__.py'):
            assert any(name.endswith(f'mmamodal/weights/{wanted}') for name in names), wanted


def test_git_keeps_the_weights():
    lines = (REPO / '.gitignore').read_text().splitlines()
    assert lines.index('*.pth') < lines.index('!/mmamodal/weights/*.pth')


SHIPPED = sorted((REPO / 'mmamodal/weights').glob('*.pth'))


@pytest.mark.parametrize('path', SHIPPED, ids=lambda path: path.stem)
def test_shipped_weights_are_what_the_metafile_says(path, monkeypatch):
    monkeypatch.setattr(weights, 'FOLDER', path.parent)
    name = weights.FILE_NAME.fullmatch(path.name)['name']
    metafile = load(path.parent / 'metafile.yml')
    model, = [model for model in metafile['Models'] if model['Name'] == name]
    assert model['Weights'] == f'mmamodal://{name}'
    assert model['Metadata']['SHA-256'] == sha256(path)
    assert model['In Collection'] in [item['Name'] for item in metafile['Collections']]
    assert model['Results'] and all(result['Metrics'] for result in model['Results'])
    cfg = load_config(str(REPO / model['Config']))
    network = build_runner(Config(dict(cfg, work_dir='work', train_dataloader=None, train_cfg=None,
                                       optim_wrapper=None, val_dataloader=None, val_cfg=None,
                                       val_evaluator=None, test_dataloader=None, test_cfg=None,
                                       test_evaluator=None, param_scheduler=None))).model
    check_fit(network, model['Weights'], cfg)
    assert path.stat().st_size < 8e6


def test_metafile_lists_what_ships():
    metafile = REPO / 'mmamodal/weights/metafile.yml'
    listed = {model['Name'] for model in load(metafile)['Models']} if metafile.is_file() else set()
    assert listed == {weights.FILE_NAME.fullmatch(path.name)['name'] for path in SHIPPED}


def test_template_in_the_docs_has_what_is_asked_of_a_metafile(tmp_path):
    text = (REPO / 'docs/weights.md').read_text().split('```yaml\n')[1].split('```')[0]
    (tmp_path / 'metafile.yml').write_text(text)
    metafile = load(tmp_path / 'metafile.yml')
    model, = metafile['Models']
    assert model['Weights'] == f"mmamodal://{model['Name']}"
    assert model['In Collection'] == metafile['Collections'][0]['Name']
    assert model['Metadata']['SHA-256'] and model['Metadata']['Data License'] == 'CC BY 4.0'
    assert model['Results'][0]['Metrics'] and (REPO / model['Config']).is_file()
