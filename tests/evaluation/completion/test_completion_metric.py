"""CompletionMetric: sums by hand, pooled and as means."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.registry import METRICS
from mmdet.structures import DetDataSample
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData
from two_processes import figures_of_two, needs_fork

from mmamodal.evaluation import CompletionMetric
from mmamodal.evaluation.completion.completion_metric import (FIGURES, completion_areas,
                                                              completion_figures, completion_sums)
from mmamodal.structures.amodal_masks import AmodalMasks


def rows(*texts: str) -> np.ndarray:
    """Masks of one row: '11..' -> (1, 4)."""
    return np.array([[[int(char == '1') for char in text]] for text in texts], np.uint8)


VISIBLE = rows('111.....', '....1111', '........')
AMODAL = rows('111111..', '....1111', '........')
PREDICTED = rows('.1111...', '...11111', '........')
# 1: P∧A = 4, P∨A = 6, hidden: P∧A 2 of 3, P∨A 3. 2: not occluded, one pixel too many. 3: empty.
AREAS = [(4, 6, 2, 3, 3), (4, 5, 0, 1, 0), (0, 0, 0, 0, 0)]


def sample_of(predicted: np.ndarray, amodal: np.ndarray, visible: np.ndarray,
              order: object = None, **meta) -> DetDataSample:
    count = len(amodal)
    truth = InstanceData(masks=AmodalMasks(amodal, *amodal.shape[1:], visible=visible))
    sample = DetDataSample(gt_instances=truth,
                           pred_instances=InstanceData(masks=torch.from_numpy(predicted).bool()),
                           metainfo=dict(img_id=5, visible_only=False, **meta))
    order = np.zeros((count, count), np.int8) if order is None else order
    sample.set_field(torch.from_numpy(order), 'pred_order', dtype=torch.Tensor)
    return sample


def evaluate(*samples: DetDataSample) -> dict:
    evaluator = Evaluator(METRICS.build(dict(type='CompletionMetric')))
    for sample in samples:
        evaluator.process([sample])
    return evaluator.evaluate(len(samples))


# Functions


def test_areas_by_hand():
    areas = completion_areas(PREDICTED, AMODAL, VISIBLE)
    assert areas.dtype == np.int64
    np.testing.assert_array_equal(areas, AREAS)
    assert completion_areas(*[np.zeros((0, 4, 4), np.uint8)] * 3).shape == (0, 5)


def test_areas_of_a_prediction_that_lost_its_visible_part():
    areas = completion_areas(rows('...11...'), rows('11111...'), rows('11......'))
    np.testing.assert_array_equal(areas, [(2, 5, 2, 3, 3)])


# Two occluded objects, large and small, and one that is not occluded but grows.
TABLE = np.array([(80, 100, 10, 20, 20), (6, 10, 0, 4, 4), (30, 40, 0, 10, 0)])


def figures_of(areas: np.ndarray, pairs: tuple) -> dict:
    """Of a single image."""
    return completion_figures([completion_sums(areas, pairs)])


@pytest.mark.parametrize('name, expected', [
    ('mIoU', 100 * 116 / 150),
    ('inv_mIoU', 100 * 10 / 34),
    ('O_Acc', 75),
    ('mIoU_instance', 100 * (0.8 + 0.6 + 0.75) / 3),
    ('inv_mIoU_instance', 100 * (0.5 + 0) / 2),
    ('mIoU_occluded', 100 * 86 / 110),
    ('inv_mIoU_occluded', 100 * 10 / 24),
    ('mIoU_instance_occluded', 100 * (0.8 + 0.6) / 2),
])
def test_figures_by_hand(name, expected):
    """Growth of what is not occluded counts in inv_mIoU, and in its occluded variants not."""
    assert figures_of(TABLE, (3, 4))[name] == pytest.approx(expected)


def test_figures_of_nothing_are_nan_and_no_others():
    nothing = figures_of(np.zeros((0, 5), np.int64), (0, 0))
    assert len(nothing) == 8 and all(math.isnan(value) for value in nothing.values())
    unoccluded = figures_of(TABLE[2:], (0, 0))
    missing = {name for name, value in unoccluded.items() if math.isnan(value)}
    assert missing == {'O_Acc', 'inv_mIoU_instance', 'mIoU_occluded', 'inv_mIoU_occluded',
                       'mIoU_instance_occluded'}
    assert unoccluded['inv_mIoU'] == 0
    perfect = figures_of(np.array([(9, 9, 0, 0, 0)]), (0, 0))
    assert perfect['mIoU'] == 100 and math.isnan(perfect['inv_mIoU'])


def test_figures_are_plain_floats():
    assert all(type(value) is float for value in figures_of(TABLE, (3, 4)).values())


def test_an_empty_mask_makes_no_nan_of_the_means():
    figures = figures_of(np.array(AREAS), (1, 1))
    assert figures['mIoU_instance'] == pytest.approx(100 * (4 / 6 + 4 / 5 + 0) / 3)


def test_sums_by_hand():
    sums = completion_sums(TABLE, (3, 4))
    assert sums['mIoU'] == [116, 150] and sums['inv_mIoU'] == [10, 34]
    assert sums['O_Acc'] == [3, 4]
    assert sums['mIoU_instance'] == [pytest.approx(0.8 + 0.6 + 0.75), 3]
    assert sums['inv_mIoU_instance'] == [pytest.approx(0.5), 2]
    assert tuple(sums) == FIGURES


def test_figures_of_two_images_are_those_of_their_objects_together():
    apart = [completion_sums(TABLE[:1], (1, 1)), completion_sums(TABLE[1:], (2, 3))]
    assert completion_figures(apart) == pytest.approx(figures_of(TABLE, (3, 4)))


# The metric


def test_the_sums_of_each_image_are_written(tmp_path: Path):
    path = tmp_path / 'new/sums.json'
    metric = CompletionMetric(out_file=str(path))
    evaluator = Evaluator(metric)
    none = np.zeros((0, 1, 8), np.uint8)
    for sample in (sample_of(PREDICTED, AMODAL, VISIBLE), sample_of(none, none, none)):
        evaluator.process([sample])
    figures = evaluator.evaluate(2)
    first, second = json.loads(path.read_text())
    assert first['img_id'] == 5 and first['mIoU'] == [8, 11] and first['inv_mIoU'] == [2, 4]
    assert first['O_Acc'] == [0, 0]
    assert {tuple(second[name]) for name in FIGURES} == {(0, 0)}
    assert completion_figures([first, second])['mIoU'] == figures['completion/mIoU']


def test_pooled_over_images_and_not_a_mean_of_images():
    first = sample_of(PREDICTED[:1], AMODAL[:1], VISIBLE[:1])
    second = sample_of(PREDICTED[1:2], AMODAL[1:2], VISIBLE[1:2])
    figures = evaluate(first, second)
    assert set(figures) == {'completion/' + name for name in figures_of(TABLE, (1, 1))}
    assert figures['completion/mIoU'] == pytest.approx(100 * 8 / 11)
    assert figures['completion/inv_mIoU'] == pytest.approx(100 * 2 / 4)
    assert figures['completion/mIoU_instance'] == pytest.approx(100 * (4 / 6 + 4 / 5) / 2)
    assert math.isnan(figures['completion/O_Acc'])


# 1 goes on behind 2, 2 behind 3; 1 and 3 do not touch.
CHAIN = dict(visible=rows('11......', '..111...', '.....111'),
             amodal=rows('1111....', '..11111.', '.....111'))
RIGHT = np.array([(0, -1, 0), (1, 0, -1), (0, 1, 0)], np.int8)


@pytest.mark.parametrize('order, expected', [
    (RIGHT, 100), (-RIGHT, 0), (0 * RIGHT, 0),
    (np.array([(0, -1, 1), (1, 0, 1), (-1, -1, 0)], np.int8), 50),  # 1 and 3: not asked
])
def test_order_accuracy_is_over_pairs_with_a_true_order(order, expected):
    figures = evaluate(sample_of(CHAIN['amodal'], order=order, **CHAIN))
    assert figures['completion/O_Acc'] == pytest.approx(expected)
    assert figures['completion/mIoU'] == figures['completion/inv_mIoU'] == 100


def test_images_without_objects():
    none = np.zeros((0, 1, 8), np.uint8)
    empty = sample_of(none, none, none)
    assert all(math.isnan(value) for value in evaluate(empty).values())
    figures = evaluate(empty, sample_of(PREDICTED, AMODAL, VISIBLE), empty)
    assert figures['completion/mIoU'] == pytest.approx(100 * 8 / 11)


def test_one_entry_a_sample():
    metric = CompletionMetric()
    samples = [sample_of(PREDICTED, AMODAL, VISIBLE).to_dict() for _ in range(3)]
    metric.process({}, samples[:2])
    metric.process({}, samples[2:])
    assert len(metric.results) == 3


def test_what_pads_the_last_batch_is_not_counted():
    good, bad = (sample_of(mask, AMODAL, VISIBLE) for mask in (AMODAL, 1 - AMODAL))
    evaluator = Evaluator(CompletionMetric(prefix='other'))
    evaluator.process([good, bad, bad])
    assert evaluator.evaluate(1)['other/mIoU'] == 100


def test_truth_of_visible_masks_only_is_refused():
    sample = sample_of(PREDICTED, AMODAL, VISIBLE)
    sample.set_metainfo(dict(visible_only=True))
    with pytest.raises(ValueError, match='image 5 has visible masks only: .*amodal truth.*set visible_only=False'):
        evaluate(sample)


def samples_of_three_images() -> list:
    """Different in number of objects, areas and orders."""
    return [sample_of(PREDICTED, AMODAL, VISIBLE),
            sample_of(CHAIN['amodal'], order=RIGHT, **CHAIN),
            sample_of(CHAIN['visible'], order=-RIGHT, **CHAIN)]


@needs_fork
def test_two_processes_give_the_figures_of_one(tmp_path: Path):
    figures = figures_of_two(Evaluator(CompletionMetric()), samples_of_three_images(), tmp_path)
    assert figures[0] == pytest.approx(evaluate(*samples_of_three_images()), nan_ok=True)
    assert figures[1] == figures[0]
