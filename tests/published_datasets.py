"""The data sets of published_files, read and changed."""

import json
from pathlib import Path
from typing import Callable, List

import published_files
from mmdet.registry import DATASETS

from mmamodal.datasets import AmodalCocoDataset

PIPELINE = [dict(type='LoadAmodalAnnotations'), dict(type='PackAmodalInputs')]


def read(name: str, data: Path, split: str = 'train', **options) -> AmodalCocoDataset:
    # Serialising collects garbage, a third of a second each time.
    config = dict(published_files.dataset_config(name, data, split), test_mode=True,
                  pipeline=PIPELINE, serialize_data=False)
    return DATASETS.build(dict(config, **options))


def change(name: str, data: Path, edit: Callable[[dict], object]) -> None:
    """Change the content of the first training file."""
    config = published_files.dataset_config(name, data)
    path = Path(config['data_root'], config['ann_file'])
    coco = json.loads(path.read_text())
    edit(coco)
    path.write_text(json.dumps(coco))


def records(dataset: AmodalCocoDataset) -> List[dict]:
    return [dataset.get_data_info(index) for index in range(len(dataset))]
