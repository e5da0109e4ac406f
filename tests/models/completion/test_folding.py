"""Networks made quick for prediction: the same output, the weights of the moment."""

import pytest
import torch
from mmdet.registry import MODELS
from torch import nn

from mmamodal.models.completion.folding import CPU_PIXELS, Folding


class Normalised(nn.Sequential):
    """A convolution with batch normalisation whose statistics are not trivial."""

    def __init__(self) -> None:
        super().__init__(nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm2d(2))
        nn.init.normal_(self[1].running_mean)
        nn.init.uniform_(self[1].running_var, 0.5, 2)


def of_all_weights(network: nn.Module) -> nn.Module:
    """The network, with other statistics than those that layers begin with."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, 0, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return network.eval()


RESNET = dict(type='ResNet', depth=18, base_channels=8, norm_eval=False)


@pytest.mark.parametrize('network, channels', [
    (dict(type='CompletionUNet', base_channels=4, init_cfg=None), 2),
    (dict(type='CompletionUNetResNet', base_channels=4, backbone=RESNET), 5),
    *((dict(type='CompletionDeepLab', channels=16, low_level_channels=low, backbone=dict(
        RESNET, in_channels=2, strides=(1, 2, 2, 1), dilations=(1, 1, 1, 2))), 2)
      for low in (0, 4))], ids=['unet', 'with image', 'deeplab', 'deeplab plus'])
def test_folded_networks_compute_the_same(network, channels):
    torch.manual_seed(0)
    network, x = of_all_weights(MODELS.build(network)), torch.rand(2, channels, 64, 64)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with torch.no_grad():
        torch.testing.assert_close(Folding()(network, x), network(x), rtol=1e-3, atol=1e-4)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


@torch.no_grad()
def test_a_copy_is_kept_until_the_weights_change(monkeypatch):
    folded, x = [], torch.rand(1, 2, 8, 8)
    from mmamodal.models.completion import folding
    real = folding.fuse_conv_bn
    monkeypatch.setattr(folding, 'fuse_conv_bn',
                        lambda network: folded.append(network) or real(network))
    run, network = Folding(), Normalised().eval()
    run(network, x), run(network, x)
    assert len(folded) == 1
    network[0].bias.add_(1)
    torch.testing.assert_close(run(network, x), network(x))
    assert len(folded) == 2
    network[0].bias.data += 1  # which goes unseen
    run(network, x)
    assert len(folded) == 2
    run.forget()
    torch.testing.assert_close(run(network, x), network(x))
    assert len(folded) == 3


@pytest.mark.parametrize('network', [Normalised().train(), nn.Conv2d(2, 2, 1).eval()],
                         ids=['training', 'nothing to fold'])
def test_others_are_called_themselves(network, monkeypatch):
    run = Folding()
    output = run(network, torch.rand(2, 2, 8, 8))
    assert run._copy is None and output.requires_grad


@pytest.mark.parametrize('side, parts', [(256, [1, 1, 1]), (128, [3]), (64, [3]), (300, [1, 1, 1])])
def test_on_a_cpu_few_patches_pass_at_a_time(side, parts):
    seen = []

    class Passed(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(len(x))
            return x

    assert CPU_PIXELS == 256**2
    x = torch.rand(3, 2, side, side)
    assert torch.equal(Folding()(Passed().eval(), x), x) and seen == parts
