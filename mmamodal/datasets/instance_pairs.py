"""Any dataset, instance by instance, each with a random second one to occlude it."""

from typing import List, Optional, Union

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

    Args:
        dataset: the dataset to wrap, built or to build.
        pipeline: the synthetic occlusion (:mod:`mmamodal.datasets.completion_transforms`).
        lazy_init: as in mmengine.
        indices: as in mmengine, over instances.

    Raises:
        ValueError: the wrapped dataset has no instance, or on drawing: none that is large enough.
    """

    def __init__(self, dataset: Union[dict, BaseDataset], pipeline: List[dict],
                 lazy_init: bool = False,
                 indices: Optional[Union[int, List[int]]] = None) -> None:
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
        for _ in range(self.max_refetch + 1):
            other = np.random.randint(len(self))
            sample = self.pipeline(dict(instance=self.get_data_info(idx),
                                        other=self.get_data_info(other)))
            if sample is not None:
                return sample
            idx = self._rand_another()
        raise ValueError(f"{self.metainfo.get('ann_file') or 'the dataset'} gave no pair to train "
                         f'on in {self.max_refetch + 1} draws: expected visible masks, got empty '
                         'ones or ones with a patch below min_side of CropPair (5 pixels by '
                         'default); check the masks, or lower min_side')
