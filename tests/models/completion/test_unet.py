"""PCNet's UNet, without and with the image: its size, its wiring, its first weights."""

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch.nn import functional as F

from mmamodal.models import CompletionUNet, CompletionUNetResNet


@pytest.mark.parametrize('base_channels, expected', [
    (4, 53_098), (8, 210_738), (16, 839_650), (32, 3_352_002), (64, 13_394_818)])
def test_parameter_counts_are_the_published_ones(base_channels, expected):
    with torch.device('meta'):
        network = CompletionUNet(base_channels=base_channels)
    assert sum(parameter.numel() for parameter in network.parameters()) == expected


@pytest.mark.parametrize('in_channels, out_channels, size', [
    (2, 2, (64, 64)), (5, 2, (32, 32)), (2, 3, (16, 16)), (2, 2, (72, 50))])
def test_output_has_the_size_of_the_input(in_channels, out_channels, size):
    network = CompletionUNet(in_channels, out_channels, base_channels=4).eval()
    for count in (1, 3):
        result = network(torch.rand(count, in_channels, *size))
        assert result.shape == (count, out_channels, *size) and result.isfinite().all()


def published_forward(network: CompletionUNet, x: torch.Tensor) -> torch.Tensor:
    """The published network, written out: level by level, skip first, corners aligned."""

    def block(x: torch.Tensor, layers: torch.nn.Sequential) -> torch.Tensor:
        for layer in layers:
            x = F.conv2d(x, layer.conv.weight, layer.conv.bias, padding=1)
            norm = layer.norm
            x = F.relu(F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias))
        return x

    def up(x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        return torch.cat([skip, F.interpolate(x, scale_factor=2, mode='bilinear',
                                              align_corners=True)], dim=1)

    down, expand = network.encoder, network.decoder
    x1 = block(x, down[0])
    x2 = block(F.max_pool2d(x1, 2), down[1])
    x3 = block(F.max_pool2d(x2, 2), down[2])
    x4 = block(F.max_pool2d(x3, 2), down[3])
    x5 = block(F.max_pool2d(x4, 2), down[4])
    y = block(up(x5, x4), expand[0])
    y = block(up(y, x3), expand[1])
    y = block(up(y, x2), expand[2])
    y = block(up(y, x1), expand[3])
    return F.conv2d(y, network.head.weight, network.head.bias)


def test_wiring_is_the_published_one():
    torch.manual_seed(0)
    network = CompletionUNet(base_channels=4).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    x = torch.rand(2, 2, 32, 32)
    torch.testing.assert_close(network(x), published_forward(network, x))


def test_no_layer_stands_idle():
    network = CompletionUNet(base_channels=4)
    network(torch.rand(2, 2, 32, 32)).square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_first_weights_are_the_published_ones():
    torch.manual_seed(0)
    parent = BaseModule()  # as MaskCompleter holds it
    parent.network = CompletionUNet()
    parent.init_weights()
    for module in parent.network.modules():
        if isinstance(module, torch.nn.Conv2d) and module.weight.numel() > 1000:
            outward, inward, *kernel = module.weight.shape
            fans = (outward + inward) * kernel[0] * kernel[1]
            assert module.weight.std().item() == pytest.approx(0.02 * (2 / fans)**0.5, rel=0.15)
            assert not module.bias.any()
        elif isinstance(module, torch.nn.BatchNorm2d):
            assert module.weight.mean().item() == pytest.approx(1, abs=0.02)
            assert module.weight.std().item() == pytest.approx(0.02, rel=0.5)
            assert not module.bias.any()


def test_other_first_weights_can_be_asked_for():
    network = CompletionUNet(base_channels=4, init_cfg=dict(type='Constant', layer='Conv2d', val=3))
    network.init_weights()
    assert (network.head.weight == 3).all()
    assert CompletionUNet(base_channels=4, init_cfg=None).init_cfg is None


def with_image(**backbone: object) -> CompletionUNetResNet:
    """The UNet with a ResNet-18 of an eighth of the width."""
    return CompletionUNetResNet(dict(type='ResNet', depth=18, base_channels=8, norm_eval=False,
                                     **backbone), base_channels=4)


def test_parameters_with_the_image_are_as_many_as_published():
    with torch.device('meta'):
        network = CompletionUNetResNet(dict(type='ResNet', depth=18))
    assert sum(parameter.numel() for parameter in network.parameters()) == 14_955_266


@pytest.mark.parametrize('size', [(64, 64), (128, 128), (256, 256), (75, 50), (33, 33)])
def test_output_with_the_image_has_the_size_of_the_input(size):
    result = with_image().eval()(torch.rand(2, 5, *size))
    assert result.shape == (2, 2, *size) and result.isfinite().all()


def test_image_and_masks_reach_the_result_and_gradients_reach_all_layers():
    network = with_image()
    x = torch.rand(2, 5, 64, 64, requires_grad=True)
    network(x).square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert (x.grad.abs().sum(dim=(0, 2, 3)) > 0).all()


def test_channels_are_mask_evidence_image():
    """The image goes to the ResNet alone: with that of no effect, the UNet sees two channels."""
    network = with_image().eval()
    torch.nn.init.zeros_(network.squeeze.conv.weight)
    x, other = torch.rand(2, 1, 5, 64, 64)
    other[:, :2] = x[:, :2]
    torch.testing.assert_close(network(x), network(other))
    other[:, 1] = 0
    assert not torch.allclose(network(x), network(other))


def test_pretrained_weights_survive_the_init(tmp_path):
    torch.manual_seed(0)
    weights = MODELS.build(dict(type='ResNet', depth=18, base_channels=8)).state_dict()
    for value in weights.values():
        value.fill_(0.5)
    torch.save(weights, tmp_path / 'resnet.pth')
    parent = BaseModule()  # as MaskCompleter holds it
    parent.network = with_image(
        init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'resnet.pth')))
    parent.init_weights()
    for name, value in parent.network.backbone.state_dict().items():
        assert (value == weights[name]).all(), name
    assert parent.network.encoder[4][0].conv.weight.std() < 0.1  # and the UNet has its own
