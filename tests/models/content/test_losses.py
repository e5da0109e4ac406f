"""Losses of content completion, by hand on a row of pixels."""

import pytest
import torch
from mmcv.cnn import VGG

from mmamodal.models.content.losses import (PerceptualLosses, composed, gram, judged_as,
                                            reconstruction_losses)

# Three channels alike. The hole is the last two pixels of four.
IMAGE = torch.tensor([1.0, 2, 4, 0]).expand(1, 3, 1, 4)
OUT = torch.tensor([1.5, 2, 1, 1]).expand(1, 3, 1, 4)
KNOWN = torch.tensor([1.0, 1, 0, 0]).expand(1, 1, 1, 4)


def test_filled_image():
    assert composed(OUT, IMAGE, KNOWN)[0, 0].tolist() == [[1, 2, 1, 1]]


def test_reconstruction_by_hand():
    losses = reconstruction_losses(OUT.transpose(2, 3), IMAGE.transpose(2, 3),
                                   KNOWN.transpose(2, 3).contiguous())
    assert losses['tv'].isnan()  # a column has no neighbours beside it
    two = [x.expand(1, -1, 2, 4) for x in (OUT, IMAGE, KNOWN)]
    losses = {name: loss.item() for name, loss in reconstruction_losses(*two).items()}
    # |1-4| + |1-0| = 4 over 4 pixels; 0.5 over 4; filled 1 2 1 1: steps 1, 1, 0.
    assert losses == pytest.approx(dict(hole=1, valid=0.125, tv=2 / 3))


def test_total_variation_counts_both_directions():
    out = torch.arange(4.0).reshape(1, 1, 2, 2)  # rows 0 1, 2 3
    losses = reconstruction_losses(out, out, torch.zeros(1, 1, 2, 2))
    assert losses['tv'].item() == 1 + 2


def test_gram_by_hand():
    features = torch.tensor([[[[1.0, 2]], [[3, 4]]]])  # two channels, two pixels
    assert gram(features).tolist() == [[[5 / 4, 11 / 4], [11 / 4, 25 / 4]]]


@pytest.mark.parametrize('real, expected', [(True, 0.31326), (False, 1.31326)])
def test_judgement_by_hand(real, expected):
    """-ln sigmoid(1) and -ln(1 - sigmoid(1))."""
    assert judged_as(torch.ones(2, 1, 3, 3), real).item() == pytest.approx(expected, abs=1e-5)


@pytest.fixture(scope='module')
def vgg16(tmp_path_factory) -> str:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp('vgg') / 'vgg16.pth'
    torch.save(VGG(16).state_dict(), path)
    return str(path)


def test_perceptual_losses_compare_three_stages(vgg16):
    """Against the layers that the published code names: up to 5, 10 and 17."""
    losses = PerceptualLosses(vgg16)
    losses.init_weights()
    torch.manual_seed(0)
    out, image = torch.rand(2, 1, 3, 16, 16)
    known = torch.ones(1, 1, 16, 16)
    known[..., 8:] = 0
    assert all(not p.requires_grad for p in losses.parameters())
    weights = torch.load(vgg16)
    assert all(torch.equal(value, weights[name]) for name, value in losses.state_dict().items())
    perceptual = style = 0.0
    for x in (out, composed(out, image, known)):
        for end in (5, 10, 17):
            a, b = losses.features[:end](x), losses.features[:end](image)
            perceptual += (a - b).abs().mean().item()
            style += (gram(a) - gram(b)).abs().mean().item()
    found = losses.losses(out, image, known)
    assert found['perceptual'].item() == pytest.approx(perceptual, rel=1e-4)
    assert found['style'].item() == pytest.approx(style, rel=1e-4)


@pytest.mark.parametrize('content', [None, {'classifier.0.weight': torch.zeros(1)}])
def test_weights_of_something_else_are_refused(tmp_path, content):
    path = tmp_path / 'weights.pth'
    if content is not None:
        torch.save(content, path)
    with pytest.raises(ValueError, match='has no weights of a VGG-16'):
        PerceptualLosses(str(path)).init_weights()
