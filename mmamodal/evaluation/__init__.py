"""Numbers and files out."""

from .completion_metric import CompletionMetric
from .pseudo_label_writer import PseudoLabelWriter

__all__ = ['CompletionMetric', 'PseudoLabelWriter']
