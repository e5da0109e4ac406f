"""The chain's judgement of what is on disk, and its refusals; the runs are in tests/tools."""

import json
from pathlib import Path
from typing import Callable, List

import pytest
import torch
from mmengine.config import Config, ConfigDict
from torch import nn
from trainings import NOT_BEGUN, a_config, finished, labels_config, save_checkpoint

from mmamodal.apis.label import decided_by
from mmamodal.apis.running import chain
from mmamodal.apis.running.chain import (Part, Stage1, announce, check_reads, labels_state,
                                         run_chain, train)
from mmamodal.apis.running.command_line import load_config


def test_finished_training_is_not_built_again(tmp_path, monkeypatch):
    save_checkpoint(tmp_path / 'iter_8.pth', 8)
    monkeypatch.setattr(chain, 'build_runner', lambda cfg: pytest.fail('was built'))
    train(a_config(tmp_path))


@pytest.mark.parametrize('resume, expected', [(None, 'iter_4.pth'), ('other.pth', 'other.pth')])
def test_training_resumes_from(tmp_path, monkeypatch, resume, expected):
    save_checkpoint(tmp_path / 'iter_4.pth', 4)
    built = []
    monkeypatch.setattr(chain, 'build_runner', lambda cfg: built.append(cfg) or RunnerStub())
    save_checkpoint(tmp_path / 'other.pth')
    monkeypatch.chdir(tmp_path)
    train(a_config(tmp_path, model=dict(init_cfg=dict(type='Pretrained', checkpoint='x'))), resume)
    assert (Path(built[0].load_from).name, built[0].resume) == (expected, True)
    assert built[0].model.init_cfg is None


def test_training_does_not_resume_from_another_model(tmp_path, monkeypatch):
    save_checkpoint(tmp_path / 'iter_4.pth', 4, other=torch.ones(1))
    stub = RunnerStub()
    stub.model = nn.Linear(2, 1)
    monkeypatch.setattr(chain, 'build_runner', lambda cfg: stub)
    with pytest.raises(ValueError, match='iter_4.pth is a checkpoint of another model'):
        train(a_config(tmp_path, model=dict(type='Linear')))


class RunnerStub:
    model = nn.Module()

    def train(self) -> None:
        pass


def write_label_file(folder: Path, images: int = 0, **info) -> None:
    (folder / 'labels.json').write_text(json.dumps(dict(info=info, images=[{}] * images)))


def test_labels_of_this_completer_are_used(tmp_path):
    completer, cfg = finished(tmp_path), labels_config(tmp_path, amodal_thr=0.5)
    write_label_file(tmp_path, **decided_by(cfg, str(completer.checkpoint)))
    assert labels_state(cfg, completer)['usable']


@pytest.mark.parametrize('change, word', [
    ('threshold', 'another model'), ('checkpoint', 'another checkpoint_sha256'),
    ('annotations', 'another source'), ('unfinished', 'another completer'),
    ('uncertainty', 'another with_uncertainty')])
def test_labels_of_something_else_are_written_anew(tmp_path, change, word):
    (tmp_path / 'train.json').write_text('old')
    completer, cfg = finished(tmp_path), labels_config(tmp_path, amodal_thr=0.5)
    write_label_file(tmp_path, **decided_by(cfg, str(completer.checkpoint)))
    if change == 'threshold':
        cfg.model.amodal_thr = 0.4
    elif change == 'uncertainty':
        cfg.test_evaluator.with_uncertainty = True
    elif change == 'checkpoint':
        save_checkpoint(completer.checkpoint, 8, weight=torch.ones(1))
    elif change == 'annotations':
        (tmp_path / 'train.json').write_text('new')
    else:
        completer = completer._replace(done=4)
    state = labels_state(cfg, completer)
    assert not state['usable'] and word in state['words']


def test_labels_without_their_completer_are_taken_as_they_are(tmp_path):
    write_label_file(tmp_path, checkpoint_sha256='0123456789')
    state = labels_state(labels_config(tmp_path), NOT_BEGUN)
    assert state['usable'] and '01234567' in state['words']


def test_labels_that_are_begun_are_not_usable(tmp_path):
    (tmp_path / 'labels.json.part-000.jsonl').touch()
    state = labels_state(labels_config(tmp_path), finished(tmp_path))
    assert (state['usable'], state['words']) == (False, f"{tmp_path / 'labels.json'} (begun)")


def test_detector_must_read_what_the_completer_writes():
    cfg = ConfigDict(filename='detector.py', train_dataloader=dict(
        dataset=dict(ann_file='work_dirs/labels.json', data_root='data/')))
    with pytest.raises(ValueError, match='detector.py trains on data/work_dirs/labels.json, but '
                       r'.* work_dirs/labels.json: set ann_file .*data_root to ""'):
        check_reads(cfg, Path('work_dirs/labels.json'))


def test_stage1_says_which_key_is_missing(tmp_path):
    path = tmp_path / 'detector.py'
    path.write_text("stage1 = dict(config='./completer.py')")
    (tmp_path / 'completer.py').write_text('a = 1')
    with pytest.raises(ValueError, match="detector.py has no 'pseudo_labels'"):
        Stage1(load_config(str(path)))


def write_configs(folder: Path) -> None:
    (folder / 'detector.py').write_text("stage1 = dict(config='completer.py', pseudo_labels="
                                        "'labels.py')\ntrain_dataloader = dict(dataset=dict("
                                        "ann_file='labels.json'))\nmodel = dict()\n"
                                        "train_cfg = dict(max_epochs=3)")
    (folder / 'completer.py').write_text('train_cfg = dict(max_iters=8)\nmodel = dict()\n'
                                         "test_dataloader = dict(dataset=dict(ann_file='a.json'))")
    (folder / 'labels.py').write_text("_base_ = 'completer.py'\ntest_evaluator = dict("
                                      "type='PseudoLabelWriter', out_file='labels.json')")


def test_stage1_takes_options_of_the_stage2_config(tmp_path):
    write_configs(tmp_path)
    stage1 = Stage1(load_config(str(tmp_path / 'detector.py'),
                                {'stage1.cfg_options.train_cfg.max_iters': 3}))
    assert (stage1.cfg.train_cfg.max_iters, stage1.labels_cfg.train_cfg.max_iters) == (3, 3)
    assert stage1.cfg.work_dir == 'work_dirs/completer'


class Trainer(RunnerStub):
    """Trains some epochs; each leaves a checkpoint that tells how many labels there were."""

    def __init__(self, cfg: Config, epochs: int) -> None:
        self.work_dir, self.epochs = Path(cfg.work_dir), epochs

    def train(self) -> None:
        labels = len(json.loads(Path('labels.json').read_text())['images'])
        for epoch in range(1, self.epochs + 1):
            save_checkpoint(self.work_dir / f'epoch_{epoch}.pth', epochs=epoch, labels=labels)


@pytest.fixture
def run_detector(tmp_path, monkeypatch) -> Callable[..., List[int]]:
    """Runs the chain; how many labels each detector learned from, those moved aside last."""
    write_configs(tmp_path)
    monkeypatch.chdir(tmp_path)

    def run(epochs: int = 3) -> List[int]:
        monkeypatch.setattr(chain, 'build_runner', lambda cfg: Trainer(cfg, epochs))
        cfg = load_config('detector.py')
        cfg.work_dir = 'det'
        run_chain(cfg)
        return [torch.load(max(folder.glob('*.pth')))['state_dict']['labels']
                for folder in sorted(tmp_path.glob('det*')) if folder.is_dir()]

    return run


@pytest.mark.parametrize('epochs', [2, 3])
def test_a_detector_learns_anew_from_other_labels(tmp_path, run_detector, capsys, epochs):
    for labels, fingerprint, expected in ((1, 'f', [1]), (2, 'g', [2, 1]), (1, 'f', [1, 1, 2])):
        write_label_file(tmp_path, labels, fingerprint=fingerprint)
        assert run_detector(epochs) == expected
    said = capsys.readouterr().out
    assert (f'{epochs} of 3 epochs done (det/epoch_{epochs}.pth); it learned from other labels '
            'than are now in labels.json: it begins anew, and det becomes det.1') in said
    assert 'labels.json has other labels than were learned from: det is now det.2' in said
    assert 'resumes' not in said


@pytest.mark.parametrize('labels, fingerprint', [(1, 'f'), (1, 'g'), (1, None), (2, 'f')])
def test_labels_that_are_the_same_or_made_from_the_same_are_learned_once(
        tmp_path, run_detector, capsys, labels, fingerprint):
    write_label_file(tmp_path, 1, fingerprint='f')
    run_detector(epochs=2)
    write_label_file(tmp_path, labels, fingerprint=fingerprint, date='later')
    run_detector()
    assert 'resumes from det/epoch_2.pth' in capsys.readouterr().out
    run_detector()
    assert 'already trained: nothing to do' in capsys.readouterr().out
    assert not (tmp_path / 'det.1').exists()


def test_a_detector_that_does_not_say_what_it_learned_from_is_left_alone(tmp_path, run_detector):
    write_label_file(tmp_path, 1, fingerprint='f')
    run_detector()
    (tmp_path / 'det' / 'trained_on.json').unlink()
    write_label_file(tmp_path, 2, fingerprint='g')
    assert run_detector() == [1]


@pytest.mark.parametrize('labels, expected', [(1, [1]), (2, [2, 1])])
def test_labels_are_compared_when_they_are_written(tmp_path, monkeypatch, run_detector, capsys,
                                                   labels, expected):
    write_label_file(tmp_path, 1, fingerprint='f')
    run_detector()
    save_checkpoint(tmp_path / 'work_dirs/completer/iter_8.pth', 8)
    monkeypatch.setattr(chain, 'write_labels', lambda cfg, checkpoint: write_label_file(
        tmp_path, labels, fingerprint='g'))
    assert run_detector() == expected
    said = capsys.readouterr().out
    assert '; where the labels change, it begins anew, and det becomes det.1' in said
    assert ('has the labels that were learned from: nothing to train' in said) == (labels == 1)


def test_plan_is_said_first(capsys):
    announce([Part('training of a', 'all', None), Part('pseudo-labels', 'f', lambda: None)])
    assert capsys.readouterr().out.splitlines() == [
        'part 1 of 2: training of a: is done: all', 'part 2 of 2: pseudo-labels: to do: f']
    announce([Part('training of a', 'all', None)])
    assert 'already trained: nothing to do' in capsys.readouterr().out
