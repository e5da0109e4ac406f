"""Composites while they are written: an image at a time, on some processes, and again after a kill.

Annotations are on disk as soon as they are made, a line for each image; the first line tells the
settings that the images depend on.
"""

import json
import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Optional, Tuple

import cv2
from mmengine.utils import ProgressBar

from ..files import add_line, open_lines, read_lines, write_json
from .composer import Composer, describe_settings, merge

ANNOTATIONS, PART, IMAGES = 'annotations.json', 'annotations.part.jsonl', 'images'


def generate(composer: Composer, out_dir: Path, number: int, workers: int = 2,
             info: Optional[dict] = None) -> dict:
    """Make images 0 .. number - 1 and one annotation file, or what is missing of them.

    Args:
        composer: makes them.
        out_dir: gets ``images/`` and ``annotations.json``.
        number: of images.
        workers: processes; 0 or 1: this one.
        info: more for the ``info`` of the file.

    Returns:
        The amodal COCO dict that was written. Its annotations carry ``invisible_mask``,
        ``order`` (1 = in front) and ``source_annotation_id``.

    Raises:
        ValueError: the folder holds images of other settings, or no object finds a place.
    """
    settings = describe_settings(composer, number)
    path = out_dir / ANNOTATIONS
    if path.exists():
        return _complete(composer, check_finished(path, settings), out_dir, workers)
    _check_empty(out_dir)
    done = read_part(out_dir / PART, settings)
    done = {k: record for k, record in done.items()
            if (out_dir / IMAGES / record['file_name']).is_file()}
    missing = [k for k in range(number) if k not in done]
    if done:
        print(f'{len(done)} of {number} images are there from an interrupted run')
    with open_lines(out_dir / PART, dict(settings=settings)) as file:
        for record in show_progress(_written(composer, out_dir / IMAGES, missing, workers),
                                    len(missing)):
            add_line(file, record)
            done[record['id'] - 1] = record
    coco = merge([done[k] for k in range(number)], composer.dataset.metainfo['categories'],
                 dict(info or {}, settings=settings))
    write_json(path, coco)
    (out_dir / PART).unlink(missing_ok=True)
    print(f'Wrote {path}')
    return coco


def check_finished(path: Path, settings: dict) -> dict:
    """The annotation file of a finished run, if it has these settings."""
    try:
        coco = json.loads(path.read_bytes())
        there = coco['info']['settings']
    except (ValueError, KeyError, TypeError):
        raise ValueError(f'{path} is there and is not of this tool: give another --out-dir, or '
                         'move it away') from None
    _check_settings(there, settings, path.parent)
    return coco


def _complete(composer: Composer, coco: dict, out_dir: Path, workers: int) -> dict:
    """Make again the images of a finished run that are gone."""
    gone = [image['id'] - 1 for image in coco['images']
            if not (out_dir / IMAGES / image['file_name']).is_file()]
    for _ in show_progress(_written(composer, out_dir / IMAGES, gone, workers), len(gone)):
        pass
    print(f'{out_dir / ANNOTATIONS} is there, with these settings: '
          + (f'{len(gone)} images were missing' if gone else 'nothing to do'))
    return coco


def _check_empty(out_dir: Path) -> None:
    """Refuse a folder with files that are not of this tool."""
    if out_dir.is_dir() and any(out_dir.iterdir()) and not (out_dir / PART).exists():
        raise ValueError(f'{out_dir} holds files of something else: give an --out-dir that is '
                         'empty or does not exist')


def read_part(path: Path, settings: dict) -> Dict[int, dict]:
    """The images of an interrupted run by number; a line that was cut off counts as not done."""
    if not path.exists():
        return {}
    records = [record for _, record in read_lines(path)]
    if not records or 'settings' not in records[0]:  # killed before a line was whole
        path.unlink()
        return {}
    _check_settings(records[0]['settings'], settings, path.parent)
    return {record['id'] - 1: record for record in records if 'annotations' in record}


def _check_settings(there: dict, here: dict, out_dir: Path) -> None:
    other = [f'{key} {there.get(key)!r}, not {value!r}' for key, value in here.items()
             if there.get(key) != value]
    if other:
        raise ValueError(f'{out_dir} holds images of other settings ({"; ".join(other)}): give '
                         'another --out-dir, remove it, or use the same settings')


def show_progress(items: Iterable[dict], total: int) -> Iterator[dict]:
    """The items as they come, with a bar."""
    bar = ProgressBar(total) if total else None
    for item in items:
        yield item
        bar.update()
    if bar:
        print()


def _written(composer: Composer, folder: Path, numbers: List[int],
             workers: int) -> Iterator[dict]:
    """Write images, in order, on some processes; workers share the memory of this one."""
    if workers < 2 or 'fork' not in multiprocessing.get_all_start_methods():
        yield from (composer.write(k, folder) for k in numbers)
        return
    context = multiprocessing.get_context('fork')
    with ProcessPoolExecutor(workers, context, _start_worker, (composer, folder)) as pool:
        try:
            yield from pool.map(_write_one, numbers, chunksize=4)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_job: Optional[Tuple[Composer, Path]] = None  # what a worker works on


def _start_worker(composer: Composer, folder: Path) -> None:
    """Processes are the threads here, and none outlives its parent."""
    global _job
    _job = composer, folder
    cv2.setNumThreads(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The parent stops them.
    threading.Thread(target=_end_with, args=(os.getppid(), ), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _write_one(k: int) -> dict:
    composer, folder = _job
    return composer.write(k, folder)
