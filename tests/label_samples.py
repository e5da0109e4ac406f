"""Predicted samples of a 3×4 image, and a writer of pseudo-labels for them."""

from pathlib import Path

import numpy as np
import torch

from mmamodal.evaluation.pseudo_labels.writer import PseudoLabelWriter
from mmamodal.structures.segmentation import encode

VISIBLE = np.array([[1, 1, 0, 0],
                    [1, 1, 0, 0],
                    [0, 0, 0, 0]], np.uint8)
WIDER = np.array([[0, 1, 1, 0],
                  [0, 1, 1, 0],
                  [0, 0, 0, 0]], np.uint8)

CATEGORIES = [dict(id=7, name='thing')]


def an_instance(ann_id: int = 5, visible: np.ndarray = VISIBLE, **changes) -> dict:
    truth = np.ones((3, 4), np.uint8)
    return dict(dict(ann_id=ann_id, category_id=7, bbox_label=0, bbox=[0, 0, 4, 3], ignore_flag=0,
                     mask=encode(truth), visible_mask=encode(visible)), **changes)


def a_sample(img_id: int = 1, instances: tuple = (an_instance(), ),
             masks: tuple = (WIDER, ), ann_ids: tuple = (5, )) -> dict:
    predicted = dict(masks=torch.from_numpy(np.array(masks, bool).reshape(-1, 3, 4)),
                     ann_ids=torch.tensor(ann_ids, dtype=torch.int64))
    return dict(img_id=img_id, file_name=f'{img_id}.jpg', ori_shape=(3, 4),
                instances=list(instances), pred_instances=predicted)


def a_writer(folder: Path, **provenance) -> PseudoLabelWriter:
    writer = PseudoLabelWriter(str(folder / 'labels.json'),
                               dict(dict(fingerprint='f', images=0), **provenance))
    writer.dataset_meta = dict(categories=CATEGORIES, ann_file='train.json')
    return writer
