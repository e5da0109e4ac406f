"""Any dataset, instance by instance, each with a random second one to occlude it."""

from collections import deque
from typing import Deque, List, Optional, Union

import numpy as np
from mmdet.registry import DATASETS
from mmengine.dataset import BaseDataset

VISIBLE_FIELDS = ('img_path', 'file_name', 'ann_file', 'img_id', 'height', 'width',
                  'canvas_origin', 'scene')


@DATASETS.register_module()
class InstancePairDataset(BaseDataset):
    """What stage 1 trains on: visible masks in pairs, uniform over instances.

    Takes from the wrapped dataset what can be seen and nothing else: amodal masks and boxes,
    order and occlusion rates don't get through. Crowd annotations are left out.

    A sample is ``dict(instance=..., other=...)``; each has ``visible`` (segmentation as in
    the file), ``height``, ``width``, ``category_id``, ``ann_id``, ``img_path``, ``ann_file``.
    With ``num_others`` above 1 it has ``further``, too, a list of up to so many less one.

    Args:
        dataset: the dataset to wrap, built or to build.
        pipeline: the synthetic occlusion (:mod:`mmamodal.datasets.completion.transforms`).
        lazy_init: as in mmengine.
        indices: as in mmengine, over instances.
        num_others: greatest number of other objects; how many is drawn anew for every sample.
        recent: others are drawn among so many instances asked for last, whose images and masks
            are at hand (see :class:`.ImageWindowSampler`); 0: among all.

    Raises:
        ValueError: the wrapped dataset has no instance, ``num_others`` is below 1, or on
            drawing: no instance is large enough.
    """

    def __init__(self, dataset: Union[dict, BaseDataset], pipeline: List[dict],
                 lazy_init: bool = False, indices: Optional[Union[int, List[int]]] = None,
                 num_others: int = 1, recent: int = 0) -> None:
        if num_others < 1:
            raise ValueError(f'expected num_others to be at least 1, got {num_others}')
        self.num_others = num_others
        self.recent: Deque[int] = deque(maxlen=recent)
        self.images = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        metainfo = dict(self.images.metainfo)
        super().__init__(pipeline=pipeline, lazy_init=lazy_init, indices=indices,
                         max_refetch=100)
        # As an argument, mmengine would put the content of ann_file in the place of its path.
        self._metainfo = metainfo

    def load_data_list(self) -> List[dict]:
        """One record an instance."""
        records = []
        for i in range(len(self.images)):
            image = self.images.get_data_info(i)
            seen = {key: image[key] for key in VISIBLE_FIELDS if key in image}
            records += [self._record(seen, instance) for instance in image['instances']
                        if not instance['ignore_flag']]
        if not records:
            raise ValueError(f'{self.images.metainfo.get("ann_file") or self.images} has no '
                             'instance to train on: expected annotations with visible masks')
        self.images = None  # Its records hold amodal masks, too; none is needed any more.
        return records

    @staticmethod
    def _record(seen: dict, instance: dict) -> dict:
        visible = instance.get('visible_mask', instance['mask'])
        return dict(seen, visible=visible, ann_id=instance['ann_id'],
                    category_id=instance['category_id'])

    def prepare_data(self, idx: int) -> dict:
        """Instance ``idx`` and a random second one, through the pipeline; others instead of
        those of which it makes nothing."""
        self.recent.append(idx)
        for _ in range(self.max_refetch + 1):
            drawn = dict(instance=self.get_data_info(idx), other=self._draw_other())
            if self.num_others > 1:
                drawn['further'] = [self._draw_other()
                                    for _ in range(np.random.randint(self.num_others))]
            sample = self.pipeline(drawn)
            if sample is not None:
                return sample
            idx = self._rand_another()
        raise ValueError(f"{self.metainfo.get('ann_file') or 'the dataset'} gave no pair to train "
                         f'on in {self.max_refetch + 1} draws: expected visible masks, got empty '
                         'ones or ones with a patch below min_side of CropPair (5 pixels by '
                         'default); check the masks, or lower min_side')

    def _draw_other(self) -> dict:
        full = self.recent.maxlen and len(self.recent) == self.recent.maxlen
        place = np.random.randint(len(self.recent) if full else len(self))
        return self.get_data_info(self.recent[place] if full else place)
