"""Measure ORCNN against the Mask R-CNN of the same backbone: prediction and training step, in turns.

Both have the same weights and see the same images, so that they detect the same boxes; only the
masks differ. How many are detected is set, since random weights would find any number. The paper
has 180 to 170 ms a prediction, 1.059, and 8,300 to 7,600 MB, 1.092; two models would take 2. Go by
the ratio of CPU times, which waiting for a core does not raise; on a GPU by that of the wall.
"""

import argparse
import multiprocessing
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from torch import nn

import mmamodal  # noqa: F401
from mmamodal.apis.running.command_line import run_tool
from mmamodal.structures.amodal_masks import AmodalMasks

CONFIGS = Path(__file__).parents[2] / 'configs'
SCALE = 0.75  # of the network's input to the photo: masks are pasted at the size of the latter
STATUS = Path('/proc/self/status')


class Cost(NamedTuple):
    """Seconds of one run."""
    wall: float
    cpu: float


def build(config: str, device: str, detections: int) -> nn.Module:
    """The detector of a config with random weights, which detects as many objects an image."""
    model = Config.fromfile(config).model
    model.backbone.init_cfg = None
    model.test_cfg.rcnn.update(score_thr=0.0, max_per_img=detections)
    torch.manual_seed(0)
    return MODELS.build(model).to(device)


def samples(count: int, size: Sequence[int]) -> dict:
    """Images of random pixels with rectangles, the right half of every second one hidden."""
    height, width = size
    rng = np.random.default_rng(0)
    images, data_samples = [], []
    for _ in range(count):
        corner = rng.integers(0, (width // 2, height // 2), (8, 2))
        boxes = np.concatenate([corner, corner + rng.integers(height // 8, height // 2, (8, 2))], 1)
        boxes = np.minimum(boxes, (width, height, width, height))
        images.append(torch.from_numpy(rng.integers(0, 256, (3, *size), dtype=np.uint8)))
        sample = DetDataSample(metainfo=dict(
            img_shape=tuple(size), scale_factor=(SCALE, SCALE),
            ori_shape=(round(height / SCALE), round(width / SCALE))))
        sample.gt_instances = InstanceData(
            bboxes=torch.from_numpy(boxes).float(), labels=torch.zeros(8, dtype=torch.long),
            masks=rectangles(boxes, height, width))
        data_samples.append(sample)
    return dict(inputs=images, data_samples=data_samples)


def rectangles(boxes: np.ndarray, height: int, width: int) -> AmodalMasks:
    """(N, 4) int xyxy boxes as masks."""
    amodal, visible = np.zeros((2, len(boxes), height, width), np.uint8)
    for i, (x1, y1, x2, y2) in enumerate(boxes):
        amodal[i, y1:y2, x1:x2] = 1
        visible[i, y1:y2, x1:x2 if i % 2 else (x1 + x2) // 2] = 1
    return AmodalMasks(amodal, height, width, visible=visible)


def prediction(model: nn.Module, data: dict) -> Callable[[], int]:
    """Predict all images; gives the number of detections."""
    model.eval()
    with torch.no_grad():
        return sum(len(result.pred_instances) for result in model.test_step(data))


def training_step(model: nn.Module, optimizer: torch.optim.Optimizer, data: dict) -> None:
    """Loss, gradients, and an update."""
    model.train()
    batch = model.data_preprocessor(data, True)
    loss, _ = model.parse_losses(model(**batch, mode='loss'))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def seconds(run: Callable[[], object], device: str) -> Cost:
    """What one run takes."""
    if device != 'cpu':
        torch.cuda.synchronize()
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    if device != 'cpu':
        torch.cuda.synchronize()
    return Cost(time.perf_counter() - wall, time.process_time() - cpu)


def in_turns(runs: Sequence[Callable[[], object]], rounds: int, device: str) -> Tuple[Cost, Cost]:
    """Medians of the second run's seconds and of its ratio to the first one's."""
    for run in runs:
        run()
    measured = [[seconds(run, device) for run in runs] for _ in range(rounds)]
    second = Cost(*map(statistics.median, zip(*(pair[1] for pair in measured))))
    ratios = [Cost(b.wall / a.wall, b.cpu / a.cpu) for a, b in measured]
    return second, Cost(*map(statistics.median, zip(*ratios)))


def peak(config: str, options: argparse.Namespace, detections: int, train: bool) -> float:
    """The most memory that was in use, MB; to be run in a process of its own."""
    init_default_scope('mmdet')
    model = build(config, options.device, detections)
    data = samples(options.images, options.size)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6, momentum=0.9)
    for _ in range(2):
        training_step(model, optimizer, data) if train else prediction(model, data)
    if options.device != 'cpu':
        return torch.cuda.max_memory_allocated() / 2**20
    used = dict(line.split(':', 1) for line in STATUS.read_text().splitlines())
    return int(used['VmHWM'].split()[0]) / 2**10


def measure_time(options: argparse.Namespace) -> None:
    """Print seconds and ratios."""
    data = samples(options.images, options.size)
    for detections in options.detections:
        models = same_weights(options, detections)
        found = [prediction(model, data) for model in models]
        if found[0] != found[1]:
            raise ValueError(f'expected both models to detect as much, got {found}: are '
                             f'{options.base} and {options.model} alike but for their masks?')
        report(f'prediction, {found[1] // options.images} detections', *in_turns(
            [lambda model=model: prediction(model, data) for model in models], options.rounds,
            options.device))
    pairs = [(model, torch.optim.SGD(model.parameters(), lr=1e-6, momentum=0.9))
             for model in models]
    report('training step', *in_turns(
        [lambda pair=pair: training_step(*pair, data) for pair in pairs], options.rounds,
        options.device))


def same_weights(options: argparse.Namespace, detections: int) -> List[nn.Module]:
    """Both models; the second one's visible head begins as the amodal one."""
    models = [build(config, options.device, detections)
              for config in (options.base, options.model)]
    models[1].load_state_dict(models[0].state_dict(), strict=False)
    return models


def measure_memory(options: argparse.Namespace) -> None:
    """Print peaks and ratios."""
    if options.device == 'cpu' and not STATUS.is_file():
        print('memory: not measured, this system does not say how much a process used')
        return
    for name, train in ((f'prediction, {options.detections[-1]} detections', False),
                        ('training step', True)):
        used: Dict[str, float] = {}
        for config in (options.base, options.model):
            # A new process each: the peak of one that has measured before would stay.
            with multiprocessing.get_context('spawn').Pool(1) as pool:
                used[config] = pool.apply(peak, (config, options, options.detections[-1], train))
        mask_rcnn, orcnn = used.values()
        print(f'peak memory, {name:28s} {orcnn:8.0f} MB {orcnn / mask_rcnn:7.3f} x', flush=True)


def report(name: str, cost: Cost, ratio: Cost) -> None:
    """Print one figure."""
    print(f'{name:41s} {1000 * cost.wall:8.0f} ms {ratio.wall:7.3f} x {ratio.cpu:7.3f} x by CPU '
          'time', flush=True)


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--base', default=str(CONFIGS / 'mask_rcnn/mask-rcnn_r50_fpn_1x_cocoa.py'),
                        help='config of the Mask R-CNN (default: ResNet-50, COCOA)')
    parser.add_argument('--model', default=str(CONFIGS / 'orcnn/orcnn_r50_fpn_1x_cocoa.py'),
                        help='config of the ORCNN (default: ResNet-50, COCOA)')
    parser.add_argument('--size', type=int, nargs=2, default=[480, 640], metavar=('H', 'W'),
                        help="of the network's input (default: 480 640)")
    parser.add_argument('--images', type=int, default=1, help='in a batch (default: 1)')
    parser.add_argument('--detections', type=int, nargs='+', default=[20, 100],
                        help='an image (default: 20 100)')
    parser.add_argument('--rounds', type=int, default=5, help='(default: 5)')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu',
                        help='(default: a GPU if there is one)')
    return parser.parse_args(args)


def main(args: Optional[Sequence[str]] = None) -> None:
    """Measure and print."""
    options = parse_args(args)
    init_default_scope('mmdet')
    print(f'{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}, '
          f'{torch.get_num_threads()} threads, {options.device}; of ORCNN, and its ratio to Mask '
          'R-CNN')
    measure_time(options)
    measure_memory(options)


if __name__ == '__main__':
    sys.exit(run_tool(main))
