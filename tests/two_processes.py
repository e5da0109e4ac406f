"""A metric's figures, computed by two processes that gather over gloo."""

import multiprocessing
import os
from pathlib import Path
from typing import Dict, List

import pytest
from mmdet.structures import DetDataSample
from mmengine.evaluator import Evaluator
from torch import distributed

needs_fork = pytest.mark.skipif('fork' not in multiprocessing.get_all_start_methods(),
                                reason='needs fork')


def figures_of_two(evaluator: Evaluator, samples: List[DetDataSample],
                   folder: Path) -> Dict[int, dict]:
    """By rank what each of two processes gives for three samples; they meet in a folder."""
    fork = multiprocessing.get_context('fork')
    queue = fork.Queue()
    processes = [fork.Process(target=_one_of_two, daemon=True,
                              args=(rank, folder, queue, evaluator, samples)) for rank in (0, 1)]
    for process in processes:
        process.start()
    figures = dict(queue.get(timeout=120) for _ in processes)
    for process in processes:
        process.join(timeout=120)
    return figures


def _one_of_two(rank: int, folder: Path, queue: multiprocessing.Queue, evaluator: Evaluator,
                samples: List[DetDataSample]) -> None:
    os.chdir(folder)  # mmengine collects in a folder under the current one
    distributed.init_process_group('gloo', f'file://{folder}/meet', rank=rank, world_size=2)
    # As DefaultSampler deals three: 0, 2 and 1, 0; the second 0 only fills up.
    for place in ((0, 2), (1, 0))[rank]:
        evaluator.process([samples[place]])
    queue.put((rank, evaluator.evaluate(3)))
    distributed.destroy_process_group()
