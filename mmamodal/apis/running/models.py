"""Models with their weights, to predict with."""

from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.model import BaseModel
from mmengine.registry import init_default_scope
from torch import nn

from .checkpoints import check_fit, load_checkpoint, state_dict_of
from .command_line import config_name, keep_freed_memory, say
from .initialisation import without_pretrained


def load_model(cfg: Config, checkpoint: str, kind: type = BaseModel) -> BaseModel:
    """The model of a config with its weights, in evaluation mode.

    Args:
        cfg: with ``model``.
        checkpoint: path of the weights; ``'none'`` for a model that has none.
        kind: what it has to be.

    Raises:
        ValueError: it is of another kind, or the weights are of another model or cannot be read.
        FileNotFoundError: there are none of that path.
    """
    init_default_scope(cfg.get('default_scope', 'mmdet'))
    model = MODELS.build(without_pretrained(cfg).model)
    if not isinstance(model, kind):
        raise ValueError(f'{cfg.filename} has a {type(model).__name__}: expected a '
                         f'{kind.__name__}')
    if checkpoint == 'none':
        tell_of_random(model, cfg)
    else:
        check_fit(model, checkpoint, cfg)
        model.load_state_dict(state_dict_of(load_checkpoint(checkpoint)), strict=False)
    if get_device() == 'cpu':
        keep_freed_memory()
    return model.to(get_device()).eval()


def tell_of_random(model: nn.Module, cfg: Config) -> None:
    """Say so, where a model without a checkpoint has parameters to train."""
    if any(True for _ in model.parameters()):
        say(f'no checkpoint: the parameters of {config_name(cfg)} are at random')
