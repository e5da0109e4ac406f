"""Measure stage 1 on this machine's CPU: the training loader, prediction, a training step.

Ratios are to the published code of PCNet at patches of 256: its loader in one process, without
and with images, and its inference, order and completion, on two idle cores. A figure is the
median of repeated runs. On a busy machine go by the ratio by CPU time, which waiting for a core
does not lower; a shared cache still does.
"""

import argparse
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Callable, List, NamedTuple, Optional, Sequence

import cv2
import numpy as np
import torch
from mmdet.registry import DATASETS, MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmamodal.apis.command_line import run_tool

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
LOADED_PER_SECOND = 1200.0
LOADED_WITH_IMAGE_PER_SECOND = 270.0
COMPLETED_PER_SECOND, COMPLETED_ON_CORES = 4.7, 2
LEAST_RUNS = 3
TRAINING_BATCH = 16


class Rate(NamedTuple):
    """Things done in a second, and in a second of CPU time of all threads together."""

    per_second: float
    per_cpu_second: float


def measure(run: Callable[[], int], seconds: float) -> Rate:
    """Median rates of a run, repeated for so many seconds, three times at least.

    Args:
        run: does something and returns how many things it did.
        seconds: time to spend, after one run to warm up.
    """
    run()
    rates: List[Rate] = []
    start = time.perf_counter()
    while len(rates) < LEAST_RUNS or time.perf_counter() - start < seconds:
        wall, cpu = time.perf_counter(), time.process_time()
        done = run()
        rates.append(Rate(done / (time.perf_counter() - wall), done / (time.process_time() - cpu)))
    return Rate(*(statistics.median(column) for column in zip(*rates)))


def images_config(ann_file: str, img_dir: str, dataset: str) -> dict:
    """The dataset to measure on: drawn scenes where no annotation file is given."""
    if not ann_file:
        return dict(type='SceneDataset', num_scenes=100, visible_only=True)
    return dict(type=dataset, ann_file=ann_file, data_prefix=dict(img=img_dir), visible_only=True)


def loader_run(images: dict, patch_size: int, with_image: bool) -> Callable[[], int]:
    """Make training samples of random instances, in this process."""
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

    def run() -> int:
        indices = np.random.randint(len(pairs), size=32 if with_image else 256)
        return sum(pairs[index] is not None for index in indices)

    return run


def samples_to_complete(images: dict, count: int) -> List[DetDataSample]:
    """Data samples of ``count`` images, spread evenly over the dataset."""
    pipeline = [dict(type='LoadAmodalAnnotations'), dict(type='PackAmodalInputs')]
    dataset = DATASETS.build(dict(images, test_mode=True, pipeline=pipeline))
    chosen = np.unique(np.linspace(0, len(dataset) - 1, count).astype(int))
    return [dataset[index]['data_samples'] for index in chosen]


def prediction_run(config: str, samples: List[DetDataSample],
                   **options: object) -> Callable[[], int]:
    """Complete all objects of the samples with the untrained completer of a config."""
    model = Config.fromfile(CONFIGS / config).model
    model.update(options)
    completer = MODELS.build(model).eval()
    instances = sum(len(sample.gt_instances) for sample in samples)

    def run() -> int:
        for sample in samples:
            completer.predict([sample])
        return instances

    return run


def training_run(size: int, memory_format: torch.memory_format, bf16: bool) -> Callable[[], int]:
    """One step of the UNet on a batch."""
    network = MODELS.build(dict(type='CompletionUNet')).train().to(memory_format=memory_format)
    loss = MODELS.build(dict(type='UncertaintyLoss'))
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9)
    inputs = torch.rand(TRAINING_BATCH, 2, size, size).round().contiguous(
        memory_format=memory_format)

    def run() -> int:
        with torch.autocast('cpu', torch.bfloat16, enabled=bf16):
            logits = network(inputs)
        optimizer.zero_grad()
        loss(logits.float(), inputs[:, 0], inputs[:, 1]).backward()
        optimizer.step()
        return 1

    return run


def measure_loader(images: dict, patch_size: int, seconds: float) -> None:
    """Print samples a second of one loading process."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in a dataloader's worker
    for name, with_image, published in (('without image', False, LOADED_PER_SECOND),
                                        ('with image', True, LOADED_WITH_IMAGE_PER_SECOND)):
        rate = measure(loader_run(images, patch_size, with_image), seconds)
        report(f'loader {name}', 'samples/s', rate, published, 1)
    torch.set_num_threads(threads)


def measure_prediction(images: dict, patch_size: int, count: int, seconds: float) -> None:
    """Print instances a second of order and completion."""
    samples = samples_to_complete(images, count)
    for name, config, options in (
            ('PCNet, order graph', 'pcnet/pcnet-m_unet_56k_cocoa.py', dict()),
            ('ASBU, graph-free', 'asbu/asbu_unet_56k_cocoa.py', dict(context='neighbours'))):
        for bf16 in (False, True):
            run = prediction_run(config, samples, patch_size=patch_size, cpu_bf16=bf16, **options)
            report(f'{name}, {"cpu_bf16" if bf16 else "fp32"}', 'instances/s',
                   measure(run, seconds), COMPLETED_PER_SECOND, COMPLETED_ON_CORES)


def measure_training(patch_size: int, seconds: float) -> None:
    """Print seconds of a training step, and how much faster than the plain one it is."""
    plain: Optional[Rate] = None
    for name, memory_format, bf16 in (
            ('fp32', torch.contiguous_format, False),
            ('fp32, channels-last', torch.channels_last, False),
            ('bf16, channels-last', torch.channels_last, True)):
        rate = measure(training_run(patch_size, memory_format, bf16), seconds)
        plain = plain or rate
        print(f'training step, {name:22s} {1 / rate.per_second:8.2f} s        '
              f'{rate.per_second / plain.per_second:6.2f} x plain   '
              f'{rate.per_cpu_second / plain.per_cpu_second:6.2f} x by CPU time', flush=True)


def report(name: str, unit: str, rate: Rate, published: float, cores: int) -> None:
    """Print one rate; ``cores`` is how many the published figure used."""
    print(f'{name:37s} {rate.per_second:8.1f} {unit:11s}{rate.per_second / published:6.2f} x '
          f'published{cores * rate.per_cpu_second / published:7.2f} x by CPU time', flush=True)


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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--ann-file', default='', help='annotation file (default: drawn scenes)')
    parser.add_argument('--img-dir', default='', help='folder of its images')
    parser.add_argument('--dataset', default='AmodalCocoDataset',
                        help='type of its dataset, such as COCOADataset (default: %(default)s)')
    parser.add_argument('--images', type=int, default=4, help='to predict (default: %(default)s)')
    parser.add_argument('--seconds', type=float, default=10, help='for each figure '
                        '(default: %(default)s)')
    parser.add_argument('--patch-size', type=int, default=256, help='(default: %(default)s)')
    parser.add_argument('--only', choices=['loader', 'prediction', 'training'], nargs='+',
                        default=['loader', 'prediction', 'training'])
    return parser.parse_args(args)


def main() -> None:
    """Measure and print."""
    options = parse_args()
    init_default_scope('mmdet')
    cv2.setNumThreads(0)  # as the configs do
    np.random.seed(0)
    torch.manual_seed(0)
    describe_machine()
    images = images_config(options.ann_file, options.img_dir, options.dataset)
    if 'loader' in options.only:
        measure_loader(images, options.patch_size, options.seconds)
    if 'prediction' in options.only:
        measure_prediction(images, options.patch_size, options.images, options.seconds)
    if 'training' in options.only:
        measure_training(options.patch_size, options.seconds)


if __name__ == '__main__':
    sys.exit(run_tool(main))
