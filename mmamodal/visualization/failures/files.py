"""Files of predictions held against files of annotations, and pictures of what comes out."""

import re
import sys
from pathlib import Path
from typing import Dict, Iterable, List, Optional

import cv2
import numpy as np
from mmengine.utils import track_iter_progress

from mmamodal.datasets.amodal_coco import AmodalCocoDataset
from mmamodal.datasets.coco_files import read_json
from mmamodal.evaluation.detection.amodal_coco_eval import evaluate
from mmamodal.evaluation.detection.amodal_overlaps import Predicted, Truth, overlaps_of_image
from mmamodal.evaluation.detection.amodal_rules import AmodalRules
from mmamodal.evaluation.predictions.prediction_files import (About, predictions_of_entries,
                                                              truth_of_instances)
from mmamodal.files import write_whole
from mmamodal.visualization.failures.failures import Failure, ranked
from mmamodal.visualization.failures.gallery import (TITLES, contact_sheet, failure_picture,
                                                     small_picture)
from mmamodal.visualization.failures.judged import Judged, confusion, judge
from mmamodal.visualization.plots.confusion import confusion_picture, confusion_text, right_words
from mmamodal.visualization.plots.precision_recall import curves_of, precision_recall

CURVES, TABLE, TABLE_TEXT = 'precision_recall.png', 'occlusion.png', 'occlusion.txt'


def read_predictions(path: str, dataset: AmodalCocoDataset) -> Dict[int, Predicted]:
    """The detections on all images of the dataset, by image id, from a COCO result list."""
    about = About.of(_records(dataset), dataset.metainfo['categories'], dataset.one_class)
    found = predictions_of_entries(read_json(path, what='prediction file'), about, path)
    nothing = Predicted(np.zeros(0, np.int64), np.zeros(0), [], None, None)
    return {image_id: found.get(image_id, nothing) for image_id in about.sizes}


def judge_images(dataset: AmodalCocoDataset, predicted: Dict[int, Predicted],
                 score_thr: float) -> List[Judged]:
    """The detections on each image from a score on, against its objects; shows how far it is."""
    truths = [(record['img_id'], _truth(record)) for record in _records(dataset)]
    return [judge(truth, predicted[image_id], score_thr)
            for image_id, truth in track_iter_progress(truths, file=sys.stderr)]


def write_gallery(out_dir: Path, failures: List[Failure], number: int,
                  dataset: AmodalCocoDataset, judged: List[Judged], has_images: bool) -> None:
    """The severest failures of each kind, ``<kind>/<rank>.png``, and on a sheet ``<kind>.png``;
    those of an earlier run are removed, which would pass for this one's.

    Args:
        out_dir: folder.
        failures: of all images.
        number: pictures of each kind.
        dataset: of the images.
        judged: one an image.
        has_images: there are image files; else objects are drawn on plain ground.
    """
    for kind, chosen in ranked(failures, number).items():
        _remove(out_dir, kind)
        total, sheet = sum(failure.kind == kind for failure in failures), []
        for rank, failure in enumerate(chosen, 1):
            image = dataset.read_image(failure.image) if has_images else None
            about = judged[failure.image], failure, dataset.metainfo['classes']
            title = f'{TITLES[kind]}, {rank} of {total:,} · image ' \
                f'{dataset.get_data_info(failure.image)["img_id"]} · {failure.words}'
            _write_png(out_dir / kind / f'{rank:02d}.png', failure_picture(image, *about, title))
            sheet.append((f'{rank}  {failure.words}', small_picture(image, *about)))
        if sheet:
            title = f'{TITLES[kind]}, {len(sheet)} of {total:,}'
            _write_png(out_dir / f'{kind}.png', contact_sheet(
                sheet, f'{title} · left predicted, right true · striped: hidden'))


def write_curves(out_dir: Path, dataset: AmodalCocoDataset, predicted: Dict[int, Predicted],
                 name: str) -> None:
    """Precision over recall of each amodal metric, by all detections.

    Args:
        out_dir: folder.
        dataset: of the images.
        predicted: detections by image id.
        name: of the predictions, for the title.
    """
    rules = AmodalRules()
    overlaps = [(record['img_id'], overlaps_of_image(
        _truth(record), predicted[record['img_id']], rules)) for record in _records(dataset)]
    evaluation = evaluate(overlaps, len(dataset.metainfo['classes']), rules)
    told = '{images:,} images, {objects:,} objects ({occluded:,} occluded), {detections:,} ' \
        'detections · precision is the mean over classes'.format(**evaluation.counts)
    write_whole(out_dir / CURVES, precision_recall(
        curves_of(evaluation.curves), f'Precision and recall: {name}', told))


def write_confusion(out_dir: Path, judged: List[Judged], min_rate: float) -> Optional[str]:
    """The table of occluded and not occluded objects as a picture and as text, which is given
    back; None where predictions have no occlusion rates, and then there is no table."""
    for name in (TABLE, TABLE_TEXT):
        (out_dir / name).unlink(missing_ok=True)
    if all(image.rates is None for image in judged):
        return None
    counts = confusion(judged, min_rate)
    told = f'matched objects, occluded above {100 * min_rate:g} %'
    text = f'{told}\n{confusion_text(counts)}\n'
    write_whole(out_dir / TABLE, confusion_picture(counts, 'Occluded or not',
                                                   f'{told} · {right_words(counts)}'))
    write_whole(out_dir / TABLE_TEXT, text.encode())
    return text


def _records(dataset: AmodalCocoDataset) -> Iterable[dict]:
    return (dataset.get_data_info(place) for place in range(len(dataset)))


def _truth(record: dict) -> Truth:
    try:
        return truth_of_instances(record['instances'], record['height'], record['width'])
    except ValueError as error:
        raise ValueError(f"{record['ann_file']}: {error}") from None


def _remove(out_dir: Path, kind: str) -> None:
    """The pictures of a kind from an earlier run."""
    (out_dir / f'{kind}.png').unlink(missing_ok=True)
    for path in (out_dir / kind).glob('*.png'):
        if re.fullmatch(r'\d\d+\.png', path.name):
            path.unlink()


def _write_png(path: Path, picture: np.ndarray) -> None:
    """A BGR picture as a PNG file, whole or not at all."""
    write_whole(path, cv2.imencode('.png', picture)[1].tobytes())
