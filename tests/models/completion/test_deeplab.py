"""DeepLabv3 and DeepLabv3+: shapes, resolution, gradients, pretrained weights."""

import pytest
import torch
from mmdet.registry import MODELS

from mmamodal.models import CompletionDeepLab

BACKBONE = dict(type='ResNet', depth=18, in_channels=2, base_channels=8, strides=(1, 2, 2, 1),
                dilations=(1, 1, 1, 2), norm_eval=False)


def deeplab(low_level_channels: int, **backbone: object) -> CompletionDeepLab:
    return CompletionDeepLab(dict(BACKBONE, **backbone), low_level_channels, channels=16)


@pytest.mark.parametrize('low_level_channels', [0, 4])
@pytest.mark.parametrize('in_channels, size', [
    (2, (64, 64)), (5, (128, 128)), (2, (256, 256)), (2, (75, 50))])
def test_output_has_the_size_of_the_input(low_level_channels, in_channels, size):
    network = deeplab(low_level_channels, in_channels=in_channels)
    network.init_weights()
    for count in (1, 3):
        result = network.train()(torch.rand(count, in_channels, *size))
        assert result.shape == (count, 2, *size) and result.isfinite().all()


@pytest.mark.parametrize('low_level_channels, side', [(0, 4), (4, 16)])
def test_plus_decodes_at_a_quarter_and_the_other_at_a_sixteenth(low_level_channels, side):
    network, seen = deeplab(low_level_channels).eval(), []
    network.head.register_forward_hook(lambda head, given, made: seen.append(made.shape[-2:]))
    network(torch.rand(1, 2, 64, 64))
    assert seen == [(side, side)]


@pytest.mark.parametrize('low_level_channels', [0, 4])
def test_gradients_reach_all_layers(low_level_channels):
    network = deeplab(low_level_channels)
    x = torch.rand(2, 2, 64, 64, requires_grad=True)
    network(x).square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert (x.grad.abs().sum(dim=(0, 2, 3)) > 0).all()


def test_pyramid_has_the_dilations_of_the_paper_and_pools():
    pyramid = CompletionDeepLab(BACKBONE).pyramid
    branches = [(conv.kernel_size[0], conv.dilation[0])
                for conv in pyramid.modules() if isinstance(conv, torch.nn.Conv2d)]
    assert branches == [(1, 1), (3, 6), (3, 12), (3, 18), (1, 1)]
    pooled = pyramid(torch.rand(2, 64, 4, 4))[:, -256:]
    assert (pooled == pooled[..., :1, :1]).all()


def test_pretrained_weights_survive_the_init_but_for_the_first_layer(tmp_path):
    weights = MODELS.build(dict(BACKBONE, in_channels=3)).state_dict()
    for value in weights.values():
        value.fill_(0.5)
    torch.save(weights, tmp_path / 'resnet.pth')
    network = deeplab(4, init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'resnet.pth')))
    network.init_weights()
    kept = [name for name, value in network.backbone.state_dict().items()
            if value.shape == weights[name].shape and (value == weights[name]).all()]
    assert [name for name in weights if name not in kept] == ['conv1.weight']
    assert network.backbone.conv1.weight.std() > 0
