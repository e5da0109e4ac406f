"""All configs: they parse, their models build, and the chain's paths meet."""

from pathlib import Path
from typing import List

import pytest
from mmdet.registry import DATASETS, METRICS, MODELS, TRANSFORMS
from mmengine.config import Config

from mmamodal.apis.chain import Stage1
from mmamodal.apis.command_line import load_config

CONFIGS = Path(__file__).parents[1] / 'configs'
RUNNABLE = sorted(path for path in CONFIGS.glob('*/*.py') if path.parent.name != '_base_')
STAGE2 = [path for path in RUNNABLE if 'stage1 =' in path.read_text()]
COMPLETERS = [path for path in RUNNABLE if '_unet' in path.name]
DETECTORS = [path for path in RUNNABLE if path.name.startswith(('mask-rcnn', 'orcnn'))]


def name(path: Path) -> str:
    return path.stem


def types(cfg: object) -> List[str]:
    """All values of ``type`` in a config, however deep."""
    if isinstance(cfg, dict):
        own = [cfg['type']] if isinstance(cfg.get('type'), str) else []
        return own + [found for value in cfg.values() for found in types(value)]
    if isinstance(cfg, (list, tuple)):
        return [found for value in cfg for found in types(value)]
    return []


def loaders(cfg: Config) -> List[dict]:
    keys = ('train_dataloader', 'val_dataloader', 'test_dataloader')
    return [cfg[key] for key in keys if cfg.get(key)]


def test_the_configs_are_found():
    assert len(RUNNABLE) > 10 and len(STAGE2) >= 3


@pytest.mark.parametrize('path', RUNNABLE, ids=name)
def test_config_names_what_is_registered(path):
    cfg = load_config(str(path))
    for dataset in (loader.dataset for loader in loaders(cfg)):
        outer = dataset.get('dataset', dataset)
        for kind in {dataset.type, outer.type}:
            assert kind in DATASETS.module_dict, kind
        for transform in [*dataset.get('pipeline', []), *outer.get('pipeline', [])]:
            assert TRANSFORMS.get(transform.type), transform.type
    for key in ('val_evaluator', 'test_evaluator'):
        for kind in types(cfg.get(key)):
            assert METRICS.get(kind), kind


@pytest.mark.parametrize('path', RUNNABLE, ids=name)
def test_model_of_config_builds(path):
    MODELS.build(load_config(str(path)).model)


@pytest.mark.parametrize('path', STAGE2, ids=name)
def test_detector_reads_what_its_completer_writes(path):
    cfg = load_config(str(path))
    stage1 = Stage1(cfg)  # refuses paths that do not meet
    assert Path(stage1.cfg.work_dir) == stage1.out_file.parent
    assert stage1.out_file.name.endswith('.json')


@pytest.mark.parametrize('path', STAGE2, ids=name)
def test_pseudo_labels_come_from_the_training_set_of_stage1(path):
    stage1 = Stage1(load_config(str(path)))
    learned = stage1.cfg.train_dataloader.dataset.dataset
    labelled = stage1.labels_cfg.test_dataloader.dataset
    for key in ('type', 'data_root', 'ann_file', 'data_prefix', 'split', 'num_scenes', 'seed'):
        assert learned.get(key) == labelled.get(key), key
    assert learned.get('visible_only') and labelled.get('visible_only')
    assert stage1.labels_cfg.model.unite_visible


@pytest.mark.parametrize('path', DETECTORS, ids=name)
def test_detector_has_as_many_classes_as_its_dataset(path):
    cfg = load_config(str(path))
    dataset = cfg.train_dataloader.dataset
    one_class = dataset.get('one_class') or 'cocoa' in path.stem
    expected = 1 if one_class else {'SceneDataset': 6, 'AmodalCocoDataset': 80}[dataset.type]
    head = cfg.model.roi_head
    assert (head.bbox_head.num_classes, head.mask_head.num_classes) == (expected, expected)


@pytest.mark.parametrize('path', COMPLETERS, ids=name)
def test_completer_predicts_on_patches_as_in_training(path):
    """The sizes stand in the pipeline and in the model: they must agree."""
    cfg = load_config(str(path))
    steps = {step.type: step for step in cfg.train_dataloader.dataset.pipeline}
    assert steps['CropPair'].get('patch_size', 256) == cfg.model.get('patch_size', 256)
    assert steps['CropPair'].get('enlarge', 3.0) == cfg.model.get('enlarge', 3.0)
    width = steps['OcclusionBoundary'].get('width', 5)
    assert width == cfg.model.get('boundary_width', 5)
