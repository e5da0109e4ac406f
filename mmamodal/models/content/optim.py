"""An optimiser for each of a model's networks."""

from typing import Optional

from mmdet.registry import OPTIM_WRAPPER_CONSTRUCTORS
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapperDict, build_optim_wrapper
from torch import nn


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class OptimWrapperPerNetwork:
    """Builds an OptimWrapperDict from ``dict(constructor='OptimWrapperPerNetwork',
    generator=dict(optimizer=...), discriminator=dict(optimizer=...))``.

    Names are attributes of the model. What stands beside them, such as the type and the
    scale that ``--amp`` sets, is for all of them.

    Args:
        optim_wrapper_cfg: as above, without the constructor.
        paramwise_cfg: has to stand inside the networks' settings.

    Raises:
        ValueError: no network is named, or one that the model does not have.
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: Optional[dict] = None) -> None:
        if paramwise_cfg is not None:
            raise ValueError('paramwise_cfg stands beside the networks of optim_wrapper: expected '
                             'it inside the settings of one')
        self.networks = {name: cfg for name, cfg in optim_wrapper_cfg.items()
                         if isinstance(cfg, dict) and 'optimizer' in cfg}
        self.shared = {name: cfg for name, cfg in optim_wrapper_cfg.items()
                       if name not in self.networks}

    def __call__(self, model: nn.Module) -> OptimWrapperDict:
        """The optimisers of a model's networks."""
        model = model.module if is_model_wrapper(model) else model
        missing = [name for name in self.networks if not hasattr(model, name)]
        if missing or not self.networks:
            raise ValueError(f'optim_wrapper has settings for {list(self.networks)}: expected '
                             f'names of networks of {type(model).__name__}, each with an optimizer')
        return OptimWrapperDict(**{
            name: build_optim_wrapper(getattr(model, name), {**self.shared, **cfg})
            for name, cfg in self.networks.items()})
