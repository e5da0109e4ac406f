"""Numbers and files out."""

from .amodal_coco_metric import AmodalCocoMetric
from .completion_metric import CompletionMetric
from .dump_predictions import DumpPredictions
from .pseudo_label_writer import PseudoLabelWriter
from .result_writer import ResultWriter

__all__ = [
    'AmodalCocoMetric', 'CompletionMetric', 'DumpPredictions', 'PseudoLabelWriter', 'ResultWriter'
]
