"""Networks and losses."""

from .amodal_tta import AmodalTTAModel
from .baselines import HullCompleter
from .completer import MaskCompleter
from .content_baselines import PlainContent
from .content_completer import ContentCompleter
from .content_networks import InpaintDiscriminator, PConvUNet
from .content_optim import OptimWrapperPerNetwork
from .deeplab import CompletionDeepLab
from .losses import (GaussianLoss, RegionWeightedCrossEntropy, UncertaintyBCELoss,
                     UncertaintyLoss)
from .orcnn_roi_head import CascadeORCNNRoIHead, ORCNNRoIHead
from .unet import CompletionUNet, CompletionUNetResNet
from .weighted_mask_head import WeightedMaskHead

__all__ = [
    'ContentCompleter', 'InpaintDiscriminator', 'OptimWrapperPerNetwork', 'PConvUNet',
    'PlainContent',
    'AmodalTTAModel', 'CascadeORCNNRoIHead', 'CompletionDeepLab', 'CompletionUNet',
    'CompletionUNetResNet', 'GaussianLoss', 'HullCompleter',
    'MaskCompleter', 'ORCNNRoIHead', 'RegionWeightedCrossEntropy', 'UncertaintyBCELoss',
    'UncertaintyLoss', 'WeightedMaskHead'
]
