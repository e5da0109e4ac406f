"""Partial convolutions by hand and against their published form; sizes; what a hole may do."""

import pytest
import torch
from torch.nn import functional as F

from mmamodal.models import InpaintDiscriminator, PConvUNet
from mmamodal.models.content.networks import PartialConv2d


def parameters(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def ones_conv(channels: int, bias: bool = True) -> PartialConv2d:
    """All weights 1, the bias 10: the mean of what is known around a pixel, plus 10."""
    conv = PartialConv2d([channels], 1, 3, bias=bias)
    torch.nn.init.ones_(conv.weight)
    if bias:
        torch.nn.init.constant_(conv.bias, 10)
    return conv


def test_partial_convolution_by_hand():
    """A row 1 2 _ _ _ 6: means over neighbours that are known; nothing where there is none."""
    x = torch.tensor([[[[1.0, 2, 77, 77, 77, 6]]]])
    known = torch.tensor([[[[1.0, 1, 0, 0, 0, 1]]]])
    out, here = ones_conv(1)([x], [known])
    assert out.flatten().tolist() == [11.5, 11.5, 12, 0, 16, 16]
    assert here.flatten().tolist() == [1, 1, 1, 0, 1, 1]


@pytest.mark.parametrize('stride', [1, 2])
@pytest.mark.parametrize('bias', [False, True])
def test_partial_convolution_is_the_published_one(stride, bias):
    """Against a second convolution by ones over all channels of the repeated maps."""
    torch.manual_seed(0)
    conv = PartialConv2d([3, 2], 4, 5, stride, bias)
    inputs = [torch.randn(2, channels, 9, 9) for channels in (3, 2)]
    maps = [(torch.rand(2, 1, 9, 9) > 0.9).float() for _ in inputs]
    repeated = torch.cat([m.expand_as(x) for x, m in zip(inputs, maps)], 1)
    y = F.conv2d(torch.cat(inputs, 1) * repeated, conv.weight, conv.bias, stride, 2)
    s = F.conv2d(repeated, torch.ones_like(conv.weight), None, stride, 2)
    b = conv.bias[:, None, None] if bias else 0
    expected = torch.where(s == 0, torch.zeros_like(y), (y - b) / s + b)
    out, here = conv(inputs, maps)
    torch.testing.assert_close(out, expected)
    assert (s == 0).any() and torch.equal(here.expand_as(s), (s > 0).float())


def test_parameters_are_as_published():
    generator = PConvUNet(in_channels=4)
    assert parameters(generator) == 25_782_959
    ones = sum(conv.weight.numel() for conv in generator.modules()
               if isinstance(conv, PartialConv2d))
    assert parameters(generator) + ones == 51_557_083
    assert parameters(InpaintDiscriminator()) == 2_764_800


def test_the_first_and_the_last_layer_are_not_normalised():
    generator = PConvUNet(base_channels=4, levels=3)
    assert [type(norm).__name__ for norm in generator.encoder_norms] == [
        'Identity', 'BatchNorm2d', 'BatchNorm2d']
    assert len(generator.decoder_norms) == 2
    assert [conv.bias is None for conv in generator.decoder] == [False, True, True]
    assert [conv.kernel_size[0] for conv in generator.encoder] == [7, 5, 5]


def test_published_initialisation(monkeypatch):
    monkeypatch.setattr(PConvUNet, '_dump_init_info', lambda self: None)
    generator = PConvUNet(base_channels=16, levels=4)
    generator.init_weights()
    for conv in [*generator.encoder, *generator.decoder]:
        fan_in = conv.weight[0].numel()
        assert conv.weight.std().item() == pytest.approx((2 / fan_in)**0.5, rel=0.1)
    weights = [p for name, p in InpaintDiscriminator().named_parameters() if 'original' in name]
    assert [round(weight.std().item(), 3) for weight in weights[1:4]] == [0.02] * 3


@pytest.mark.parametrize('training', [True, False])
@pytest.mark.parametrize('size', [(32, 32), (30, 22)])
def test_what_is_in_the_hole_has_no_influence(size, training):
    torch.manual_seed(0)
    generator = PConvUNet(base_channels=4, levels=4).train(training)
    x, known = torch.randn(2, 4, *size), torch.ones(2, 1, *size)
    known[:, :, 4:20, 6:18] = 0
    other = torch.where(known > 0, x, 100 * torch.randn_like(x))
    out = generator(x, known)
    assert out.shape == (2, 3, *size)
    torch.testing.assert_close(generator(other, known), out)
    seen = x.clone()
    seen[:, :, 2, 2] += 1
    assert not torch.allclose(generator(seen, known), out)


def test_all_unknown_gives_nothing():
    generator = PConvUNet(base_channels=4, levels=3).eval()
    out = generator(torch.randn(1, 4, 16, 16), torch.zeros(1, 1, 16, 16))
    assert torch.equal(out, torch.zeros_like(out))


def test_gradients_are_finite_where_little_is_known():
    generator = PConvUNet(base_channels=4, levels=3)
    known = torch.zeros(2, 1, 16, 16)
    known[:, :, 3, 3] = 1
    generator(torch.randn(2, 4, 16, 16), known).sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in generator.parameters())


def test_discriminator_judges_places():
    assert InpaintDiscriminator(base_channels=2)(torch.rand(2, 4, 256, 256)).shape == (2, 1, 30, 30)


def test_discriminator_is_spectrally_normalised():
    """A convolution's weight as a matrix has the greatest singular value 1."""
    torch.manual_seed(0)
    network = InpaintDiscriminator(base_channels=8)
    for _ in range(30):
        network(torch.rand(1, 4, 64, 64))
    for conv in network.convs:
        norm = torch.linalg.matrix_norm(conv.weight.flatten(1), 2).item()
        assert norm == pytest.approx(1, abs=0.02)
