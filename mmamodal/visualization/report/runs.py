"""What training and testing left in work directories, read for a report.

A run's work directory holds ``<timestamp>/vis_data/`` with ``scalars.json`` and ``config.py`` of
every (re)start of its training, and in ``test/`` such a folder, ``metrics.json`` and
``vis/*.png``. Each may be missing.
"""

import json
import math
import re
from itertools import groupby
from pathlib import Path
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from mmengine.config import Config

# Name and metric key of each column, in groups, and what to multiply by for percent.
Columns = Sequence[Tuple[str, Sequence[Tuple[str, str]]]]
COMPLETER_COLUMNS: Columns = (
    ('all pixels together', (('O-Acc', 'completion/O_Acc'), ('mIoU', 'completion/mIoU'),
                             ('inv-mIoU', 'completion/inv_mIoU'))),
    ('mean over objects', (('mIoU', 'completion/mIoU_instance'),
                           ('inv-mIoU', 'completion/inv_mIoU_instance'))),
    ('occluded objects only', (('mIoU', 'completion/mIoU_occluded'),
                               ('inv-mIoU', 'completion/inv_mIoU_occluded'))))
DETECTOR_COLUMNS: Columns = (
    ('amodal mask', (('AP', 'coco/segm_mAP'), ('AP50', 'coco/segm_mAP_50'),
                     ('AP75', 'coco/segm_mAP_75'))),
    ('amodal box', (('AP', 'coco/bbox_mAP'), ('AP50', 'coco/bbox_mAP_50'),
                    ('AP75', 'coco/bbox_mAP_75'))))


class Run(NamedTuple):
    """One completer or detector."""

    name: str
    work_dir: Path
    log: List[dict]  # training records, one a step, ascending
    config: Optional[Config]  # of the last training
    test_config: Optional[Config]  # of the last test
    metrics: Dict[str, float]  # as the metrics give them
    pictures: List[Path]  # of the test, by image id


def read_run(name: str, work_dir: Path) -> Run:
    """Everything that a work directory tells.

    Raises:
        ValueError: it is no directory, or its metrics are no JSON object.
    """
    if not work_dir.is_dir():
        raise ValueError(f'{work_dir} of {name!r} is not there: expected the work directory of a '
                         'run; check the path, or train and test it first')
    starts = [start for start in sorted(work_dir.glob('*/vis_data/scalars.json'))
              if read_scalars(start)]
    tests = sorted((work_dir / 'test').glob('*/vis_data/config.py'))
    return Run(name, work_dir, join_logs(map(read_scalars, starts)),
               _read_config([start.with_name('config.py') for start in starts]),
               _read_config(tests), read_metrics(work_dir / 'test' / 'metrics.json'),
               sorted((work_dir / 'test' / 'vis').glob('*.png'), key=_by_number))


def read_scalars(path: Path) -> List[dict]:
    """The training records of mmengine's scalars.json: those with a loss and a step.

    A line that a kill cut short is left out.
    """
    records = []
    for line in path.read_text(encoding='utf-8', errors='replace').splitlines():
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(record, dict) and 'loss' in record and 'step' in record:
            records.append(record)
    return records


def join_logs(logs: Iterable[List[dict]]) -> List[dict]:
    """Records of consecutive starts as one log: a start replaces what it does again."""
    joined: List[dict] = []
    for log in logs:
        first = min((record['step'] for record in log), default=math.inf)
        joined = [record for record in joined if record['step'] < first] + log
    return joined


def read_metrics(path: Path) -> Dict[str, float]:
    """The metrics of a test; empty if there was none.

    Raises:
        ValueError: the file is no JSON object.
    """
    if not path.is_file():
        return {}
    try:
        metrics = json.loads(path.read_text(encoding='utf-8'))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f'{path} is no JSON ({error}): test the run again') from None
    if not isinstance(metrics, dict):
        raise ValueError(f'{path}: expected an object of metrics, got {type(metrics).__name__}; '
                         'test the run again')
    return metrics


def seconds_per_step(log: Sequence[dict]) -> Optional[float]:
    """The median of the logged times; None if there is none."""
    times = [record['time'] for record in log if 'time' in record]
    return float(np.median(times)) if times else None


def training_seconds(log: Sequence[dict]) -> Optional[float]:
    """Σ time · steps since the record before; None if a time is missing."""
    if not log or any('time' not in record for record in log):
        return None
    steps = np.diff([0] + [record['step'] for record in log])
    return float(np.dot(steps, [record['time'] for record in log]))


def data_in_words(config: Optional[Config], split: str) -> str:
    """The innermost dataset of a split: its kind, number of scenes, annotation file.

    Args:
        config: of a run.
        split: ``'train'`` or ``'test'``.

    Returns:
        Words with commas; empty if nothing is known.
    """
    dataset = ((config or {}).get(f'{split}_dataloader') or {}).get('dataset') or {}
    while 'dataset' in dataset:
        dataset = dataset['dataset']
    words = [str(dataset.get('type', ''))]
    if 'num_scenes' in dataset:
        words.append(f"{dataset['num_scenes']:,} scenes")
    if dataset.get('ann_file'):
        words.append(Path(dataset['ann_file']).name)
    return ', '.join(filter(None, words))


def table(runs: Sequence[Run], columns: Columns) -> Tuple[List[Tuple[str, str, str]], np.ndarray]:
    """The metrics of some runs, without the columns that no run has.

    Returns:
        (group, name, key) of each column, and values (runs, columns) in percent, NaN where a
        run has none.
    """
    heads = [(group, name, key) for group, names in columns for name, key in names
             if any(key in run.metrics for run in runs)]
    rows = [[percent(key, run.metrics.get(key)) for _, _, key in heads] for run in runs]
    return heads, np.array(rows, dtype=float).reshape(len(runs), len(heads))


def best(values: np.ndarray) -> np.ndarray:
    """Where (runs, columns) the best of at least two values stand, as they are printed."""
    printed = np.where(np.isnan(values), -np.inf, np.round(values, 1))
    several = np.isfinite(printed).sum(0) > 1
    return np.isfinite(printed) & several & (printed == printed.max(0, initial=-np.inf))


def spans(heads: Sequence[Tuple[str, str, str]]) -> List[Tuple[str, int]]:
    """Each group of columns and how many of them stand side by side."""
    return [(group, len(list(members))) for group, members in groupby(heads, lambda head: head[0])]


def table_as_text(runs: Sequence[Run], columns: Columns, width: int = 12) -> str:
    """The table for a terminal, in percent, an asterisk at the best of each column."""
    heads, values = table(runs, columns)
    first = max((len(run.name) for run in runs), default=0)
    lines = [' ' * first + ''.join(f'{group:>{width * count - 1}} '
                                   for group, count in spans(heads)),
             ' ' * first + ''.join(f'{name:>{width - 1}} ' for _, name, _ in heads)]
    for run, numbers, marks in zip(runs, values, best(values)):
        cells = (number(value) + ' *'[int(mark)] for value, mark in zip(numbers, marks))
        lines.append(f'{run.name:{first}}' + ''.join(f'{cell:>{width}}' for cell in cells))
    return '\n'.join(line.rstrip() for line in lines)


def number(value: float) -> str:
    """A percentage with one digit, a dash if there is none."""
    return '–' if math.isnan(value) else f'{value:.1f}'


def percent(key: str, value: Optional[float]) -> float:
    """CompletionMetric gives percent; CocoMetric gives parts of one, and -1 for nothing."""
    if not isinstance(value, (int, float)):
        return math.nan
    if key.startswith('coco/'):
        return 100 * value if value >= 0 else math.nan
    return float(value)


def _by_number(path: Path) -> list:
    """Sort key: image 9 before image 10."""
    return [int(part) if part.isdigit() else part for part in re.split(r'(\d+)', path.stem)]


def _read_config(paths: Sequence[Path]) -> Optional[Config]:
    """The last of the configurations that mmengine logged; None if it cannot be read here."""
    if not paths:
        return None
    try:
        return Config.fromfile(paths[-1], import_custom_modules=False)
    except Exception:  # a config is a program: whatever it raises, the report goes without it
        return None
