"""DeepLabv3 and DeepLabv3+ as networks of the completer."""

from typing import Sequence

import torch
from mmcv.cnn import ConvModule
from mmdet.models.necks.rfp import ASPP
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F


@MODELS.register_module()
class CompletionDeepLab(BaseModule):
    """DeepLabv3 (Chen et al., arXiv:1706.05587), or DeepLabv3+ (ECCV 2018) with
    ``low_level_channels``: a ResNet, dilated, atrous spatial pyramid pooling, a small decoder.

    Args:
        backbone: a ResNet of mmdet with as many ``in_channels`` as the completer gives (2, or 5
            with the image), its last stages dilated instead of strided.
        low_level_channels: 0: DeepLabv3, whose decoder works at the backbone's last resolution;
            else DeepLabv3+, whose decoder works at a quarter of the patch, beside so many
            channels of the backbone's first stage (48 in the paper).
        out_channels: channels of the result.
        channels: of each branch of the pyramid, and of the decoder.
        dilations: of the pyramid's 3×3 branches, pixels of the last stage. The paper's are
            (6, 12, 18) where that has a sixteenth of the resolution.
        init_cfg: as in mmengine.
    """

    def __init__(self, backbone: dict, low_level_channels: int = 0, out_channels: int = 2,
                 channels: int = 256, dilations: Sequence[int] = (6, 12, 18),
                 init_cfg: object = None) -> None:
        super().__init__(init_cfg)
        norm = dict(type='BN')
        self.backbone = MODELS.build(backbone)
        deep = self.backbone.feat_dim
        self.pyramid = _normalised(ASPP(deep, channels, (1, *dilations, 1)), channels)
        self.project = ConvModule(channels * (len(dilations) + 2), channels, 1, norm_cfg=norm)
        self.low_level, width = None, channels
        if low_level_channels:
            self.low_level = ConvModule(deep // 8, low_level_channels, 1, norm_cfg=norm)
            width += low_level_channels
        self.decoder = nn.Sequential(*(
            ConvModule(inward, channels, 3, padding=1, norm_cfg=norm)
            for inward in ([width, channels] if low_level_channels else [width])))
        self.head = nn.Conv2d(channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(P, in_channels, S, S) -> (P, out_channels, S, S)."""
        first, *_, last = self.backbone(x)
        y = self.project(self.pyramid(last))
        if self.low_level is not None:
            y = torch.cat([self.low_level(first), _resized(y, first)], dim=1)
        return _resized(self.head(self.decoder(y)), x)


def _normalised(pyramid: ASPP, channels: int) -> ASPP:
    """With batch normalisation after its convolutions, as in DeepLab, which mmdet's lacks. The
    pooled branch has a single pixel, of which a batch of one has no variance: it stays."""
    *convs, pooled = pyramid.aspp
    pyramid.aspp = nn.ModuleList(
        [nn.Sequential(conv, nn.BatchNorm2d(channels)) for conv in convs] + [pooled])
    return pyramid


def _resized(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, size=like.shape[-2:], mode='bilinear', align_corners=False)
