"""Options and errors of the command line."""

import pytest

from mmamodal.apis.running.command_line import is_for_the_user, load_config, make_work_dir, one_line


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
