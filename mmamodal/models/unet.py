"""PCNet's UNet."""

import warnings

import torch
from mmcv.cnn import ConvModule
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F


@MODELS.register_module()
class CompletionUNet(BaseModule):
    """The UNet that completes masks (PCNet's ``unet2``): five levels, two convolutions each,
    bilinear upsampling, 3,352,002 parameters at its default width and two input channels.

    Args:
        in_channels: 2 (mask and evidence) or 5 (and the image).
        out_channels: channels of the result.
        base_channels: channels of the first level.
        init_cfg: weights; the published xavier-normal of gain 0.02 by default.
    """

    def __init__(self, in_channels: int = 2, out_channels: int = 2, base_channels: int = 32,
                 init_cfg: object = 'published') -> None:
        if init_cfg == 'published':
            init_cfg = [
                dict(type='Xavier', layer='Conv2d', gain=0.02, distribution='normal'),
                dict(type='Normal', layer='BatchNorm2d', mean=1.0, std=0.02)]
        super().__init__(init_cfg)
        widths = [base_channels * scale for scale in (1, 2, 4, 8, 8)]
        self.encoder = nn.ModuleList(
            _double_conv(a, b) for a, b in zip([in_channels] + widths, widths))
        self.decoder = nn.ModuleList(
            _double_conv(2 * skip, out)
            for skip, out in zip(widths[3::-1], widths[2::-1] + widths[:1]))
        self.head = nn.Conv2d(widths[0], out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(P, in_channels, S, S) -> (P, out_channels, S, S), S at least 16."""
        levels = []
        for block in self.encoder:
            x = block(F.max_pool2d(x, 2) if levels else x)
            levels.append(x)
        for block, skip in zip(self.decoder, levels[-2::-1]):
            up = F.interpolate(x, size=skip.shape[-2:], mode='bilinear', align_corners=True)
            x = block(torch.cat([skip, up], dim=1))
        return self.head(x)


def _double_conv(in_channels: int, out_channels: int) -> nn.Sequential:
    norm = dict(type='BN')
    with warnings.catch_warnings():
        # The published network has a bias before its normalisation.
        warnings.filterwarnings('ignore', 'Unnecessary conv bias')
        return nn.Sequential(
            ConvModule(in_channels, out_channels, 3, padding=1, bias=True, norm_cfg=norm),
            ConvModule(out_channels, out_channels, 3, padding=1, bias=True, norm_cfg=norm))
