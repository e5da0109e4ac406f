"""tools/model_converters/pcnet.py, against the published network written out as its authors name
its parts."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from mmamodal.apis.running.command_line import run_tool
from mmamodal.models import CompletionUNet

TOOL = Path(__file__).parents[2] / 'tools/model_converters/pcnet.py'


def part(name: str, inner: nn.Module) -> nn.Module:
    """A module with one child of a name."""
    outer = nn.Module()
    outer.add_module(name, inner)
    return outer


def twice(inward: int, outward: int) -> nn.Module:
    """Two convolutions with normalisation, as ``conv`` of a module."""
    layers = []
    for channels in (inward, outward):
        layers += [nn.Conv2d(channels, outward, 3, padding=1), nn.BatchNorm2d(outward),
                   nn.ReLU(inplace=True)]
    return part('conv', nn.Sequential(*layers))


class Published(nn.Module):
    """The published UNet, of width w: ``inc``, ``down1`` to ``4``, ``up1`` to ``4``, ``outc``."""

    def __init__(self, w: int, in_channels: int = 2) -> None:
        super().__init__()
        self.inc = part('conv', twice(in_channels, w))
        for level, (inward, outward) in enumerate(
                [(w, 2 * w), (2 * w, 4 * w), (4 * w, 8 * w), (8 * w, 8 * w)], 1):
            pooled = nn.Sequential(nn.MaxPool2d(2), twice(inward, outward))
            setattr(self, f'down{level}', part('mpconv', pooled))
        for level, (inward, outward) in enumerate(
                [(16 * w, 4 * w), (8 * w, 2 * w), (4 * w, w), (2 * w, w)], 1):
            setattr(self, f'up{level}', part('conv', twice(inward, outward)))
        self.outc = part('conv', nn.Conv2d(w, 2, 1))
        self.upsample = nn.Upsample(scale_factor=2, mode='bilinear', align_corners=True)

    def forward(self, x: Tensor) -> Tensor:
        skips = [self.inc.conv.conv(x)]
        for level in (1, 2, 3, 4):
            pool, block = getattr(self, f'down{level}').mpconv
            skips.append(block.conv(pool(skips[-1])))
        y = skips.pop()
        for level in (1, 2, 3, 4):
            y = torch.cat([skips.pop(), self.upsample(y)], dim=1)
            y = getattr(self, f'up{level}').conv.conv(y)
        return self.outc.conv(y)


def published(w: int, in_channels: int = 2) -> Published:
    """With other statistics than those that layers begin with."""
    torch.manual_seed(w)
    network = Published(w, in_channels).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    return network


@pytest.fixture
def tool(tmp_path, monkeypatch) -> ModuleType:
    monkeypatch.chdir(tmp_path)
    spec = importlib.util.spec_from_file_location('pcnet', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def save(weights: dict, prefix: str = 'module.') -> None:
    torch.save(dict(step=56000, state_dict={prefix + name: value for name, value in
                                            weights.items()}, optimizer={}), 'in.pth.tar')


def convert(tool: ModuleType) -> dict:
    tool.main(['in.pth.tar', 'made/out.pth'])
    return torch.load('made/out.pth', weights_only=True)['state_dict']


@pytest.mark.parametrize('prefix', ['module.', ''])
@pytest.mark.parametrize('w, in_channels, size', [(4, 2, 64), (8, 5, 32), (32, 2, 64)])
def test_outputs_are_equal_to_the_last_bit(tool, capsys, prefix, w, in_channels, size):
    theirs = published(w, in_channels)
    save(theirs.state_dict(), prefix)
    ours = nn.Module()
    ours.network = CompletionUNet(in_channels, base_channels=w)
    ours.load_state_dict(convert(tool))
    assert f'in_channels={in_channels}, base_channels={w} ' in capsys.readouterr().out
    x = torch.rand(2, in_channels, size, size)
    with torch.no_grad():
        assert (ours.network.eval()(x) == theirs(x)).all()


def test_checkpoints_of_an_old_torch_count_no_batches(tool):
    weights = {name: value for name, value in published(4).state_dict().items()
               if not name.endswith('num_batches_tracked')}
    save(weights)
    ours = nn.Module()
    ours.network = CompletionUNet(base_channels=4)
    ours.load_state_dict(convert(tool))


@pytest.mark.parametrize('change, words', [
    (lambda w: w.pop('up2.conv.conv.3.bias'), '1 missing: up2.conv.conv.3.bias'),
    (lambda w: w.update({'image.conv1.weight': torch.zeros(1)}),
     '1 unexpected: image.conv1.weight'),
    (lambda w: w.update({'down1.mpconv.1.conv.0.weight': torch.zeros(8, 5, 3, 3)}),
     '1 of another shape: down1.mpconv.1.conv.0.weight'),
    (lambda w: w.update({'outc.conv.weight': torch.zeros(2, 5, 1, 1)}),
     '1 of another shape: outc.conv.weight'),
    (lambda w: w.pop('inc.conv.conv.0.weight'), '1 missing: inc.conv.conv.0.weight'),
    (lambda w: [w.pop(name) for name in list(w)] and w.update(fc=torch.zeros(2)),
     '2 missing: inc.conv.conv.0.weight, outc.conv.weight; 1 unexpected: fc')])
def test_other_checkpoints_are_refused_by_name(tool, monkeypatch, capsys, change, words):
    weights = dict(published(4).state_dict())
    change(weights)
    save(weights)
    monkeypatch.setattr(sys, 'argv', ['pcnet.py', 'in.pth.tar', 'out.pth'])
    assert run_tool(tool.main) == 1
    error = capsys.readouterr().err
    assert error.startswith('error: in.pth.tar: expected the published UNet') and words in error
    assert not Path('out.pth').exists()


@pytest.mark.parametrize('out, words', [
    ('in.pth.tar', 'ends in .pth'), ('same.pth', 'already')])
def test_output_is_another_pth_file(tool, out, words):
    save(published(4).state_dict())
    Path('same.pth').symlink_to('in.pth.tar')
    with pytest.raises(ValueError, match=words):
        tool.main(['in.pth.tar', out])
