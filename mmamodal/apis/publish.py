"""Small files of trained completers, to ship or to send."""

from pathlib import Path
from typing import Dict

import torch
from mmengine.config import Config
from torch import Tensor

from ..files import check_output, sha256
from ..version import __version__
from ..weights import shipped_weights
from .running.checkpoints import load_checkpoint, state_dict_of, trained_model, write_checkpoint
from .running.initialisation import without_pretrained


def publish(checkpoint: str, out: Path) -> Path:
    """Write the weights of a completer in half precision and nothing that a training needs.

    The model's settings stay, so that weights are refused where they don't fit; no path does.

    Args:
        checkpoint: of a training of a MaskCompleter, by mmengine's Runner. If it averaged
            weights (EMAHook), the average is what stands in ``state_dict``.
        out: ``FOLDER/NAME.pth``; the file is FOLDER/NAME-DIGITS.pth, as
            :mod:`mmamodal.weights` finds it.

    Returns:
        The path of the file.

    Raises:
        ValueError: it is no completer's, a weight has no place in half precision, or weights of
            this name are there.
    """
    check_output(out, checkpoint, suffix='.pth')
    if out.stem in shipped_weights(out.parent):
        raise ValueError(f'{shipped_weights(out.parent)[out.stem]} is there already: remove it, '
                         'or give another name')
    trained = load_checkpoint(checkpoint)
    model = trained_model(trained)
    if model.get('type') != 'MaskCompleter':
        raise ValueError(f'{checkpoint} is no checkpoint of a completer: expected one whose config '
                         f"has model.type='MaskCompleter', got {model.get('type', 'no config')!r}")
    settings = without_pretrained(Config(dict(model=model))).model.to_dict()
    meta = dict(cfg=f'model = {settings!r}\n', mmamodal_version=__version__,
                iter=trained['meta'].get('iter'))
    draft = out.with_name(f'.{out.name}')  # whatever has the name without digits stays
    write_checkpoint(draft, dict(meta=meta, state_dict=halved(state_dict_of(trained))))
    return draft.rename(out.with_name(f'{out.stem}-{sha256(draft)[:8]}.pth'))


def halved(weights: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """Kernels as float16. Biases and what belongs to normalisations are few and stay: variances
    may be smaller than float16 knows.

    Raises:
        ValueError: a number is not finite, or too large for float16.
    """
    made = {name: value.half() if value.is_floating_point() and value.ndim > 1 else value
            for name, value in weights.items()}
    bad = [name for name, value in made.items() if not torch.isfinite(value).all()]
    if bad:
        raise ValueError(f'{len(bad)} parameters are not finite, or too large for float16 (first: '
                         f'{bad[0]}): the training has diverged')
    return made
