"""Amodal instance segmentation on MMDetection: whole objects behind what hides them."""

from . import _quiet_import  # noqa: F401  isort: skip
from . import datasets, evaluation, models, visualization, weights  # noqa: F401
from .version import __version__

__all__ = ['__version__']
