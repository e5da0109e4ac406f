"""Networks and losses."""

from .completion.baselines import HullCompleter
from .completion.completer import MaskCompleter
from .completion.deeplab import CompletionDeepLab
from .completion.losses import (GaussianLoss, RegionWeightedCrossEntropy, UncertaintyBCELoss,
                                UncertaintyLoss)
from .completion.unet import CompletionUNet, CompletionUNetResNet
from .content.baselines import PlainContent
from .content.completer import ContentCompleter
from .content.networks import InpaintDiscriminator, PConvUNet
from .content.optim import OptimWrapperPerNetwork
from .detection.amodal_tta import AmodalTTAModel
from .detection.orcnn_roi_head import CascadeORCNNRoIHead, ORCNNRoIHead
from .detection.weighted_mask_head import WeightedMaskHead

__all__ = [
    'ContentCompleter', 'InpaintDiscriminator', 'OptimWrapperPerNetwork', 'PConvUNet',
    'PlainContent',
    'AmodalTTAModel', 'CascadeORCNNRoIHead', 'CompletionDeepLab', 'CompletionUNet',
    'CompletionUNetResNet', 'GaussianLoss', 'HullCompleter',
    'MaskCompleter', 'ORCNNRoIHead', 'RegionWeightedCrossEntropy', 'UncertaintyBCELoss',
    'UncertaintyLoss', 'WeightedMaskHead'
]
