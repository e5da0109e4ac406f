"""Running statistics of BatchNorm under several processes."""

from types import SimpleNamespace

import pytest
from torch import nn

from mmamodal.apis.running import sync_buffers
from mmamodal.apis.running.sync_buffers import SyncStatisticsHook, learned_statistics


def test_only_what_training_changes():
    learned, frozen = nn.BatchNorm2d(1), nn.BatchNorm1d(1).eval()
    stateless = nn.BatchNorm2d(1, track_running_stats=False)
    model = nn.Sequential(learned, nn.Sequential(frozen), stateless, nn.GroupNorm(1, 1))
    found = list(learned_statistics(model))
    assert [id(value) for value in found] == [id(learned.running_mean), id(learned.running_var)]


@pytest.mark.parametrize('count', [0, 1])
def test_they_are_averaged_after_each_iteration(monkeypatch, count):
    averaged = []
    monkeypatch.setattr(sync_buffers, 'all_reduce_params',
                        lambda values, op: averaged.append((len(values), op)))
    model = nn.Sequential(*(nn.BatchNorm2d(1) for _ in range(count)))
    SyncStatisticsHook().after_train_iter(SimpleNamespace(model=model), 0, data_batch=None)
    assert averaged == [(2 * count, 'mean')]
