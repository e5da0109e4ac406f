"""Contact across a gap."""

import numpy as np
import pytest

from mmamodal.structures.gaps import bridge_gap


def strips(width: int, rows: int = 9) -> tuple:
    """Object left, occluder right, ``width`` empty columns between them."""
    mask = np.zeros((rows, 40), np.uint8)
    mask[:, :10] = 1
    occluder = np.zeros_like(mask)
    occluder[:, 10 + width:30] = 1
    return mask, occluder


@pytest.mark.parametrize('width, gap, closed', [
    (0, 0, 0), (0, 5, 0), (1, 0, 0), (1, 1, 1), (3, 2, 0), (3, 3, 3), (5, 5, 5), (6, 5, 0),
    (6, 5.5, 0), (5, 9, 5)])
def test_a_straight_gap_closes_where_it_is_no_wider(width, gap, closed):
    mask, occluder = strips(width)
    bridged = bridge_gap(mask, occluder, gap)
    assert bridged.dtype == np.uint8
    added = bridged - occluder
    assert added[4].sum() == closed and added[4, 10:10 + closed].all()
    assert not (added & mask).any() and ((bridged & occluder) == occluder).all()


def test_no_way_over_the_bridge_is_longer_than_the_gap():
    """Against distances to every pixel of either, by hand."""
    rng = np.random.default_rng(0)
    mask, occluder = (rng.random((2, 24, 24)) < 0.02).astype(np.uint8)
    occluder &= 1 - mask
    yx = np.stack(np.nonzero(np.ones_like(mask)), axis=1)

    def distances(to: np.ndarray) -> np.ndarray:
        away = yx[:, None] - np.stack(np.nonzero(to), axis=1)[None]
        return np.sqrt((away**2).sum(-1)).min(1).reshape(24, 24)

    way = distances(mask) + distances(occluder)
    bridge = bridge_gap(mask, occluder, 6) & (1 - occluder)
    # OpenCV's distances are within 2 % of the true ones
    assert (way[bridge == 1] <= 7 * 1.02).all()
    rest = (bridge == 0) & (mask == 0) & (occluder == 0)
    assert (way[rest] >= 7 * 0.98).all() and bridge.sum() > 20


def test_nothing_is_bridged_to_nothing():
    mask, occluder = strips(3)
    nothing = np.zeros_like(mask)
    np.testing.assert_array_equal(bridge_gap(nothing, occluder, 9), occluder)
    assert not bridge_gap(mask, nothing, 9).any()


def test_a_gap_below_zero_is_refused():
    with pytest.raises(ValueError, match='gap of at least 0 pixels, got -1'):
        bridge_gap(*strips(1), -1)
