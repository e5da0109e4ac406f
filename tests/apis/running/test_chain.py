"""The chain's judgement of what is on disk, and its refusals; the runs are in tests/tools."""

import json
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from mmengine.config import Config, ConfigDict
from torch import nn

from mmamodal.apis.label import annotation_files, check_out_file, decided_by
from mmamodal.apis.running import chain, initialisation
from mmamodal.apis.running.chain import Part, Stage1, announce, check_reads, labels_state, train
from mmamodal.apis.running.checkpoints import (Progress, check_fit, check_start, checkpoint_files,
                                               training_progress)
from mmamodal.apis.running.classes import check_classes
from mmamodal.apis.running.command_line import is_for_the_user, load_config, make_work_dir, one_line
from mmamodal.apis.running.initialisation import check_initialisation, without_pretrained
from mmamodal.apis.running.quiet_runner import QuietRunner
from mmamodal.apis.score import add_predictions_file, choose_evaluators, write_metrics

BY_ITERATION = dict(type='IterBasedTrainLoop', max_iters=8)
BY_EPOCH = dict(type='EpochBasedTrainLoop', max_epochs=2)
LINEAR = Config(dict(model=dict(type='Linear')))
NOT_BEGUN = Progress(None, 0, 8, 'iterations')


def save_checkpoint(path: Path, iterations: int = 0, epochs: int = 0, **weights) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(dict(meta=dict(iter=iterations, epoch=epochs), state_dict=weights), path)
    return path


def a_config(folder: Path, **keys) -> Config:
    return Config(dict(dict(train_cfg=BY_ITERATION, work_dir=str(folder), launcher='none'), **keys))


def test_progress_of_a_training_that_is_not_begun(tmp_path):
    progress = training_progress(a_config(tmp_path / 'absent'))
    assert progress == NOT_BEGUN
    assert not progress.finished
    assert str(progress) == 'not begun, 8 iterations to do'


@pytest.mark.parametrize('train_cfg, counts, finished', [
    (BY_ITERATION, dict(iterations=6), False), (BY_ITERATION, dict(iterations=8), True),
    (BY_EPOCH, dict(epochs=1, iterations=100), False), (BY_EPOCH, dict(epochs=2), True)])
def test_progress_counts_what_the_loop_counts(tmp_path, train_cfg, counts, finished):
    path = save_checkpoint(tmp_path / 'x_1.pth', **counts)
    progress = training_progress(a_config(tmp_path, train_cfg=train_cfg))
    assert (progress.checkpoint, progress.finished) == (path, finished)


def test_truncated_and_foreign_files_are_passed_over(tmp_path):
    good = save_checkpoint(tmp_path / 'iter_4.pth', 4)
    cut = tmp_path / 'iter_6.pth'
    cut.write_bytes(good.read_bytes()[:-300])
    (tmp_path / 'iter_8.pth').write_bytes(b'')
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'iter_8.pth'))
    progress = training_progress(a_config(tmp_path))
    assert (progress.checkpoint, progress.done) == (good, 4)
    assert progress.unreadable == (tmp_path / 'iter_8.pth', cut)


def test_checkpoints_are_ordered_by_number_not_by_name(tmp_path):
    for name in ('iter_900.pth', 'iter_1000.pth', 'best_mIoU_iter_2000.pth', 'weights.pth'):
        (tmp_path / name).touch()
    assert [path.name for path in checkpoint_files(tmp_path)] == ['iter_1000.pth', 'iter_900.pth']


def test_config_without_training_is_refused(tmp_path):
    with pytest.raises(ValueError, match='nothing to train: expected train_cfg with max_iters'):
        training_progress(a_config(tmp_path, train_cfg=None))


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


@pytest.mark.parametrize('name', ['bbox_head', 'mask_head'])
def test_number_of_classes_must_be_that_of_the_data(name):
    cfg = Config(dict(model=dict(roi_head={name: dict(num_classes=80)}),
                      train_dataloader=dict(dataset=dict(ann_file='a.json'))))
    stub = RunnerStub()
    stub.train_dataloader = ConfigDict(dataset=dict(metainfo=dict(classes=('a', 'b'))))
    with pytest.raises(ValueError, match=f'{name}.num_classes is 80, but a.json has 2 classes'):
        check_classes(stub, cfg)
    cfg.model.roi_head[name].num_classes = 2
    check_classes(stub, cfg)


def test_environment_config_and_hooks_are_in_the_log_file_only(tmp_path, capsys):
    runner = QuietRunner(nn.Linear(1, 1), str(tmp_path), experiment_name='quiet')
    runner.logger.info('what follows')
    printed = capsys.readouterr().out
    assert 'what follows' in printed and 'System environment' not in printed
    log = next(tmp_path.rglob('*.log')).read_text()
    assert 'System environment' in log and 'Hooks will be executed' in log


class RunnerStub:
    model = nn.Module()

    def train(self) -> None:
        pass


def labels_config(folder: Path, **model) -> Config:
    dataset = dict(ann_file=str(folder / 'train.json'))
    return Config(dict(model=dict(type='MaskCompleter', **model),
                       test_dataloader=dict(dataset=dataset), test_evaluator=dict(
                           type='PseudoLabelWriter', out_file=str(folder / 'labels.json'))))


def finished(folder: Path) -> Progress:
    return Progress(save_checkpoint(folder / 'iter_8.pth', 8), 8, 8, 'iterations')


def write_label_file(folder: Path, **info) -> None:
    (folder / 'labels.json').write_text(json.dumps(dict(info=info, images=[])))


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


@pytest.mark.parametrize('dataset, expected', [
    (dict(ann_file='a.json'), ['a.json']),
    (dict(ann_file='a.json', data_root='data/'), ['data/a.json']),
    (dict(dataset=dict(ann_file='a.json')), ['a.json']),
    (dict(datasets=[dict(ann_file='a.json'), dict(ann_file='b.json')]), ['a.json', 'b.json']),
    (dict(type='D2SADataset', ann_file='a.json', more_ann_files=['b.json'], data_root='data/',
          image_ids='ids.txt'), ['data/a.json', 'data/b.json', 'data/ids.txt']),
    (dict(type='SceneDataset'), [])])
def test_annotation_files_are_found(dataset, expected):
    assert [str(path) for path in annotation_files(dataset)] == expected


def test_annotation_files_are_found_in_the_other_layout(tmp_path):
    (tmp_path / 'annotations').mkdir()
    (tmp_path / 'annotations' / 'a.json').touch()
    data = dict(type='KINSDataset', ann_file='a.json', data_root=str(tmp_path))
    assert annotation_files(data) == [tmp_path / 'annotations' / 'a.json']


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


def test_stage1_takes_options_of_the_stage2_config(tmp_path):
    (tmp_path / 'detector.py').write_text("stage1 = dict(config='completer.py', pseudo_labels="
                                          "'labels.py')\ntrain_dataloader = dict(dataset=dict("
                                          "ann_file='labels.json'))")
    (tmp_path / 'completer.py').write_text('train_cfg = dict(max_iters=8)')
    (tmp_path / 'labels.py').write_text("_base_ = 'completer.py'\ntest_evaluator = dict("
                                        "type='PseudoLabelWriter', out_file='labels.json')")
    stage1 = Stage1(load_config(str(tmp_path / 'detector.py'),
                                {'stage1.cfg_options.train_cfg.max_iters': 3}))
    assert (stage1.cfg.train_cfg.max_iters, stage1.labels_cfg.train_cfg.max_iters) == (3, 3)
    assert stage1.cfg.work_dir == 'work_dirs/completer'


def test_plan_is_said_first(capsys):
    announce([Part('training of a', 'all', None), Part('pseudo-labels', 'f', lambda: None)])
    assert capsys.readouterr().out.splitlines() == [
        'part 1 of 2: training of a: is done: all', 'part 2 of 2: pseudo-labels: to do: f']
    announce([Part('training of a', 'all', None)])
    assert 'already trained: nothing to do' in capsys.readouterr().out


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


def test_weights_of_this_model_fit(tmp_path):
    weights = {f'module.{name}': value for name, value in nn.Linear(2, 1).state_dict().items()}
    check_fit(nn.Linear(2, 1), str(save_checkpoint(tmp_path / 'x.pth', **weights)), LINEAR)


@pytest.mark.parametrize('weights, message', [
    (dict(other=torch.ones(1)), r'2 of 2 parameters are missing \(first: weight\)'),
    (dict(weight=torch.ones(1, 3), bias=torch.ones(1)), r'1 of 2 parameters have another shape')])
def test_weights_of_another_model_are_refused(tmp_path, weights, message):
    path = save_checkpoint(tmp_path / 'x.pth', **weights)
    with pytest.raises(ValueError, match=f'x.pth is a checkpoint of another model.*{message}'):
        check_fit(nn.Linear(2, 1), str(path), LINEAR)


def test_truncated_weights_are_refused(tmp_path):
    path = save_checkpoint(tmp_path / 'x.pth', weight=torch.ones(100))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match='x.pth cannot be read as a checkpoint: .*older one'):
        check_fit(nn.Linear(2, 1), str(path), LINEAR)


@pytest.mark.parametrize('change, message', [
    ('', None), ('amodal_thr=0.1, with_image=False', None),
    ("evidence='mask'", "trained with model.evidence='boundary', not 'mask'"),
    ("loss=dict(type='B')", "trained with model.loss.type='A', not 'B'"),
    ('with_image=True', 'trained with model.with_image=False, not True')])
def test_weights_of_the_same_shapes_but_another_meaning_are_refused(tmp_path, change, message):
    trained = "model = dict(type='MaskCompleter', loss=dict(type='A'))"
    path = save_checkpoint(tmp_path / 'x.pth', weight=torch.ones(1, 2), bias=torch.ones(1))
    torch.save(dict(torch.load(path), meta=dict(iter=1, epoch=0, cfg=trained)), path)
    cfg = Config.fromstring(trained + f'\nmodel.update({change})', '.py')
    if message is None:
        return check_fit(nn.Linear(2, 1), str(path), cfg)
    with pytest.raises(ValueError, match=f'x.pth is a checkpoint of another model.*{message}'):
        check_fit(nn.Linear(2, 1), str(path), cfg)


@pytest.mark.parametrize('name, text, message', [
    ('train.json', '{"images": []}', 'is the annotation file that the labels are made from'),
    ('link.json', '', 'is the annotation file'),
    ('labels.json', '{"images": []}', 'labels.json is no pseudo-label file'),
    ('labels.json', '{"info": {"year": 2014}, "images": []}', 'expected a fingerprint'),
    ('labels.json', '{"info": {"fingerprint": "f"}, "images": []}', None)])
def test_files_of_the_user_are_not_overwritten(tmp_path, name, text, message):
    (tmp_path / 'link.json').symlink_to(tmp_path / 'train.json')
    (tmp_path / name).write_text(text)
    if message is None:
        return check_out_file(tmp_path / name, labels_config(tmp_path))
    with pytest.raises(ValueError, match=message):
        check_out_file(tmp_path / name, labels_config(tmp_path))


@pytest.mark.parametrize('options, message', [
    ({'train_confg.max_iters': 3}, "has no 'train_confg' .*; expected train_cfg"),
    ({'train_cfg.max_iters': 3}, None), ({'randomness.seed': 3}, None),
    ({'find_unused_parameters': True}, None)])
def test_misspelt_options_are_refused(tmp_path, options, message):
    (tmp_path / 'x.py').write_text('train_cfg = dict(max_iters=8)')
    if message is None:
        load_config(str(tmp_path / 'x.py'), options)
    else:
        with pytest.raises(ValueError, match=message):
            load_config(str(tmp_path / 'x.py'), options)


def test_work_dir_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(ValueError, match='work dir .*/file/a cannot be made'):
        make_work_dir(str(tmp_path / 'file/a'))


def test_errors_are_told_without_their_carriers():
    worker = ValueError('Caught ValueError in DataLoader worker process 0.\nOriginal Traceback:\n'
                        '  File "x.py", line 1\nValueError: annotation 3 of a.json: bad\n')
    registry = ValueError('class `COCOADataset` in mmamodal/datasets/cocoa.py: a.json is empty')
    assert one_line(worker) == 'annotation 3 of a.json: bad'
    assert one_line(registry) == 'a.json is empty'
    assert one_line(KeyError('X is not in the registry')) == 'X is not in the registry'
    assert one_line(ValueError()) == 'ValueError'


@pytest.mark.parametrize('error, expected', [
    (ValueError('x'), True), (FileNotFoundError('x'), True), (KeyError('img'), False),
    (KeyError('X is not in the mmdet::model registry'), True), (TypeError('x'), False),
    (TypeError("got an unexpected keyword argument 'x'"), True), (RuntimeError('x'), False)])
def test_only_what_users_can_mend_is_one_line(error, expected):
    assert is_for_the_user(error) is expected


def test_evaluators_keep_the_options_of_the_config():
    cfg = Config(dict(model=dict(type='MaskRCNN'), test_evaluator=dict(
        type='CocoMetric', metric=['bbox', 'segm'], classwise=True)))
    assert choose_evaluators(cfg, ['segm']) == [
        dict(type='CocoMetric', metric=['segm'], classwise=True)]
    cfg.test_evaluator.update(occ_thr=0.1, max_dets=[1, 1000])
    assert choose_evaluators(cfg, ['amodal', 'segm']) == [
        dict(type='CocoMetric', metric=['segm'], classwise=True),
        dict(type='AmodalCocoMetric', classwise=True, occ_thr=0.1, max_dets=[1, 1000])]
    cfg.model.type = 'HullCompleter'
    assert choose_evaluators(cfg, ['completion']) == [dict(type='CompletionMetric')]
    cfg.model.type = 'ContentCompleter'
    assert choose_evaluators(cfg, ['content']) == [dict(type='ContentMetric')]
    with pytest.raises(ValueError, match='is a model of content: use --eval content'):
        choose_evaluators(cfg, ['completion'])


def test_predictions_never_replace_what_the_test_reads(tmp_path):
    truth = tmp_path / 'truth.json'
    cfg = Config(dict(
        model=dict(type='MaskRCNN'), test_evaluator=[], test_dataloader=dict(dataset=dict(
            type='AmodalCocoDataset', data_root=str(tmp_path), ann_file='truth.json'))))
    for out in (truth, tmp_path / 'weights.pkl'):
        with pytest.raises(ValueError, match=f'{out.name} is to be written, but is read'):
            add_predictions_file(cfg, str(out), str(tmp_path / 'weights.pkl'))
    add_predictions_file(cfg, str(tmp_path / 'new.json'), 'none')
    assert cfg.test_evaluator == [dict(type='ResultWriter', out_file=str(tmp_path / 'new.json'))]


def test_weights_to_begin_with_must_have_something_in_common(tmp_path, capsys):
    model = torch.nn.Linear(2, 3)
    torch.save({'bias': torch.ones(3), 'weight': torch.ones(1)}, tmp_path / 'some.pth')
    torch.save({'a': torch.ones(3), 'weight': torch.ones(1)}, tmp_path / 'none.pth')
    check_start(model, str(tmp_path / 'some.pth'))
    assert '1 of 2 parameters have their like in' in capsys.readouterr().out
    with pytest.raises(ValueError, match='none.pth has none of the 2 parameters'):
        check_start(model, str(tmp_path / 'none.pth'))


def test_metrics_are_written_as_plain_numbers(tmp_path):
    write_metrics({'a': torch.tensor(1.5), 'b': 2}, tmp_path / 'new/metrics.json')
    assert json.loads((tmp_path / 'new/metrics.json').read_text()) == {'a': 1.5, 'b': 2}
    assert [path.name for path in (tmp_path / 'new').iterdir()] == ['metrics.json']
