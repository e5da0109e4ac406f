"""The order in which instances are asked for, so that their images are read once."""

from typing import Iterator, Optional

import numpy as np
import torch
from mmdet.registry import DATA_SAMPLERS
from mmengine.dataset import BaseDataset, InfiniteSampler


@DATA_SAMPLERS.register_module()
class ImageWindowSampler(InfiniteSampler):
    """Like InfiniteSampler, but instances of an image come near each other.

    Images come in random order, all before any comes again; the instances of ``window`` images
    in a row are shuffled. A cache of so many images (``cache_mb`` of CropPair) then holds what is
    asked for, and that of the others too, where InstancePairDataset draws them among the
    ``recent``.

    Args:
        dataset: whose records have an ``img_id``.
        window: number of images.
        seed: of the order; None: random, the same on all processes.

    Raises:
        ValueError: ``window`` is below 1.
    """

    def __init__(self, dataset: BaseDataset, window: int = 64, seed: Optional[int] = None) -> None:
        if window < 1:
            raise ValueError(f'expected a window of at least 1 image, got {window}')
        self.window = window
        super().__init__(dataset, shuffle=True, seed=seed)

    def _infinite_indices(self) -> Iterator[int]:
        images = np.array([self.dataset.get_data_info(i)['img_id']
                           for i in range(len(self.dataset))])
        by_image = np.argsort(images, kind='stable')
        groups = np.split(by_image, np.flatnonzero(np.diff(images[by_image])) + 1)
        generator = torch.Generator().manual_seed(self.seed)
        while True:
            order = torch.randperm(len(groups), generator=generator).tolist()
            for start in range(0, len(order), self.window):
                near = np.concatenate([groups[k] for k in order[start:start + self.window]])
                yield from near[torch.randperm(len(near), generator=generator).numpy()].tolist()
