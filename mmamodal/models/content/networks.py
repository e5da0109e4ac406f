"""The networks of content completion: a UNet of partial convolutions, and what judges it.

Letters: P patches of side S, C channels of one input, h×w its size. A *known* map (P, 1, h, w)
is 1 where there is content and 0 in the hole.
"""

from typing import List, Sequence, Tuple

import torch
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm


class PartialConv2d(nn.Conv2d):
    """A convolution of what is known alone, divided by how many values that is (Liu et al.,
    *Image Inpainting for Irregular Holes*, ECCV 2018, as PCNet has it).

    The published code counts the known values by a second, fixed convolution. All channels
    of an input share one known map, so a sum over that map counts the same.

    Args:
        in_channels: of each input; the kernel spans them all.
        out_channels: of the result.
        kernel_size: odd, padded by half of it.
        stride: as in a convolution.
        bias: added where anything is known.
    """

    def __init__(self, in_channels: Sequence[int], out_channels: int, kernel_size: int,
                 stride: int = 1, bias: bool = False) -> None:
        super().__init__(sum(in_channels), out_channels, kernel_size, stride,
                         padding=kernel_size // 2, bias=bias)

    def forward(self, inputs: Sequence[Tensor], known: Sequence[Tensor]) -> Tuple[Tensor, Tensor]:
        """Convolve.

        Args:
            inputs: (P, C, h, w) each.
            known: (P, 1, h, w) float in {0, 1} of each input.

        Returns:
            The result (P, out_channels, h', w'), 0 where nothing is known, and its known map.
        """
        erased = torch.cat([x * mask for x, mask in zip(inputs, known)], dim=1)
        counted = sum(x.shape[1] * F.avg_pool2d(
            mask, self.kernel_size, self.stride, self.padding, divisor_override=1)
            for x, mask in zip(inputs, known))
        here = (counted > 0).to(counted.dtype)
        out = self._conv_forward(erased, self.weight, None) * (here / counted.clamp(min=1))
        return (out if self.bias is None else out + self.bias[:, None, None] * here), here


@MODELS.register_module()
class PConvUNet(BaseModule):
    """PCNet-C's generator: a UNet of partial convolutions that fills holes.

    25,782,959 parameters at its default size; the published one counts 51,557,083, as it holds
    the kernels of ones that count what is known.

    Args:
        in_channels: 4: the image and the object's visible mask.
        out_channels: of the result.
        base_channels: of the first level; they double until there are eight times as many.
        levels: halvings of the size.
        init_cfg: weights; the published Kaiming-normal ones by default.
    """

    def __init__(self, in_channels: int = 4, out_channels: int = 3, base_channels: int = 64,
                 levels: int = 7, init_cfg: object = 'published') -> None:
        if init_cfg == 'published':
            init_cfg = dict(type='Kaiming', layer='PartialConv2d', a=0, mode='fan_in')
        super().__init__(init_cfg)
        widths = [in_channels] + [base_channels * min(2**i, 8) for i in range(levels)]
        kernels = ([7, 5, 5] + [3] * levels)[:levels]
        self.encoder = nn.ModuleList(
            PartialConv2d([a], b, k, stride=2) for a, b, k in zip(widths, widths[1:], kernels))
        self.encoder_norms = nn.ModuleList(
            [nn.Identity()] + [nn.BatchNorm2d(width) for width in widths[2:]])
        outs = [out_channels] + widths[1:-1]  # of the decoder, the finest level first
        self.decoder = nn.ModuleList(
            PartialConv2d([deep, skip], out, 3, bias=i == 0)
            for i, (deep, skip, out) in enumerate(zip(widths[1:], widths, outs)))
        self.decoder_norms = nn.ModuleList(nn.BatchNorm2d(width) for width in outs[1:])

    def forward(self, x: Tensor, known: Tensor) -> Tensor:
        """Fill the holes.

        Args:
            x: (P, in_channels, S, S); what it holds in the hole has no influence.
            known: (P, 1, S, S) float in {0, 1}.

        Returns:
            (P, out_channels, S, S), all of the patch drawn anew.
        """
        levels: List[Tuple[Tensor, Tensor]] = [(x, known)]
        for conv, norm in zip(self.encoder, self.encoder_norms):
            x, known = conv([x], [known])
            x = F.relu(norm(x))
            levels.append((x, known))
        x, known = levels.pop()
        for i in reversed(range(len(levels))):
            skip, skip_known = levels[i]
            size = skip.shape[-2:]
            x, known = self.decoder[i]([F.interpolate(x, size), skip],
                                       [F.interpolate(known, size), skip_known])
            if i > 0:
                x = F.leaky_relu(self.decoder_norms[i - 1](x), 0.2)
        return x


@MODELS.register_module()
class InpaintDiscriminator(nn.Module):
    """PCNet-C's discriminator: five spectrally normalised convolutions that judge, place by
    place, whether a patch is an image; 2,764,800 parameters at its default size.

    Args:
        in_channels: 4: an image and the object's visible mask.
        base_channels: of the first convolution.
    """

    def __init__(self, in_channels: int = 4, base_channels: int = 64) -> None:
        super().__init__()
        widths = [in_channels] + [base_channels * scale for scale in (1, 2, 4, 8)] + [1]
        convs = [nn.Conv2d(a, b, 4, stride, padding=1, bias=False)
                 for a, b, stride in zip(widths, widths[1:], (2, 2, 2, 1, 1))]
        for conv in convs:
            nn.init.normal_(conv.weight, 0, 0.02)
        self.convs = nn.ModuleList(spectral_norm(conv) for conv in convs)

    def forward(self, x: Tensor) -> Tensor:
        """(P, in_channels, S, S) -> (P, 1, s, s) logits, s = S / 8 - 2; S at least 24."""
        for conv in self.convs[:-1]:
            x = F.leaky_relu(conv(x), 0.2)
        return self.convs[-1](x)
