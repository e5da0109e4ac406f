"""tools/train.py and tools/test.py on tiny scenes: kills, two processes, and errors of users."""

import importlib.util
import json
import os
import pickle
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import List

import pytest
import torch
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope

from mmamodal.apis.running.command_line import load_config, run_tool
from mmamodal.apis.score import score

REPO = Path(__file__).parents[2]
TOOLS = REPO / 'tools'

KILLER = '''
import os, signal
from pathlib import Path
from mmdet.registry import HOOKS
from mmengine.hooks import Hook

@HOOKS.register_module(force=True)
class KillOnce(Hook):
    priority = 'LOWEST'

    def __init__(self, mark, train=0, test=0):
        self.mark, self.train, self.test = Path(mark), train, test

    def kill(self):
        if not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    def after_train_iter(self, runner, *args, **kwargs):
        if runner.iter + 1 == self.train:
            self.kill()

    def after_test_iter(self, runner, batch_idx, **kwargs):
        if batch_idx + 1 == self.test:
            self.kill()
'''
COMPLETER = f'''
_base_ = ['{REPO}/configs/_base_/models/completer_unet.py',
          '{REPO}/configs/_base_/datasets/scenes_completion.py',
          '{REPO}/configs/_base_/completion_runtime.py']
custom_imports = dict(imports=['mmamodal', 'killer'])
custom_hooks = [dict(type='KillOnce', mark='killed-1', train=5)]
model = dict(network=dict(base_channels=4), patch_size=32, unite_visible=True)
scenes = dict(num_scenes=4, image_size=(64, 64), num_objects=(2, 3))
loader = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(batch_size=4, dataset=dict(
    dataset=scenes, pipeline=[dict(type='CropPair', patch_size=32), dict(type='PlaceOccluder'),
                              dict(type='PackCompletionInputs')]), **loader)
val_dataloader = None
val_evaluator = None
test_dataloader = dict(dataset=scenes, **loader)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=8)
randomness = dict(seed=0)
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(optimizer=dict(type='SGD', lr=1e-3, momentum=0.9))
param_scheduler = [dict(type='MultiStepLR', by_epoch=False, milestones=[6])]
default_hooks = dict(checkpoint=dict(interval=2), logger=dict(interval=1))
'''
LABELS = '''
_base_ = './completer.py'
custom_hooks = [dict(type='KillOnce', mark='killed-2', test=2)]
test_dataloader = dict(dataset=dict(split='train', visible_only=True))
test_evaluator = dict(_delete_=True, type='PseudoLabelWriter',
                      out_file='work_dirs/completer/labels.json')
'''
DETECTOR = f'''
_base_ = ['{REPO}/configs/_base_/models/mask-rcnn_r18-light_fpn.py',
          '{REPO}/configs/_base_/datasets/scenes_instance.py',
          '{REPO}/configs/_base_/default_runtime.py']
custom_imports = dict(imports=['mmamodal', 'killer'])
custom_hooks = [dict(type='KillOnce', mark='killed-3', train=5)]
stage1 = dict(config='./completer.py', pseudo_labels='./labels.py')
model = dict(
    backbone=dict(base_channels=8, stem_channels=8),
    neck=dict(in_channels=[8, 16, 32, 64], out_channels=16),
    rpn_head=dict(in_channels=16, feat_channels=16),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=16), mask_roi_extractor=dict(out_channels=16),
        bbox_head=dict(num_classes=6, in_channels=16, fc_out_channels=16),
        mask_head=dict(num_classes=6, num_convs=1, in_channels=16, conv_out_channels=16)),
    test_cfg=dict(rcnn=dict(score_thr=0.01)))
scenes = dict(num_scenes=4, image_size=(64, 64), num_objects=(2, 3))
loader = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(
    batch_size=2, dataset=dict(ann_file='work_dirs/completer/labels.json', **scenes), **loader)
val_dataloader = None
val_evaluator = None
test_dataloader = dict(batch_size=1, dataset=scenes, **loader)
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=3)
randomness = dict(seed=0)
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(optimizer=dict(type='SGD', lr=1e-3, momentum=0.9))
param_scheduler = [dict(type='MultiStepLR', by_epoch=True, milestones=[2])]
log_processor = dict(by_epoch=False)
default_hooks = dict(logger=dict(interval=1))
'''


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the three configs of a chain on four scenes, as current directory."""
    for name, text in (('killer', KILLER), ('completer', COMPLETER), ('labels', LABELS),
                       ('detector', DETECTOR)):
        (tmp_path / f'{name}.py').write_text(text)
    # mmengine names loggers by the second: a test gets none of the last one's.
    for kind in (MMLogger, MessageHub, DefaultScope):
        kind._instance_dict.clear()
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join([str(REPO), str(tmp_path)]))
    monkeypatch.setenv('PATH', os.pathsep.join([str(Path(sys.executable).parent),
                                                os.environ['PATH']]))
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '')
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    return tmp_path


def call(*command: str, code: int = 0) -> str:
    """Output of a command that must end with an exit code."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=300)
    assert done.returncode == code, done.stdout[-4000:]
    return done.stdout


def train(code: int = 0) -> str:
    return call(sys.executable, str(TOOLS / 'train.py'), 'detector.py', code=code)


def iterations(output: str, mode: str) -> List[str]:
    """The counts ``[3/8]`` of logged iterations; ``eta`` tells them from the summary."""
    return re.findall(rf'Iter\({mode}\) \[(\d+/\d+)\].* eta:.* time:', output)


def test_the_same_command_goes_on_after_a_kill_in_each_part(project):
    work = project / 'work_dirs'
    first = train(-signal.SIGKILL)
    assert 'part 1 of 3: training of completer: to do: not begun, 8 iterations to do' in first
    assert 'part 3 of 3: training of detector: to do' in first
    assert iterations(first, 'train') == ['1/8', '2/8', '3/8', '4/8', '5/8']

    (work / 'completer/iter_6.pth').write_bytes(
        (work / 'completer/iter_4.pth').read_bytes()[:5000])  # killed while it was written
    second = train(-signal.SIGKILL)
    assert 'iter_6.pth is passed over: it cannot be read' in second
    assert 'resumes from work_dirs/completer/iter_4.pth' in second
    assert iterations(second, 'train') == ['5/8', '6/8', '7/8', '8/8']
    assert iterations(second, 'test') == ['1/4', '2/4']

    part = work / 'completer/labels.json.part-000.jsonl'
    part.write_bytes(part.read_bytes()[:-9])  # killed while it was written
    third = train(-signal.SIGKILL)
    assert 'training of completer: is done: 8 of 8 iterations' in third
    assert '1 of 4 images have their labels from an interrupted run; 3 are left' in third
    assert iterations(third, 'test') == ['1/3', '2/3', '3/3']
    assert iterations(third, 'train') == ['1/6', '2/6', '3/6', '4/6', '5/6']

    fourth = train()
    assert 'part 2 of 3: pseudo-labels: is done: work_dirs/completer/labels.json' in fourth
    assert 'resumes from work_dirs/detector/epoch_2.pth' in fourth
    assert iterations(fourth, 'train') == ['5/6', '6/6']
    assert iterations(fourth, 'test') == []

    before = {path: path.stat().st_mtime_ns for path in work.rglob('*')}
    assert 'already trained: nothing to do' in train()
    assert {path: path.stat().st_mtime_ns for path in work.rglob('*')} == before
    assert sorted(path.name for path in work.glob('*/*') if path.is_file()) == [
        'completer.py', 'detector.py', 'epoch_2.pth', 'epoch_3.pth', 'iter_6.pth', 'iter_8.pth',
        'labels.json', 'last_checkpoint', 'last_checkpoint', 'trained_on.json']
    labels = json.loads((work / 'completer/labels.json').read_text())
    assert [image['id'] for image in labels['images']] == [1, 2, 3, 4]


def test_two_processes_train_and_test_both_stages(project):
    for part in (1, 2, 3):
        (project / f'killed-{part}').touch()
    output = call('bash', str(TOOLS / 'dist_train.sh'), 'detector.py', '2')
    assert iterations(output, 'train')[-1] == '3/3'
    labels = json.loads((project / 'work_dirs/completer/labels.json').read_text())
    for config, checkpoint in (('completer', 'iter_8'), ('detector', 'epoch_3')):
        weights = f'work_dirs/{config}/{checkpoint}.pth'
        call('bash', str(TOOLS / 'dist_test.sh'), f'{config}.py', weights, '2')
        two = json.loads((project / f'work_dirs/{config}/test/metrics.json').read_text())
        assert max(two.values()) > 0, two
        assert with_one_process(config, weights) == two
    metrics = with_one_process('labels', 'work_dirs/completer/iter_8.pth')
    again = json.loads((project / 'work_dirs/completer/labels.json').read_text())
    assert again['annotations'] == labels['annotations']
    assert again['images'] == labels['images']
    assert metrics['pseudo_labels/images'] == 4


def with_one_process(config: str, weights: str) -> dict:
    cfg = load_config(f'{config}.py')
    cfg.work_dir = 'work_dirs/one'
    return score(cfg, weights)


@pytest.fixture(scope='module')
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with weights of the tiny completer, untrained."""
    from mmdet.registry import MODELS
    folder = tmp_path_factory.mktemp('weights')
    (folder / 'killer.py').write_text(KILLER)
    (folder / 'completer.py').write_text(COMPLETER.replace(", 'killer'", ''))
    torch.manual_seed(0)
    cfg = load_config(str(folder / 'completer.py'))
    meta = dict(iter=8, epoch=0, cfg=cfg.pretty_text)
    torch.save(dict(state_dict=MODELS.build(cfg.model).state_dict(), meta=meta),
               folder / 'weights.pth')
    return folder


def tool(name: str) -> ModuleType:
    """tools/NAME.py as a module."""
    spec = importlib.util.spec_from_file_location(f'tools_{name}', TOOLS / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def error_of(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, name: str,
             *options: str) -> str:
    """The one line that a tool ends with."""
    monkeypatch.setattr(sys, 'argv', [name, *options])
    assert run_tool(tool(name).main) == 1
    printed = capsys.readouterr().err
    message = printed.splitlines()[-1]  # after warnings of others, if any
    assert message.startswith('error: ') and 'Traceback' not in printed
    return message


@pytest.mark.parametrize('options, message', [
    (('absent.py', 'none'), 'config absent.py does not exist'),
    (('completer.py', 'absent.pth'), 'checkpoint absent.pth does not exist'),
    (('completer.py', 'killer.py'), 'killer.py cannot be read as a checkpoint'),
    (('completer.py', 'none', '--eval', 'mIoU'),
     '--eval knows segm, bbox, amodal, completion, calibration, content, not mIoU'),
    (('completer.py', 'none', '--eval', 'segm'), '--eval segm does not go with completer, whose '
     'MaskCompleter is a completer: use --eval completion'),
    (('detector.py', 'none', '--eval', 'completion'), 'use --eval segm bbox amodal'),
    (('completer.py', 'none', '--out', 'x.json'), 'x.json does not go with a completer'),
    (('detector.py', 'none', '--out', 'x.txt'), 'expected --out to end in .pkl or .json, got x.txt'),
    (('completer.py', 'none', '--cfg-options', 'model.network.base_channel=4'),
     "unexpected keyword argument 'base_channel'"),
    (('completer.py', 'none', '--cfg-options', 'model.type=Completer'),
     'Completer is not in the mmdet::model registry'),
    (('detector.py', 'weights.pth'), 'weights.pth is a checkpoint of another model than that of '
     'detector: '),
    (('completer.py', 'none', '--launcher', 'slurm'), '--launcher slurm needs GPUs'),
    (('labels.py', 'weights.pth', '--cfg-options', 'test_evaluator.out_file=mine.json'),
     'mine.json is no pseudo-label file'),
    (('labels.py', 'weights.pth', '--cfg-options', 'model.evidence=boundary'),
     "it was trained with model.evidence='mask', not 'boundary'"),
])
def test_test_ends_with_one_line(project, trained, monkeypatch, capsys, options, message):
    (project / 'weights.pth').symlink_to(trained / 'weights.pth')
    (project / 'mine.json').write_text('{"images": []}')
    for part in (1, 2, 3):  # no kills here: the tools run in this process
        (project / f'killed-{part}').touch()
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    assert message in error_of(monkeypatch, capsys, 'test', *options)


@pytest.mark.parametrize('options, message', [
    (('absent.py', ), 'config absent.py does not exist'),
    (('killer.py', ), 'config killer.py cannot be read: '),
    (('labels.py', '--cfg-options', 'train_cfg.max_iters=0'), 'labels.py has nothing to train'),
    (('detector.py', '--resume', 'absent.pth'), 'error: checkpoint absent.pth does not exist'),
    (('detector.py', '--cfg-options', 'foo'), "--cfg-options: expected KEY=VALUE, got 'foo'"),
    (('detector.py', '--work-dir', 'killer.py'), 'work dir killer.py cannot be made'),
    (('detector.py', '--auto-scale-lr'), 'expected auto_scale_lr=dict(base_batch_size=...)'),
    (('detector.py', '--cfg-options', 'stage1.config=./absent.py'), 'absent.py does not exist'),
    (('detector.py', '--cfg-options', 'train_dataloader.dataset.ann_file=other.json'),
     'trains on other.json, but its pseudo-labels are written to work_dirs/completer/labels.json'),
    (('detector.py', '--cfg-options', 'load_from=absent.pth'), 'absent.pth does not exist: give'),
])
def test_train_ends_with_one_line(project, monkeypatch, capsys, options, message):
    assert message in error_of(monkeypatch, capsys, 'train', *options)
    assert not (project / 'work_dirs').exists()


@pytest.mark.parametrize('config, has_option', [('completer.py', True), ('detector.py', False)])
def test_amp_without_gpu_says_what_to_do(project, monkeypatch, capsys, config, has_option):
    module = tool('train')
    monkeypatch.setattr(module, 'get_device', lambda: 'cpu')
    monkeypatch.setattr(sys, 'argv', ['train', config, '--amp'])
    assert run_tool(module.main) == 1
    printed = capsys.readouterr().err
    assert 'error: --amp needs a GPU: leave it out' in printed
    assert ('model.cpu_bf16=True' in printed) == has_option


def test_predictions_and_pictures_are_written(project, trained, monkeypatch):
    monkeypatch.setattr(sys, 'argv', [
        'test', 'completer.py', str(trained / 'weights.pth'), '--eval', 'completion', '--out',
        'predictions.pkl', '--show-dir', 'pictures', '--work-dir', 'tested'])
    tool('test').main()
    predictions = pickle.loads((project / 'predictions.pkl').read_bytes())
    assert [prediction['img_id'] for prediction in predictions] == [1, 2, 3, 4]
    assert 'evidence' not in predictions[0]['pred_instances']
    assert set(predictions[0]['pred_instances']['masks'][0]) == {'size', 'counts'}
    assert len(list((project / 'pictures').glob('*.png'))) == 4
    assert 'completion/mIoU' in json.loads((project / 'tested/metrics.json').read_text())


def test_a_full_disk_loses_predictions_but_no_metrics(project, trained, monkeypatch, capsys):
    if not Path('/dev/full').exists():
        pytest.skip('no /dev/full, on which nothing can be written')
    (project / 'predictions.pkl').symlink_to('/dev/full')
    message = error_of(monkeypatch, capsys, 'test', 'completer.py', str(trained / 'weights.pth'),
                       '--out', 'predictions.pkl', '--work-dir', 'tested')
    assert message == 'error: predictions.pkl: No space left on device; give another path'
    assert 'completion/mIoU' in json.loads((project / 'tested/metrics.json').read_text())
    assert 'completion/mIoU' in next((project / 'tested').rglob('*.log')).read_text()


def test_model_without_weights_is_tested_with_none(project, monkeypatch):
    monkeypatch.setattr(sys, 'argv', [
        'test', 'hulls.py', 'none', '--work-dir', 'tested'])
    (project / 'hulls.py').write_text(
        "_base_ = './completer.py'\n"
        "model = dict(_delete_=True, type='HullCompleter', method='raw')\n")
    tool('test').main()
    metrics = json.loads((project / 'tested/metrics.json').read_text())
    assert metrics['completion/inv_mIoU'] == 0


@pytest.mark.parametrize('script', ['dist_train', 'dist_test', 'slurm_train', 'slurm_test'])
def test_scripts_say_how_they_are_called(script):
    assert f'{script}.sh ' in call('bash', str(TOOLS / f'{script}.sh'), code=1)
