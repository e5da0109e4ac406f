"""Training with all that goes before it: completer, pseudo-labels, detector.

A stage-2 config names its stage-1 config and its pseudo-labels config::

    stage1 = dict(config='./asbu_unet_56k_cocoa.py',
                  pseudo_labels='./asbu_unet_56k_cocoa_pseudo-labels.py')

with paths from the folder of the config; ``cfg_options`` beside them, if any, override
settings of both. Each part is judged by what it left on disk, so that the same command goes on
where an earlier one ended, at any point, and does nothing twice.
"""

import gc
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional

import torch
from mmengine.config import Config
from mmengine.dist import barrier
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from ...evaluation.pseudo_labels.parts import part_paths, read_info
from ..label import annotation_files, check_out_file, continue_labels, decided_by
from .checkpoints import Progress, check_fit, check_start, training_progress
from .classes import check_classes
from .command_line import (config_name, default_work_dir, fit_to_machine, load_config,
                           make_work_dir, on_main_process, say)
from .initialisation import check_initialisation, without_pretrained
from .learned_labels import learned_others, move_aside, note_labels, why_again
from .quiet_runner import QuietRunner


class Part(NamedTuple):
    """One part of a chain: what it is, how far it is, and how to do it (None: it is done)."""

    name: str
    state: str
    run: Optional[Callable[[], None]]


def run_chain(cfg: Config, resume: Optional[str] = None) -> None:
    """Train a config, after the parts of stage 1 that it needs and that are missing.

    Args:
        cfg: a config with ``work_dir`` and ``launcher``; processes are already started.
        resume: checkpoint to go on from, instead of the newest in ``work_dir``.

    Raises:
        ValueError: a part cannot be done; says which file or key and what to do.
    """
    parts = Stage1(cfg).chain(cfg, resume) if cfg.get('stage1') else [
        training_part(cfg, lambda: train(cfg, resume), resume)]
    if any(part.run is not None for part in parts):
        on_main_process(make_work_dir, cfg.work_dir)
    announce(parts)
    for i, part in enumerate(parts):
        if part.run is not None:
            say(f'\n== part {i + 1} of {len(parts)}: {part.name} ==')
            part.run()


def training_part(cfg: Config, run: Callable[[], None], resume: Optional[str] = None,
                  again: str = '') -> Part:
    """The training of a config, as it stands.

    Args:
        cfg: the config.
        run: trains it.
        resume: checkpoint to go on from.
        again: why a training that has begun may begin anew, in words; empty: it does not.

    Raises:
        ValueError: it cannot begin, for want of the weights that it begins with.
    """
    progress = on_main_process(training_progress, cfg)
    done = progress.finished and not resume and not again
    if not done:
        begun = progress._replace(checkpoint=None) if again else progress
        on_main_process(check_initialisation, cfg, begun, resume)
    return Part(f'training of {config_name(cfg)}', f'{progress}{again}', None if done else run)


def announce(parts: List[Part]) -> None:
    """Say what there is to do, and what is already there."""
    for i, part in enumerate(parts):
        mark = 'is done' if part.run is None else 'to do'
        say(f'part {i + 1} of {len(parts)}: {part.name}: {mark}: {part.state}')
    if all(part.run is None for part in parts):
        say('already trained: nothing to do. tools/test.py measures it; to train again, give '
            'another --work-dir or move the old one away.')


def train(cfg: Config, resume: Optional[str] = None) -> None:
    """Train one config, from its newest checkpoint that loads, or from ``resume``.

    Does nothing where the training is finished.
    """
    progress = on_main_process(training_progress, cfg)
    for path in progress.unreadable:
        say(f'{path} is passed over: it cannot be read, as after a kill while it was written')
    if progress.finished and not resume:
        return
    checkpoint = resume or progress.checkpoint
    if checkpoint is not None:
        say(f'resumes from {checkpoint}')
        cfg = without_pretrained(cfg)
        cfg.merge_from_dict(dict(resume=True, load_from=str(checkpoint)))
    elif cfg.get('load_from'):
        cfg = without_pretrained(cfg)
    runner = build_runner(cfg)
    if checkpoint is not None:
        on_main_process(check_fit, runner.model, str(checkpoint), cfg)
    elif cfg.get('load_from'):
        on_main_process(check_start, runner.model, cfg.load_from)
    check_classes(runner, cfg)
    runner.train()
    del runner
    _free_memory()


def train_on_labels(cfg: Config, labels: Path, resume: Optional[str] = None) -> None:
    """Like :func:`train`, but what was learned from other labels than ``labels`` now holds is
    moved aside, and which labels are learned from is noted."""
    if not resume and on_main_process(learned_others, cfg.work_dir, labels):
        aside = on_main_process(move_aside, cfg.work_dir)
        say(f'{labels} has other labels than were learned from: {cfg.work_dir} is now {aside}')
    if not resume and on_main_process(training_progress, cfg).finished:
        say(f'{labels} has the labels that were learned from: nothing to train')
        return
    on_main_process(note_labels, cfg.work_dir, labels)
    train(cfg, resume)


class Stage1:
    """The completer and the pseudo-labels that a stage-2 config needs.

    Raises:
        ValueError: the stage-2 config does not read the file that the labels are written to.
        FileNotFoundError: one of the configs that it names does not exist.
    """

    def __init__(self, cfg: Config) -> None:
        self.cfg = self._load(cfg, 'config')
        self.cfg.work_dir = self.cfg.get('work_dir') or default_work_dir(self.cfg.filename)
        self.labels_cfg = self._load(cfg, 'pseudo_labels')
        self.labels_cfg.work_dir = str(Path(self.cfg.work_dir) / 'pseudo-labels')
        self.out_file = pseudo_label_file(self.labels_cfg)
        check_reads(cfg, self.out_file)

    def parts(self) -> List[Part]:
        """The training of the completer and the writing of the labels, as they stand."""
        progress = on_main_process(training_progress, self.cfg)
        state = on_main_process(labels_state, self.labels_cfg, progress)
        # Labels whose completer is not here are taken as they are: they may come from elsewhere.
        borrowed = state['usable'] and progress.checkpoint is None
        if not state['usable']:
            on_main_process(check_out_file, self.out_file, self.labels_cfg)
        if not progress.finished and not borrowed:
            on_main_process(check_initialisation, self.cfg, progress)
        return [
            Part(f'training of {config_name(self.cfg)}',
                 'its labels are there already' if borrowed else str(progress),
                 _todo(progress.finished or borrowed, train, self.cfg)),
            Part('pseudo-labels', state['words'], _todo(state['usable'], self.write_labels)),
        ]

    def chain(self, cfg: Config, resume: Optional[str] = None) -> List[Part]:
        """These parts, and the training of the stage-2 config on the labels."""
        parts = self.parts()
        rewritten = parts[-1].run is not None
        again = '' if resume else on_main_process(
            why_again, cfg.work_dir, self.out_file, rewritten, [self.cfg.work_dir])
        return [*parts, training_part(
            cfg, lambda: train_on_labels(cfg, self.out_file, resume), resume, again)]

    def write_labels(self) -> None:
        """Write the pseudo-labels with the finished completer."""
        checkpoint = on_main_process(training_progress, self.cfg).checkpoint
        write_labels(self.labels_cfg, str(checkpoint))

    def _load(self, cfg: Config, key: str) -> Config:
        if key not in cfg.stage1:
            raise ValueError(f'stage1 of {cfg.filename} has no {key!r}: expected the path of a '
                             'config from the folder of this one')
        path = Path(cfg.filename).parent / cfg.stage1[key]
        return load_config(str(path), cfg.stage1.get('cfg_options'), cfg.launcher)


def write_labels(cfg: Config, checkpoint: str) -> Dict[str, float]:
    """Run a pseudo-labels config for the images that have no labels yet.

    Args:
        cfg: with ``work_dir``; its ``test_evaluator`` is a PseudoLabelWriter.
        checkpoint: the completer's weights.
    """
    cfg.load_from, cfg.resume = checkpoint, False
    runner = build_runner(without_pretrained(cfg))
    on_main_process(check_fit, runner.model, checkpoint, cfg)
    writer = continue_labels(runner, checkpoint)
    if writer.left:
        metrics = runner.test()
    else:
        metrics = on_main_process(writer.merge)
    del runner, writer
    _free_memory()
    return metrics


def labels_state(cfg: Config, completer: Progress) -> dict:
    """Whether the labels of a pseudo-labels config can be used, and their state in words."""
    out_file = pseudo_label_file(cfg)
    if not out_file.is_file():
        begun = ' (begun)' if part_paths(out_file) else ''
        return dict(usable=False, words=f'{out_file}{begun}')
    info = read_info(out_file)
    made_by = f"SHA-256 {str(info.get('checkpoint_sha256'))[:8]}…"
    if completer.checkpoint is None:
        return dict(usable=True, words=f'{out_file}, by a completer that is not here ({made_by}); '
                    'delete the file to have it written anew')
    if not completer.finished:
        return dict(usable=False, words=f'{out_file} is by another completer ({made_by}): it will '
                    'be written anew')
    wanted = decided_by(cfg, str(completer.checkpoint))
    other = [key for key in wanted if info.get(key) != wanted[key]]
    if other:
        return dict(usable=False, words=f'{out_file} has another {" and ".join(other)} in its '
                    'info than it would have now: it will be written anew')
    return dict(usable=True, words=str(out_file))


def pseudo_label_file(labels_cfg: Config) -> Path:
    """The file that a pseudo-labels config writes."""
    evaluator = labels_cfg.get('test_evaluator') or {}
    if not isinstance(evaluator, dict) or evaluator.get('type') != 'PseudoLabelWriter':
        raise ValueError(f'{labels_cfg.filename} writes no pseudo-labels: expected test_evaluator='
                         "dict(type='PseudoLabelWriter', out_file=...)")
    return Path(evaluator['out_file'])


def check_reads(cfg: Config, out_file: Path) -> None:
    """Refuse a stage-2 config that trains on another file than its stage 1 writes."""
    read = annotation_files(cfg.train_dataloader.dataset)
    if out_file not in read:
        raise ValueError(f'{cfg.filename} trains on {", ".join(map(str, read)) or "no file"}, but '
                         f'its pseudo-labels are written to {out_file}: set ann_file of the '
                         'training set to that path (and data_root to "")')


def build_runner(cfg: Config) -> Runner:
    """A Runner, or what ``runner_type`` names, fit for this machine."""
    cfg = fit_to_machine(cfg)
    return RUNNERS.build(cfg) if 'runner_type' in cfg else QuietRunner.from_cfg(cfg)


def _todo(done: bool, function: Callable[..., object], *args: object) -> Optional[Callable]:
    return None if done else lambda: function(*args)


def _free_memory() -> None:
    """Between two parts: workers and GPU memory of the last one, and one state of the disk."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    barrier()
