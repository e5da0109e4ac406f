"""Fixtures of the readers' tests."""

import shutil
from pathlib import Path

import published_files
import pytest


@pytest.fixture(scope='session')
def published(tmp_path_factory) -> Path:
    """Folder with all data sets; tests leave it as it is."""
    folder = tmp_path_factory.mktemp('published') / 'data'
    for name in published_files.NAMES:
        published_files.write(name, folder)
    return folder


@pytest.fixture
def data(published, tmp_path) -> Path:
    """A copy of the folder to change."""
    return Path(shutil.copytree(published, tmp_path / 'data'))
