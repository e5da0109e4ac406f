"""All configs: they parse, their models build, the chain's paths meet, and they train."""

import gc
import json
import math
import re
from functools import lru_cache
from pathlib import Path
from typing import Iterator, List

import published_files
import pytest
from mmdet.registry import DATASETS, METRICS, MODELS, TRANSFORMS
from mmengine.config import Config
from mmengine.logging import MessageHub, MMLogger

from mmamodal.apis.running.chain import Stage1, run_chain
from mmamodal.apis.running.command_line import default_work_dir, load_config

CONFIGS = Path(__file__).parents[1] / 'configs'
RUNNABLE = sorted(path for path in CONFIGS.glob('*/*.py') if path.parent.name != '_base_')
DATA = sorted(CONFIGS.glob('_base_/datasets/*.py'))
STAGE2 = [path for path in RUNNABLE if path.stem.endswith(('-asbu', '-pcnet', '-weighted'))]
COMPLETERS = [path for path in RUNNABLE if '_unet' in path.name]
DETECTORS = [path for path in RUNNABLE if 'rcnn' in path.stem]
ORCNN = [path for path in DETECTORS if 'orcnn' in path.stem]
# On published data: one chain, one Mask R-CNN and one ORCNN on truth for each of them.
CHAINS = [path for path in STAGE2 if path.stem.endswith('-asbu') and 'scenes' not in path.stem
          and path not in ORCNN]
TRUTH = [path for path in sorted(CONFIGS.glob('mask_rcnn/mask-rcnn_r50_fpn_1x_*.py'))
         if not path.stem.endswith('-visible')]
TRUTH += [CONFIGS / f'orcnn/{stem}.py' for stem in (
    'orcnn_r18_fpn_scenes', 'orcnn_r50_fpn_1x_cocoa',
    'orcnn-independent_r101_fpn_1x_cocoa-things', 'orcnn-agn_r101_fpn_1x_cocoa-cls',
    'cascade-orcnn_r50_fpn_1x_cocoa-cls', 'orcnn-wo-lv_r101_fpn_1x_d2sa',
    'orcnn-independent_r50_fpn_1x_kins', 'orcnn_r50_fpn_1x_kins2020')]
CLASSES = {'scenes': 6, 'coco': 80, 'cocoa': 1, 'cocoa-things': 1, 'cocoa-cls': 80, 'kins': 7,
           'kins2020': 7, 'd2sa': 60}

# Rows of the ORCNN paper's Tables 2 and 4, as they follow each other there.
PAPER = {
    'cocoa': ['mask-rcnn-visible', 'mask-rcnn', 'orcnn', 'orcnn-independent'],
    'cocoa-things': ['mask-rcnn-visible', 'mask-rcnn', 'orcnn', 'orcnn-independent'],
    'cocoa-cls': ['mask-rcnn-visible', 'mask-rcnn-agn', 'mask-rcnn', 'orcnn-agn', 'orcnn',
                  'orcnn-independent'],
    'd2sa': ['mask-rcnn-agn', 'mask-rcnn', 'mask-rcnn-agn-visible', 'orcnn-wo-liv', 'orcnn-wo-lv',
             'orcnn-agn', 'orcnn', 'orcnn-independent-agn', 'orcnn-modal-aug']
}
# Other data sets: what is compared at least.
MAIN = ['mask-rcnn-visible', 'mask-rcnn', 'orcnn', 'orcnn-independent']
# What a model's name says about its RoI head.
HEADS = {
    'mask-rcnn': ('StandardRoIHead', {}),
    'mask-rcnn-agn': ('StandardRoIHead', dict(class_agnostic=True)),
    'orcnn': ('ORCNNRoIHead', {}),
    'orcnn-agn': ('ORCNNRoIHead', dict(class_agnostic=True)),
    'orcnn-independent': ('ORCNNRoIHead', dict(independent=True)),
    'orcnn-independent-agn': ('ORCNNRoIHead', dict(independent=True, class_agnostic=True)),
    'orcnn-wo-lv': ('ORCNNRoIHead', dict(with_visible_loss=False)),
    'orcnn-wo-liv': ('ORCNNRoIHead', dict(with_invisible_loss=False)),
    'cascade-orcnn': ('CascadeORCNNRoIHead', {})
}
OPTIONS = ('with_visible_loss', 'with_invisible_loss', 'independent', 'relu', 'invisible',
           'consistent', 'visible_mask_head', 'init_visible_from_amodal', 'init_classes')

# A step takes a moment: sizes and counts change, nothing else.
SMALL_COMPLETER = {
    'train_dataloader.batch_size': 2,
    'train_dataloader.dataset.pipeline.0.patch_size': 64,
    'model.patch_size': 64,
    'model.network.base_channels': 4,
    'train_cfg.max_iters': 2,
    'train_cfg.val_interval': 2,
    'default_hooks.logger.interval': 1
}
SMALL_DETECTOR = {
    'model.backbone': dict(depth=18, base_channels=8, stem_channels=8, init_cfg=None),
    'model.neck': dict(in_channels=[8, 16, 32, 64], out_channels=16),
    'model.rpn_head': dict(in_channels=16, feat_channels=16),
    'model.roi_head.bbox_roi_extractor.out_channels': 16,
    'model.roi_head.mask_roi_extractor.out_channels': 16,
    'model.roi_head.bbox_head': dict(in_channels=16, fc_out_channels=16),
    'model.roi_head.mask_head': dict(num_convs=1, in_channels=16, conv_out_channels=16),
    'model.test_cfg.rcnn.score_thr': 0,  # nothing is learned: without detections, no metrics
    'train_dataloader.batch_size': 1,
    'train_cfg.max_epochs': 1,
    'train_cfg.val_interval': 1,
    'default_hooks.logger.interval': 1
}
SMALL_SCENES = {
    f'{split}_dataloader.dataset.num_scenes': 4 for split in ('train', 'val', 'test')
}
# The paths of this one are for the user to set; COCO has no amodal truth.
PATHS_OF_COCO = {
    'train_dataloader.dataset.ann_file': 'annotations/instances_train2017.json',
    'val_dataloader.dataset.ann_file': 'annotations/instances_val2017.json'
}


def name(path: Path) -> str:
    return path.stem


def data_set(path: Path) -> str:
    """The last slot of a config's name, without what the detector learns from."""
    return re.sub('-(visible|asbu|pcnet|modal-aug)(-weighted)?$', '', path.stem.split('_')[-1])


def row(stem: str) -> str:
    """Model and training data, without backbone, schedule and data set."""
    suffix = re.search('-(visible|modal-aug)$', stem)
    return stem.split('_')[0] + (suffix[0] if suffix else '')


@lru_cache(maxsize=None)
def parsed(path: Path) -> Config:
    """The config, for tests that don't change it."""
    return load_config(str(path))


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
    assert len(RUNNABLE) > 100 and len(STAGE2) >= 18 and len(ORCNN) >= 36
    assert {data_set(path) for path in DETECTORS} == set(CLASSES)
    assert {data_set(path) for path in CHAINS} == set(published_files.NAMES)


@pytest.mark.parametrize('path', RUNNABLE + DATA, ids=name)
def test_config_names_what_is_registered(path):
    cfg = parsed(path)
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
    MODELS.build(parsed(path).model)


@pytest.mark.parametrize('path', STAGE2, ids=name)
def test_detector_reads_what_its_completer_writes(path):
    stage1 = Stage1(parsed(path))  # refuses paths that do not meet
    assert Path(stage1.cfg.work_dir) == stage1.out_file.parent
    assert stage1.out_file.name.endswith('.json')


@pytest.mark.parametrize('path', STAGE2, ids=name)
def test_detector_sees_the_images_that_its_completer_completes(path):
    cfg = parsed(path)
    folders = [Path(dataset.get('data_root') or '') / dataset.get('data_prefix', {}).get('img', '')
               for dataset in (cfg.train_dataloader.dataset,
                               Stage1(cfg).labels_cfg.test_dataloader.dataset)]
    assert folders[0] == folders[1]


@pytest.mark.parametrize('path', STAGE2, ids=name)
def test_pseudo_labels_come_from_the_training_set_of_stage1(path):
    stage1 = Stage1(parsed(path))
    learned = dict(stage1.cfg.train_dataloader.dataset.dataset)
    labelled = dict(stage1.labels_cfg.test_dataloader.dataset)
    assert labelled.pop('test_mode') and labelled.pop('pipeline')
    assert learned == labelled and learned['visible_only']
    assert stage1.labels_cfg.model.unite_visible


@pytest.mark.parametrize('path', DETECTORS, ids=name)
def test_detector_has_as_many_classes_as_its_dataset(path):
    cfg = parsed(path)
    expected = 1 if cfg.train_dataloader.dataset.get('one_class') else CLASSES[data_set(path)]
    head = cfg.model.roi_head
    stages = head.bbox_head if isinstance(head.bbox_head, list) else [head.bbox_head]
    assert {stage.num_classes for stage in [*stages, head.mask_head]} == {expected}


@pytest.mark.parametrize('path', DETECTORS, ids=name)
def test_detector_is_what_its_name_says(path):
    algorithm, backbone = path.stem.split('_')[:2]
    cfg, (head_type, options) = parsed(path), HEADS[path.stem.split('_')[0]]
    head, depth = cfg.model.roi_head, int(re.match('r([0-9]+)', backbone)[1])
    found = {key: value for key, value in head.items() if key in OPTIONS}
    if 'class_agnostic' in head.mask_head:
        found['class_agnostic'] = head.mask_head.class_agnostic
    assert (head.type, found) == (head_type, options)
    assert cfg.model.backbone.depth == depth
    weights = (cfg.model.backbone.init_cfg or {}).get('checkpoint', f'resnet{depth}')
    assert f'resnet{depth}' in weights
    assert cfg.train_dataloader.dataset.get('visible_only', False) == path.stem.endswith('-visible')
    assert not cfg.val_dataloader.dataset.get('visible_only', False)


@pytest.mark.parametrize('path', [path for path in ORCNN if 'modal-aug' not in path.stem
                                  and not path.stem.startswith('cascade')], ids=name)
def test_orcnn_differs_from_mask_rcnn_in_its_head_alone(path):
    """Same data, same budget: their figures can be compared."""
    folder = 'asbu' if path.parent.name == 'asbu' else 'mask_rcnn'
    baseline = CONFIGS / folder / f"mask-rcnn_{path.stem.split('_', 1)[1]}.py"
    ours, theirs = (parsed(file).to_dict() for file in (path, baseline))
    for model in (ours['model'], theirs['model']):
        model.pop('roi_head')
    assert ours == theirs


@pytest.mark.parametrize('data, backbone, rows', [
    *((data, 'r101_fpn_1x', rows) for data, rows in PAPER.items()),
    ('kins', 'r50_fpn_1x', MAIN), ('kins2020', 'r50_fpn_1x', MAIN),
    ('coco', 'r50-caffe_fpn_cpu', MAIN),
    ('scenes', 'r18_fpn', [*MAIN, 'orcnn-wo-lv', 'orcnn-wo-liv', 'mask-rcnn-agn',
                           'mask-rcnn-agn-visible', 'orcnn-agn', 'orcnn-independent-agn'])],
    ids=lambda value: value if isinstance(value, str) else '')
def test_each_row_of_the_paper_has_its_config(data, backbone, rows):
    found = [path for folder in ('mask_rcnn', 'orcnn')
             for path in CONFIGS.glob(f'{folder}/*_{backbone}_{data}*.py')
             if data_set(path) == data]
    assert sorted(row(path.stem) for path in found) == sorted(rows)
    folders = {path.parent.name for path in found if 'orcnn' in path.stem}
    assert folders == {'orcnn'}


def test_the_docs_name_configs_that_are_there():
    text = (CONFIGS.parent / 'docs/orcnn.md').read_text()
    named = set(re.findall(r'`(?:configs/)?((?:asbu|mask_rcnn|orcnn)/[\w.-]+?)(?:\.py)?`', text))
    assert len(named) > 30
    assert [stem for stem in sorted(named) if not (CONFIGS / f'{stem}.py').is_file()] == []
    assert [path.stem for path in ORCNN if f'{path.parent.name}/{path.stem}' not in named] == []


@pytest.mark.parametrize('path', COMPLETERS, ids=name)
def test_completer_predicts_on_patches_as_in_training(path):
    """The sizes stand in the pipeline and in the model: they must agree."""
    cfg = parsed(path)
    steps = {step.type: step for step in cfg.train_dataloader.dataset.pipeline}
    cut_out = steps.get('FocusOnVisible') or steps['CropPair']
    assert cut_out.get('patch_size', 256) == cfg.model.get('patch_size', 256)
    assert steps['CropPair'].get('enlarge', 3.0) == cfg.model.get('enlarge', 3.0)
    if 'OcclusionBoundary' in steps:
        width = steps['OcclusionBoundary'].get('width', 5)
        assert width == cfg.model.get('boundary_width', 5)
        assert steps.get('CloseGaps', {}).get('gap', 0) == cfg.model.get('contact_gap', 0)


@pytest.mark.parametrize('config, evidence, loss, order_thr, amodal_thr', [
    ('pcnet/pcnet-m_unet_56k_cocoa', 'mask', 'RegionWeightedCrossEntropy', 0.1, 0.2),
    ('pcnet/pcnet-m_unet_32k_kins', 'mask', 'RegionWeightedCrossEntropy', 0.1, 0.2),
    ('asbu/boundary_unet_56k_cocoa', 'boundary', 'RegionWeightedCrossEntropy', 0.5, 0.5),
    ('asbu/boundary_unet_32k_kins', 'boundary', 'RegionWeightedCrossEntropy', 0.5, 0.3),
    ('asbu/uncertainty_unet_56k_cocoa', 'mask', 'UncertaintyLoss', 0.5, 0.5),
    ('asbu/uncertainty_unet_32k_kins', 'mask', 'UncertaintyLoss', 0.4, 0.3),
    ('asbu/ubce_unet_56k_cocoa', 'boundary', 'UncertaintyBCELoss', 0.5, 0.5),
    ('asbu/ubce_unet_32k_kins', 'boundary', 'UncertaintyBCELoss', 0.4, 0.3),
    ('asbu/asbu_unet_56k_cocoa', 'boundary', 'UncertaintyLoss', 0.5, 0.5),
    ('asbu/asbu_unet_32k_kins', 'boundary', 'UncertaintyLoss', 0.4, 0.3),
    ('asbu/asbu_unet_32k_kins2020', 'boundary', 'UncertaintyLoss', 0.4, 0.3)])
def test_completers_are_as_published(config, evidence, loss, order_thr, amodal_thr):
    cfg = parsed(CONFIGS / f'{config}.py')
    model, on_kins = cfg.model, 'kins' in config
    assert (model.evidence, model.loss.type) == (evidence, loss)
    assert (model.order_thr, model.amodal_thr) == (order_thr, amodal_thr)
    assert model.get('category_input', False) == on_kins
    assert cfg.train_cfg.max_iters == (32000 if on_kins else 56000)
    assert [s.milestones for s in cfg.param_scheduler] == ([] if on_kins else [[32000, 48000]])


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder as current directory, and trainings in it without what takes longest."""
    for kind in (MMLogger, MessageHub):  # mmengine names them by the second
        kind._instance_dict.clear()
    monkeypatch.chdir(tmp_path)
    # mmengine lays out each config that it logs, and collects garbage for each dataset.
    monkeypatch.setattr('yapf.yapflib.yapf_api.FormatCode', lambda text, **style: (text, True))
    gc.freeze()
    yield tmp_path
    gc.unfreeze()


def shrink(cfg: Config, options: dict) -> None:
    """Make a training small, its loaders without workers."""
    cfg.merge_from_dict(dict(options, randomness=dict(seed=0)))
    for loader in loaders(cfg):
        loader.update(num_workers=0, persistent_workers=False)
        for step in loader.dataset.pipeline:
            if step.type == 'Resize':
                step.scale = (96, 64)


def small_detector(path: Path) -> Config:
    """A detector's config for a few iterations, its stage 1, if any, for two."""
    cfg = load_config(str(path))
    options = dict(SMALL_DETECTOR)
    if isinstance(cfg.model.roi_head.bbox_head, list):
        small = options['model.roi_head.bbox_head']
        options['model.roi_head.bbox_head'] = {str(stage): small for stage in range(3)}
    if data_set(path) == 'coco' and 'stage1' not in cfg:
        options.update(PATHS_OF_COCO)
    if data_set(path) == 'scenes':
        options.update(SMALL_SCENES)
    shrink(cfg, options)
    if 'stage1' in cfg:
        small = parsed(path.parent / cfg.stage1.config)
        workers = {f'{key}.{option}': 0 for key in small if key.endswith('_dataloader')
                   and small[key] for option in ('num_workers', 'persistent_workers')}
        cfg.stage1.cfg_options = dict(SMALL_COMPLETER, **workers)
    cfg.work_dir = default_work_dir(str(path))
    return cfg


def check_trained(work_dir: str, checkpoint: str) -> List[dict]:
    """What was logged, after a look at the losses and at the weights."""
    assert (Path(work_dir) / checkpoint).is_file()
    file, = Path(work_dir).glob('*/vis_data/scalars.json')
    logged = [json.loads(line) for line in file.read_text().splitlines()]
    losses = [line['loss'] for line in logged if 'loss' in line]
    assert len(losses) >= 2 and all(math.isfinite(loss) for loss in losses), losses
    return logged


@pytest.mark.parametrize('path', [
    *CHAINS, CONFIGS / 'asbu/orcnn_r50_fpn_1x_kins-asbu.py',
    CONFIGS / 'asbu/mask-rcnn_r50-caffe_fpn_cpu_coco-asbu-weighted.py'], ids=name)
def test_both_stages_train_on_published_files(path, project):
    published_files.write(data_set(path), project / 'data')
    cfg = small_detector(path)
    if data_set(path) == 'coco':
        cfg.val_dataloader.dataset.ann_file = PATHS_OF_COCO['val_dataloader.dataset.ann_file']
    run_chain(cfg)
    stage1 = Stage1(cfg)
    check_trained(stage1.cfg.work_dir, 'iter_2.pth')
    labels = json.loads(stage1.out_file.read_text())
    assert len(labels['images']) == 4 and len(labels['annotations']) >= 8
    check_trained(cfg.work_dir, 'epoch_1.pth')


@pytest.mark.parametrize('path', TRUTH, ids=name)
def test_detectors_train_on_published_files(path, project):
    if data_set(path) != 'scenes':
        published_files.write(data_set(path).replace('-things', ''), project / 'data')
    cfg = small_detector(path)
    run_chain(cfg)
    logged = check_trained(cfg.work_dir, 'epoch_1.pth')
    assert 'coco/segm_mAP' in logged[-1]
    losses = {key.split('.')[-1] for key in logged[0] if 'loss' in key}
    two_heads = path in ORCNN
    assert ('loss_visible_mask' in losses) == (two_heads and 'wo-lv_' not in path.stem)
    assert ('loss_invisible_mask' in losses) == (two_heads and 'wo-liv_' not in path.stem)
