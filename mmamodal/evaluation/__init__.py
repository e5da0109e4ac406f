"""Numbers and files out."""

from .completion.calibration_metric import CalibrationMetric
from .completion.completion_metric import CompletionMetric
from .completion.content_metric import ContentMetric
from .detection.amodal_coco_metric import AmodalCocoMetric
from .predictions.dump_predictions import DumpPredictions
from .predictions.result_writer import ResultWriter
from .pseudo_labels.writer import PseudoLabelWriter

__all__ = [
    'ContentMetric',
    'AmodalCocoMetric', 'CalibrationMetric', 'CompletionMetric', 'DumpPredictions',
    'PseudoLabelWriter', 'ResultWriter'
]
