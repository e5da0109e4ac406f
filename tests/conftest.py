"""Fixtures that all tests share."""

import os
from pathlib import Path

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope

# Small models run faster on one thread, far faster where tests share the cores.
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def mmdet_scope() -> None:
    """mmdet's registries, whatever scope a test before left behind."""
    init_default_scope('mmdet')


@pytest.fixture
def log(monkeypatch) -> list:
    """Lines that go to the log."""
    lines = []
    logger = MMLogger.get_current_instance()
    monkeypatch.setattr(logger, 'handle', lambda record: lines.append(record.getMessage()))
    return lines


@pytest.fixture(scope='session')
def shared_data() -> Path:
    """Folder of the real data that is not part of the repository."""
    default = Path(__file__).parents[2] / 'shared' / 'data'
    path = Path(os.environ.get('MMAMODAL_SHARED_DATA', default))
    if not path.is_dir():
        pytest.skip(f'no real data at {path}; set MMAMODAL_SHARED_DATA to their folder')
    return path
