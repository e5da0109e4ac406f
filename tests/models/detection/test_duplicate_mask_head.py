"""Rows of class-wise layers, told by hand."""

import math

import pytest
import torch

from mmamodal.models.detection.duplicate_mask_head import (class_count, duplicate_mask_head,
                                                           make_class_agnostic, map_classes,
                                                           sources_by_name, start_both_heads)


def weights_of(classes: int = 3, masks: int = 3, boxes: int = 3, stage: str = '') -> dict:
    """A RoI head whose rows say which class they are of: 10, 20, ..., the background's 0."""
    rows = 10. * torch.arange(1, classes + 1)
    return {
        'backbone.conv1.weight': torch.ones(2),
        f'roi_head.bbox_head.{stage}fc_cls.weight': torch.cat([rows, torch.zeros(1)])[:, None],
        f'roi_head.bbox_head.{stage}fc_cls.bias': torch.cat([rows, torch.zeros(1)]),
        f'roi_head.bbox_head.{stage}fc_reg.weight':
            (rows[:boxes, None] + torch.arange(4.)).reshape(-1, 1),
        f'roi_head.bbox_head.{stage}fc_reg.bias': (rows[:boxes, None] + torch.arange(4.)).flatten(),
        f'roi_head.mask_head.{stage}convs.0.conv.weight': torch.ones(3),
        f'roi_head.mask_head.{stage}conv_logits.weight': rows[:masks].reshape(-1, 1, 1, 1),
        f'roi_head.mask_head.{stage}conv_logits.bias': rows[:masks],
    }


def rows(weights: dict, layer: str) -> list:
    (value, ) = (value for name, value in weights.items() if name.endswith(layer))
    return value.flatten().tolist()


@pytest.mark.parametrize('stage', ['', '0.'])
def test_visible_head_begins_as_the_amodal_one(stage):
    weights = weights_of(stage=stage)
    made = duplicate_mask_head(weights)
    new = {name for name in made if name not in weights}
    assert new == {f'roi_head.visible_mask_head.{stage}{layer}' for layer in (
        'convs.0.conv.weight', 'conv_logits.weight', 'conv_logits.bias')}
    for name in new:
        assert made[name] is weights[name.replace('visible_mask_head', 'mask_head')]
    assert {name: made[name] for name in weights} == weights


def test_head_by_itself_is_duplicated():
    assert set(duplicate_mask_head({'mask_head.a': torch.ones(1)})) == {
        'mask_head.a', 'visible_mask_head.a'}


def test_a_second_time_changes_nothing():
    once = duplicate_mask_head(weights_of())
    assert duplicate_mask_head(once) == once


@pytest.mark.parametrize('stage', ['', '1.'])
def test_classes_in_another_order(stage):
    made = map_classes(weights_of(stage=stage), [2, [0]])
    assert rows(made, 'fc_cls.weight') == rows(made, 'fc_cls.bias') == [30, 10, 0]
    assert rows(made, 'fc_reg.weight') == rows(made, 'fc_reg.bias') == [
        30, 31, 32, 33, 10, 11, 12, 13]
    assert rows(made, 'conv_logits.bias') == rows(made, 'conv_logits.weight') == [30, 10]
    assert made[f'roi_head.mask_head.{stage}conv_logits.weight'].shape == (2, 1, 1, 1)
    assert made[f'roi_head.bbox_head.{stage}fc_reg.weight'].shape == (8, 1)
    assert rows(made, 'convs.0.conv.weight') == [1, 1, 1]


def test_class_made_of_several_and_class_made_of_none():
    made = map_classes(weights_of(), [[0, 2], []])
    assert rows(made, 'fc_cls.weight') == [20, 20, 0]
    assert rows(made, 'fc_cls.bias') == pytest.approx([20 + math.log(2), 20, 0])
    assert rows(made, 'conv_logits.bias') == [20, 20]
    assert rows(made, 'fc_reg.bias') == [20, 21, 22, 23] * 2


def test_raised_bias_is_a_bound_of_the_probability_of_either():
    torch.manual_seed(0)
    logits = torch.randn(100, 5)
    merged = logits.mean(dim=1) + math.log(5)
    assert (merged <= logits.logsumexp(dim=1) + 1e-6).all()


def test_class_agnostic_layers_stay():
    made = map_classes(weights_of(masks=1, boxes=1), [1, 1])
    assert rows(made, 'conv_logits.bias') == [10]
    assert rows(made, 'fc_reg.bias') == [10, 11, 12, 13]
    assert rows(made, 'fc_cls.bias') == [20, 20, 0]


def test_one_mask_for_all_classes():
    made = make_class_agnostic(weights_of())
    assert made['roi_head.mask_head.conv_logits.weight'].flatten().tolist() == [20]
    assert made['roi_head.mask_head.conv_logits.weight'].shape == (1, 1, 1, 1)
    assert rows(made, 'conv_logits.bias') == [20]
    assert rows(made, 'fc_cls.bias') == [10, 20, 30, 0]


@pytest.mark.parametrize('options, masks, classifier', [
    (dict(), [10, 20, 30], [10, 20, 30, 0]),
    (dict(num_classes=3), [10, 20, 30], [10, 20, 30, 0]),
    (dict(num_classes=1), [20], [20 + math.log(3), 0]),
    (dict(num_classes=3, class_agnostic=True), [20], [10, 20, 30, 0]),
    (dict(num_classes=2, sources=[1, 0]), [20, 10], [20, 10, 0]),
    (dict(num_classes=2, sources=[1, 0], class_agnostic=True), [15], [20, 10, 0]),
    (dict(num_classes=7), [10, 20, 30], [10, 20, 30, 0])])
def test_start_of_both_heads(options, masks, classifier):
    made = start_both_heads(weights_of(), **options)
    assert made['roi_head.mask_head.conv_logits.bias'].tolist() == masks
    assert made['roi_head.visible_mask_head.conv_logits.bias'].tolist() == masks
    assert rows(made, 'fc_cls.bias') == pytest.approx(classifier)


def test_number_of_classes():
    assert class_count(weights_of(masks=1)) == 3
    assert class_count({'mask_head.conv_logits.bias': torch.zeros(4)}) == 4
    assert class_count({'backbone.conv1.weight': torch.ones(2)}) is None


@pytest.mark.parametrize('weights, sources, message', [
    (weights_of(), [3], r'classes \[3\] to begin with: expected numbers from 0 to 2'),
    (weights_of(), [[0, -1]], r'classes \[-1\]'),
    ({'backbone.conv1.weight': torch.ones(2)}, [0], 'no class-wise layers')])
def test_classes_that_are_not_there(weights, sources, message):
    with pytest.raises(ValueError, match=message):
        map_classes(weights, sources)


def test_sources_by_name():
    known = ('person', 'car', 'train')
    assert sources_by_name(['tram', 'car', 'misc', 'cyclist', 'person'], known,
                           dict(tram='train', cyclist='person')) == [[2], [1], [], [0], [0]]
    for same in (dict(tram='tran'), dict(trm='train')):
        with pytest.raises(ValueError, match='are not there: expected new names among'):
            sources_by_name(['tram'], known, same)
    with pytest.raises(ValueError, match=r"each class once, got \['car'\] more than once"):
        sources_by_name(['car', 'tram', 'car'], known)
