"""Measure the amodal metrics against pycocotools' segm AP of the amodal masks alone, in one run.

Draws random objects, some of them half hidden, and detections of them, good and bad, into files
of a temporary folder. Both sides read their files and end with their figures: one all of the
amodal metrics' table, the other AP and AR of one kind of masks, from a file with no others. Go by
the ratio of CPU times, which waiting for a core does not raise.
"""

import argparse
import contextlib
import io
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from mmengine.utils import track_iter_progress
from pycocotools import mask as mask_utils
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mmamodal.apis.running.command_line import run_tool
from mmamodal.apis.score_files import score_files
from mmamodal.evaluation.detection.amodal_figures import table
from mmamodal.evaluation.detection.amodal_rules import AmodalRules
from mmamodal.files import write_json

HEIGHT, WIDTH = 480, 640
OBJECTS = (2, 12)  # of an image, as many as COCO has on average
POINTS = 24


class Thing(NamedTuple):
    """An object: roundish, hidden right of ``cut`` radii from its centre (above 1: not at all)."""
    centre: np.ndarray
    radius: float
    cut: float
    category: int


def random_thing(rng: np.random.Generator, classes: int) -> Thing:
    """Any object of an image."""
    cut = rng.uniform(-0.7, 0.9) if rng.random() < 0.5 else 2.0
    return Thing(rng.uniform((0, 0), (WIDTH, HEIGHT)), np.exp(rng.uniform(2.5, 5.0)), cut,
                 int(rng.integers(1, classes + 1)))


def detected(rng: np.random.Generator, thing: Thing, classes: int) -> Thing:
    """The object as a detector sees it: about there, and of another class now and then."""
    other = rng.random() < 0.1
    return Thing(thing.centre + rng.normal(0, 0.1 * thing.radius, 2),
                 thing.radius * rng.uniform(0.85, 1.15), thing.cut + rng.normal(0, 0.15),
                 int(rng.integers(1, classes + 1)) if other else thing.category)


def masks_of(rng: np.random.Generator, thing: Thing) -> Dict[str, dict]:
    """Amodal, visible and invisible RLE; the two parts overlap by a rim of a pixel."""
    angles = np.linspace(0, 2 * np.pi, POINTS, endpoint=False)
    radii = thing.radius * rng.uniform(0.85, 1.15, (POINTS, 1))
    outline = thing.centre + radii * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    edge = thing.centre[0] + thing.cut * thing.radius
    return dict(
        segmentation=filled(outline),
        visible_mask=filled(np.column_stack([np.minimum(outline[:, 0], edge), outline[:, 1]])),
        invisible_mask=filled(np.column_stack([np.maximum(outline[:, 0], edge), outline[:, 1]])))


def filled(outline: np.ndarray) -> dict:
    """A polygon (N, 2) in the image as an RLE."""
    polygon = np.clip(outline, 0, (WIDTH, HEIGHT)).ravel().tolist()
    rle = mask_utils.frPyObjects([polygon], HEIGHT, WIDTH)[0]
    return dict(size=[HEIGHT, WIDTH], counts=rle['counts'].decode())


def draw_image(rng: np.random.Generator, image_id: int, count: int,
               classes: int) -> Tuple[List[dict], List[dict]]:
    """Annotations, without ids, and ``count`` detections of an image."""
    things = [random_thing(rng, classes) for _ in range(rng.integers(*OBJECTS, endpoint=True))]
    annotations, detections = [], []
    for thing in things:
        masks = masks_of(rng, thing)
        shown = ('segmentation', 'visible_mask') if thing.cut < 1 else ('segmentation', )
        annotations.append(dict(
            {key: masks[key] for key in shown}, image_id=image_id, category_id=thing.category,
            iscrowd=0, area=int(mask_utils.area(masks['segmentation'])),
            bbox=mask_utils.toBbox(masks['segmentation']).tolist()))
    for place in range(count):
        true = rng.random() < 0.6
        thing = detected(rng, things[place % len(things)], classes) if true else random_thing(
            rng, classes)
        detections.append(dict(masks_of(rng, thing), image_id=image_id,
                               category_id=thing.category,
                               score=round(float(rng.beta(4, 2) if true else rng.beta(1, 4)), 4)))
    return annotations, detections


def write_files(folder: Path, images: int, count: int, classes: int, seed: int) -> None:
    """``truth.json``, ``predictions.json`` and, with amodal masks alone, ``amodal.json``."""
    rng = np.random.default_rng(seed)
    annotations, detections = [], []
    for image_id in track_iter_progress(range(1, images + 1), file=sys.stderr):
        drawn, found = draw_image(rng, image_id, count, classes)
        annotations += drawn
        detections += found
    for ann_id, annotation in enumerate(annotations, 1):
        annotation['id'] = ann_id
    entries = [dict(id=i, height=HEIGHT, width=WIDTH, file_name=f'{i}.jpg')
               for i in range(1, images + 1)]
    categories = [dict(id=i, name=f'class {i}') for i in range(1, classes + 1)]
    write_json(folder / 'truth.json',
               dict(images=entries, annotations=annotations, categories=categories))
    write_json(folder / 'predictions.json', detections)
    write_json(folder / 'amodal.json',
               [{key: value for key, value in entry.items() if not key.endswith('visible_mask')}
                for entry in detections])


def with_pycocotools(folder: Path) -> np.ndarray:
    """COCO's twelve figures of the amodal masks."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(folder / 'truth.json'))
        run = COCOeval(truth, truth.loadRes(str(folder / 'amodal.json')), 'segm')
        run.evaluate()
        run.accumulate()
        run.summarize()
    return run.stats


def with_ours(folder: Path) -> Tuple[str, Dict[str, Optional[float]]]:
    """The table and all figures."""
    scores = score_files(str(folder / 'truth.json'), str(folder / 'predictions.json'),
                         AmodalRules())
    return table(scores.evaluation), scores.as_dict()


def timed(run: Callable[[Path], object], folder: Path) -> Tuple[object, float, float]:
    """What it gives, and seconds of wall clock and of CPU time of all threads."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = run(folder)
    return result, time.perf_counter() - wall, time.process_time() - cpu


def compare(folder: Path, repeats: int) -> float:
    """Measure both by turns, hold the figures together, print; the least ratio of CPU times."""
    ratios = []
    for _ in range(repeats):
        (text, named), wall, cpu = timed(with_ours, folder)
        stats, their_wall, their_cpu = timed(with_pycocotools, folder)
        worst = max(abs(named[name] / 100 - stats[place]) for name, place in
                    (('AP_A_all', 0), ('AP50_A_all', 1), ('AP75_A_all', 2), ('APs_A_all', 3),
                     ('APm_A_all', 4), ('APl_A_all', 5), ('AR1_A_all', 6), ('AR10_A_all', 7),
                     ('AR100_A_all', 8), ('ARl_A_all', 11)))
        ratios.append(cpu / their_cpu)
        print(f'amodal metrics {cpu:6.1f} s of CPU time ({wall:.1f} s), pycocotools, amodal segm '
              f'alone {their_cpu:6.1f} s ({their_wall:.1f} s): ratio {ratios[-1]:.2f}; largest '
              f'difference of AP and AR {worst:.1e}', flush=True)
    print('\n' + text)
    return min(ratios)


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--images', type=int, default=5000, help='(default: %(default)s)')
    parser.add_argument('--detections', type=int, default=20,
                        help='of an image (default: %(default)s)')
    parser.add_argument('--classes', type=int, default=80,
                        help='fewer are harder: pycocotools spends much of its time on classes '
                        'that an image does not have (default: %(default)s)')
    parser.add_argument('--repeats', type=int, default=1, help='(default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='(default: %(default)s)')
    return parser.parse_args(args)


def main(args: Optional[Sequence[str]] = None) -> None:
    """Draw, measure, print."""
    options = parse_args(args)
    print(f'{options.images} images of {options.detections} detections, {options.classes} '
          f'classes; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores')
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder), options.images, options.detections, options.classes,
                    options.seed)
        compare(Path(folder), options.repeats)


if __name__ == '__main__':
    sys.exit(run_tool(main))
