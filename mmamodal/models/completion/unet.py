"""PCNet's UNet, and the one that sees the image."""

import warnings
from typing import List

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
        base_channels: channels of the first level: 4, 8, 16, 32 and 64 in the published
            ``unet025``, ``unet05``, ``unet1``, ``unet2`` and ``unet4``.
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
        levels = self.encode(x)
        x = levels[-1]
        for block, skip in zip(self.decoder, levels[-2::-1]):
            up = F.interpolate(x, size=skip.shape[-2:], mode='bilinear', align_corners=True)
            x = block(torch.cat([skip, up], dim=1))
        return self.head(x)

    def encode(self, x: Tensor) -> List[Tensor]:
        """Five levels, (P, C, S, S) to (P, C, S/16, S/16)."""
        levels: List[Tensor] = []
        for block in self.encoder:
            x = block(F.max_pool2d(x, 2) if levels else x)
            levels.append(x)
        return levels


@MODELS.register_module()
class CompletionUNetResNet(CompletionUNet):
    """Like CompletionUNet, but sees the image through a ResNet, whose last level joins the
    UNet's deepest one (PCNet's ``unet2res``); 14,955,266 parameters with a ResNet-18.

    The published network loses its ImageNet weights to the init of the UNet around it. Here
    the backbone keeps those of its own ``init_cfg``.

    Args:
        backbone: a ResNet of mmdet, such as ``dict(type='ResNet', depth=18)``.
        in_channels: 5: mask, evidence and the image, as MaskCompleter gives them with
            ``with_image=True``.
        out_channels, base_channels, init_cfg: as in CompletionUNet.
    """

    def __init__(self, backbone: dict, in_channels: int = 5, out_channels: int = 2,
                 base_channels: int = 32, init_cfg: object = 'published') -> None:
        super().__init__(in_channels - 3, out_channels, base_channels, init_cfg)
        deepest = 8 * base_channels
        self.backbone = MODELS.build(backbone)
        self.squeeze = _conv_norm(self.backbone.feat_dim, deepest, 1)
        self.decoder[0] = _double_conv(3 * deepest, deepest // 2)

    def encode(self, x: Tensor) -> List[Tensor]:
        """Like CompletionUNet's, with the image in the last level."""
        *levels, last = super().encode(x[:, :-3])
        image = self.squeeze(self.backbone(x[:, -3:])[-1])
        image = F.interpolate(image, size=last.shape[-2:], mode='bilinear', align_corners=True)
        return [*levels, torch.cat([last, image], dim=1)]


def _double_conv(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(_conv_norm(in_channels, out_channels, 3),
                         _conv_norm(out_channels, out_channels, 3))


def _conv_norm(in_channels: int, out_channels: int, kernel_size: int) -> ConvModule:
    with warnings.catch_warnings():
        # The published network has a bias before its normalisation.
        warnings.filterwarnings('ignore', 'Unnecessary conv bias')
        return ConvModule(in_channels, out_channels, kernel_size, padding=kernel_size // 2,
                          bias=True, norm_cfg=dict(type='BN'))
