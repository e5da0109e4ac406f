"""What tests left on disk as rows of a table, and the trainings and tests that are missing."""

import json
import math
from pathlib import Path
from typing import List, Optional, Sequence

from mmdet.registry import MODELS
from mmengine.config import Config

from ...evaluation.completion.completion_metric import completion_figures
from ...evaluation.completion.results_table import Row
from ...evaluation.detection.amodal_figures import MAIN
from ...visualization.report.runs import percent, read_metrics
from ..score import IMAGE_SUMS, choose_evaluators, score
from .chain import run_chain
from .checkpoints import training_progress
from .command_line import default_work_dir, load_config

# Columns, where a row has them; completers' figures go without their prefix.
FIGURES = ('O_Acc', 'mIoU', 'inv_mIoU', 'mIoU_instance', 'inv_mIoU_instance',
           *(f'amodal/{name}' for name in MAIN), 'coco/segm_mAP', 'coco/segm_mAP_50',
           'coco/segm_mAP_75')


def results_folder(path: str) -> Path:
    """Where the results of a config are, ``test`` in its work dir; a folder is taken as it is."""
    if not path.endswith('.py'):
        return Path(path)
    cfg = load_config(path)
    return Path(cfg.get('work_dir') or default_work_dir(path)) / 'test'


def read_row(name: str, path: str) -> Row:
    """The results of a config, or those in a folder.

    Raises:
        FileNotFoundError: there are none; says how to get them.
        ValueError: a file is broken, or the files are of two tests.
    """
    folder = results_folder(path)
    metrics = read_metrics(folder / 'metrics.json')
    if not metrics:
        raise FileNotFoundError(f'{folder}/metrics.json is not there: {how_to_get(path)}')
    figures = {key.replace('completion/', ''): percent(key, value)
               for key, value in metrics.items()}
    return Row(name, figures, _read_images(folder / IMAGE_SUMS, figures))


def how_to_get(path: str) -> str:
    """What to run for the results of a config or in a folder."""
    if not path.endswith('.py'):
        return (f'test something with tools/test.py --work-dir {path}, or give the path of a '
                'config or another folder')
    test = f'python tools/test.py {path}'
    if not learns(load_config(path)):
        return f'run {test} none, or give --run'
    return f'run python tools/train.py {path} and {test} CHECKPOINT, or give --run'


def _read_images(path: Path, figures: dict) -> Optional[List[dict]]:
    if not path.is_file():
        return None
    try:
        images = json.loads(path.read_text(encoding='utf-8'))
        again = completion_figures(images)
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f'{path} is no list of sums ({error!r}): test again') from None
    other = [name for name, value in again.items() if not _same(value, figures.get(name))]
    if other:
        raise ValueError(f'{path} and the metrics.json beside it are of two tests: {other[0]} is '
                         f'{again[other[0]]} in the one and {figures.get(other[0])} in the '
                         'other; test again')
    return images


def _same(value: float, other: Optional[float]) -> bool:
    other = math.nan if other is None else other
    return math.isclose(value, other, abs_tol=1e-6) or (math.isnan(value) and math.isnan(other))


def known_figures(rows: Sequence[Row], wanted: Optional[Sequence[str]] = None) -> List[str]:
    """The columns: those asked for, else those of FIGURES that some row has.

    Raises:
        ValueError: no row has one of those asked for, or any at all.
    """
    found = {name for row in rows for name in row.figures}
    missing = [name for name in wanted or () if name not in found]
    if missing:
        raise ValueError(f'no row has {", ".join(missing)}: expected some of {sorted(found)}')
    names = list(wanted or (name for name in FIGURES if name in found))
    if not names:
        raise ValueError(f'name figures to show with --figures: some of {sorted(found)}')
    return names


def learns(cfg: Config) -> bool:
    """Whether a config has parameters to train."""
    return any(True for _ in MODELS.build(cfg.model).parameters())


def produce(path: str, options: Optional[dict] = None) -> None:
    """Train a config as far as it is not trained yet, and test it.

    Args:
        path: of the config.
        options: settings that override its own, as in ``--cfg-options``.
    """
    folder, checkpoint = results_folder(path), 'none'
    if learns(load_config(path)):
        cfg = load_config(path, options)
        cfg.work_dir = str(folder.parent)
        run_chain(cfg)
        checkpoint = str(training_progress(cfg).checkpoint)
    cfg = load_config(path, options)
    cfg.work_dir = str(folder)
    evaluator = cfg.test_evaluator
    if isinstance(evaluator, dict) and evaluator.type == 'PseudoLabelWriter':
        cfg.test_evaluator = choose_evaluators(cfg, ['completion'])
    score(cfg, checkpoint)
