"""Pseudo-labels: what stage 1 predicts on a training split becomes an amodal COCO file.

Letters: N instances, H×W image.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Dict, List, Optional, Sequence, TextIO, Tuple

import numpy as np
import torch
from mmdet.registry import METRICS
from mmengine.dist import get_rank
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from pycocotools import mask as mask_utils

from ...structures.annotation import annotation_of_masks
from ...structures.segmentation import decode, to_rle
from .label_uncertainty import add_uncertainty
from .parts import append, finished_images, merge_parts, open_part, part_path

OUTCOMES = ('instances', 'grown', 'fallback', 'crowd', 'dropped')


@METRICS.register_module()
class PseudoLabelWriter(BaseMetric):
    """Writes the annotations of a training split again, with predicted amodal masks.

    The file keeps ids, categories, images and crowd annotations; ``visible_mask`` is the
    given visible mask, ``segmentation`` the prediction united with it. Where nothing was
    predicted the visible mask stands in, and this is counted. ``info`` holds ``provenance``.

    Each process writes its own part, image by image, and the main one merges them at the
    end. What is finished survives a kill: :func:`mmamodal.apis.label.continue_labels` fills in
    ``provenance`` and ``left``, the number of images still to label.

    Results (``pseudo_labels/``): ``images``; ``instances`` of them; ``grown``, with pixels
    added to the visible mask; ``fallback``, the visible mask for want of a prediction;
    ``crowd``, as they were; ``dropped``, with neither a visible pixel nor a predicted one.

    Args:
        out_file: path of the file, ``.json``.
        provenance: what the labels come from. ``fingerprint`` tells whether parts of an
            earlier run belong to this one; all of it stands in ``info``.
        with_uncertainty: write, too, how unsure the completer is of each label; see
            :func:`~mmamodal.evaluation.pseudo_labels.label_uncertainty.add_uncertainty`.
        collect_device: as in BaseMetric.
        prefix: as in BaseMetric.
    """

    default_prefix = 'pseudo_labels'

    def __init__(self, out_file: str, provenance: Optional[dict] = None,
                 with_uncertainty: bool = False, collect_device: str = 'cpu',
                 prefix: Optional[str] = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        if not str(out_file).endswith('.json'):
            raise ValueError(f'expected out_file to end in .json, got {out_file!r}')
        self.out_file = Path(out_file)
        self.provenance = dict(provenance or {})
        self.with_uncertainty = with_uncertainty
        self.left: Optional[int] = None
        self._part: Optional[TextIO] = None

    @property
    def fingerprint(self) -> str:
        """Tells labels of one checkpoint, data and thresholds from those of others."""
        if 'fingerprint' not in self.provenance:
            raise ValueError(
                'pseudo-labels must say what they come from, but provenance is empty: run '
                'tools/train.py on a stage-2 config or tools/test.py on this one, or call '
                'mmamodal.apis.label.continue_labels(runner, checkpoint) before runner.test()')
        return self.provenance['fingerprint']

    def process(self, data_batch: Optional[dict], data_samples: Sequence[dict]) -> None:
        """Write the images of a batch to this process's part."""
        if self._part is None:
            self._part = open_part(part_path(self.out_file, get_rank()), self.fingerprint)
        for sample in data_samples:
            try:
                image, annotations, counts = label_image(sample)
                if self.with_uncertainty:
                    add_uncertainty(annotations, sample['pred_instances'])
            except ValueError as error:
                raise ValueError(f'{self.source}: {error}') from None
            append(self._part, image, annotations, counts)
            self.results.append(image['id'])

    def compute_metrics(self, results: Sequence[int]) -> Dict[str, int]:
        """Merge the parts of all processes; ``results`` are the ids of this run only."""
        return self.merge()

    def merge(self) -> Dict[str, int]:
        """Write the file from the parts, on the main process, when all others are done.

        Raises:
            ValueError: there are fewer images than ``provenance['images']``.
        """
        if self._part is not None:
            self._part.close()
            self._part = None
        self._check_complete()
        counts = merge_parts(self.out_file, self.fingerprint, self.provenance,
                             self.dataset_meta['categories'],
                             image_entries(self.dataset_meta.get('ann_file')))
        metrics = {key: counts[key] for key in ('images', *OUTCOMES)}
        print_log(f'{self.out_file} is written: {describe(metrics)}', logger='current')
        return metrics

    @property
    def source(self) -> str:
        """Where the annotations come from, for messages."""
        return (self.dataset_meta or {}).get('ann_file') or 'the dataset'

    def _check_complete(self) -> None:
        expected = self.provenance.get('images', 0)
        done = len(finished_images(self.out_file, self.fingerprint))
        if done < expected:
            raise ValueError(f'{done} of {expected} images of {self.source} have labels: run the '
                             'same command again to label the others')


def image_entries(ann_file: Optional[str]) -> Dict[int, dict]:
    """Image id -> entry of an annotation file; none if the dataset has no file."""
    if not ann_file or not Path(ann_file).is_file():
        return {}
    with open(ann_file, encoding='utf-8') as file:
        return {image['id']: image for image in json.load(file)['images']}


def label_image(sample: dict) -> Tuple[dict, List[dict], Dict[str, int]]:
    """COCO image, annotations and counts of one predicted data sample.

    Raises:
        ValueError: an annotation's visible mask is malformed, or a prediction is of another
            size than the image; names image and annotation.
    """
    if 'instances' not in sample or 'ann_ids' not in sample.get('pred_instances', {}):
        raise ValueError(f"image {sample.get('img_id')}: expected the instances of its record and "
                         'predictions with ann_ids; load with LoadAmodalAnnotations, pack with '
                         'PackAmodalInputs and predict with a MaskCompleter')
    height, width = map(int, sample['ori_shape'][:2])
    predicted = predictions_by_id(sample['pred_instances'])
    counts: Counter = Counter()
    annotations = []
    for instance in sample['instances']:
        try:
            annotation, outcomes = label_instance(
                instance, predicted.get(instance['ann_id']), height, width)
        except ValueError as error:
            raise ValueError(f"annotation {instance['ann_id']} of image {sample['img_id']}: "
                             f'{error}') from None
        counts.update(outcomes)
        if annotation is not None:
            annotations.append(dict(annotation, image_id=sample['img_id']))
    image = dict(id=sample['img_id'], file_name=sample['file_name'], height=height, width=width)
    if 'canvas_origin' in sample:
        image['canvas_origin'] = list(sample['canvas_origin'])
    return image, annotations, dict(counts)


def predictions_by_id(instances: dict) -> Dict[int, np.ndarray]:
    """Annotation id -> predicted amodal mask (H, W) uint8."""
    ids, masks = (torch.as_tensor(instances[key]).cpu().numpy() for key in ('ann_ids', 'masks'))
    return dict(zip(ids.tolist(), masks.astype(np.uint8)))


def label_instance(instance: dict, amodal: Optional[np.ndarray], height: int,
                   width: int) -> Tuple[Optional[dict], List[str]]:
    """The annotation of one instance, without ``image_id``, and how it came about.

    Args:
        instance: of a dataset's record; its amodal mask is not read where it has a visible one.
        amodal: (H, W) uint8 in {0, 1}, or None where nothing was predicted.
        height: H in pixels.
        width: W in pixels.

    Returns:
        annotation: None if no pixel of the object is known.
        outcomes: which of ``OUTCOMES`` to count.
    """
    same = dict(id=instance['ann_id'], category_id=instance['category_id'])
    if instance['ignore_flag']:
        return dict(same, **_crowd(instance, height, width)), ['crowd']
    visible = decode(instance.get('visible_mask', instance['mask']), height, width)
    if amodal is not None and amodal.shape != visible.shape:
        raise ValueError(f'expected a prediction of shape {visible.shape}, got {amodal.shape}')
    united = visible if amodal is None else visible | amodal
    if not united.any():
        return None, ['dropped']
    annotation = dict(same, **annotation_of_masks(united, visible))
    outcomes = ['instances']
    if amodal is None or not amodal.any():
        outcomes.append('fallback')
    elif annotation['occlude_rate'] > 0:
        outcomes.append('grown')
    return annotation, outcomes


def describe(metrics: Dict[str, int]) -> str:
    """The counts in words."""
    words = (f"{metrics['images']} images, {metrics['instances']} instances, of which "
             f"{metrics['grown']} have pixels added to the visible mask")
    notes = dict(fallback='are the visible mask because nothing was predicted',
                 crowd='crowd annotations are as they were',
                 dropped='had no pixel at all and are left out: check_dataset.py names them')
    return '; '.join([words] + [f'{metrics[key]} {note}' for key, note in notes.items()
                                if metrics[key]])


def _crowd(instance: dict, height: int, width: int) -> dict:
    """A crowd annotation as it was, its box in COCO's format."""
    x1, y1, x2, y2 = instance['bbox']
    area = float(mask_utils.area(to_rle(instance['mask'], height, width)))
    crowd = dict(segmentation=instance['mask'], bbox=[x1, y1, x2 - x1, y2 - y1], area=area,
                 iscrowd=1)
    if 'visible_mask' in instance:
        crowd['visible_mask'] = instance['visible_mask']
    return crowd
