"""Checkpoints on disk: which one to go on from, and whether one fits a model."""

import ast
import io
import re
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union

import torch
from mmengine.config import Config
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.runner import CheckpointLoader
from torch import nn

from ...files import write_whole
from ...weights import local_file
from .command_line import config_name, say
from .test_time_augmentation import tested_model

# What weights depend on although their shapes do not, and its defaults.
MEANING = {
    'type': None, 'loss.type': None, 'evidence': 'boundary', 'with_image': False,
    'category_input': False, 'patch_size': 256, 'boundary_width': 5, 'object_only': False,
    'roi_head.relu': True,
    'backbone.style': 'pytorch', 'network.dilations': (6, 12, 18),
    'network.backbone.strides': (1, 2, 2, 2), 'network.backbone.dilations': (1, 1, 1, 1)
}


class Progress(NamedTuple):
    """How far a training has come."""

    checkpoint: Optional[Path]
    done: int
    total: int
    unit: str
    unreadable: Tuple[Path, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether nothing is left to train."""
        return self.checkpoint is not None and self.done >= self.total

    def __str__(self) -> str:
        if self.checkpoint is None:
            return f'not begun, {self.total} {self.unit} to do'
        return f'{self.done} of {self.total} {self.unit} done ({self.checkpoint})'


def training_progress(cfg: Config) -> Progress:
    """Progress of the training in ``cfg.work_dir``: the newest checkpoint that loads.

    Does not trust mmengine's ``last_checkpoint``, which a kill leaves behind stale, nor any
    file's being whole: one that a kill truncated is passed over, for the one before it.
    """
    total, unit, key = training_length(cfg)
    unreadable: List[Path] = []
    for path in checkpoint_files(Path(cfg.work_dir)):
        meta = read_meta(path)
        if meta is not None:
            return Progress(path, meta[key], total, unit, tuple(unreadable))
        unreadable.append(path)
    return Progress(None, 0, total, unit, tuple(unreadable))


def training_length(cfg: Config) -> Tuple[int, str, str]:
    """Length of the training, its unit, and the key of a checkpoint's meta that counts it.

    Raises:
        ValueError: the config trains nothing.
    """
    train_cfg = cfg.get('train_cfg') or {}
    for key, unit, counter in (('max_iters', 'iterations', 'iter'), ('max_epochs', 'epochs',
                                                                     'epoch')):
        if train_cfg.get(key):
            return int(train_cfg[key]), unit, counter
    raise ValueError(f'{cfg.filename} has nothing to train: expected train_cfg with max_iters or '
                     f'max_epochs, got {dict(train_cfg)}')


def checkpoint_files(work_dir: Path) -> List[Path]:
    """Checkpoints named by a count (``iter_500.pth``), the latest first."""
    numbered = [(int(match[1]), path) for path in work_dir.glob('*.pth')
                if not path.name.startswith('best_')
                and (match := re.search(r'_(\d+)\.pth$', path.name))]
    return [path for _, path in sorted(numbered, reverse=True)]


def read_meta(path: Path) -> Optional[dict]:
    """``meta`` of a checkpoint that can be resumed from; None if it cannot be read."""
    try:
        # mmengine's loader knows what may stand in its own checkpoints.
        checkpoint = _load(str(path))
        return {key: int(checkpoint['meta'][key]) for key in ('iter', 'epoch')}
    except Exception:  # A broken file fails in as many ways as torch has readers.
        return None


def check_fit(model: nn.Module, path: str, cfg: Config) -> None:
    """Refuse weights of another model, which mmengine would load with a warning.

    Args:
        model: the config's model.
        path: its checkpoint.
        cfg: the config.

    Raises:
        ValueError: the file is no checkpoint, or parameters are missing or of another shape,
            or it was trained to be given something else.
        FileNotFoundError: it does not exist.
    """
    checkpoint = load_checkpoint(path)
    weights = state_dict_of(checkpoint)
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.module
    wanted = {name: tuple(value.shape) for name, value in model.state_dict().items()
              if not name.endswith('num_batches_tracked')}
    missing = [name for name in wanted if name not in weights]
    other = [name for name, shape in wanted.items()
             if name in weights and tuple(weights[name].shape) != shape]
    faults = [f'{len(names)} of {len(wanted)} parameters {fault} (first: {names[0]})'
              for names, fault in ((missing, 'are missing'), (other, 'have another shape'))
              if names] or other_meaning(checkpoint, cfg)
    if faults:
        raise ValueError(f'{path} is a checkpoint of another model than that of '
                         f'{config_name(cfg)}: {"; ".join(faults)}; give one that was trained '
                         'with this config')


def check_start(model: nn.Module, path: str) -> None:
    """Refuse weights to begin with of which the model takes none; say how many it takes.

    Counts what is loaded: modules with ``fitted_weights`` take weights of other shapes and names.

    Raises:
        ValueError: there is none of its names and shapes.
    """
    weights = state_dict_of(load_checkpoint(path))
    model = model.module if is_model_wrapper(model) else model
    for name, module in model.named_modules():
        if hasattr(module, 'fitted_weights'):
            weights.update(module.fitted_weights(weights, f'{name}.'))
    wanted = model.state_dict()
    fit = [name for name, value in wanted.items()
           if name in weights and weights[name].shape == value.shape]
    if not fit:
        raise ValueError(f'{path} has none of the {len(wanted)} parameters of the model, whose '
                         f'first is {next(iter(wanted), "none")}: give load_from the weights of '
                         'such a model, or leave it out')
    say(f'{len(fit)} of {len(wanted)} parameters have their like in {path}')


def other_meaning(checkpoint: dict, cfg: Config) -> List[str]:
    """Where the config that a checkpoint was trained with has another model than ``cfg``.

    Thresholds and context may differ. Says nothing of a checkpoint without its config.
    """
    wanted = _meaning(tested_model(cfg.get('model') or {}))
    trained = _meaning(trained_model(checkpoint))
    return [f'it was trained with model.{key}={trained[key]!r}, not {wanted[key]!r}'
            for key in trained if key in wanted and trained[key] != wanted[key]]


def _meaning(model: dict) -> Dict[str, Any]:
    """The settings to compare; none of an unknown model."""
    return {path: _setting(model, path, default)
            for path, default in MEANING.items()} if 'type' in model else {}


def _setting(model: dict, path: str, default: Any) -> Any:
    """The value at a path of keys such as ``'loss.type'``; a list as a tuple."""
    *parents, name = path.split('.')
    for parent in parents:
        model = model.get(parent) or {}
    value = model.get(name, default)
    return tuple(value) if isinstance(value, list) else value


def trained_model(checkpoint: dict) -> dict:
    """``model`` of the config that mmengine leaves in a checkpoint, as text; {} if unknown."""
    cfg = checkpoint.get('meta', {}).get('cfg')
    if not isinstance(cfg, str):
        return {}
    try:
        values = {line.targets[0].id: line.value for line in ast.parse(cfg).body
                  if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name)}
        return _literal(values['model'])
    except (SyntaxError, ValueError, KeyError):
        return {}


def _literal(node: ast.AST) -> Any:
    """The value of an expression of a dumped config: literals and ``dict(...)``, nothing run."""
    if isinstance(node, ast.Call) and getattr(node.func, 'id', None) == 'dict':
        return {item.arg: _literal(item.value) for item in node.keywords}
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_literal(item) for item in node.elts]
    return ast.literal_eval(node)


def check_readable(path: str) -> None:
    """Refuse a file that does not exist or is no checkpoint, before anything is built."""
    load_checkpoint(path)


def load_checkpoint(path: str) -> dict:
    """A checkpoint, or the state dict that stands in a file by itself.

    Raises:
        ValueError: the file cannot be read, or there is none of its name.
        FileNotFoundError: it does not exist.
    """
    local_file(path)
    try:
        checkpoint = _load(path)
        state_dict_of(checkpoint)
    except FileNotFoundError:
        raise FileNotFoundError(f'checkpoint {path} does not exist') from None
    except Exception as error:
        raise ValueError(f'{path} cannot be read as a checkpoint: {_first_line(error)}; it may '
                         'have been cut off while it was written: take an older one') from None
    return checkpoint


def state_dict_of(checkpoint: dict) -> Dict[str, torch.Tensor]:
    """Parameters of a checkpoint by name, without the ``module.`` of parallel models."""
    weights = checkpoint.get('state_dict', checkpoint)
    return {re.sub(r'^module\.', '', name): value for name, value in weights.items()
            if isinstance(value, torch.Tensor)}


def write_checkpoint(path: Union[str, Path], checkpoint: dict) -> None:
    """Write a checkpoint, whole or not at all."""
    buffer = io.BytesIO()
    torch.save(checkpoint, buffer)
    write_whole(path, buffer.getvalue())


def _load(path: str) -> dict:
    return CheckpointLoader.load_checkpoint(path, map_location='cpu', logger='silent')


def _first_line(error: Exception) -> str:
    words = str(error).strip().split('\n')[0][:200]
    # What is no archive at all ends in errors whose text is a number, or nothing.
    return words if len(words.split()) > 1 else f'{type(error).__name__} {words}'.strip()
