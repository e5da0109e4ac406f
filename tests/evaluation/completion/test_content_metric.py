"""ContentMetric: by hand on rows of pixels."""

import math

import numpy as np
import pytest
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from mmamodal.evaluation import ContentMetric
from mmamodal.evaluation.completion.content_metric import content_errors, content_figures
from mmamodal.structures.amodal_masks import AmodalMasks
from mmamodal.structures.layers import cut_out


def rows(*values: list) -> np.ndarray:
    """Images of one row, three channels alike."""
    return np.repeat(np.array(values, np.uint8)[:, None, :, None], 3, axis=3)


TRUTH = rows([10, 20, 30, 40], [50, 50, 50, 50], [1, 2, 3, 4])
FOUND = rows([0, 0, 33, 36], [40, 0, 0, 0], [9, 9, 9, 9])
AMODAL = np.array([[[1, 1, 1, 1]], [[1, 1, 0, 0]], [[1, 1, 1, 0]]], np.uint8)
VISIBLE = np.array([[[1, 1, 0, 0]], [[0, 1, 0, 0]], [[1, 1, 1, 0]]], np.uint8)
# 1: errors 3 and 4. 2: error 10. 3: nothing hidden.
ERRORS = [(2, 7, 25), (1, 10, 100), (0, 0, 0)]


def sample() -> DetDataSample:
    layers = [cut_out(image, mask) for image, mask in zip(FOUND, AMODAL)]
    return DetDataSample(
        gt_instances=InstanceData(masks=AmodalMasks(AMODAL, 1, 4, visible=VISIBLE)),
        pred_instances=InstanceData(layers=layers),
        metainfo=dict(img_id=5, gt_content=TRUTH))


def test_errors_by_hand():
    np.testing.assert_array_equal(content_errors(FOUND, TRUTH, AMODAL & ~VISIBLE & 1), ERRORS)
    assert content_errors(FOUND[:0], TRUTH[:0], AMODAL[:0]).shape == (0, 3)


def test_errors_are_means_over_channels():
    truth, found = np.zeros((2, 1, 1, 1, 3), np.uint8)
    found[..., 0] = 6
    assert content_errors(found, truth, np.ones((1, 1, 1), np.uint8)).tolist() == [[1, 2, 12]]


def test_figures_by_hand():
    figures = content_figures(np.array(ERRORS, float))
    assert figures == pytest.approx(dict(
        L1=17 / 3, PSNR=10 * math.log10(255**2 / (125 / 3)), L1_instance=(3.5 + 10) / 2))
    assert content_figures(np.array([(4, 0, 0)], float))['PSNR'] == math.inf
    assert all(math.isnan(value) for value in content_figures(np.zeros((1, 3))).values())


def test_metric_pools_over_samples():
    metric = ContentMetric()
    metric.process({}, [sample().to_dict(), sample().to_dict()])
    assert metric.evaluate(2) == {f'content/{key}': value for key, value in
                                  content_figures(np.array(ERRORS, float)).items()}


def test_what_is_hidden_must_be_known():
    photo = sample().to_dict()
    photo.pop('gt_content')
    with pytest.raises(ValueError, match='image 5 has no gt_content'):
        ContentMetric().process({}, [photo])
