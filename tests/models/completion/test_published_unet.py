"""Weights under the published names: there and back, and what is refused."""

import pytest
import torch

from mmamodal.models import CompletionUNet
from mmamodal.models.completion.published_unet import (convert_published, our_name, their_name,
                                                       widths)


@pytest.fixture
def published() -> dict:
    """Weights by the names of the authors."""
    torch.manual_seed(0)
    network = CompletionUNet(5, 3, base_channels=4, init_cfg=None)
    return {their_name(name): value for name, value in network.state_dict().items()}


@pytest.mark.parametrize('ours, theirs', [
    ('encoder.0.0.conv.weight', 'inc.conv.conv.0.weight'),
    ('encoder.3.1.bn.running_var', 'down3.mpconv.1.conv.4.running_var'),
    ('decoder.0.0.bn.bias', 'up1.conv.conv.1.bias'),
    ('decoder.3.1.conv.weight', 'up4.conv.conv.3.weight'),
    ('head.bias', 'outc.conv.bias')])
def test_names_by_hand(ours, theirs):
    assert (our_name(theirs), their_name(ours)) == (ours, theirs)


def test_every_name_leads_there_and_back():
    with torch.device('meta'):
        names = list(CompletionUNet().state_dict())
    assert [our_name(their_name(name)) for name in names] == names
    assert our_name('image.conv1.weight') == 'image.conv1.weight'


def test_weights_come_back_in_the_order_of_the_network(published):
    assert widths(published) == (5, 4, 3)
    shuffled = dict(reversed(published.items()))
    made = convert_published(shuffled)
    network = CompletionUNet(5, 3, base_channels=4)
    network.load_state_dict(made)
    assert list(made) == list(network.state_dict())
    assert all(made[our_name(name)] is value for name, value in published.items())


def test_an_old_torch_counted_no_batches(published):
    weights = {name: value for name, value in published.items()
               if not name.endswith('num_batches_tracked')}
    assert len(weights) < len(published)
    assert convert_published(weights)['encoder.0.0.bn.num_batches_tracked'] == 0


def without(weights: dict, *names: str) -> dict:
    return {name: value for name, value in weights.items() if name not in names}


@pytest.mark.parametrize('change, words', [
    (lambda w: without(w, 'up2.conv.conv.3.bias'), '1 missing: up2.conv.conv.3.bias'),
    (lambda w: dict(w, extra=torch.zeros(1)), '1 unexpected: extra'),
    (lambda w: dict(w, **{'down1.mpconv.1.conv.0.weight': torch.zeros(8, 5, 3, 3)}),
     '1 of another shape: down1.mpconv.1.conv.0.weight'),
    (lambda w: dict(w, **{'outc.conv.weight': torch.zeros(3)}), '1 missing: outc.conv.weight'),
    (lambda w: dict(fc=torch.zeros(2)),
     '2 missing: inc.conv.conv.0.weight, outc.conv.weight; 1 unexpected: fc')])
def test_other_networks_are_refused_by_name(published, change, words):
    with pytest.raises(ValueError, match='expected the published UNet of PCNet-M or ASBU') as error:
        convert_published(change(published))
    assert str(error.value).endswith(f'parameters {words}')
