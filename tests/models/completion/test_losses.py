"""Losses: published values, optima found numerically, and no NaN."""

import math

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from scipy.optimize import minimize

from mmamodal.models.completion.losses import CompletionLoss

# One 2×2 patch: foreground and uncertainty (or background and foreground) logits.
LOGITS = torch.tensor([[[[0., 1.], [-2., 3.]], [[0., -1.], [0.5, -3.]]]])
TARGET = torch.tensor([[[1, 0], [0, 1]]], dtype=torch.uint8)
OCCLUDER = torch.tensor([[[1, 0], [1, 0]]], dtype=torch.uint8)
UNCERTAIN = ['UncertaintyLoss', 'GaussianLoss', 'UncertaintyBCELoss']
ALL = ['RegionWeightedCrossEntropy', *UNCERTAIN]


def build(kind: str, **options) -> CompletionLoss:
    return MODELS.build(dict(type=kind, **options))


# The published code divides by n·h·w + 1 = 5, but in the cross-entropy by n·h·w.
@pytest.mark.parametrize('kind, published', [
    ('UncertaintyLoss', 1.6322327 * 5 / 4),
    ('UncertaintyBCELoss', 4.9092264 * 5 / 4),
    ('RegionWeightedCrossEntropy', 5.6223974),
])
def test_published_values(kind, published):
    loss = build(kind, min_uncertainty=1e-6)(LOGITS, TARGET, OCCLUDER)
    assert loss.shape == ()
    assert loss.item() == pytest.approx(published, rel=1e-6)


def test_published_values_of_each_pixel():
    loss = build('UncertaintyLoss', min_uncertainty=1e-6).per_pixel(LOGITS, TARGET.float())
    np.testing.assert_allclose(loss[0], [[0.5004, 2.7721], [0.4819, 0.4775]], atol=5e-5)


SOFTPLUS_ONE = math.log(math.e - 1)  # softplus of it is 1


@pytest.mark.parametrize('kind, u, expected', [
    ('UncertaintyLoss', 1.0, 0.125 + 0.5),
    ('UncertaintyLoss', 1.5, 0.125 / 2.25 + 1.125),
    ('GaussianLoss', 1.0, 0.125),
    ('GaussianLoss', 1.5, 0.125 / 2.25 + math.log(1.5)),
    ('UncertaintyBCELoss', 1.0, 0.5 * math.log(2) + 0.5),
    ('UncertaintyBCELoss', 1.5, 0.5 * math.log(2) / 2.25 + 1.125),
])
@pytest.mark.parametrize('target', [0., 1.])
def test_formulas_by_hand(kind, u, expected, target):
    """m = 0.5, so that t - m is a half in either class; u is 1 + the floor."""
    logits = torch.tensor([0., SOFTPLUS_ONE]).reshape(1, 2, 1, 1)
    loss = build(kind, min_uncertainty=u - 1 or 1e-12)
    assert loss.uncertainty(logits).item() == pytest.approx(u)
    assert loss(logits, torch.full((1, 1, 1), target),
                torch.zeros(1, 1, 1)).item() == pytest.approx(expected)


@pytest.mark.parametrize('weight', [1.0, 5.0, 0.0, 2.5])
@pytest.mark.parametrize('kind', ALL)
def test_pixels_inside_the_occluder_weigh_more(kind, weight):
    loss = build(kind, occluder_weight=weight)
    pixels = loss.per_pixel(LOGITS, TARGET.float())
    inside, outside = pixels[OCCLUDER == 1].sum(), pixels[OCCLUDER == 0].sum()
    torch.testing.assert_close(loss(LOGITS, TARGET, OCCLUDER), (weight * inside + outside) / 4)


@pytest.mark.parametrize('kind', ALL)
def test_the_mean_is_over_all_pixels_of_the_batch(kind):
    loss = build(kind)
    doubled = [torch.cat([x, x]) for x in (LOGITS, TARGET, OCCLUDER)]
    torch.testing.assert_close(loss(*doubled), loss(LOGITS, TARGET, OCCLUDER))


def test_channels_are_read_as_each_loss_learns_them():
    ce, ours = build('RegionWeightedCrossEntropy'), build('UncertaintyLoss', min_uncertainty=0.25)
    torch.testing.assert_close(ce.probability(LOGITS), LOGITS.softmax(1)[:, 1])
    assert ce.uncertainty(LOGITS) is None
    torch.testing.assert_close(ours.probability(LOGITS), LOGITS[:, 0].sigmoid())
    torch.testing.assert_close(ours.uncertainty(LOGITS), (1 + LOGITS[:, 1].exp()).log() + 0.25)


def best(kind: str, p: float, free: str) -> tuple:
    """(m, u, loss) that minimise the loss of a pixel which is foreground with chance p.

    ``free`` = 'u' keeps m = 0.5.
    """
    loss = build(kind, min_uncertainty=1e-9)

    def value(z: np.ndarray) -> tuple:
        z = torch.tensor([0., *z] if free == 'u' else z, dtype=torch.float64, requires_grad=True)
        logits = z.reshape(1, 2, 1, 1).expand(2, 2, 1, 1)
        pixels = loss.per_pixel(logits, torch.tensor([1., 0.]).reshape(2, 1, 1).double())
        total = pixels.flatten() @ torch.tensor([p, 1 - p]).double()
        total.backward()
        return total.item(), z.grad.numpy()[-1:] if free == 'u' else z.grad.numpy()

    found = minimize(value, [0.5] if free == 'u' else [0.1, 0.5], jac=True, tol=1e-12)
    z = torch.tensor([0., *found.x] if free == 'u' else found.x).double().reshape(1, 2, 1, 1)
    return loss.probability(z).item(), loss.uncertainty(z).item(), found.fun


@pytest.mark.parametrize('kind, u, least', [
    ('UncertaintyLoss', 0.5**0.5, 0.5),  # u² = |t - m|, loss |t - m|
    ('GaussianLoss', 0.5, 0.5 + math.log(0.5)),  # u = |t - m|
    ('UncertaintyBCELoss', math.log(2)**0.25, math.log(2)**0.5),  # u⁴ = BCE
])
def test_best_uncertainty_of_a_given_error(kind, u, least):
    _, found_u, found_least = best(kind, 1.0, 'u')
    assert found_u == pytest.approx(u, rel=1e-4)
    assert found_least == pytest.approx(least, rel=1e-6)


@pytest.mark.parametrize('p', [0.5, 0.3, 0.8])
def test_best_mask_is_the_chance_of_foreground(p):
    """The mask stays calibrated; the uncertainty goes with the variance or the entropy."""
    variance = p * (1 - p)
    entropy = -p * math.log(p) - (1 - p) * math.log(1 - p)
    expected = {'UncertaintyLoss': (p, variance**0.25, variance**0.5),
                'GaussianLoss': (p, variance**0.5, 0.5 * (1 + math.log(variance))),
                'UncertaintyBCELoss': (p, entropy**0.25, entropy**0.5)}
    for kind, values in expected.items():
        np.testing.assert_allclose(best(kind, p, 'both'), values, rtol=1e-3, err_msg=kind)


EXTREMES = torch.cartesian_prod(*[torch.tensor([-60., -14., 0., 14., 60.])] * 2)


@pytest.mark.parametrize('min_uncertainty', [1e-6, 1e-2])
@pytest.mark.parametrize('kind', ALL)
def test_huge_logits_give_finite_loss_and_gradient(kind, min_uncertainty):
    logits = EXTREMES.T.reshape(1, 2, 5, 5).repeat(4, 1, 1, 1).requires_grad_()
    target = torch.tensor([0, 1, 0, 1], dtype=torch.uint8).reshape(4, 1, 1).expand(4, 5, 5)
    occluder = torch.tensor([0, 0, 1, 1], dtype=torch.uint8).reshape(4, 1, 1).expand(4, 5, 5)
    loss = build(kind, min_uncertainty=min_uncertainty)(logits, target, occluder)
    loss.backward()
    assert loss.isfinite() and logits.grad.isfinite().all()


def test_the_floor_bounds_what_one_confident_error_costs():
    logits = torch.tensor([math.log(3 / 7), -14.]).reshape(1, 2, 1, 1)  # error 0.7, u ≈ 0
    pixel = [torch.ones(1, 1, 1), torch.zeros(1, 1, 1)]
    published = build('UncertaintyLoss', min_uncertainty=1e-6)(logits, *pixel).item()
    assert published == pytest.approx(7e10, rel=0.1)
    assert build('UncertaintyLoss')(logits, *pixel).item() == pytest.approx(0.49 / 2e-4, rel=1e-3)


@pytest.mark.parametrize('options', [dict(occluder_weight=-1.0), dict(min_uncertainty=0.0),
                                     dict(min_uncertainty=-1e-6)])
@pytest.mark.parametrize('kind', ALL)
def test_options_out_of_range_are_refused(kind, options):
    with pytest.raises(ValueError, match='expected occluder_weight >= 0 and min_uncertainty > 0'):
        build(kind, **options)


def test_the_base_is_no_loss():
    with pytest.raises(NotImplementedError):
        CompletionLoss()(LOGITS, TARGET, OCCLUDER)
