"""Content completion: a training step, what is predicted where, and what trains it."""

from typing import List

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmengine.registry import MODEL_WRAPPERS
from mmengine.runner import load_state_dict
from mmengine.structures import InstanceData
from torch import nn

from mmamodal.models import ContentCompleter
from mmamodal.structures.amodal_masks import AmodalMasks
from mmamodal.structures.layers import Layer, on_image

SIZE = 32
OPTIMISERS = dict(
    constructor='OptimWrapperPerNetwork',
    generator=dict(optimizer=dict(type='Adam', lr=1e-3)),
    discriminator=dict(optimizer=dict(type='Adam', lr=1e-4)))


@MODELS.register_module()
class OneColour(nn.Module):
    """The same value at every pixel; keeps what came in."""

    def __init__(self, value: float = 0.0) -> None:
        super().__init__()
        self.value, self.seen = value, []

    def forward(self, x: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        self.seen.append((x, known))
        return torch.full_like(x[:, :3], self.value)


def completer(generator: object = None, **options) -> ContentCompleter:
    torch.manual_seed(0)
    return ContentCompleter(
        generator or dict(type='PConvUNet', base_channels=4, levels=3),
        dict(type='InpaintDiscriminator', base_channels=4), **{'patch_size': SIZE, **options})


def batch() -> dict:
    torch.manual_seed(1)
    mask, hole = torch.zeros(2, 2, SIZE, SIZE, dtype=torch.uint8)
    mask[:, 4:28, 4:16], hole[:, 4:28, 16:28] = 1, 1
    image = torch.randint(0, 256, (2, 3, SIZE, SIZE), dtype=torch.uint8)
    return dict(inputs=dict(image=image, mask=mask, hole=hole, category=torch.tensor([3, 4])))


def weights(network: nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


# Training


def test_a_step_updates_the_generator_and_then_the_discriminator():
    model = completer()
    optimisers = build_optim_wrapper(model, OPTIMISERS)
    events = []
    for name, optimiser in optimisers.items():
        network, step = getattr(model, name), optimiser.update_params

        def update(loss, name=name, network=network, step=step):
            others = [n for n in ('generator', 'discriminator') if n != name]
            before = weights(network), weights(getattr(model, others[0]))
            step(loss)
            assert not torch.equal(weights(network), before[0])
            assert torch.equal(weights(getattr(model, others[0])), before[1])
            events.append(name)
        optimiser.update_params = update
    log = model.train_step(batch(), optimisers)
    assert events == ['generator', 'discriminator']
    assert set(log) == {'loss', 'loss_hole', 'loss_valid', 'loss_tv', 'loss_adversarial',
                        'loss_discriminator'}
    assert all(np.isfinite(value.item()) for value in log.values())
    assert not log['loss_discriminator'].requires_grad
    assert all(p.requires_grad for p in model.discriminator.parameters())


def test_losses_are_weighted_as_published():
    """Everything is generated as 0 = the mean colour, the discriminator knows nothing."""
    model = completer(dict(type='OneColour'))
    for conv in model.discriminator.convs:
        nn.init.zeros_(conv.parametrizations.weight.original)
        nn.utils.parametrize.remove_parametrizations(conv, 'weight', leave_parametrized=False)
    rgb, mask, known = model._tensors(**batch()['inputs'])
    losses = model._generator_losses(model._generate(rgb, mask, known), rgb, mask, known)
    share = known.mean()
    assert losses['loss_hole'].item() == pytest.approx(6 * ((1 - known) * rgb).abs().mean().item())
    assert losses['loss_valid'].item() == pytest.approx((known * rgb).abs().mean().item())
    assert losses['loss_adversarial'].item() == pytest.approx(0.1 * np.log(2))
    assert 0.7 < share < 0.8
    filled = known * rgb
    tv = sum(filled.diff(dim=d).abs().mean() for d in (2, 3))
    assert losses['loss_tv'].item() == pytest.approx(0.1 * tv.item())


def test_the_image_is_normalised_rgb_and_the_mask_has_its_category():
    rgb, mask, known = completer(category_input=True)._tensors(**batch()['inputs'])
    blue, green, red = batch()['inputs']['image'][0, :, 9, 9].tolist()
    expected = [(red / 255 - .485) / .229, (green / 255 - .456) / .224, (blue / 255 - .406) / .225]
    assert rgb[0, :, 9, 9].tolist() == pytest.approx(expected, abs=1e-5)
    assert mask[:, 0, 9, 9].tolist() == [3, 4] and mask[0, 0, 0, 0] == 0
    assert completer()._tensors(**batch()['inputs'])[1].max() == 1
    assert known[0, 0, 9].tolist() == [1] * 16 + [0] * 12 + [1] * 4


def test_training_fits_one_batch():
    model = completer(adversarial_weight=0.0)
    optimisers = build_optim_wrapper(model, dict(
        OPTIMISERS, generator=dict(optimizer=dict(type='Adam', lr=2e-2))))
    data = batch()
    data['inputs']['image'][:] = torch.tensor([200, 100, 20], dtype=torch.uint8)[:, None, None]
    losses = [model.train_step(data, optimisers)['loss_hole'].item() for _ in range(40)]
    assert losses[-1] < 0.2 * losses[0]


def test_bfloat16_trains():
    """What mixed precision does, without a GPU: everything but the weights in half precision."""
    model = completer()
    optimisers = build_optim_wrapper(model, OPTIMISERS)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        log = model.train_step(batch(), optimisers)
    assert all(np.isfinite(value.item()) for value in log.values())
    other = completer()
    exact = other.train_step(batch(), build_optim_wrapper(other, OPTIMISERS))
    assert log['loss_hole'].item() == pytest.approx(exact['loss_hole'].item(), rel=0.02)


@MODEL_WRAPPERS.register_module()
class Parallel(nn.Module):
    """A wrapper as for several processes, which counts what passes through it."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module, self.calls = module, 0

    def forward(self, *args: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return self.module(*args)


def test_wrapped_networks_train_alike_and_are_saved_by_their_own_names():
    plain, wrapped = completer(), completer()
    wrapped.generator, wrapped.discriminator = map(Parallel, (wrapped.generator,
                                                              wrapped.discriminator))
    for model in (plain, wrapped):
        model.train_step(batch(), build_optim_wrapper(model, OPTIMISERS))
    # The generator's gradients do not go through the discriminator's wrapper.
    assert (wrapped.generator.calls, wrapped.discriminator.calls) == (1, 1)
    expected, found = plain.state_dict(), wrapped.state_dict()
    assert set(found) == set(expected)
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    other = completer()
    other.generator = Parallel(other.generator)
    load_state_dict(other, expected, strict=True)
    assert torch.equal(weights(other.generator), weights(plain.generator))


@pytest.mark.parametrize('change, message', [
    (lambda model: model.train_step(batch(), OptimWrapper(torch.optim.SGD(
        model.parameters(), lr=1))), 'expected optim_wrapper=dict'),
    (lambda model: model(**batch(), mode='loss'), "got 'loss'"),
    (lambda model: model(None, [], mode='predict'), 'needs images'),
    (lambda model: completer(dilation=4), 'odd dilation of at least 1, got 4')])
def test_misuse_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        change(completer())


# Prediction

HIDDEN = np.s_[20:30, 24:34]


def sample_of(visible: np.ndarray, amodal: np.ndarray, **truth) -> DetDataSample:
    masks = AmodalMasks(amodal, *amodal.shape[1:], visible=visible)
    return DetDataSample(gt_instances=InstanceData(
        masks=masks, labels=torch.arange(len(amodal)), **truth))


def predict(model: nn.Module, image: np.ndarray, sample: DetDataSample) -> np.ndarray:
    pixels = torch.from_numpy(image.transpose(2, 0, 1).copy())
    result, = model.eval().forward([pixels], [sample], mode='predict')
    assert len(result.pred_instances.labels) == len(sample.gt_instances.labels)
    return whole(result.pred_instances.layers, image)


def whole(layers: List[Layer], image: np.ndarray) -> np.ndarray:
    return np.stack([on_image(layer, image.shape[:2]) for layer in layers])


def test_the_hidden_part_is_filled_and_the_rest_stays(scene):
    image, visible, amodal = scene
    layers = predict(completer(dict(type='OneColour')), image, sample_of(visible, amodal))
    assert layers.shape == (2, 48, 64, 4) and layers.dtype == np.uint8
    assert np.array_equal(layers[..., 3] > 0, amodal > 0)
    assert not layers[amodal == 0].any()
    mean = [104, 116, 124]  # 0.406, 0.456, 0.485 of 255, BGR
    assert np.unique(layers[0][HIDDEN][..., :3].reshape(-1, 3), axis=0).tolist() == [mean]
    # Two pixels of the patch around the hidden part are drawn anew as well; the rest is as it was.
    kept = (layers[0, ..., :3] == image).all(-1) & (visible[0] > 0)
    distance = cv2.distanceTransform(1 - (amodal[0] & amodal[1]), cv2.DIST_C, 3)
    assert not kept[distance <= 1].any()
    assert np.array_equal(kept[distance > 3], visible[0][distance > 3])
    assert np.array_equal(layers[1][amodal[1] > 0][:, :3], image[amodal[1] > 0])


def test_layers_take_the_room_of_their_boxes(scene):
    layers = completer(dict(type='OneColour')).complete(*scene)
    assert [(layer.x, layer.y, layer.pixels.shape) for layer in layers] == [
        (18, 14, (16, 16, 4)), (24, 20, (20, 26, 4))]


def test_the_network_sees_the_patch_around_the_amodal_mask(scene):
    image, visible, amodal = scene
    model = completer(dict(type='OneColour'), dilation=1)
    predict(model, image, sample_of(visible, amodal))
    (x, known), = model.generator.seen  # the blue one hides nothing from itself
    assert x.shape == (1, 4, SIZE, SIZE) and known.shape == (1, 1, SIZE, SIZE)
    # Side sqrt(3)·16 = 27 around the box's centre (26, 22): 32 pixels of the patch for 27.
    hidden = known[0, 0].numpy() == 0
    rows, columns = np.flatnonzero(hidden.any(1)), np.flatnonzero(hidden.any(0))
    scale = SIZE / 27
    for edges, first in ((rows, 20 - 8), (columns, 24 - 12)):
        assert [edges[0], edges[-1] + 1] == pytest.approx(
            [first * scale, (first + 10) * scale], abs=1)
    assert x[0, 3].sum().item() == pytest.approx(visible[0].sum() * scale**2, rel=0.1)


def seen(image: np.ndarray, visible: np.ndarray, amodal: np.ndarray, **options) -> torch.Tensor:
    """What the network sees of the first object's patch, (4, S, S)."""
    model = completer(dict(type='OneColour'), **options)
    predict(model, image, sample_of(visible, amodal))
    return (model.generator.seen[0][0] * model.generator.seen[0][1])[0]


def test_what_hides_the_object_is_not_seen(scene):
    image, visible, amodal = scene
    noise = np.random.default_rng(0).integers(0, 256, (10, 10, 3))
    other = image.copy()
    other[HIDDEN] = noise
    # Bicubic cropping spreads a pixel by two, inside of the hole that is dilated by three.
    assert torch.equal(*(seen(x, visible, amodal, dilation=7) for x in (image, other)))
    wider = amodal | np.roll(amodal, 3, 1)
    assert not torch.equal(*(seen(x, amodal, wider) for x in (image, other)))  # nothing hides it


@pytest.mark.parametrize('alone', [True, False])
def test_the_network_may_see_the_object_alone(scene, alone):
    image, visible, amodal = scene
    other = np.where(amodal[0, ..., None] > 0, image, 255 - image)
    first, second = (seen(x, visible, amodal, object_only=alone) for x in (image, other))
    outer = first[3].numpy() == 0
    assert bool(first[:3, outer].any()) != alone and bool(second[:3, outer].any()) != alone


def test_what_is_not_the_object_has_no_loss_where_it_is_alone():
    one, two = batch(), batch()
    inputs = two['inputs']
    outside = (inputs['mask'] + inputs['hole'] == 0)[:, None].expand_as(inputs['image'])
    inputs['image'][outside] = 0
    for alone in (True, False):
        models = [completer(object_only=alone) for _ in range(2)]
        logs = [model.train_step(data, build_optim_wrapper(model, OPTIMISERS))
                for model, data in zip(models, (one, two))]
        same = [logs[0][name].item() == pytest.approx(logs[1][name].item()) for name in logs[0]]
        assert all(same) if alone else not any(same)


def test_objects_at_the_rim_wholly_hidden_or_empty():
    image = np.full((40, 40, 3), 9, np.uint8)
    amodal = np.zeros((3, 40, 40), np.uint8)
    amodal[0, :6, 30:], amodal[1, 10:20, 10:20] = 1, 1
    visible = amodal.copy()
    visible[0, :, 36:] = visible[1] = 0
    layers = whole(completer(dict(type='OneColour', value=9.)).complete(image, visible, amodal),
                   image)
    assert (layers[0, :6, 36:, :3] == 255).all() and (layers[0, :6, 30:33, :3] == 9).all()
    assert (layers[1, 10:20, 10:20] == 255).all()
    assert not layers[2].any()
    assert completer().complete(image, visible[:0], amodal[:0]) == []


def test_batches_do_not_change_the_result(scene):
    image, visible, amodal = scene
    visible = np.stack([visible[0]] * 3)
    amodal = np.stack([amodal[0] | np.roll(amodal[0], 2 * k, 1) for k in range(3)])
    results = []
    for size in (1, 16):
        model = completer(batch_size=size)
        for norm in model.modules():  # untrained, it would draw all but one colour
            if isinstance(norm, nn.BatchNorm2d):
                norm.momentum = None  # statistics of what comes next
        model.generator.decoder[0].weight.data *= 10_000
        model.train()(**batch())
        model.eval()
        results.append(whole(model.complete(image, visible, amodal), image).astype(int))
    assert np.abs(results[0] - results[1]).max() <= 1
    assert results[0][0][HIDDEN].std((0, 1)).max() > 10


def test_the_network_gets_category_ids(scene):
    image, visible, amodal = scene
    model = completer(dict(type='OneColour'), category_input=True)
    predict(model, image, sample_of(visible, amodal, category_ids=torch.tensor([5, 2])))
    assert model.generator.seen[0][0][:, 3].amax((1, 2)).tolist() == [5]
    with pytest.raises(ValueError, match='needs category ids'):
        predict(model, image, sample_of(visible, amodal))
