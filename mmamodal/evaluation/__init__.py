"""Numbers and files out."""

from .amodal_coco_metric import AmodalCocoMetric
from .calibration_metric import CalibrationMetric
from .completion_metric import CompletionMetric
from .content_metric import ContentMetric
from .dump_predictions import DumpPredictions
from .pseudo_label_writer import PseudoLabelWriter
from .result_writer import ResultWriter

__all__ = [
    'ContentMetric',
    'AmodalCocoMetric', 'CalibrationMetric', 'CompletionMetric', 'DumpPredictions',
    'PseudoLabelWriter', 'ResultWriter'
]
