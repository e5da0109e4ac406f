"""Losses of the completers and how each reads the network's two channels.

Letters: P patches, S patch side; z (P, 2, S, S) is the network's output, t (P, S, S) the
target in {0, 1}, E (P, S, S) the occluder. Every loss weights the pixels inside E by
λ = ``occluder_weight`` and divides by the number of pixels (ASBU, Eq. 1).
"""

from typing import Optional

import torch
from mmdet.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F


class CompletionLoss(nn.Module):
    """What the losses share: the region weight, and z as a probability and an uncertainty.

    Args:
        occluder_weight: λ, weight of a pixel inside the occluder.
        min_uncertainty: added to u = softplus(z1). Published: 1e-6, which lets a confident
            error of one pixel outweigh a batch; the square of it is the error below which
            a pixel asks for no more certainty.
    """

    def __init__(self, occluder_weight: float = 5.0, min_uncertainty: float = 1e-2) -> None:
        super().__init__()
        if occluder_weight < 0 or min_uncertainty <= 0:
            raise ValueError('expected occluder_weight >= 0 and min_uncertainty > 0, got '
                             f'{occluder_weight} and {min_uncertainty}')
        self.occluder_weight = occluder_weight
        self.min_uncertainty = min_uncertainty

    def probability(self, logits: Tensor) -> Tensor:
        """(P, 2, S, S) -> (P, S, S), the amodal mask m in [0, 1]."""
        return logits[:, 0].sigmoid()

    def uncertainty(self, logits: Tensor) -> Optional[Tensor]:
        """(P, 2, S, S) -> (P, S, S), the uncertainty u > 0; None if the loss has none."""
        return F.softplus(logits[:, 1]) + self.min_uncertainty

    def forward(self, logits: Tensor, target: Tensor, occluder: Tensor) -> Tensor:
        """The loss of a batch: z (P, 2, S, S), t (P, S, S), E (P, S, S) -> scalar."""
        target = target.to(logits.dtype)
        weight = 1 + (self.occluder_weight - 1) * (occluder > 0).to(logits.dtype)
        return (weight * self.per_pixel(logits, target)).mean()

    def per_pixel(self, logits: Tensor, target: Tensor) -> Tensor:
        """(P, S, S) loss before region weights."""
        raise NotImplementedError


@MODELS.register_module()
class RegionWeightedCrossEntropy(CompletionLoss):
    """PCNet's loss: cross-entropy of background and foreground logits (CVPR'20, §3.2)."""

    def probability(self, logits: Tensor) -> Tensor:
        """(P, 2, S, S) -> (P, S, S), the foreground's softmax."""
        return (logits[:, 1] - logits[:, 0]).sigmoid()

    def uncertainty(self, logits: Tensor) -> None:
        """None: the two channels are background and foreground."""
        return None

    def per_pixel(self, logits: Tensor, target: Tensor) -> Tensor:
        """Softmax cross-entropy of two classes is BCE on their difference."""
        margin = logits[:, 1] - logits[:, 0]
        return F.binary_cross_entropy_with_logits(margin, target, reduction='none')


@MODELS.register_module()
class UncertaintyLoss(CompletionLoss):
    """ASBU's loss, Eq. (1): ((t - m) / u)² / 2 + u² / 2."""

    def per_pixel(self, logits: Tensor, target: Tensor) -> Tensor:
        """Least over u where u² = |t - m|, and |t - m| there."""
        m, u = self.probability(logits), self.uncertainty(logits)
        return 0.5 * ((target - m) / u)**2 + 0.5 * u**2


@MODELS.register_module()
class GaussianLoss(CompletionLoss):
    """The Gaussian baseline, Eq. (2): ((t - m)² / u² + log u²) / 2."""

    def per_pixel(self, logits: Tensor, target: Tensor) -> Tensor:
        """Least over u where u = |t - m|; without bound as both go to zero."""
        m, u = self.probability(logits), self.uncertainty(logits)
        return 0.5 * ((target - m) / u)**2 + torch.log(u)


@MODELS.register_module()
class UncertaintyBCELoss(CompletionLoss):
    """uBCE, Eq. (4): BCE(m, t) / u² / 2 + u² / 2, the sign of its second term mended."""

    def per_pixel(self, logits: Tensor, target: Tensor) -> Tensor:
        """Least over u where u⁴ = BCE(m, t)."""
        u = self.uncertainty(logits)
        bce = F.binary_cross_entropy_with_logits(logits[:, 0], target, reduction='none')
        return 0.5 * bce / u**2 + 0.5 * u**2
