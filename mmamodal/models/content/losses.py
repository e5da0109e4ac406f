"""Losses of content completion (PCNet-C, CVPR'20; Liu et al., ECCV 2018).

Letters: P patches of side S. Images are (P, 3, S, S) float32 RGB, normalised by ImageNet's mean
and deviation; ``out`` is generated, ``image`` the truth; known (P, 1, S, S) is 0 in the hole.
"""

from typing import Dict, List

import torch
from mmcv.cnn import VGG
from mmengine.runner import CheckpointLoader
from torch import Tensor
from torch.nn import functional as F

VGG_REMEDY = ("give the state dict of a VGG-16 for ImageNet without BatchNorm, such as "
              "torchvision's, or None")


def composed(out: Tensor, image: Tensor, known: Tensor) -> Tensor:
    """The image with its hole filled: what is known stays."""
    return known * image + (1 - known) * out


def reconstruction_losses(out: Tensor, image: Tensor, known: Tensor) -> Dict[str, Tensor]:
    """``hole`` and ``valid``, the L1 distance inside and outside of the hole, and ``tv``, the
    total variation of the filled image; each a mean over all values of the patches."""
    filled = composed(out, image, known)
    return dict(hole=F.l1_loss((1 - known) * out, (1 - known) * image),
                valid=F.l1_loss(known * out, known * image),
                tv=(filled.diff(dim=3).abs().mean() + filled.diff(dim=2).abs().mean()))


def gram(features: Tensor) -> Tensor:
    """(P, C, h, w) -> (P, C, C), their correlations over C·h·w."""
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / (flat.shape[1] * flat.shape[2])


class PerceptualLosses(VGG):
    """Distances between features of a VGG-16 after its first three poolings.

    Its weights never train. They are read by ``init_weights``, so that a model that only
    predicts does not need them.

    Args:
        path: of the weights.
    """

    def __init__(self, path: str) -> None:
        super().__init__(16, num_stages=3, dilations=(1, 1, 1), out_indices=(0, 1, 2))
        self.path = path
        self.requires_grad_(False)

    def init_weights(self) -> None:
        """Read the weights.

        Raises:
            ValueError: the file is missing, or is no VGG-16.
        """
        try:
            weights = CheckpointLoader.load_checkpoint(self.path, map_location='cpu',
                                                       logger='silent')
            weights = weights.get('state_dict', weights)
            self.load_state_dict({name: weights[name] for name in self.state_dict()})
        except (OSError, KeyError, RuntimeError, AttributeError) as error:
            raise ValueError(f'vgg16={self.path!r} has no weights of a VGG-16 '
                             f'({type(error).__name__}: {error}): {VGG_REMEDY}') from error

    def losses(self, out: Tensor, image: Tensor, known: Tensor) -> Dict[str, Tensor]:
        """``perceptual``: L1 distance of the features; ``style``: of their Gram matrices; of
        what is generated and of the filled image, each to the truth, summed over stages."""
        with torch.autocast(out.device.type, enabled=False):
            truth, *generated = [self(x.float()) for x in (
                image, out, composed(out, image, known))]
            return dict(perceptual=_distance(truth, generated),
                        style=_distance([gram(stage) for stage in truth],
                                        [[gram(stage) for stage in x] for x in generated]))


def _distance(truth: List[Tensor], generated: List[List[Tensor]]) -> Tensor:
    return sum(F.l1_loss(a, b) for stages in generated for a, b in zip(stages, truth))


def judged_as(logits: Tensor, real: bool) -> Tensor:
    """The cross-entropy of a discriminator's logits with 'real' or 'generated' everywhere."""
    return F.binary_cross_entropy_with_logits(logits.float(), torch.full_like(
        logits, float(real), dtype=torch.float32))
