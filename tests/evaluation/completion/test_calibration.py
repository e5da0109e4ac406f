"""Calibration: figures by hand, perfect and over-confident completers, ranks against SciPy."""

import json

import numpy as np
import pytest
import torch
from mmengine.config import Config
from scipy.stats import mannwhitneyu, spearmanr

from mmamodal.apis.score import choose_evaluators
from mmamodal.evaluation.completion.calibration import (BINS, add_sums, calibration_figures,
                                                        calibration_sums, expected_gap,
                                                        rank_correlation)
from mmamodal.evaluation.completion.calibration_metric import (CalibrationMetric, hiding,
                                                               sums_of_sample)
from mmamodal.structures.amodal_masks import AmodalMasks


def figures(m: list, t: list, u: list = None) -> dict:
    return calibration_figures(calibration_sums(
        np.array(m), np.array(t), None if u is None else np.array(u)))


def test_figures_by_hand():
    # Bins of a fifteenth: 0.1, 0.1 | 0.9, 0.9, 0.9. Gaps: |0.1 - 0.5| and |0.9 - 1/3|.
    found = figures([0.1, 0.1, 0.9, 0.9, 0.9], [0, 1, 1, 0, 0])
    assert found['ECE'] == pytest.approx((2 * 0.4 + 3 * (0.9 - 1 / 3)) / 5)
    assert found['MCE'] == pytest.approx(0.9 - 1 / 3)
    assert found['Brier'] == pytest.approx((0.01 + 0.81 + 0.01 + 0.81 + 0.81) / 5)
    assert (found['pixels'], found['mean_m'], found['mean_t']) == (5, pytest.approx(0.58), 0.4)
    assert not any(name.startswith('u_') for name in found)


@pytest.mark.parametrize('m, t, gap', [
    ([0.25] * 4 + [0.75] * 4, [0, 0, 0, 1, 1, 1, 1, 0], 0),  # as often as it says
    ([1.0] * 4 + [0.0] * 4, [0, 0, 0, 1, 1, 1, 1, 0], 0.75),  # far surer than it may be
    ([1.0, 0.0], [1, 0], 0),
    ([0.5, 0.5], [1, 0], 0),
    ([0.5, 0.5], [1, 1], 0.5),  # not sure enough
])
def test_perfect_and_wrongly_confident(m, t, gap):
    found = figures(m, t)
    assert found['ECE'] == found['MCE'] == pytest.approx(gap, abs=1e-12)


def test_uncertainty_is_compared_with_the_error_that_it_expects():
    # u² = 0.04 and 0.49; errors 0.1 and 0.6: gaps 0.06 and 0.11.
    found = figures([0.1, 0.6], [0, 0], [0.2, 0.7])
    assert found['u_ECE'] == pytest.approx((0.06 + 0.11) / 2)
    assert (found['u_spearman'], found['u_AUROC']) == (pytest.approx(1), 1)


def test_ranks_and_roc_against_scipy():
    rng = np.random.default_rng(0)
    u = rng.integers(0, 40, 500) / 50 + 0.01
    error = np.clip(u**2 + rng.normal(0, 0.2, 500), 0, 0.99)
    found = figures(error, np.zeros(500), u)
    fine_error = np.floor(50 * np.sqrt(error))
    assert found['u_spearman'] == pytest.approx(spearmanr(u, fine_error).statistic, abs=1e-12)
    wrong, right = u[error > 0.5], u[error <= 0.5]
    area = mannwhitneyu(wrong, right).statistic / (len(wrong) * len(right))
    assert found['u_AUROC'] == pytest.approx(area, abs=1e-12)


def test_uncertainty_of_no_use():
    found = figures([0.2, 0.8, 0.2, 0.8], [0, 0, 0, 0], [0.3, 0.3, 0.6, 0.6])
    assert (found['u_spearman'], found['u_AUROC']) == (pytest.approx(0), 0.5)
    same = figures([0.2, 0.8], [0, 0], [0.3, 0.3])
    assert np.isnan(same['u_spearman']) and same['u_AUROC'] == 0.5


def test_sums_of_images_are_those_of_all_pixels():
    rng = np.random.default_rng(0)
    m, t, u = rng.random(60), rng.integers(0, 2, 60), rng.random(60)
    parts = [calibration_sums(m[some], t[some], u[some]) for some in np.split(np.arange(60), 3)]
    found, expected = calibration_figures(add_sums(parts)), figures(m, t, u)
    assert found == pytest.approx(expected, nan_ok=True)


def test_without_pixels_there_are_no_figures():
    found = figures([], [], [])
    assert found.pop('pixels') == 0
    assert all(np.isnan(value) for value in found.values())


def test_values_at_the_ends_have_bins():
    sums = calibration_sums(np.array([0.0, 1.0]), np.array([0, 1]), np.array([0.0, 7.0]))
    assert sums['reliability'][0, [0, BINS - 1]].tolist() == [1, 1]
    assert sums['doubt'][0, [0, BINS - 1]].tolist() == [1, 1]


@pytest.mark.parametrize('counts, expected', [
    ([[3, 0], [0, 3]], 1), ([[0, 3], [3, 0]], -1), ([[2, 2], [2, 2]], 0)])
def test_rank_correlation_of_counts(counts, expected):
    assert rank_correlation(np.array(counts)) == pytest.approx(expected)


def test_expected_gap_weighs_bins_by_their_pixels():
    assert expected_gap(np.array([[3, 1], [1.5, 1], [0, 0.5]])) == pytest.approx((1.5 + 0.5) / 4)


# A row of eight pixels: the first object, 0 to 5, goes on behind the second, 3 to 6.
AMODAL = np.zeros((2, 8, 8), np.uint8)
AMODAL[0, :, 0:5] = AMODAL[1, :, 3:6] = 1
VISIBLE = AMODAL.copy()
VISIBLE[0, :, 3:5] = 0


def a_sample(probability: np.ndarray, **more) -> dict:
    predicted = dict(masks=torch.from_numpy(probability > 0.5), probability=torch.from_numpy(
        probability.astype(np.float32)), patches=torch.tensor([[0, 0, 8, 8]] * 2), **more)
    return dict(img_id=3, pred_instances=predicted,
                gt_instances=dict(masks=AmodalMasks(AMODAL, 8, 8, VISIBLE)))


def test_what_hides_an_object():
    np.testing.assert_array_equal(hiding(AMODAL, VISIBLE, 0), VISIBLE[1])
    assert not hiding(AMODAL, VISIBLE, 1).any()


def test_occluded_region_is_what_hides_it():
    probability = np.where(AMODAL > 0, 0.9, 0.2)
    sums = sums_of_sample(a_sample(probability))
    # Of the three columns of the second object two belong to the first; 8 rows.
    occluded = calibration_figures(sums['occluded'])
    assert (occluded['pixels'], occluded['mean_t']) == (24, pytest.approx(2 / 3))
    assert occluded['mean_m'] == pytest.approx((2 * 0.9 + 0.2) / 3)
    patch = calibration_figures(sums['patch'])
    assert (patch['pixels'], patch['mean_t']) == (128, (5 + 3) / 16)
    assert len(sums['objects']) == 0


def test_object_error_goes_with_its_uncertainty():
    unsure = np.zeros((2, 8, 8), np.float32)
    unsure[0, :, 3:6] = 0.5
    found = CalibrationMetric()
    sample = a_sample(VISIBLE * 0.9, uncertainty=torch.from_numpy(unsure))
    sample['pred_instances']['masks'][0, :, 3] = True
    # Labels: columns 0 to 4 of 5, of which column 3 has u = 0.5; and all of the second.
    objects = sums_of_sample(sample)['objects']
    np.testing.assert_allclose(objects, [[0.5 / 4, 1 - 4 / 5], [0, 0]], atol=1e-6)
    found.process(None, [sample])
    assert found.evaluate(1)['calibration/object_spearman'] == pytest.approx(1)


def test_object_without_a_visible_pixel_is_left_out():
    sample = a_sample(np.where(AMODAL > 0, 0.9, 0.2))
    sample['gt_instances']['masks'].visible.masks[1] = 0
    sums = sums_of_sample(sample)
    assert calibration_figures(sums['patch'])['pixels'] == 64
    assert calibration_figures(sums['occluded'])['pixels'] == 0


def test_image_without_objects():
    sample = a_sample(np.zeros((2, 8, 8)))
    sample['gt_instances']['masks'] = AmodalMasks([], 8, 8, None)
    sample['pred_instances'] = {key: value[:0] for key, value in sample['pred_instances'].items()}
    assert calibration_figures(sums_of_sample(sample)['patch'])['pixels'] == 0


def test_metric_writes_the_bins_of_its_diagram(tmp_path):
    metric = CalibrationMetric(out_file=str(tmp_path / 'bins.json'))
    metric.process(None, [a_sample(np.where(AMODAL > 0, 0.9, 0.2))] * 2)
    found = metric.evaluate(2)
    assert found['calibration/occluded_pixels'] == 48
    written = json.loads((tmp_path / 'bins.json').read_text())
    assert set(written) == {'occluded', 'patch'}
    assert expected_gap(np.array(written['occluded']['reliability'])) == found[
        'calibration/occluded_ECE'] == pytest.approx((2 * 0.1 + 0.2) / 3)


@pytest.mark.parametrize('change, words', [
    (dict(visible_only=True), 'image 3 has visible masks only'),
    (dict(pred_instances=dict(masks=torch.zeros(2, 8, 8))), 'image 3: .*keep_probability=True')])
def test_what_cannot_be_measured_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        sums_of_sample(dict(a_sample(VISIBLE * 0.9), **change))


def test_eval_calibration_keeps_the_probability():
    cfg = Config(dict(model=dict(type='MaskCompleter'), test_evaluator=dict(
        type='CompletionMetric')))
    assert choose_evaluators(cfg, ['calibration']) == [dict(type='CalibrationMetric')]
    assert cfg.model.keep_probability
    kinds = [metric['type'] for metric in choose_evaluators(cfg, ['completion', 'calibration'])]
    assert kinds == ['CompletionMetric', 'CalibrationMetric']
    cfg.model.type = 'MaskRCNN'
    with pytest.raises(ValueError, match='--eval calibration does not go with'):
        choose_evaluators(cfg, ['calibration'])
