"""AmodalCocoMetric: from data samples to figures, in one process and in two."""

import json
import math
import pickle
from pathlib import Path
from typing import Sequence

import amodal_scenes
import numpy as np
import pytest
import torch
from mmdet.registry import DATASETS, METRICS
from mmdet.structures import DetDataSample
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData
from two_processes import figures_of_two, needs_fork

from mmamodal.apis.score_files import score_files
from mmamodal.evaluation.detection.amodal_coco_metric import AmodalCocoMetric, predictions_of_sample
from mmamodal.evaluation.detection.amodal_figures import MAIN
from mmamodal.evaluation.detection.amodal_rules import AmodalRules

META = dict(classes=amodal_scenes.CLASSES, ann_file='data/x.json')


def evaluate(samples: Sequence[DetDataSample], **options: object) -> dict:
    evaluator = Evaluator(METRICS.build(dict(dict(type='AmodalCocoMetric'), **options)))
    evaluator.dataset_meta = META
    for sample in samples:
        evaluator.process([sample])
    return evaluator.evaluate(len(samples))


def samples_of(seed: int, count: int = 8, **options: object) -> list:
    return [amodal_scenes.sample_of(scene, **options)
            for scene in amodal_scenes.random_scenes(seed, count)]


@pytest.mark.parametrize('options', [
    dict(), dict(max_dets=(1, 3)), dict(occ_thr=0.3, iv_gate=0.2, iv_drop_empty=True),
    dict(occ_bins=(0.1, 0.5), iv_gate_once=True, iv_gate_any_class=True)])
def test_the_figures_of_the_files(options: dict, tmp_path: Path):
    scenes = amodal_scenes.random_scenes(4)
    truth, entries = tmp_path / 'truth.json', tmp_path / 'predictions.json'
    truth.write_text(json.dumps(amodal_scenes.coco_of(scenes)))
    entries.write_text(json.dumps(amodal_scenes.entries_of(scenes)))
    expected = score_files(str(truth), str(entries), AmodalRules(**options)).as_dict(True)
    found = evaluate([amodal_scenes.sample_of(scene) for scene in scenes], classwise=True,
                     **options)
    assert {f'amodal/{name}' for name in expected if not name.startswith('num_')} == set(found)
    for name, value in found.items():
        other = expected[name.split('/', 1)[1]]
        assert value == pytest.approx(math.nan if other is None else other, nan_ok=True), name


def test_figures_are_floats_in_percent():
    found = evaluate(samples_of(0), prefix='other')
    assert all(type(value) is float and name.startswith('other/') for name, value in found.items())
    assert 1 < found['other/AP_A_all'] < 100 and set(MAIN) <= {
        name.split('/')[1] for name in found}


def test_amodal_masks_as_mmdet_measures_them(tmp_path: Path, monkeypatch):
    """CocoMetric gives parts of one, to three digits."""
    monkeypatch.chdir(tmp_path)
    samples = samples_of(3, 20)
    for sample in samples:
        sample.set_metainfo(dict(img_path=''))
    coco = evaluate(samples, type='CocoMetric', metric='segm')
    ours = evaluate(samples)
    for name, other in (('AP_A_all', 'segm_mAP'), ('AP50_A_all', 'segm_mAP_50'),
                        ('AP75_A_all', 'segm_mAP_75')):
        assert ours[f'amodal/{name}'] / 100 == pytest.approx(coco[f'coco/{other}'], abs=5.1e-4)


def test_things_and_stuff_where_the_dataset_tells_them():
    scenes = amodal_scenes.random_scenes(6, stuff=True)
    found = evaluate([amodal_scenes.sample_of(scene) for scene in scenes])
    assert {'amodal/AP_A_all_things', 'amodal/AR100_AV_heavy_stuff'} < set(found)


def without(sample: DetDataSample, *names: str) -> DetDataSample:
    return DetDataSample(metainfo=sample.metainfo, pred_instances=InstanceData(
        **{name: value for name, value in sample.pred_instances.items() if name not in names}))


def test_a_model_without_a_visible_head():
    """Amodal masks are the visible ones, too, and the reverse."""
    samples = samples_of(1)
    found = evaluate([without(sample, 'visible_masks', 'invisible_masks') for sample in samples])
    assert math.isnan(found['amodal/AP50_IV']) and math.isnan(found['amodal/AP50_IV_diff'])
    for sample in samples:
        sample.pred_instances.visible_masks = sample.pred_instances.masks
    both = evaluate([without(sample, 'invisible_masks') for sample in samples])
    visible = evaluate([without(sample, 'masks', 'invisible_masks') for sample in samples])
    for name in MAIN[:6]:
        assert found[f'amodal/{name}'] == both[f'amodal/{name}'] == visible[f'amodal/{name}'] > 0
    assert math.isnan(both['amodal/AP50_IV']) and both['amodal/AP50_IV_diff'] == 0
    assert math.isnan(visible['amodal/AP50_IV_diff'])


def test_masks_that_an_earlier_metric_encoded():
    """mmdet's DumpDetResults leaves RLEs in the samples."""
    samples = samples_of(2)
    dicts = [sample.to_dict() for sample in samples]
    for sample in dicts:
        masks = sample['pred_instances']['masks'].numpy()
        sample['pred_instances']['masks'] = amodal_scenes.encoded(masks)
    metric = AmodalCocoMetric()
    metric.dataset_meta = META
    metric.process({}, dicts)
    assert metric.evaluate(len(dicts)) == pytest.approx(evaluate(samples), nan_ok=True)


def test_one_entry_a_sample_and_it_is_small():
    metric = AmodalCocoMetric()
    metric.dataset_meta = META
    metric.process({}, [sample.to_dict() for sample in samples_of(0, 3)])
    metric.process({}, [sample.to_dict() for sample in samples_of(1, 2)])
    assert len(metric.results) == 5
    assert max(len(pickle.dumps(entry)) for entry in metric.results) < 8000


def test_what_pads_the_last_batch_is_not_counted():
    samples = samples_of(5, 3)
    evaluator = Evaluator(AmodalCocoMetric())
    evaluator.dataset_meta = META
    evaluator.process([*samples, samples[0], samples[1]])
    assert evaluator.evaluate(3) == pytest.approx(evaluate(samples), nan_ok=True)


def test_the_tables_are_logged(log: list):
    metric = AmodalCocoMetric(classwise=True)
    metric.dataset_meta = META
    metric.process({}, [sample.to_dict() for sample in samples_of(0)])
    metric.evaluate(8)
    assert 'occluded                amodal  A' in log[-2] and '8 images' in log[-2]
    assert 'bar' in log[-1] and 'AP_AV_occluded' in log[-1]
    assert metric.evaluation.counts['images'] == 8


def test_with_a_dataset_and_its_pipeline(tmp_path: Path):
    """The truth as PackAmodalInputs hands it on; predicted is what LoadAmodalAnnotations read."""
    pipeline = [dict(type='LoadSceneImage'), dict(type='Resize', scale_factor=1.5),
                dict(type='LoadAmodalAnnotations'), dict(type='PackAmodalInputs')]
    dataset = DATASETS.build(dict(type='SceneDataset', split='val', num_scenes=4, test_mode=True,
                                  pipeline=pipeline))
    evaluator = Evaluator(AmodalCocoMetric(max_dets=(100, )))
    evaluator.dataset_meta = dataset.metainfo
    for place in range(len(dataset)):
        sample = dataset[place]['data_samples']
        masks = sample.gt_instances.masks
        sample.pred_instances = InstanceData(
            labels=sample.gt_instances.labels, scores=torch.ones(len(masks)),
            masks=torch.from_numpy(masks.masks).bool(),
            visible_masks=torch.from_numpy(masks.visible.masks).bool(),
            invisible_masks=torch.from_numpy(masks.invisible.masks).bool())
        evaluator.process([sample])
    found = evaluator.evaluate(len(dataset))
    assert {value for value in found.values() if not math.isnan(value)} == {100}
    assert found['amodal/AP_AV_occluded'] == found['amodal/AP50_IV'] == 100


@needs_fork
def test_two_processes_give_the_figures_of_one(tmp_path: Path):
    evaluator = Evaluator(AmodalCocoMetric())
    evaluator.dataset_meta = META
    found = figures_of_two(evaluator, samples_of(9, 3), tmp_path)
    assert found[0] == pytest.approx(evaluate(samples_of(9, 3)), nan_ok=True)
    assert found[1] == pytest.approx(found[0], nan_ok=True)


# What is refused


@pytest.mark.parametrize('changes, message', [
    (dict(visible_only=True), 'visible masks only: .*amodal truth alone'),
    (dict(instances=[dict(bbox_label=0, ignore_flag=0, ann_id=4,
                          mask=dict(size=[9, 9], counts='1'))]),
     r'annotation 4: expected an RLE of size \[40, 56\]')])
def test_samples_without_truth(changes: dict, message: str):
    scene = amodal_scenes.random_scenes(0)[0]
    with pytest.raises(ValueError, match=f'^image {scene.image_id} of data/x.json: .*{message}'):
        evaluate([amodal_scenes.sample_of(scene, **changes)])


def test_samples_that_hand_on_no_instances():
    sample = DetDataSample(metainfo=dict(img_id=3, ori_shape=(40, 56)),
                           pred_instances=InstanceData())
    with pytest.raises(ValueError, match='^image 3 of data/x.json: .*PackAmodalInputs'):
        evaluate([sample])


def predictions(**changes: object) -> dict:
    """A sample of two detections on an image of 4x5 pixels; None takes a key out."""
    masks = torch.ones(2, 4, 5, dtype=torch.bool)
    found = dict(dict(labels=torch.tensor([0, 1]), scores=torch.tensor([.9, .8]), masks=masks),
                 **changes)
    return dict(ori_shape=(4, 5), pred_instances={
        key: value for key, value in found.items() if value is not None})


@pytest.mark.parametrize('changes, message', [
    (dict(labels=torch.tensor([0, 2])), 'expected labels from 0 to 1, got 0 to 2: model and '
     'dataset have other classes'),
    (dict(scores=torch.tensor([.9, math.nan])), 'expected finite scores'),
    (dict(masks=torch.ones(2, 5, 4)), r"'masks' of shape \(2, 4, 5\), got \(2, 5, 4\)"),
    (dict(visible_masks=torch.ones(1, 4, 5)), r"'visible_masks' of shape \(2, 4, 5\)"),
    (dict(invisible_masks=[dict(size=[5, 4], counts=b'')] * 2), r"2 RLEs of size \(4, 5\) as "
     r"'invisible_masks', got 2 of \[\(5, 4\)\]"),
    (dict(masks=None), r"expected 'masks' of its predictions, got only \['labels', 'scores'\]")])
def test_predictions_that_do_not_fit(changes: dict, message: str):
    with pytest.raises(ValueError, match=message):
        predictions_of_sample(predictions(**changes), 2)


def test_predictions_of_arrays_and_none():
    found = predictions_of_sample(predictions(
        labels=np.zeros(0, int), scores=np.zeros(0), masks=np.zeros((0, 4, 5), bool),
        visible_masks=torch.zeros(0, 4, 5)), 2)
    assert (found.amodal, found.visible, found.invisible) == ([], [], None)


def test_options_are_checked_when_it_is_built():
    with pytest.raises(ValueError, match='expected iv_gate from 0 to below 1, got 2'):
        METRICS.build(dict(type='AmodalCocoMetric', iv_gate=2))
