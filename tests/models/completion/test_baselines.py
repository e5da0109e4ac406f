"""Hulls and orders of literal masks."""

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from mmamodal.models import HullCompleter
from mmamodal.models.completion.baselines import baseline_order, order_by
from mmamodal.structures.amodal_masks import AmodalMasks

# 2 lies between the arms of the square bracket of 1s, which goes on behind it, and 3 is apart.
SCENE = """
1111.33
1222.33
1222...
1111...
"""
HULL = """
1111...
1111...
1111...
1111...
"""


def masks_of(text: str, count: int = 3) -> np.ndarray:
    rows = np.array([list(row) for row in text.split()])
    return np.stack([rows == str(i + 1) for i in range(count)]).astype(np.uint8)


VISIBLE = masks_of(SCENE)
BEHIND = np.array([(0, -1, 0), (1, 0, 0), (0, 0, 0)])


def predict(method: str, visible: np.ndarray, amodal: object = None,
            order: str = 'hull', gap: float = 0.0) -> DetDataSample:
    masks = AmodalMasks(visible if amodal is None else amodal, *visible.shape[1:], visible=visible)
    sample = DetDataSample(gt_instances=InstanceData(
        masks=masks, labels=torch.arange(len(visible)), ann_ids=torch.arange(len(visible)) + 5))
    (result, ) = HullCompleter(method, order, gap).test_step(dict(data_samples=[sample]))
    return result


@pytest.mark.parametrize('method, first', [('raw', VISIBLE[0]), ('convex', masks_of(HULL)[0]),
                                           ('convexr', masks_of(HULL)[0])])
def test_completions_by_hand(method, first):
    result = predict(method, VISIBLE)
    expected = np.stack([first, VISIBLE[1], VISIBLE[2]])
    np.testing.assert_array_equal(result.pred_instances.masks, expected)
    np.testing.assert_array_equal(result.pred_order, BEHIND)
    assert result.pred_instances.masks.dtype == torch.bool
    assert result.pred_order.dtype == torch.int8
    assert result.pred_instances.labels.tolist() == [0, 1, 2]
    assert result.pred_instances.ann_ids.tolist() == [5, 6, 7]


def test_the_restricted_hull_does_not_grow_over_the_ground():
    bracket = masks_of(SCENE.replace('2', '.'), 1)
    np.testing.assert_array_equal(predict('convex', bracket).pred_instances.masks,
                                  masks_of(HULL, 1))
    np.testing.assert_array_equal(predict('convexr', bracket).pred_instances.masks, bracket)


def test_the_restricted_hull_reaches_behind_ancestors():
    # 1 grows behind 2 and 2 behind 3, which does not touch 1 but stands inside its hull.
    visible = masks_of('11111 12221 12321 12221 1...1')
    result = predict('convexr', visible)
    np.testing.assert_array_equal(result.pred_order, [(0, -1, 0), (1, 0, -1), (0, 1, 0)])
    expected = visible[0] | visible[1] | visible[2]
    np.testing.assert_array_equal(result.pred_instances.masks[0], expected)


APART = """
1111111
1......
1..2222
1......
1111111
"""
JOINED = """
1111111
1.11111
1..1111
1.11111
1111111
"""


def test_hulls_are_drawn_where_gaps_are_closed():
    # A third object, of which nothing is visible, changes nothing.
    visible = masks_of(APART)
    expected = np.stack([masks_of(JOINED)[0], *visible[1:]])
    result = predict('convexr', visible, gap=2)
    np.testing.assert_array_equal(result.pred_instances.masks, expected)
    np.testing.assert_array_equal(result.pred_order, BEHIND)
    as_given = predict('convexr', visible)
    np.testing.assert_array_equal(as_given.pred_instances.masks, visible)
    assert not as_given.pred_order.any()
    raw = predict('raw', visible, gap=2)
    np.testing.assert_array_equal(raw.pred_instances.masks, visible)
    np.testing.assert_array_equal(raw.pred_order, BEHIND)


# Two pairs that touch: 1 and 2 (unlike in area), 3 and 4 (alike in area and in mean row).
PAIRS_SCENE = """
112.34
112.34
11..34
"""
PAIRS_VISIBLE = masks_of(PAIRS_SCENE, 4)


@pytest.mark.parametrize('kind, first, second', [
    ('area_smaller', -1, -1),  # 2 is smaller; on a tie the second is in front
    ('area_larger', 1, 1), ('yaxis', 1, 1),  # 1 reaches further down; on a tie the first
    ('hull', 0, 0)])
def test_orders_by_hand(kind, first, second):
    expected = np.zeros((4, 4))
    expected[0, 1], expected[1, 0] = first, -first
    expected[2, 3], expected[3, 2] = second, -second
    sample = predict('raw', PAIRS_VISIBLE, order=kind)
    np.testing.assert_array_equal(sample.pred_order, expected)
    assert sample.pred_order.dtype == torch.int8
    np.testing.assert_array_equal(sample.pred_instances.masks, PAIRS_VISIBLE)


def test_the_mean_row_decides_and_not_the_lowest_pixel():
    # 2 reaches lower than 1, but most of it is above.
    visible = masks_of('.22 .22 112 112 ..2', 2)
    assert predict('raw', visible, order='yaxis').pred_order[0, 1] == 1


def test_the_restricted_hull_goes_by_the_chosen_order():
    # By area the small core is in front of the bracket, as by hull; the other way round it hides
    # nothing of it.
    smaller, larger = (predict('convexr', VISIBLE, order=f'area_{size}')
                       for size in ('smaller', 'larger'))
    np.testing.assert_array_equal(smaller.pred_instances.masks[0], masks_of(HULL)[0])
    np.testing.assert_array_equal(larger.pred_instances.masks, VISIBLE)


def test_pairs_that_do_not_touch_have_no_order():
    none = np.zeros((0, 2), np.int64)
    for kind in ('hull', 'area_smaller', 'area_larger', 'yaxis'):
        assert not baseline_order(kind, VISIBLE, VISIBLE, none).any()
    assert order_by(np.zeros(0), none).shape == (0, 0)


@pytest.mark.parametrize('method', ['raw', 'convex', 'convexr'])
def test_none_empty_and_one(method):
    none = predict(method, np.zeros((0, 4, 5), np.uint8))
    assert none.pred_instances.masks.shape == (0, 4, 5) and none.pred_order.shape == (0, 0)
    empty = predict(method, np.zeros((2, 4, 5), np.uint8))
    assert not empty.pred_instances.masks.any() and not empty.pred_order.any()
    one = predict(method, VISIBLE[2:])
    np.testing.assert_array_equal(one.pred_instances.masks, VISIBLE[2:])


@pytest.mark.parametrize('method', ['raw', 'convex', 'convexr'])
def test_truth_is_not_read(method):
    one, other = predict(method, VISIBLE), predict(method, VISIBLE, np.ones_like(VISIBLE))
    torch.testing.assert_close(one.pred_instances.masks, other.pred_instances.masks)
    torch.testing.assert_close(one.pred_order, other.pred_order)


def test_refusals():
    with pytest.raises(ValueError, match="expected method to be one of .'raw', .*got 'x'"):
        HullCompleter('x')
    with pytest.raises(ValueError, match="expected order to be one of .'hull', .*got 'area'"):
        HullCompleter(order='area')
    with pytest.raises(ValueError, match='contact_gap to be at least 0 pixels, got -1'):
        HullCompleter(contact_gap=-1)
    with pytest.raises(ValueError, match="nothing to learn.* got 'loss'; test it"):
        HullCompleter()(data_samples=[], mode='loss')
