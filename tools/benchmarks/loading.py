"""Measure loading: an annotation file of KINS's size, its time and its memory, in workers, too.

Writes a file of random masks in KINS's first layout (once, into --dir), loads it in a process of
its own, as a detector does and as a completer does, and reads samples with several workers.
Memory is the sum of proportional shares (PSS), so that what processes share counts once.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Callable, Optional, Sequence

import numpy as np
from mmdet.registry import DATASETS
from mmengine.registry import init_default_scope
from mmengine.utils import track_iter_progress
from torch.utils.data import DataLoader

from mmamodal.apis.running.command_line import run_tool
from mmamodal.files import write_json
from mmamodal.structures.segmentation import decode, encode

HEIGHT, WIDTH = 375, 1242
IMAGES = 7474
POINTS = 48


def outline(rng: np.random.Generator) -> np.ndarray:
    """A random roundish polygon (POINTS, 2), some of it outside the image."""
    radius = rng.uniform(0.6, 1.4, POINTS) * rng.gamma(2.0, 25.0)
    angle = np.linspace(0, 2 * np.pi, POINTS, endpoint=False)
    centre = rng.uniform((0, HEIGHT / 3), (WIDTH, HEIGHT))
    points = centre + np.stack([1.4 * radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return np.clip(points, 0, (WIDTH, HEIGHT)).round(2)


def annotations_of_image(rng: np.random.Generator, image_id: int, first: int,
                         count: int) -> list:
    """Annotations in KINS's keys; of two objects that overlap the later one is in front."""
    covered = np.zeros((HEIGHT, WIDTH), np.uint8)
    annotations = []
    for place in range(count):
        points = outline(rng)
        amodal = decode(points.ravel().tolist(), HEIGHT, WIDTH)
        (x, y), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        box = [x, y, right - x, bottom - y]
        annotations.append(dict(
            id=first + place, image_id=image_id, category_id=int(rng.choice([1, 2, 4, 5, 6, 7, 8])),
            iscrowd=0, segmentation=[points.ravel().tolist()], bbox=box, inmodal_bbox=box,
            area=int(amodal.sum()), inmodal_seg=encode(amodal & (1 - covered))))
        covered |= amodal
    return annotations


def write_file(path: Path, instances: int, seed: int = 0) -> None:
    """The annotation file, with ``instances`` spread evenly over KINS's 7,474 images."""
    rng = np.random.default_rng(seed)
    images, annotations = [], []
    bounds = np.linspace(0, instances, IMAGES + 1).astype(int)
    for i in track_iter_progress(range(IMAGES)):
        images.append(dict(id=i, file_name=f'{i:06d}.png', height=HEIGHT, width=WIDTH))
        annotations += annotations_of_image(rng, i, bounds[i] + 1, bounds[i + 1] - bounds[i])
    for ann in annotations:
        ann['id'] = int(ann['id'])
    write_json(path, dict(images=images, annotations=annotations))


def as_detector(path: str) -> object:
    """The dataset of a detector, without images."""
    pipeline = [dict(type='LoadAmodalAnnotations'), dict(type='PackAmodalInputs')]
    return DATASETS.build(dict(type='KINSDataset', ann_file=path, pipeline=pipeline))


def as_completer(path: str) -> object:
    """The dataset of a completer."""
    pipeline = [dict(type='CropPair'), dict(type='PlaceOccluder'), dict(type='OcclusionBoundary'),
                dict(type='PackCompletionInputs')]
    images = dict(type='KINSDataset', ann_file=path, visible_only=True)
    return DATASETS.build(dict(type='InstancePairDataset', dataset=images, pipeline=pipeline))


def share_mb(pid: int) -> float:
    """Proportional share of memory of a process in MB."""
    for line in Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines():
        if line.startswith('Pss:'):
            return int(line.split()[1]) / 1024
    return 0.0


def load(build: Callable[[str], object], name: str, path: str, workers: int) -> None:
    """Build a dataset, read from it with workers, print seconds and megabytes."""
    init_default_scope('mmdet')
    before = share_mb(os.getpid())
    start, cpu = time.perf_counter(), time.process_time()
    dataset = build(path)
    took, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    kept = share_mb(os.getpid()) - before
    print(f'{name:10s} loaded {len(dataset):6d} records in {took:5.1f} s ({cpu:.1f} s of CPU time); '
          f'peak {peak:5.0f} MB, kept {kept:4.0f} MB', flush=True)
    loader = DataLoader(dataset, batch_size=4, num_workers=workers, shuffle=True,
                        collate_fn=list, multiprocessing_context='fork')
    batches = iter(loader)
    for _ in range(50 * workers):
        next(batches)
    shares = [share_mb(worker.pid) for worker in batches._workers]
    print(f'{name:10s} {workers} workers add {sum(shares) + share_mb(os.getpid()) - before - kept:.0f}'
          f' MB together after {200 * workers} samples', flush=True)


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='example: python tools/benchmarks/loading.py --workers 4')
    parser.add_argument('--instances', type=int, default=95000, help='(default: %(default)s)')
    parser.add_argument('--workers', type=int, default=4, help='(default: %(default)s)')
    parser.add_argument('--dir', type=Path, default=Path(tempfile.gettempdir()) / 'mmamodal-loading',
                        help='folder of the generated file (default: %(default)s)')
    return parser.parse_args(args)


def main(args: Optional[Sequence[str]] = None) -> None:
    """Write the file, load it in processes of their own."""
    options = parse_args(args)
    path = options.dir / f'kins_{options.instances}.json'
    if not path.is_file():
        print(f'writing {path}')
        write_file(path, options.instances)
    print(f'\n{path}: {path.stat().st_size / 2**20:.0f} MB, {options.instances} annotations; load '
          f'average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores')
    with open(path, 'rb') as file:
        start = time.perf_counter()
        json.loads(file.read())
    print(f'json alone takes {time.perf_counter() - start:.1f} s', flush=True)
    for name, build in (('detector', as_detector), ('completer', as_completer)):
        process = get_context('spawn').Process(target=load, args=(build, name, str(path),
                                                                  options.workers))
        process.start()
        process.join()


if __name__ == '__main__':
    sys.exit(run_tool(main))
