"""Measure stage 1 on this machine's CPU: a training step, the training loader, prediction,
touching pairs and the true order of many objects.

Ratios are to the published code of PCNet at patches of 256: its loader in one process, without
and with images, and its inference, order and completion, on two idle cores. Each is followed by
what is aimed at. A figure is the median of repeated runs. On a busy machine go by the ratio by
CPU time, which waiting for a core does not lower; a shared cache still does. All but the plain
training step run as the tools do, with freed memory kept by the process.
"""

import argparse
import os
import statistics
import sys
import time
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Callable, List, NamedTuple, Optional, Sequence, Tuple

import cv2
import numpy as np
import torch
from mmdet.registry import DATASETS, MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint

from mmamodal.apis.running.command_line import keep_freed_memory, run_tool
from mmamodal.models import MaskCompleter
from mmamodal.structures import occlusion

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
LOADED_PER_SECOND = 1200.0
LOADED_WITH_IMAGE_PER_SECOND = 270.0
COMPLETED_PER_SECOND, COMPLETED_ON_CORES = 4.7, 2
LEAST_RUNS = 3
TRAINING_BATCH = 16
HEIGHT, WIDTH = 1080, 1920
EXAMPLE = """example:
  python tools/benchmarks/stage1.py --only prediction pairs --checkpoints pcnet.pth asbu.pth
"""


class Rate(NamedTuple):
    """Things done in a second, and in a second of CPU time of all threads together."""

    per_second: float
    per_cpu_second: float


def measure(run: Callable[[], object], things: int, seconds: float) -> Rate:
    """Median rates of a run, repeated for so many seconds, three times at least.

    Args:
        run: does something.
        things: how many things it does.
        seconds: time to spend, after one run to warm up.
    """
    run()
    rates: List[Rate] = []
    start = time.perf_counter()
    while len(rates) < LEAST_RUNS or time.perf_counter() - start < seconds:
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        rates.append(Rate(things / (time.perf_counter() - wall),
                          things / (time.process_time() - cpu)))
    return Rate(*(statistics.median(column) for column in zip(*rates)))


def images_config(ann_file: str, img_dir: str, dataset: str) -> dict:
    """The dataset to measure on: drawn scenes where no annotation file is given."""
    if not ann_file:
        return dict(type='SceneDataset', num_scenes=100, visible_only=True)
    return dict(type=dataset, ann_file=ann_file, data_prefix=dict(img=img_dir), visible_only=True)


def loader_run(images: dict, patch_size: int, with_image: bool,
               count: int) -> Callable[[], None]:
    """Make training samples of so many random instances, in this process."""
    drawn = images['type'] == 'SceneDataset'
    image_loader = dict(type='LoadSceneImage' if drawn else 'LoadImageFromFile')
    pipeline = [
        dict(type='CropPair', patch_size=patch_size,
             image_loader=image_loader if with_image else None),
        dict(type='PlaceOccluder'),
        dict(type='OcclusionBoundary'),
        *([dict(type='CompositeOccluder')] if with_image else []),
        dict(type='PackCompletionInputs')]
    pairs = DATASETS.build(dict(type='InstancePairDataset', dataset=images, pipeline=pipeline))

    def run() -> None:
        for index in np.random.randint(len(pairs), size=count):
            pairs[index]

    return run


def samples_to_complete(images: dict, count: int) -> List[DetDataSample]:
    """Data samples of ``count`` images, spread evenly over the dataset."""
    pipeline = [dict(type='LoadAmodalAnnotations'), dict(type='PackAmodalInputs')]
    dataset = DATASETS.build(dict(images, test_mode=True, pipeline=pipeline))
    chosen = np.unique(np.linspace(0, len(dataset) - 1, count).astype(int))
    return [dataset[index]['data_samples'] for index in chosen]


def completer_of(config: str, checkpoint: str, **options: object) -> MaskCompleter:
    """The completer of a config, with the same random weights whenever no checkpoint is given."""
    model = Config.fromfile(CONFIGS / config).model
    model.update(options)
    torch.manual_seed(0)
    completer = MODELS.build(model)
    if checkpoint:
        load_checkpoint(completer, checkpoint, map_location='cpu', logger='silent')
    return completer.eval()


def difference(completer: MaskCompleter, reference: MaskCompleter,
               samples: List[DetDataSample]) -> Tuple[float, float]:
    """How far apart two completers are.

    Returns:
        the largest difference of a pixel's probability; 100 - mIoU of their masks, in percent.
    """
    largest, common, either = 0.0, 0, 0
    for sample in samples:
        a, b = (deepcopy(completer.predict([sample])[0].pred_instances)
                for completer in (completer, reference))
        if len(a):
            largest = max(largest, float((a.probability - b.probability).abs().max()))
        common += int((a.masks & b.masks).sum())
        either += int((a.masks | b.masks).sum())
    return largest, 100 - 100 * common / max(either, 1)


def ellipses(count: int) -> Tuple[np.ndarray, np.ndarray]:
    """Visible and amodal masks (N, H, W) of ellipses that hide each other, spread evenly over
    an image, the larger the fewer they are."""
    rng = np.random.default_rng(0)
    amodal = np.empty((count, HEIGHT, WIDTH), np.uint8)
    amodal.fill(0)  # touches the memory: zeros() would be read from one page
    size = 0.75 * np.sqrt(HEIGHT * WIDTH / count)
    for mask in amodal:
        centre = [int(x) for x in rng.integers(0, (WIDTH, HEIGHT))]
        axes = [int(x) for x in size * rng.uniform(0.4, 1.2, 2)]
        cv2.ellipse(mask, centre, axes, rng.uniform(0, 180), 0, 360, 1, -1)
    visible, hidden = amodal.copy(), np.zeros((HEIGHT, WIDTH), np.uint8)
    for mask, whole in zip(visible[::-1], amodal[::-1]):
        mask &= 1 - hidden
        hidden |= whole
    return visible, amodal


def training_run(size: int, memory_format: torch.memory_format, bf16: bool,
                 compiled: bool) -> Callable[[], None]:
    """One step of the UNet on a batch."""
    network = MODELS.build(dict(type='CompletionUNet')).train().to(memory_format=memory_format)
    if compiled:
        network.compile()
    loss = MODELS.build(dict(type='UncertaintyLoss'))
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9)
    inputs = torch.rand(TRAINING_BATCH, 2, size, size).round().contiguous(
        memory_format=memory_format)

    def run() -> None:
        with torch.autocast('cpu', torch.bfloat16, enabled=bf16):
            logits = network(inputs)
        optimizer.zero_grad()
        loss(logits.float(), inputs[:, 0], inputs[:, 1]).backward()
        optimizer.step()

    return run


def measure_loader(images: dict, patch_size: int, seconds: float) -> None:
    """Print samples a second of one loading process."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in a dataloader's worker
    for name, with_image, count, published, target in (
            ('without image', False, 256, LOADED_PER_SECOND, 2),
            ('with image', True, 32, LOADED_WITH_IMAGE_PER_SECOND, 3)):
        rate = measure(loader_run(images, patch_size, with_image, count), count, seconds)
        report(f'loader {name}', 'samples/s', rate, published, 1, target)
    torch.set_num_threads(threads)


def measure_prediction(images: dict, patch_size: int, count: int, checkpoints: Sequence[str],
                       seconds: float) -> None:
    """Print instances a second of order and completion, and whether speed changed results."""
    samples = samples_to_complete(images, count)
    instances = sum(len(sample.gt_instances) for sample in samples)
    for name, config, checkpoint, context, targets in (
            ('PCNet, order graph', 'pcnet/pcnet-m', checkpoints[0], 'ancestors', (1.5, 3)),
            ('ASBU, graph-free', 'asbu/asbu', checkpoints[1], 'neighbours', (4.5, 10))):
        config = f'{config}_unet_56k_cocoa.py'
        options = dict(patch_size=patch_size, context=context)
        reference = completer_of(config, checkpoint, keep_probability=True, **options)
        reference._folding._folded_copy = lambda network: network  # as it was trained
        for bf16, target in zip((False, True), targets):
            completer = completer_of(config, checkpoint, cpu_bf16=bf16, **options)
            rate = measure(partial(completer.predict, samples), instances, seconds)
            report(f'{name}, {"cpu_bf16" if bf16 else "fp32"}', 'instances/s', rate,
                   COMPLETED_PER_SECOND, COMPLETED_ON_CORES, target)
            completer.keep_probability = True
            largest, less = difference(completer, reference, samples)
            print(f'    to plain fp32: largest difference of a probability {largest:.1e}, '
                  f'masks {less:.3f} points of mIoU apart', flush=True)


def measure_pairs(counts: Sequence[int], seconds: float) -> None:
    """Print how long touching pairs and the true order of so many objects take."""
    for count in counts:
        visible, amodal = ellipses(count)
        pairs, order = (1e3 / measure(run, 1, seconds / 5).per_cpu_second for run in (
            partial(occlusion.touching_pairs, visible),
            partial(occlusion.order_from_masks, visible, amodal)))
        aim = ' (aim: below 50)' if count == 150 else ''
        print(f'{count:4d} objects, {WIDTH}x{HEIGHT}: pairs {pairs:6.1f} ms, pairs and order '
              f'{order:6.1f} ms of CPU time{aim}, '
              f'{1e6 * order / visible.size:.3f} ns a pixel of a mask', flush=True)


def measure_training(patch_size: int, seconds: float, compiled: bool) -> None:
    """Print seconds of a training step, and how much faster than the plain one it is.

    The plain one is torch's as it comes; the others keep freed memory, as the tools do, and so
    does everything that is measured after this.
    """
    plain_step: Optional[Rate] = None
    for name, memory_format, bf16, compile_it, aim in (
            ('plain', torch.contiguous_format, False, False, ''),
            ('channels-last', torch.channels_last, False, False, ' (aim 1.5)'),
            ('channels-last, bf16', torch.channels_last, True, False, ' (aim 3)'),
            *([('the same, torch.compile', torch.channels_last, True, True, '')]
              if compiled else [])):
        rate = measure(training_run(patch_size, memory_format, bf16, compile_it), 1, seconds)
        keep_freed_memory()
        plain_step = plain_step or rate
        print(f'training step, {name:23s} {1 / rate.per_second:8.2f} s       '
              f'{rate.per_second / plain_step.per_second:6.2f} x plain   '
              f'{rate.per_cpu_second / plain_step.per_cpu_second:6.2f} x by CPU time{aim}',
              flush=True)


def report(name: str, unit: str, rate: Rate, published: float, cores: int,
           target: float) -> None:
    """Print one rate; ``cores`` is how many the published figure used."""
    print(f'{name:37s} {rate.per_second:8.1f} {unit:11s}{rate.per_second / published:6.2f} x '
          f'published{cores * rate.per_cpu_second / published:7.2f} x by CPU time '
          f'(aim {target})', flush=True)


def describe_machine() -> None:
    """Print what the figures depend on; warn where others use the machine, too."""
    cores, load = os.cpu_count() or 1, os.getloadavg()[0]
    native = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    print(f'{cores} cores, load average {load:.1f}, {torch.get_num_threads()} threads, bfloat16 '
          f'{"native" if native else "not native: cpu_bf16 changes nothing"}')
    if load > 0.3:
        print('WARNING: the machine is not idle (load average above 0.3): figures are too low.')


def parse_args(args: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--ann-file', default='', help='annotation file (default: drawn scenes)')
    parser.add_argument('--img-dir', default='', help='folder of its images')
    parser.add_argument('--dataset', default='AmodalCocoDataset',
                        help='type of its dataset, such as COCOADataset (default: %(default)s)')
    parser.add_argument('--images', type=int, default=4, help='to predict (default: %(default)s)')
    parser.add_argument('--seconds', type=float, default=10, help='for each figure '
                        '(default: %(default)s)')
    parser.add_argument('--patch-size', type=int, default=256, help='(default: %(default)s)')
    parser.add_argument('--checkpoints', default=['', ''], nargs=2, metavar=('PCNET', 'ASBU'),
                        help='to predict with (default: random weights, whose masks say nothing)')
    parser.add_argument('--objects', type=int, nargs='+', default=[10, 30, 100, 150, 300, 1000],
                        help='to find the order of; 1,000 take 4.2 GB (default: %(default)s)')
    parts = ['training', 'loader', 'prediction', 'pairs']
    parser.add_argument('--compile', action='store_true',
                        help='measure a training step with torch.compile besides')
    parser.add_argument('--only', choices=parts, nargs='+', default=parts)
    return parser.parse_args(args)


def main(args: Optional[Sequence[str]] = None) -> None:
    """Measure and print."""
    options = parse_args(args)
    init_default_scope('mmdet')
    cv2.setNumThreads(0)  # as the configs do
    np.random.seed(0)
    torch.manual_seed(0)
    describe_machine()
    images = images_config(options.ann_file, options.img_dir, options.dataset)
    if 'training' in options.only:  # first: its plain step is the only one to free memory
        measure_training(options.patch_size, options.seconds, options.compile)
    keep_freed_memory()
    if 'loader' in options.only:
        measure_loader(images, options.patch_size, options.seconds)
    if 'prediction' in options.only:
        measure_prediction(images, options.patch_size, options.images, options.checkpoints,
                           options.seconds)
    if 'pairs' in options.only:
        measure_pairs(options.objects, options.seconds)


if __name__ == '__main__':
    sys.exit(run_tool(main))
