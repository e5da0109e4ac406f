"""Work dirs as trainings and tests leave them."""

import json
from pathlib import Path

import cv2
import numpy as np

from mmamodal.evaluation.completion.completion_metric import FIGURES, completion_figures
from mmamodal.visualization.report import runs as report


def record(step: int, loss: float = 1.0, **others) -> dict:
    return dict(loss=loss, step=step, **others)


def write_lines(path: Path, *records: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('\n'.join(json.dumps(one) for one in records) + '\n')


def write_metrics(work_dir: Path, **metrics: float) -> None:
    (work_dir / 'test').mkdir(parents=True, exist_ok=True)
    (work_dir / 'test' / 'metrics.json').write_text(
        json.dumps({key.replace('__', '/'): value for key, value in metrics.items()}))


def write_results(folder: Path, inside: int) -> None:
    """A completer's test on two images with one object of 10 pixels."""
    images = [dict({name: [inside, 10] for name in FIGURES}, img_id=k) for k in (1, 2)]
    metrics = {f'completion/{name}': value for name, value in completion_figures(images).items()}
    folder.mkdir(parents=True)
    (folder / 'metrics.json').write_text(json.dumps(metrics))
    (folder / 'completion_per_image.json').write_text(json.dumps(images))


def write_pictures(work_dir: Path, *names: str) -> None:
    (work_dir / 'test' / 'vis').mkdir(parents=True, exist_ok=True)
    for name in names:
        picture = np.random.default_rng(0).integers(0, 255, (20, 60, 3), np.uint8)
        cv2.imwrite(str(work_dir / 'test' / 'vis' / f'{name}.png'), picture)


def runs_in(folder: Path, *names: str) -> list:
    return [report.read_run(name, folder / name) for name in names]
