"""Networks and losses."""

from .baselines import HullCompleter
from .completer import MaskCompleter
from .losses import (GaussianLoss, RegionWeightedCrossEntropy, UncertaintyBCELoss,
                     UncertaintyLoss)
from .unet import CompletionUNet

__all__ = [
    'CompletionUNet', 'GaussianLoss', 'HullCompleter', 'MaskCompleter',
    'RegionWeightedCrossEntropy', 'UncertaintyBCELoss', 'UncertaintyLoss'
]
