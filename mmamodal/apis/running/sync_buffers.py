"""Running statistics of BatchNorm under several processes."""

from typing import Iterator

from mmdet.registry import HOOKS
from mmengine.dist import all_reduce_params
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


@HOOKS.register_module()
class SyncStatisticsHook(Hook):
    """Like mmengine's SyncBuffersHook, but after every iteration, and BatchNorm's only.

    Checkpoints then hold what all processes saw, not the first alone, wherever they are
    saved, and validation during training gives what a test of the checkpoint gives.
    """

    def after_train_iter(self, runner: Runner, *args: object, **kwargs: object) -> None:
        """Average over processes; nothing with one process or frozen statistics."""
        all_reduce_params(list(learned_statistics(runner.model)), op='mean')


def learned_statistics(model: nn.Module) -> Iterator[Tensor]:
    """Running means and variances that training changes."""
    for module in model.modules():
        if isinstance(module, _BatchNorm) and module.training and module.track_running_stats:
            yield from (module.running_mean, module.running_var)
