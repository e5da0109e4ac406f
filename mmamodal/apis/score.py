"""Testing: which numbers of which model, and where they are written."""

import copy
import dataclasses
import json
import math
from pathlib import Path
from typing import Dict, List, Optional, Sequence

from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.evaluator import BaseMetric

from ..evaluation.detection.amodal_rules import AmodalRules
from ..files import check_output, check_writable, write_whole
from .label import annotation_files, continue_labels
from .running.chain import build_runner
from .running.checkpoints import check_fit, check_readable
from .running.command_line import config_name, make_work_dir, on_main_process
from .running.initialisation import without_pretrained
from .running.models import tell_of_random

METRICS = dict(segm='CocoMetric', bbox='CocoMetric', amodal='AmodalCocoMetric',
               completion='CompletionMetric', calibration='CalibrationMetric',
               content='ContentMetric')
FIT = {'detector': ('segm', 'bbox', 'amodal'), 'completer': ('completion', 'calibration'),
       'model of content': ('content', )}
IMAGE_SUMS = 'completion_per_image.json'
SUMS = dict(CompletionMetric=IMAGE_SUMS, CalibrationMetric='calibration.json')
RULES = [field.name for field in dataclasses.fields(AmodalRules)]


def score(cfg: Config, checkpoint: str, out: Optional[str] = None) -> Dict[str, float]:
    """Test a model and write ``metrics.json`` into ``cfg.work_dir``, of a completer the sums
    that its figures are made of, too.

    With a pseudo-labels config the labels are written, those of an interrupted run kept.

    Args:
        cfg: with ``work_dir`` and ``launcher``; processes are already started.
        checkpoint: path of the weights; ``'none'`` for a model that has none.
        out: path of a file for the predictions: ``.pkl``, or, of a detector, ``.json``.

    Raises:
        ValueError: the checkpoint is of another model, or cannot be read; or, after the metrics
            are written, the predictions cannot be.
        FileNotFoundError: it does not exist.
    """
    if out is not None:
        add_predictions_file(cfg, out, checkpoint)
    keep_sums(cfg)
    cfg.load_from, cfg.resume = (None if checkpoint == 'none' else checkpoint), False
    if cfg.load_from is None and cfg.launcher != 'none':
        raise ValueError('a model without weights is tested by one process: leave out --launcher')
    if cfg.load_from is not None:
        on_main_process(check_readable, checkpoint)
    on_main_process(make_work_dir, cfg.work_dir)
    runner = build_runner(without_pretrained(cfg))
    if cfg.load_from is not None:
        on_main_process(check_fit, runner.model, checkpoint, cfg)
    else:
        tell_of_random(runner.model, cfg)
    late = [] if out is None else put_off_errors(runner.test_evaluator.metrics[-1], out)
    writer = continue_labels(runner, cfg.load_from)
    if writer is None or writer.left:
        metrics = runner.test()
    else:
        metrics = on_main_process(writer.merge)
    if is_main_process():
        write_metrics(metrics, Path(cfg.work_dir) / 'metrics.json')
    on_main_process(_raise_first, late)
    return metrics


def choose_evaluators(cfg: Config, names: Sequence[str]) -> List[dict]:
    """Evaluators for the names that ``--eval`` knows; the config's own options are kept.

    Raises:
        ValueError: a name is unknown, or does not go with the model.
    """
    names = list(dict.fromkeys(names))
    unknown = [name for name in names if name not in METRICS]
    if unknown:
        raise ValueError(f'--eval knows {", ".join(METRICS)}, not {", ".join(unknown)}')
    kind = ('model of content' if 'Content' in cfg.model.type else
            'completer' if cfg.model.type.endswith('Completer') else 'detector')
    unfit = [name for name in names if name not in FIT[kind]]
    if unfit:
        raise ValueError(f'--eval {" ".join(unfit)} does not go with {config_name(cfg)}, whose '
                         f'{cfg.model.type} is a {kind}: use --eval {" ".join(FIT[kind])}')
    if kind != 'detector':
        if 'calibration' in names and cfg.model.type == 'MaskCompleter':
            cfg.model.keep_probability = True
        return [_configured(cfg, METRICS[name]) for name in names]
    coco = [name for name in names if METRICS[name] == 'CocoMetric']
    chosen = [dict(_configured(cfg, 'CocoMetric'), metric=coco)] if coco else []
    for evaluator in chosen:
        for key in RULES:
            evaluator.pop(key, None)
    return chosen + [{**_amodal_options(cfg), **_configured(cfg, 'AmodalCocoMetric')}] * (
        'amodal' in names)


def add_predictions_file(cfg: Config, out: str, checkpoint: str) -> None:
    """Have the test write its predictions.

    Raises:
        ValueError: the file's suffix is unknown, or does not go with the model; or the file is
            one that the test reads.
        OSError: it cannot be written.
    """
    if out.endswith('.json') and cfg.model.type.endswith('Completer'):
        raise ValueError(f'--out {out} does not go with a completer, whose masks have no scores: '
                         'give a .pkl file, or write pseudo-labels')
    if not out.endswith(('.pkl', '.pickle', '.json')):
        raise ValueError(f'expected --out to end in .pkl or .json, got {out}')
    check_output(out, checkpoint, *annotation_files(cfg.test_dataloader.dataset),
                 suffix=Path(out).suffix)
    writer = dict(type='ResultWriter', out_file=out) if out.endswith('.json') else dict(
        type='DumpPredictions', out_file_path=out)
    configured = cfg.test_evaluator
    cfg.test_evaluator = [*([configured] if isinstance(configured, dict) else configured), writer]


def put_off_errors(writer: BaseMetric, out: str) -> List[OSError]:
    """Keep a writer that cannot write ``out``, as on a full disk, from losing the metrics that
    were computed before it: its error comes in the list."""
    errors: List[OSError] = []
    write = writer.compute_metrics

    def try_to_write(results: list) -> Dict[str, float]:
        try:
            return write(results)
        except OSError as error:
            error.filename = error.filename or out
            errors.append(error)
            return {}

    writer.compute_metrics = try_to_write
    return errors


def _raise_first(errors: List[OSError]) -> None:
    if errors:
        raise errors[0]


def keep_sums(cfg: Config) -> None:
    """Have the metrics of completers write their sums beside ``metrics.json``."""
    configured = cfg.get('test_evaluator') or []
    for evaluator in [configured] if isinstance(configured, dict) else configured:
        if evaluator['type'] in SUMS:
            evaluator.setdefault('out_file', str(Path(cfg.work_dir) / SUMS[evaluator['type']]))


def add_pictures(cfg: Config, show_dir: str) -> None:
    """Have the test draw its first images into a folder; OSError if that cannot be written."""
    check_writable(Path(show_dir) / 'picture.png')
    hook = dict(type='AmodalVisualizationHook', out_dir=show_dir)
    cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), hook]


def write_metrics(metrics: Dict[str, float], path: Path) -> None:
    """Metrics as JSON, whole or not at all; null for NaN, where there is nothing to measure, and
    for infinity, the PSNR of content without a fault: JSON knows neither."""
    plain = {name: getattr(value, 'item', lambda value=value: value)()
             for name, value in metrics.items()}
    plain = {name: None if isinstance(value, float) and not math.isfinite(value) else value
             for name, value in plain.items()}
    write_whole(path, (json.dumps(plain, indent=2) + '\n').encode())


def _evaluators(cfg: Config) -> List[dict]:
    configured = cfg.get('test_evaluator') or []
    return [configured] if isinstance(configured, dict) else list(configured)


def _amodal_options(cfg: Config) -> dict:
    """What ``--cfg-options test_evaluator.occ_thr=0.1`` and the like say, in whichever evaluator
    of the config they came to stand."""
    return {key: copy.deepcopy(value) for evaluator in _evaluators(cfg)
            for key, value in evaluator.items() if key in (*RULES, 'classwise')}


def _configured(cfg: Config, kind: str) -> dict:
    """The config's evaluator of a type, or one with default options."""
    for evaluator in _evaluators(cfg):
        if evaluator['type'] == kind:
            return copy.deepcopy(dict(evaluator))
    return dict(type=kind)
