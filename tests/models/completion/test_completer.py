"""MaskCompleter with networks so simple that their results can be told by hand."""

from typing import Iterator

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.dataset import pseudo_collate
from mmengine.structures import InstanceData
from torch import nn
from torch.nn import functional as F

from mmamodal.datasets import LoadAmodalAnnotations, PackAmodalInputs
from mmamodal.models import MaskCompleter
from mmamodal.structures import patches
from mmamodal.structures.amodal_masks import AmodalMasks
from mmamodal.structures.segmentation import encode

SIZE, IMAGE = 64, 40


@MODELS.register_module()
class EverywhereOrNowhere(nn.Module):
    """The same probability at every pixel; keeps what came in."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.logit = torch.logit(torch.tensor(probability))
        self.seen: list = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(P, C, S, S) -> z0 the logit, z1 = 0.5 x the number of the patch in the batch."""
        self.seen.append(x)
        number = torch.arange(len(x)).reshape(-1, 1, 1, 1).expand(-1, 1, *x.shape[2:])
        return torch.cat([self.logit.expand_as(number), 0.5 * number], dim=1)


@MODELS.register_module()
class GrowByCategory(nn.Module):
    """Grows the mask into the evidence, by four pixels of the patch for each unit of its value."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(P, 2, S, S) -> the same, z0 = ±5."""
        grown = []
        for mask, evidence in x:
            reach = 8 * int(mask.max()) + 1
            near = F.max_pool2d((mask > 0).float()[None, None], reach, 1, reach // 2)[0, 0]
            grown.append(torch.maximum((mask > 0).float(), near * evidence))
        foreground = 10 * torch.stack(grown) - 5
        return torch.stack([foreground, torch.zeros_like(foreground)], dim=1)


@pytest.fixture(autouse=True, scope='module')
def one_thread() -> Iterator[None]:
    """On networks this small, threads of a busy machine would wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def rectangle(x1: int, y1: int, x2: int, y2: int) -> np.ndarray:
    mask = np.zeros((IMAGE, IMAGE), np.uint8)
    mask[y1:y2, x1:x2] = 1
    return mask


# A row of three that touch, one apart, and one of which nothing is visible.
ROW = np.stack([rectangle(2, 10, 10, 20), rectangle(10, 10, 18, 20), rectangle(18, 10, 26, 20),
                rectangle(32, 30, 38, 36), rectangle(0, 0, 0, 0)])


def sample_of(visible: np.ndarray, amodal: object = None, categories: object = None,
              ann_ids: object = None) -> DetDataSample:
    amodal = visible if amodal is None else amodal
    truth = InstanceData(masks=AmodalMasks(amodal, *visible.shape[1:], visible=visible),
                         labels=torch.arange(len(visible)))
    if categories is not None:
        truth.category_ids = torch.tensor(categories)
    if ann_ids is not None:
        truth.ann_ids = torch.tensor(ann_ids)
    return DetDataSample(gt_instances=truth)


def completer(probability: float = 0.9, network: object = None, **options) -> MaskCompleter:
    options.setdefault('loss', dict(type='UncertaintyLoss'))
    options.setdefault('evidence', 'mask')
    network = network or dict(type='EverywhereOrNowhere', probability=probability)
    return MaskCompleter(network, **{'patch_size': SIZE, **options}).eval()


def predict(model: MaskCompleter, sample: DetDataSample) -> tuple:
    (result, ) = model.forward(None, [sample], mode='predict')
    return result.pred_instances, result.pred_order.numpy()


# What comes out


@pytest.mark.parametrize('kind', ['UncertaintyLoss', 'RegionWeightedCrossEntropy'])
@pytest.mark.parametrize('context', ['neighbours', 'ancestors'])
@pytest.mark.parametrize('visible', [ROW[:0], ROW[:1], ROW, ROW[4:]],
                         ids=['none', 'one', 'many', 'hidden'])
def test_shapes_and_types(visible, context, kind):
    count = len(visible)
    model = completer(context=context, loss=dict(type=kind))
    result, order = predict(model, sample_of(visible, ann_ids=list(range(7, 7 + count))))
    assert len(result) == count
    assert result.masks.shape == (count, IMAGE, IMAGE) and result.masks.dtype == torch.bool
    assert result.evidence.shape == (count, SIZE, SIZE) and result.evidence.dtype == torch.uint8
    assert result.patches.shape == (count, 4) and result.patches.dtype == torch.int64
    assert order.shape == (count, count) and order.dtype == np.int8
    assert result.labels.tolist() == list(range(count))
    assert result.ann_ids.tolist() == list(range(7, 7 + count))
    assert result.scores.tolist() == [1] * count
    assert ('uncertainty' in result) == (kind == 'UncertaintyLoss')
    if 'uncertainty' in result:
        assert result.uncertainty.shape == (count, SIZE, SIZE)
        assert result.uncertainty.dtype == torch.float32


def test_ids_are_left_out_where_the_truth_has_none():
    assert 'ann_ids' not in predict(completer(), sample_of(ROW))[0]


def test_the_amodal_mask_is_pasted_at_its_patch():
    result, _ = predict(completer(0.9), sample_of(ROW))
    for mask, visible, patch in zip(result.masks.numpy(), ROW[:4], result.patches.numpy()):
        y, x = np.nonzero(visible)
        np.testing.assert_array_equal(
            patch, patches.square_patch((x.min(), y.min(), x.max() + 1, y.max() + 1)))
        # All of the patch is foreground, and what leaves the image is cut off.
        x1, y1, x2, y2 = np.clip(patch, 0, IMAGE)
        np.testing.assert_array_equal(mask, rectangle(x1, y1, x2, y2))


def test_a_fully_hidden_object_gets_an_empty_mask():
    for context in ('neighbours', 'parents', 'ancestors'):
        result, order = predict(completer(context=context, unite_visible=True), sample_of(ROW))
        assert not result.masks[4].any() and not order[4].any()
        assert not result.evidence[4].any() and not result.uncertainty[4].any()


def test_uncertainty_belongs_to_its_object():
    # z1 is half the number in the batch; the hidden object comes first and has no patch.
    result, _ = predict(completer(batch_size=3), sample_of(ROW[[4, 0, 1, 2, 3]]))
    expected = F.softplus(torch.tensor([0, 0.5, 1, 0])) + 0.01
    torch.testing.assert_close(result.uncertainty[1:, 0, 0], expected)
    torch.testing.assert_close(result.uncertainty[1:].std((1, 2)), torch.zeros(4))


@pytest.mark.parametrize('unite_visible, expected', [(False, np.zeros_like(ROW)), (True, ROW)])
def test_the_visible_mask_can_be_added(unite_visible, expected):
    result, _ = predict(completer(0.1, unite_visible=unite_visible), sample_of(ROW))
    np.testing.assert_array_equal(result.masks, expected)


def test_the_probability_is_kept_on_request():
    assert 'probability' not in predict(completer(), sample_of(ROW))[0]
    probability = predict(completer(0.7, keep_probability=True), sample_of(ROW))[0].probability
    assert probability.shape == (5, SIZE, SIZE) and probability.dtype == torch.float32
    torch.testing.assert_close(probability[:4], torch.full((4, SIZE, SIZE), 0.7))
    assert not probability[4].any()  # of which nothing is visible


@MODELS.register_module()
class LeftOrRight(nn.Module):
    """z0 is 5 on the left half of the patch and -1 on the right one."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(P, 2, S, S) -> the same."""
        left = torch.arange(SIZE).expand_as(x[:, :1]) < SIZE // 2
        return torch.cat([6 * left - 1, 0 * left], dim=1)


@pytest.mark.parametrize('flip_test, logits', [(False, (5, -1)), (True, (2, 2))])
def test_the_mirror_image_is_averaged_on_request(flip_test, logits):
    model = completer(network=dict(type='LeftOrRight'), flip_test=flip_test,
                      keep_probability=True)
    result, _ = predict(model, sample_of(ROW[:1]))
    expected = torch.sigmoid(torch.tensor(logits, dtype=torch.float32))
    halves = result.probability[0].reshape(SIZE, 2, SIZE // 2)
    torch.testing.assert_close(halves, expected[:, None].expand_as(halves))


@pytest.mark.parametrize('threshold, full', [(0.5, True), (0.59, True), (0.61, False)])
def test_amodal_threshold(threshold, full):
    result, _ = predict(completer(0.6, amodal_thr=threshold), sample_of(ROW))
    assert bool(result.masks[0].any()) == full


@pytest.mark.parametrize('threshold, grows', [(0.59, True), (0.61, False)])
def test_order_threshold(threshold, grows):
    # The same growth of both is no order; the object of the smaller area grows further.
    visible = np.stack([rectangle(2, 10, 10, 20), rectangle(10, 8, 24, 22)])
    model = completer(0.6, context='parents', order_thr=threshold)
    assert predict(model, sample_of(visible))[1].any() == grows


@MODELS.register_module()
class ProbableByCategory(nn.Module):
    """The same probability at every pixel of a patch: 0.6 of category 1, 0.9 of category 2."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(P, 2, S, S) -> the same, z1 = 0."""
        probability = 0.3 * x[:, :1].amax(dim=(2, 3), keepdim=True) + 0.3
        return torch.cat([probability.logit().expand_as(x[:, :1]), 0 * x[:, 1:]], dim=1)


@pytest.mark.parametrize('threshold, order', [(0.5, 1), (0.7, -1), (None, -1)])
def test_without_a_threshold_certain_pixels_count_more(threshold, order):
    # The first one's patch holds 12 pixels of the second, the second one's 16 of the first.
    visible = np.stack([rectangle(6, 10, 16, 20), rectangle(16, 13, 22, 17)])
    model = completer(network=dict(type='ProbableByCategory'), category_input=True,
                      context='parents', order_thr=threshold)
    _, found = predict(model, sample_of(visible, categories=[2, 1]))
    np.testing.assert_array_equal(found, [(0, order), (-order, 0)])


# Contexts: who grows further is behind, so that 0 is in front of 1, and 1 of 2

CATEGORIES = [1, 2, 3, 1, 1]


def grower(**options) -> MaskCompleter:
    return completer(network=dict(type='GrowByCategory'), category_input=True, **options)


def on_patch(indices: list, patch: np.ndarray) -> np.ndarray:
    """The union of some visible masks as the network gets it."""
    union = ROW[indices].any(axis=0).astype(np.uint8) if indices else np.zeros_like(ROW[0])
    return patches.crop_mask(union, patch, SIZE, smooth=True)


EXPECTED_ORDER = np.zeros((5, 5), np.int8)
EXPECTED_ORDER[0, 1] = EXPECTED_ORDER[1, 2] = 1
EXPECTED_ORDER[1, 0] = EXPECTED_ORDER[2, 1] = -1


@pytest.mark.parametrize('context, order, occluders', [
    ('neighbours', None, [[1], [0, 2], [1], [], []]),
    ('neighbours', 'pairs', [[1], [0, 2], [1], [], []]),
    ('parents', None, [[], [0], [1], [], []]),
    ('ancestors', None, [[], [0], [0, 1], [], []]),
])
def test_context_says_who_occludes(context, order, occluders):
    result, found = predict(grower(context=context, order=order),
                            sample_of(ROW, categories=CATEGORIES))
    np.testing.assert_array_equal(found, EXPECTED_ORDER)
    for evidence, patch, others in zip(result.evidence[:4], result.patches[:4].numpy(), occluders):
        np.testing.assert_array_equal(evidence, on_patch(others, patch))


def test_without_growth_there_is_no_order():
    """Then 'pairs' knows no occluder, and 'completion' still takes all that touch."""
    for order, known in (('pairs', False), ('completion', True)):
        result, found = predict(completer(0.1, order=order), sample_of(ROW))
        assert not found.any()
        assert bool(result.evidence[:3].any()) == known
        assert not result.evidence[3:].any()


@pytest.mark.parametrize('context, order, passes', [
    ('neighbours', None, 4), ('neighbours', 'completion', 4), ('neighbours', 'pairs', 2 * 2 + 4),
    ('ancestors', None, 2 * 2 + 4)])
def test_order_from_completion_takes_one_pass_for_each_object(context, order, passes):
    model = completer(context=context, order=order)
    predict(model, sample_of(ROW))
    assert sum(len(batch) for batch in model.network.seen) == passes


def test_batches_change_nothing():
    results = []
    for batch_size in (1, 3, 100):
        results.append(predict(grower(context='ancestors', batch_size=batch_size),
                               sample_of(ROW, categories=CATEGORIES)))
    for result, order in results[1:]:
        np.testing.assert_array_equal(order, results[0][1])
        for key in ('masks', 'evidence', 'uncertainty', 'patches'):
            torch.testing.assert_close(result[key], results[0][0][key])


def test_growth_is_measured_in_pixels_of_the_image():
    """On their patches the small object covers more of its partner than the large one does, in
    the image less."""
    visible = np.stack([rectangle(4, 16, 10, 22), rectangle(10, 4, 30, 36)])
    model = completer(0.9, context='parents', order='pairs')
    _, order = predict(model, sample_of(visible))
    np.testing.assert_array_equal(order, [(0, 1), (-1, 0)])


@pytest.mark.parametrize('context', ['neighbours', 'ancestors'])
def test_where_visible_masks_overlap_the_occluder_wins(context):
    visible = np.stack([rectangle(2, 10, 14, 20), rectangle(10, 10, 18, 20)])
    model = completer(0.9, context=context)
    result, order = predict(model, sample_of(visible))
    assert result.masks.all(0).any() and order.shape == (2, 2)
    mask, evidence = model.network.seen[0][0]
    assert mask.any() and evidence.any() and not (mask * evidence).any()


def test_boundary_is_the_evidence():
    result, _ = predict(completer(evidence='boundary'), sample_of(ROW))
    patch = result.patches[0].numpy()
    occluder = patches.crop_mask(ROW[1], patch, SIZE, smooth=True)
    band = result.evidence[0].numpy()
    # Four columns of the patch around the line where both meet, two more rows at each end.
    assert 0 < band.sum() and np.count_nonzero(band.any(axis=0)) == 4
    assert occluder[:, np.flatnonzero(band.any(axis=0))].any()
    assert not result.evidence[3].any()


def test_clipped_to_visible_and_occluders():
    expected = [ROW[0] | ROW[1], ROW[:3].any(0), ROW[1] | ROW[2], ROW[3], ROW[4]]
    wide = predict(completer(0.9), sample_of(ROW))[0]
    model = completer(0.9, clip_to_occluders=True)
    result, _ = predict(model, sample_of(ROW))
    for mask, uncut, allowed, patch in zip(result.masks.numpy(), wide.masks.numpy(), expected,
                                           result.patches.numpy()):
        x1, y1, x2, y2 = np.clip(patch, 0, IMAGE)
        np.testing.assert_array_equal(mask, allowed & rectangle(x1, y1, x2, y2))
        assert (uncut >= mask).all()
    uncovered = predict(completer(0.9, clip_to_occluders=True, context='ancestors'),
                        sample_of(ROW))[0]
    np.testing.assert_array_equal(uncovered.masks[3], ROW[3])


# A gap of two pixels between neighbours; on either's patch of 15 it is 8.5 of 64 pixels wide:
# one pair of masks is closed where that is no more than a third and a sixteenth of contact_gap.
APART = np.stack([rectangle(8, 10, 16, 20), rectangle(18, 10, 26, 20)])


@pytest.mark.parametrize('context', ['neighbours', 'ancestors'])
@pytest.mark.parametrize('evidence', ['mask', 'boundary'])
@pytest.mark.parametrize('gap, near', [(0, False), (21, False), (22, True)])
def test_masks_that_touch_across_a_gap(gap, near, evidence, context):
    model = completer(0.9, evidence=evidence, contact_gap=gap, context=context)
    predict(model, sample_of(APART))
    passes = torch.cat(model.network.seen)
    assert len(passes) == (4 if near and context == 'ancestors' else 2)
    assert bool(passes[0, 1].any()) == near
    row, other = passes[0, :, SIZE // 2]
    if near and evidence == 'boundary':  # as where masks abut: two pixels to either side
        assert other.sum() == 4 and (other * row).sum() == 2
    elif near:
        assert other[int(row.nonzero().max()) + 1] == 1 and not (other * row).any()


@pytest.mark.parametrize('gap, cautious, meet', [
    (21, True, False), (22, True, True), (8, False, False), (9, False, True)])
def test_closed_masks_are_those_that_prediction_takes(gap, cautious, meet):
    closed = completer(0.9, contact_gap=gap, cautious_gaps=cautious).closed(APART)
    assert closed.any(axis=0)[10:20, 16:18].all() == meet and (closed >= APART).all()


def test_the_given_masks_are_united_not_those_with_gaps_closed():
    result, _ = predict(completer(0.1, contact_gap=22, unite_visible=True), sample_of(APART))
    np.testing.assert_array_equal(result.masks, APART)


@pytest.mark.parametrize('context', ['neighbours', 'ancestors'])
def test_growth_in_the_gap_counts_for_the_order(context):
    """The second object of category 3 grows through the gap, the first grows nowhere."""
    options = dict(evidence='mask', category_input=True, context=context,
                   network=dict(type='GrowByCategory'))
    for gap, expected in ((0, 0), (22, 1)):
        _, order = predict(completer(contact_gap=gap, **options),
                           sample_of(APART, categories=[0, 3]))
        np.testing.assert_array_equal(order, [(0, expected), (-expected, 0)])


def test_clipping_leaves_the_gap():
    result, _ = predict(completer(0.9, contact_gap=22, clip_to_occluders=True), sample_of(APART))
    first = result.masks[0].numpy()
    assert first[12:18, 16:19].all()  # the gap and what of the other is on the patch
    assert not first[:9].any() and not first[21:].any() and not first[:, :8].any()


# Folding


@MODELS.register_module()
class Normalised(nn.Sequential):
    """A convolution with batch normalisation whose statistics are not trivial."""

    def __init__(self) -> None:
        super().__init__(nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm2d(2))
        nn.init.normal_(self[1].running_mean)
        nn.init.uniform_(self[1].running_var, 0.5, 2)


@pytest.mark.parametrize('network', [dict(type='Normalised'),
                                     dict(type='CompletionUNet', base_channels=4, init_cfg=None)])
def test_prediction_with_folded_normalisation_is_the_same(network):
    torch.manual_seed(0)
    model = completer(network=network, keep_probability=True)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    folded = predict(model, sample_of(ROW))[0].probability
    model._folding = lambda network, channels: network(channels)
    plain = predict(model, sample_of(ROW))[0].probability
    torch.testing.assert_close(folded, plain, atol=1e-5, rtol=0)
    assert plain[0].std() > 0
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


@pytest.mark.parametrize('change', ['step', 'load', 'data', 'other network'])
def test_prediction_follows_the_weights(change):
    torch.manual_seed(0)
    model = completer(network=dict(type='Normalised'), keep_probability=True)
    first = predict(model, sample_of(ROW))[0].probability
    other = completer(network=dict(type='Normalised'), keep_probability=True)
    expected = predict(other, sample_of(ROW))[0].probability
    assert not torch.equal(first, expected)
    if change == 'step':
        with torch.no_grad():
            for own, new in zip(model.state_dict().values(), other.state_dict().values()):
                own.copy_(new)
    elif change == 'load':
        model.load_state_dict(other.state_dict())
    elif change == 'data':  # as mmengine's EMAHook swaps weights before it calls eval()
        for own, new in zip(model.state_dict().values(), other.state_dict().values()):
            own.data.copy_(new.data)
        model.eval()
    else:
        model.network = other.network
    torch.testing.assert_close(predict(model, sample_of(ROW))[0].probability, expected)


def test_training_goes_on_after_prediction():
    model = MaskCompleter(dict(type='Normalised'), dict(type='UncertaintyLoss'), patch_size=SIZE,
                          evidence='mask').eval()
    names = set(model.state_dict())
    predict(model, sample_of(ROW))
    model.train()(**batch_of(), mode='loss')['loss_mask'].backward()
    assert all(value.grad is not None for value in model.parameters())
    assert set(model.state_dict()) == names


# The door


def test_predictions_never_depend_on_amodal_truth():
    altered = np.maximum(ROW, rectangle(0, 0, IMAGE, IMAGE))
    for context in ('neighbours', 'ancestors'):
        model = grower(context=context)
        one, order = predict(model, sample_of(ROW, categories=CATEGORIES))
        assert order.any()
        other, other_order = predict(model, sample_of(ROW, altered, CATEGORIES))
        np.testing.assert_array_equal(order, other_order)
        for key in one.keys():
            torch.testing.assert_close(one[key], other[key])


def packed(image: object = None, **options) -> dict:
    """A test sample as the pipeline makes it."""
    instances = [dict(bbox=[0, 0, 4, 4], bbox_label=0, category_id=category, ann_id=i,
                      ignore_flag=int(i == 3), mask=encode(mask))
                 for i, (mask, category) in enumerate(zip(ROW, CATEGORIES))]
    record = dict(img_path='a.png', file_name='a.png', img_id=5, height=IMAGE, width=IMAGE,
                  sample_idx=0, visible_only=False, instances=instances, **options)
    if image is not None:
        record['img'] = image
    return PackAmodalInputs()(LoadAmodalAnnotations()(record))


def test_from_pipeline_to_prediction():
    """Crowds (3) and empty masks (4) are ignored; images are not needed."""
    model = grower(context='ancestors')
    (result, ) = model.test_step(pseudo_collate([packed()]))
    assert result.pred_instances.ann_ids.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(result.pred_order, EXPECTED_ORDER[:3, :3])
    two = model.test_step(pseudo_collate([packed(), packed()]))
    assert [len(sample.pred_instances) for sample in two] == [3, 3]


MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def test_the_image_is_seen_in_rgb_and_normalised():
    image = np.empty((IMAGE, IMAGE, 3), np.uint8)
    image[:] = (255, 51, 0)  # BGR
    model = completer(with_image=True)
    model.test_step(pseudo_collate([packed(image)]))
    seen = model.network.seen[0].numpy()
    assert seen.shape == (3, 5, SIZE, SIZE) and np.abs(seen).max() < 3
    x1, y1, x2, y2 = patches.square_patch((10, 10, 18, 20))
    assert x1 >= 0 and y1 >= 0 and x2 <= IMAGE and y2 <= IMAGE
    expected = (np.array([0, 51, 255]) / 255 - MEAN) / STD
    np.testing.assert_allclose(seen[1, 2:], np.broadcast_to(expected[:, None, None],
                                                            (3, SIZE, SIZE)), atol=1e-5)


# Training patches


def batch_of(**changes) -> dict:
    """Two training patches, as default_collate makes them."""
    generator = torch.Generator().manual_seed(0)
    inputs = {key: torch.randint(0, 2, (2, 16, 16), dtype=torch.uint8, generator=generator)
              for key in ('mask', 'occluder', 'boundary')}
    inputs.update(category=torch.tensor([1, 7]))
    inputs.update(changes)
    target = torch.randint(0, 2, (2, 16, 16), dtype=torch.uint8, generator=generator)
    return dict(inputs={key: value for key, value in inputs.items() if value is not None},
                target=target)


@pytest.mark.parametrize('kind', ['RegionWeightedCrossEntropy', 'UncertaintyLoss', 'GaussianLoss',
                                  'UncertaintyBCELoss'])
def test_training_lowers_the_loss(kind):
    torch.manual_seed(0)
    model = MaskCompleter(dict(type='CompletionUNet', base_channels=4),
                          dict(type=kind, min_uncertainty=0.1))
    optimiser, batch = torch.optim.Adam(model.parameters(), 0.01), batch_of()
    losses = []
    for _ in range(8):
        loss = model(**model.data_preprocessor(batch, True), mode='loss')['loss_mask']
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] and np.isfinite(losses).all()


def test_the_loss_weighs_the_occluder_and_not_the_boundary():
    model, batch = completer(evidence='boundary'), batch_of()
    logits = model(**batch, mode='tensor')
    torch.testing.assert_close(
        model(**batch, mode='loss')['loss_mask'],
        model.loss_mask(logits, batch['target'], batch['inputs']['occluder']))


def test_normalisation_is_no_part_of_checkpoints():
    assert not completer().state_dict()


def test_bfloat16_gives_nearly_the_same():
    torch.manual_seed(0)
    model = MaskCompleter(dict(type='CompletionUNet', base_channels=8, init_cfg=None),
                          dict(type='UncertaintyLoss')).eval()
    batch = batch_of()
    exact = model(**batch, mode='tensor')
    model.cpu_bf16 = True
    near = model(**batch, mode='tensor')
    assert near.dtype == torch.float32
    torch.testing.assert_close(near, exact, atol=0.02 * exact.abs().max().item(), rtol=0)
    supported = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    assert torch.equal(near, exact) == (not supported)
    model(**batch, mode='loss')['loss_mask'].backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


# Refusals


@pytest.mark.parametrize('options, message', [
    (dict(evidence='boundry'), r"evidence to be one of \('boundary', 'mask'\), got 'boundry'"),
    (dict(context='neighbors'), "context to be one of .*'neighbours'.* got 'neighbors'"),
    (dict(order='graph'), r"order to be one of \('pairs', 'completion'\), got 'graph'"),
    (dict(order='completion', context='ancestors'),
     "goes with context='neighbours', not 'ancestors'"),
    (dict(order='completion', context='parents'), "goes with context='neighbours', not 'parents'"),
    (dict(batch_size=0), 'batch_size to be a whole number of at least 1, got 0'),
    (dict(contact_gap=-1), 'contact_gap to be at least 0 pixels, got -1'),
    (dict(cautious_gaps='no'), "cautious_gaps to be True or False, got 'no'"),
    (dict(flip_test=1), 'flip_test to be True or False, got 1'),
    (dict(contact_gap=None), 'contact_gap to be at least 0 pixels, got None'),
    (dict(order_thr=-0.1), r'order_thr to be a probability in \[0, 1\], got -0.1'),
    (dict(amodal_thr=1.5), r'amodal_thr to be a probability in \[0, 1\], got 1.5'),
])
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        completer(**options)


def test_prediction_without_image_or_category():
    with pytest.raises(ValueError, match='LoadImageFromFile before LoadAmodalAnnotations'):
        completer(with_image=True).test_step(pseudo_collate([packed()]))
    with pytest.raises(ValueError, match='LoadAmodalAnnotations and pack them with PackAmodal'):
        predict(completer(category_input=True), sample_of(ROW))


@pytest.mark.parametrize('context', ['neighbours', 'ancestors'])
def test_a_network_that_diverged_is_refused(context):
    """Its labels would be visible masks."""
    with pytest.raises(ValueError, match='predicts NaN, .*diverged: give an earlier checkpoint'):
        predict(completer(float('nan'), context=context), sample_of(ROW))
