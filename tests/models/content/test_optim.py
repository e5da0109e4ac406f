"""An optimiser for each network."""

import pytest
from mmengine.optim import OptimWrapperDict, build_optim_wrapper
from torch import nn

from mmamodal.models import OptimWrapperPerNetwork

OPTIMISERS = dict(
    constructor='OptimWrapperPerNetwork',
    generator=dict(optimizer=dict(type='Adam', lr=1e-3)),
    discriminator=dict(optimizer=dict(type='Adam', lr=1e-4)))


@pytest.fixture
def model() -> nn.Module:
    return nn.ModuleDict(dict(generator=nn.Linear(2, 1), discriminator=nn.Linear(1, 1)))


def test_each_network_has_its_optimiser(model):
    shared = dict(type='OptimWrapper', clip_grad=dict(max_norm=3))
    optimisers = build_optim_wrapper(model, dict(OPTIMISERS, **shared))
    assert isinstance(optimisers, OptimWrapperDict)
    assert list(optimisers.keys()) == ['generator', 'discriminator']
    assert optimisers.get_lr() == {'generator.lr': [1e-3], 'discriminator.lr': [1e-4]}
    assert [optimiser.clip_grad_kwargs for optimiser in optimisers.values()] == [
        dict(max_norm=3)] * 2
    for name, optimiser in optimisers.items():
        covered = {id(p) for group in optimiser.param_groups for p in group['params']}
        assert covered == {id(p) for p in model[name].parameters()}


@pytest.mark.parametrize('settings', [
    dict(), dict(judge=dict(optimizer=dict(type='SGD', lr=1))),
    dict(optimizer=dict(type='SGD', lr=1))])
def test_networks_that_are_not_there_are_refused(model, settings):
    with pytest.raises(ValueError, match='expected names of networks of ModuleDict'):
        OptimWrapperPerNetwork(settings)(model)
    with pytest.raises(ValueError, match='paramwise_cfg'):
        OptimWrapperPerNetwork(settings, dict(norm_decay_mult=0))
