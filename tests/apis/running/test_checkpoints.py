"""Checkpoints on disk: how far they are, and whether they fit."""

import pytest
import torch
from mmengine.config import Config
from torch import nn
from trainings import BY_ITERATION, NOT_BEGUN, a_config, save_checkpoint

from mmamodal.apis.running.checkpoints import (check_fit, check_start, checkpoint_files,
                                               load_checkpoint, read_meta, state_dict_of,
                                               trained_model, training_progress, write_checkpoint)

BY_EPOCH = dict(type='EpochBasedTrainLoop', max_epochs=2)
LINEAR = Config(dict(model=dict(type='Linear')))


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
    ('patch_size=256', 'trained with model.patch_size=128, not 256'),
    ('boundary_width=7', 'trained with model.boundary_width=5, not 7'),
    ("loss=dict(type='B')", "trained with model.loss.type='A', not 'B'"),
    ('with_image=True', 'trained with model.with_image=False, not True'),
    ('object_only=True', 'trained with model.object_only=False, not True'),
    ('roi_head=dict(relu=False)', 'trained with model.roi_head.relu=True, not False'),
    ("backbone=dict(style='caffe')", "trained with model.backbone.style='pytorch', not 'caffe'"),
    ('network=dict(dilations=[6, 12, 18], backbone=dict(strides=(1, 2, 2, 1)))', None),
    ('network=dict(dilations=(2, 4, 6))', r'network.dilations=\(6, 12, 18\), not \(2, 4, 6\)'),
    ('network=dict(backbone=dict(depth=18))',
     r'model.network.backbone.strides=\(1, 2, 2, 1\), not \(1, 2, 2, 2\)')])
def test_weights_of_the_same_shapes_but_another_meaning_are_refused(tmp_path, change, message):
    trained = ("model = dict(type='MaskCompleter', patch_size=128, loss=dict(type='A'), "
               'network=dict(backbone=dict(strides=[1, 2, 2, 1])))')
    path = save_checkpoint(tmp_path / 'x.pth', weight=torch.ones(1, 2), bias=torch.ones(1))
    torch.save(dict(torch.load(path), meta=dict(iter=1, epoch=0, cfg=trained)), path)
    cfg = Config.fromstring(trained + f'\nmodel.update({change})', '.py')
    if message is None:
        return check_fit(nn.Linear(2, 1), str(path), cfg)
    with pytest.raises(ValueError, match=f'x.pth is a checkpoint of another model.*{message}'):
        check_fit(nn.Linear(2, 1), str(path), cfg)


def test_weights_to_begin_with_must_have_something_in_common(tmp_path, capsys):
    model = torch.nn.Linear(2, 3)
    torch.save({'bias': torch.ones(3), 'weight': torch.ones(1)}, tmp_path / 'some.pth')
    torch.save({'a': torch.ones(3), 'weight': torch.ones(1)}, tmp_path / 'none.pth')
    check_start(model, str(tmp_path / 'some.pth'))
    assert '1 of 2 parameters have their like in' in capsys.readouterr().out
    with pytest.raises(ValueError, match='none.pth has none of the 2 parameters'):
        check_start(model, str(tmp_path / 'none.pth'))


@pytest.mark.parametrize('cfg, model', [
    ("model = dict(a=dict(b=[1, (2.0, None)]), c='x')\nother = 3", dict(a=dict(b=[1, [2.0, None]]),
                                                                      c='x')),
    ("model = dict(a=open('x'))", {}), ('other = 3', {}), ('model = dict(', {}), (None, {}),
    (Config(dict(model=dict(a=1))), {})])
def test_models_of_checkpoints_are_read_and_nothing_is_run(cfg, model):
    assert trained_model(dict(meta=dict(cfg=cfg))) == model
    assert trained_model(dict(weight=torch.ones(1))) == {}


def test_a_checkpoint_may_be_weights_alone(tmp_path):
    torch.save({'module.weight': torch.ones(1), 'epoch': 3}, tmp_path / 'bare.pth')
    weights = state_dict_of(load_checkpoint(str(tmp_path / 'bare.pth')))
    assert weights == {'weight': torch.ones(1)}
    with pytest.raises(FileNotFoundError, match='checkpoint .*absent.pth does not exist'):
        load_checkpoint(str(tmp_path / 'absent.pth'))
    for content in (b'', b'text', b'PK'):
        (tmp_path / 'text.pth').write_bytes(content)
        with pytest.raises(ValueError, match='text.pth cannot be read as a checkpoint'):
            load_checkpoint(str(tmp_path / 'text.pth'))


def test_checkpoints_are_written_whole(tmp_path):
    write_checkpoint(tmp_path / 'new/x.pth', dict(meta=dict(iter=3, epoch=1)))
    assert read_meta(tmp_path / 'new/x.pth') == dict(iter=3, epoch=1)
    assert [path.name for path in (tmp_path / 'new').iterdir()] == ['x.pth']
