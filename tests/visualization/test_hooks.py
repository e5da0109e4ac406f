from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import HOOKS
from mmdet.structures import DetDataSample
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import InstanceData

from mmamodal.structures.amodal_masks import AmodalMasks
from mmamodal.structures.segmentation import encode
from mmamodal.visualization import hooks

HEIGHT, WIDTH = 40, 60
AMODAL = np.zeros((2, HEIGHT, WIDTH), np.uint8)
AMODAL[0, 5:25, 5:30] = 1
AMODAL[1, 15:35, 20:50] = 1
VISIBLE = AMODAL.copy()
VISIBLE[0] &= 1 - AMODAL[1]


class Dataset:
    metainfo = dict(classes=('cup', 'hat'))

    def __init__(self, error=None):
        self.error, self.read = error, []

    def read_image(self, idx: int) -> np.ndarray:
        if self.error:
            raise self.error
        self.read.append(idx)
        return np.full((HEIGHT, WIDTH, 3), 90, np.uint8)


def runner_of(dataset: Dataset, model: object = None) -> SimpleNamespace:
    return SimpleNamespace(test_dataloader=SimpleNamespace(dataset=dataset),
                           model=model or torch.nn.Identity())


def sample_of(index: int = 0, count: int = 2, **metainfo) -> DetDataSample:
    sample = DetDataSample(metainfo=dict(img_id=100 + index, sample_idx=index, **metainfo))
    masks = AmodalMasks(AMODAL[:count], HEIGHT, WIDTH, VISIBLE[:count])
    sample.gt_instances = InstanceData(masks=masks, labels=torch.arange(count))
    return sample


def completer_sample(index: int = 0, count: int = 2, uncertainty: bool = True,
                     patches: bool = True, **metainfo) -> DetDataSample:
    sample = sample_of(index, count, **metainfo)
    predicted = InstanceData(masks=torch.from_numpy(AMODAL[:count].astype(bool)),
                             labels=torch.arange(count))
    if patches:
        predicted.patches = torch.tensor([[-5, 0, 35, 40], [10, 0, 60, 50]])[:count]
        predicted.evidence = torch.zeros(count, 16, 16, dtype=torch.uint8)
        if uncertainty:
            predicted.uncertainty = torch.rand(count, 16, 16)
    sample.pred_instances = predicted
    sample.set_field(torch.zeros(count, count, dtype=torch.int8), 'pred_order',
                     dtype=torch.Tensor)
    return sample


def detector_sample(index: int = 0, scores: tuple = (0.3, 0.9), count: int = 2,
                    **metainfo) -> DetDataSample:
    sample = sample_of(index, count, **metainfo)
    sample.pred_instances = InstanceData(
        masks=torch.from_numpy(AMODAL[:len(scores)].astype(bool)), scores=torch.tensor(scores),
        labels=torch.arange(len(scores)))
    return sample


def draw(tmp_path, *samples, dataset: Dataset = None, **options) -> list:
    hook = hooks.AmodalVisualizationHook(tmp_path / 'vis', **options)
    hook.after_test_iter(runner_of(dataset or Dataset()), 0, None, samples)
    return sorted((tmp_path / 'vis').glob('*'))


def panels(path) -> int:
    picture = cv2.imread(str(path))
    return (picture.shape[1] - 10) // 310  # 40×60 is enlarged five times


def test_hook_is_registered():
    assert HOOKS.get('AmodalVisualizationHook') is hooks.AmodalVisualizationHook


@pytest.mark.parametrize('sample, count', [
    (completer_sample(), 6),
    (completer_sample(uncertainty=False), 5),
    (completer_sample(patches=False), 4),
    (completer_sample(count=0), 5),
    (completer_sample(visible_only=True), 5),
    (detector_sample(), 3),
    (detector_sample(scores=()), 3),
    (detector_sample(count=0), 3),
    (detector_sample(visible_only=True), 3),
])
def test_a_picture_with_its_panels_is_written(tmp_path, sample, count):
    files = draw(tmp_path, sample)
    assert [path.name for path in files] == ['100.png']
    assert panels(files[0]) == count


def test_only_the_first_images_are_read_and_written(tmp_path):
    dataset = Dataset()
    files = draw(tmp_path, detector_sample(7), completer_sample(1), detector_sample(2),
                 dataset=dataset, max_images=2)
    assert [path.name for path in files] == ['101.png'] and dataset.read == [1]


def test_image_ids_stay_inside_the_folder(tmp_path):
    sample = detector_sample()
    sample.set_metainfo(dict(img_id='../a/b'))
    assert [path.name for path in draw(tmp_path, sample)] == ['.._a_b.png']


def test_an_image_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ValueError, match='a.jpg is truncated'):
        draw(tmp_path, detector_sample(), dataset=Dataset(ValueError('a.jpg is truncated')))


def test_a_sample_without_index_is_refused(tmp_path):
    sample = DetDataSample(metainfo=dict(img_id=1))
    with pytest.raises(ValueError, match='PackAmodalInputs'):
        draw(tmp_path, sample)


HIDDEN = AMODAL - VISIBLE


@pytest.mark.parametrize('masks, visible, invisible, names', [
    (dict(visible_masks=VISIBLE, invisible_masks=HIDDEN), VISIBLE, HIDDEN, ['cup 0.90 20%',
                                                                           'hat 0.80']),
    (dict(visible_masks=VISIBLE), VISIBLE, HIDDEN, ['cup 0.90 20%', 'hat 0.80']),
    (dict(invisible_masks=HIDDEN), VISIBLE, HIDDEN, ['cup 0.90 20%', 'hat 0.80']),
    # What a model says is shown, though it contradict itself.
    (dict(visible_masks=AMODAL, invisible_masks=HIDDEN), AMODAL, HIDDEN, ['cup 0.90 20%',
                                                                         'hat 0.80']),
    (dict(visible_masks=VISIBLE, occlusion_rates=np.float32([0.004, 1])), VISIBLE, HIDDEN,
     ['cup 0.90', 'hat 0.80 100%']),
    ({}, AMODAL, None, ['cup 0.90', 'hat 0.80']),
])
def test_predicted_masks_and_occlusion_rates(masks, visible, invisible, names):
    sample = detector_sample(scores=(0.9, 0.8))
    for key, values in masks.items():
        values = values if values.dtype == np.float32 else values.astype(bool)
        sample.pred_instances[key] = torch.from_numpy(values)
    found = hooks.predicted_objects(sample.pred_instances, (HEIGHT, WIDTH), ('cup', 'hat'), 0.5)
    np.testing.assert_array_equal(found.visible, visible)
    assert found.invisible is None if invisible is None else (found.invisible == invisible).all()
    assert found.names == names


@pytest.mark.parametrize('scores', [(), (0.3, ), (0.3, 0.9)])
@pytest.mark.parametrize('visible_only', [False, True])
def test_truth_beside_visible_masks_has_occlusion_rates(monkeypatch, scores, visible_only):
    shown = {}
    monkeypatch.setattr(hooks, 'detection_picture',
                        lambda image, predicted, truth: shown.update(p=predicted, t=truth))
    sample = detector_sample(scores=scores, visible_only=visible_only)
    sample.pred_instances.visible_masks = sample.pred_instances.masks.clone()
    hooks.draw_detector_sample(np.zeros((HEIGHT, WIDTH, 3), np.uint8), sample, ('cup', 'hat'), 0.5)
    assert shown['p'].amodal.shape == shown['p'].invisible.shape == (
        sum(score >= 0.5 for score in scores), HEIGHT, WIDTH)
    assert shown['t'].names == (['cup', 'hat'] if visible_only else ['cup 20%', 'hat'])


def test_picture_of_a_model_with_visible_masks_is_written(tmp_path):
    sample = detector_sample()
    sample.pred_instances.visible_masks = torch.from_numpy(VISIBLE.astype(bool))
    path, = draw(tmp_path, sample)
    plain, = draw(tmp_path / 'plain', detector_sample())
    assert panels(path) == 3
    assert not np.array_equal(cv2.imread(str(path)), cv2.imread(str(plain)))


def test_detections_below_the_threshold_are_counted_not_drawn(monkeypatch):
    shown = {}
    monkeypatch.setattr(hooks, 'detection_picture',
                        lambda image, predicted, truth: shown.update(p=predicted, t=truth))
    sample = detector_sample(scores=(0.6, 0.9))
    sample.pred_instances = InstanceData.cat([sample.pred_instances, InstanceData(
        masks=torch.zeros(1, HEIGHT, WIDTH, dtype=torch.bool), scores=torch.tensor([0.4]),
        labels=torch.tensor([0]))])
    hooks.draw_detector_sample(np.zeros((HEIGHT, WIDTH, 3), np.uint8), sample, ('cup', 'hat'), 0.5)
    assert shown['p'].names == ['hat 0.90', 'cup 0.60']
    assert '2 of 3' in shown['p'].caption
    np.testing.assert_array_equal(shown['p'].amodal, AMODAL[::-1])
    assert shown['t'].names == ['cup', 'hat']


@pytest.mark.parametrize('evidence, expected', [('boundary', True), ('mask', False)])
@pytest.mark.parametrize('wrapped', [False, True])
def test_the_model_says_what_its_evidence_is(monkeypatch, evidence, expected, wrapped):
    model = torch.nn.Identity()
    model.evidence = evidence
    if wrapped:
        monkeypatch.setattr(hooks, 'is_model_wrapper', lambda _: True)
        model = SimpleNamespace(module=model)
    assert hooks._sees_boundary(model) is expected


def instances() -> list:
    return [dict(bbox_label=0, ignore_flag=0, mask=encode(AMODAL[0]),
                 visible_mask=encode(VISIBLE[0])),
            dict(bbox_label=1, ignore_flag=0, mask=encode(AMODAL[1])),
            dict(bbox_label=1, ignore_flag=1, mask=encode(AMODAL[1]))]


def test_truth_of_resized_samples_comes_from_the_record():
    sample = DetDataSample(metainfo=dict(img_id=1, sample_idx=0, instances=instances()))
    sample.gt_instances = InstanceData(masks=BitmapMasks(AMODAL[:, ::2, ::2], 20, 30),
                                       labels=torch.arange(2))
    truth = hooks.true_objects(sample, (HEIGHT, WIDTH), ('cup', 'hat'))
    np.testing.assert_array_equal(truth.amodal, AMODAL)
    np.testing.assert_array_equal(truth.visible, VISIBLE)
    assert truth.names == ['cup', 'hat']


def test_truth_of_masks_without_visible_part_is_taken_as_seen():
    sample = DetDataSample()
    sample.gt_instances = InstanceData(masks=BitmapMasks(AMODAL, HEIGHT, WIDTH),
                                       labels=torch.arange(2))
    truth = hooks.true_objects(sample, (HEIGHT, WIDTH), ())
    np.testing.assert_array_equal(truth.visible, AMODAL)
    assert truth.names == ()


def test_without_annotations_there_is_no_truth():
    sample = DetDataSample()
    sample.gt_instances = InstanceData()
    assert hooks.true_objects(sample, (HEIGHT, WIDTH), ()) is None


def test_the_picture_is_written_as_drawn(tmp_path):
    sample = detector_sample()
    path, = draw(tmp_path, sample)
    image = Dataset().read_image(0)
    expected = hooks.draw_detector_sample(image, sample, ('cup', 'hat'), 0.5)
    np.testing.assert_array_equal(cv2.imread(str(path)), expected)
