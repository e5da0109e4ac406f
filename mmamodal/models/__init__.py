"""Networks and losses."""

from .amodal_tta import AmodalTTAModel
from .baselines import HullCompleter
from .completer import MaskCompleter
from .losses import (GaussianLoss, RegionWeightedCrossEntropy, UncertaintyBCELoss,
                     UncertaintyLoss)
from .orcnn_roi_head import CascadeORCNNRoIHead, ORCNNRoIHead
from .unet import CompletionUNet

__all__ = [
    'AmodalTTAModel', 'CascadeORCNNRoIHead', 'CompletionUNet', 'GaussianLoss', 'HullCompleter',
    'MaskCompleter', 'ORCNNRoIHead', 'RegionWeightedCrossEntropy', 'UncertaintyBCELoss',
    'UncertaintyLoss'
]
