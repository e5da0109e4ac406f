"""Pictures of samples, completions and detections."""

from .hooks import AmodalVisualizationHook

__all__ = ['AmodalVisualizationHook']
