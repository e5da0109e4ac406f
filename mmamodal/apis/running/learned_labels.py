"""Which pseudo-labels a detector learned from, noted in its work dir before it trains.

Labels are those of before if they were made from the same, or if they are the same: a file that
is written again has other labels only where neither holds.
"""

import json
from itertools import count
from pathlib import Path
from typing import Sequence

from ...evaluation.pseudo_labels.parts import content_sha256, read_info
from ...files import write_json
from .checkpoints import checkpoint_files

NOTE = 'trained_on.json'


def note_labels(work_dir: str, labels: Path) -> None:
    """Note in a work dir that its training learns from the labels as they now are."""
    write_json(Path(work_dir) / NOTE, dict(
        file=str(labels), fingerprint=read_info(labels).get('fingerprint'),
        sha256=content_sha256(labels)))


def has_learned(work_dir: str) -> bool:
    """Whether a work dir has checkpoints and says what they learned from; older ones do not."""
    return (Path(work_dir) / NOTE).is_file() and bool(checkpoint_files(Path(work_dir)))


def learned_others(work_dir: str, labels: Path) -> bool:
    """Whether the checkpoints of a work dir learned from other labels than there are now."""
    if not has_learned(work_dir):
        return False
    learned = json.loads((Path(work_dir) / NOTE).read_text(encoding='utf-8'))
    fingerprint = read_info(labels).get('fingerprint')
    if fingerprint and fingerprint == learned.get('fingerprint'):
        return False
    return content_sha256(labels) != learned.get('sha256')


def why_again(work_dir: str, labels: Path, rewritten: bool, others: Sequence[str] = ()) -> str:
    """What is to happen to a training that has begun, in words; empty: it goes on.

    Args:
        work_dir: of the training.
        labels: the file that it learns from.
        rewritten: whether the file will be written before.
        others: what else has to stay where it is.

    Raises:
        ValueError: the work dir cannot be moved, for the labels or others lie in it.
    """
    if not (has_learned(work_dir) if rewritten else learned_others(work_dir, labels)):
        return ''
    for path in (labels, *others):
        if Path(path).resolve().is_relative_to(Path(work_dir).resolve()):
            raise ValueError(f'{work_dir} has a training on other labels than those of {labels}, '
                             f'and cannot be moved aside, for {path} lies in it: give another '
                             '--work-dir')
    begins = f'begins anew, and {work_dir} becomes {free_name(work_dir)}'
    return (f'; where the labels change, it {begins}' if rewritten else
            f'; it learned from other labels than are now in {labels}: it {begins}')


def free_name(work_dir: str) -> Path:
    """The first name beside a work dir, with a number behind, that nothing has."""
    path = Path(work_dir)
    names = (path.with_name(f'{path.name}.{k}') for k in count(1))
    return next(name for name in names if not name.exists() and not name.is_symlink())


def move_aside(work_dir: str) -> Path:
    """Give a work dir another name, with all that is in it; the name."""
    return Path(work_dir).rename(free_name(work_dir))
