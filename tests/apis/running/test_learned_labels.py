"""Which labels a detector learned from; the chain's runs are in test_chain.py."""

import json
from pathlib import Path

import pytest
from trainings import save_checkpoint

from mmamodal.apis.running.learned_labels import learned_others, move_aside, note_labels, why_again


def write_labels(folder: Path, images: int, **info) -> Path:
    path = folder / 'labels.json'
    path.write_text(json.dumps(dict(info=info, images=[{}] * images)))
    return path


def test_without_a_checkpoint_nothing_was_learned(tmp_path):
    labels, work_dir = write_labels(tmp_path, 1), tmp_path / 'work'
    note_labels(str(work_dir), labels)
    write_labels(tmp_path, 2)
    assert not learned_others(str(work_dir), labels)
    save_checkpoint(work_dir / 'iter_8.pth', 8)
    assert learned_others(str(work_dir), labels)


def test_labels_without_a_fingerprint_are_told_by_their_content(tmp_path):
    labels, work_dir = write_labels(tmp_path, 1), tmp_path / 'work'
    save_checkpoint(work_dir / 'iter_8.pth', 8)
    note_labels(str(work_dir), labels)
    write_labels(tmp_path, 1, date='later')
    assert not learned_others(str(work_dir), labels)
    write_labels(tmp_path, 2)
    assert learned_others(str(work_dir), labels)


def test_a_work_dir_takes_the_first_free_name(tmp_path):
    (tmp_path / 'a.1').touch()
    (tmp_path / 'a.2').symlink_to('nowhere')
    save_checkpoint(tmp_path / 'a' / 'test' / 'iter_8.pth')
    assert move_aside(str(tmp_path / 'a')) == tmp_path / 'a.3'
    assert (tmp_path / 'a.3' / 'test' / 'iter_8.pth').is_file() and not (tmp_path / 'a').exists()


@pytest.mark.parametrize('rewritten', [False, True])
@pytest.mark.parametrize('inside', ['labels.json', 'completer'])
def test_what_is_still_needed_is_not_moved(tmp_path, inside, rewritten):
    work_dir = tmp_path / 'work'
    save_checkpoint(work_dir / 'iter_8.pth', 8)
    labels = write_labels(work_dir if inside == 'labels.json' else tmp_path, 1)
    others = [str(work_dir / 'completer')] if inside == 'completer' else []
    note_labels(str(work_dir), labels)
    assert why_again(str(work_dir), labels, False, others) == ''
    write_labels(labels.parent, 2)
    with pytest.raises(ValueError, match=f'{inside} lies in it: give another --work-dir'):
        why_again(str(work_dir), labels, rewritten, others)
