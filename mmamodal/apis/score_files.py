"""The amodal metrics of anyone's predictions in a file."""

import math
from pathlib import Path
from typing import Dict, NamedTuple, Optional, Sequence

import numpy as np

from ..datasets.coco_files import read_json
from ..datasets.formats import open_annotations
from ..evaluation.detection.amodal_coco_eval import Evaluation, collector_paused, evaluate
from ..evaluation.detection.amodal_figures import class_figures, figures
from ..evaluation.detection.amodal_intervals import Interval, intervals
from ..evaluation.detection.amodal_overlaps import Overlaps, Predicted, overlaps_of_image
from ..evaluation.detection.amodal_rules import AmodalRules
from ..evaluation.predictions.prediction_files import (About, predictions_of_entries,
                                                       truth_of_instances)
from .running.command_line import say


class FileScores(NamedTuple):
    """What was measured, the names of the classes, and intervals of the main figures, if any."""
    evaluation: Evaluation
    classes: Sequence[str]
    intervals: Dict[str, Interval] = {}

    def as_dict(self, classwise: bool = False) -> Dict[str, Optional[float]]:
        """All figures in percent, None where there is nothing to find, what was counted, and
        the ends of intervals as ``…_low`` and ``…_high``."""
        named = figures(self.evaluation)
        if classwise:
            named.update(class_figures(self.evaluation, self.classes))
        for name, ends in self.intervals.items():
            named.update(zip((f'{name}_low', f'{name}_high'), ends))
        counts = {f'num_{name}': count for name, count in self.evaluation.counts.items()}
        return {**{name: None if math.isnan(value) else value for name, value in named.items()},
                **counts}


@collector_paused()
def score_files(truth_file: str, prediction_file: str, rules: AmodalRules,
                format: Optional[str] = None, draws: int = 0,
                one_class: bool = False) -> FileScores:
    """Hold a COCO result list against ground truth.

    Args:
        truth_file: path of an annotation file.
        prediction_file: path of a list of entries; see :func:`predictions_of_entries`.
        rules: what there is to choose.
        format: of the ground truth, one of FORMATS; None: told by its keys.
        draws: of the bootstrap that gives intervals; 0: none.
        one_class: take all categories as one.

    Raises:
        ValueError: a file is malformed; names it, and the entry or annotation.
        FileNotFoundError: a file is missing.
    """
    if not Path(prediction_file).is_file():
        raise FileNotFoundError(f'prediction file {prediction_file} does not exist')
    # Plain COCO is taken at its word: nothing is occluded.
    dataset = open_annotations(truth_file, format, visible_only=False, one_class=one_class)
    records = dataset.load_data_list()
    about = About.of(records, dataset.metainfo['categories'], one_class)
    entries = read_json(prediction_file, what='prediction file')
    predicted = predictions_of_entries(entries, about, prediction_file)
    told = {entry['category_id'] for entry in entries}
    true = {instance['bbox_label'] for record in records for instance in record['instances']}
    if len(told) == 1 < len(true):
        say(f'All detections are of category {told.pop()}, the objects of {len(true)}: --one-class '
            'takes them as one, if the model does.')
    overlaps = [(record['img_id'], overlaps_of_record(record, predicted, rules))
                for record in records]
    classes = dataset.metainfo['classes']
    spread = intervals([image for _, image in overlaps], len(classes), rules,
                       draws) if draws else {}
    return FileScores(evaluate(overlaps, len(classes), rules), classes, spread)


def overlaps_of_record(record: dict, predicted: Dict[int, Predicted],
                       rules: AmodalRules) -> Overlaps:
    """Overlaps of a record's objects with the detections on its image, if there are some."""
    nothing = Predicted(np.zeros(0, np.int64), np.zeros(0), [], None, None)
    try:
        truth = truth_of_instances(record['instances'], record['height'], record['width'])
    except ValueError as error:
        raise ValueError(f"{record['ann_file']}: {error}") from None
    return overlaps_of_image(truth, predicted.get(record['img_id'], nothing), rules)
