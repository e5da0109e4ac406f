"""Fixtures that all tests share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope='session')
def shared_data() -> Path:
    """Folder of the real data that is not part of the repository."""
    default = Path(__file__).parents[2] / 'shared' / 'data'
    path = Path(os.environ.get('MMAMODAL_SHARED_DATA', default))
    if not path.is_dir():
        pytest.skip(f'no real data at {path}; set MMAMODAL_SHARED_DATA to their folder')
    return path
