"""A fixture of the plots."""

import pytest
from matplotlib.figure import Figure


@pytest.fixture
def figure(monkeypatch) -> list:
    """The figures that are drawn."""
    drawn, savefig = [], Figure.savefig
    monkeypatch.setattr(Figure, 'savefig', lambda self, *args, **kwargs: (
        drawn.append(self), savefig(self, *args, **kwargs)))
    return drawn
