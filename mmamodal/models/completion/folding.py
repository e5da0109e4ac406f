"""Networks made quick for prediction: normalisation folded into convolutions."""

import copy
from typing import Optional, Tuple

import torch
from mmcv.cnn import fuse_conv_bn
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

CPU_PIXELS = 256**2  # in one pass: what it makes stays in the caches


class Folding:
    """A folded copy of a network, kept until the weights change.

    Training and checkpoints see the network as it is.
    """

    def __init__(self) -> None:
        self._copy: Optional[nn.Module] = None
        self._folded: Optional[Tuple] = None

    def __call__(self, network: nn.Module, channels: Tensor) -> Tensor:
        """The network's output; on a CPU few patches pass at a time.

        Args:
            network: any module; called itself while it trains or has nothing to fold.
            channels: (P, C, S, S).
        """
        folded = self._folded_copy(network)
        share = (max(CPU_PIXELS // channels[0, 0].numel(), 1) if channels.device.type == 'cpu'
                 else len(channels))
        return torch.cat([folded(part) for part in channels.split(share)])

    def _folded_copy(self, network: nn.Module) -> nn.Module:
        if network.training or not any(isinstance(m, _BatchNorm) for m in network.modules()):
            return network
        weights = (id(network), *((value.data_ptr(), value.device, value.dtype, value._version)
                                  for value in network.state_dict(keep_vars=True).values()))
        if self._copy is None or weights != self._folded:
            self._copy, self._folded = fuse_conv_bn(copy.deepcopy(network)), weights
            self._copy.to(memory_format=torch.channels_last)
        return self._copy

    def forget(self) -> None:
        """Fold anew: weights written through ``.data``, as averaging hooks do, go unseen."""
        self._copy = None
