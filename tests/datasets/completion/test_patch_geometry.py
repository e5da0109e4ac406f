"""Patches turned, and cut out again around what is seen."""

import cv2
import numpy as np
import pytest

from mmamodal.datasets.completion.patch_geometry import FocusOnVisible, TurnPair, turned
from mmamodal.structures.patches import crop_mask, square_patch


def rectangle(x1: int, y1: int, x2: int, y2: int, size: int = 64) -> np.ndarray:
    mask = np.zeros((size, size), np.uint8)
    mask[y1:y2, x1:x2] = 1
    return mask


BAR = rectangle(20, 30, 60, 36)


@pytest.mark.parametrize('angle, quarters', [(0, 0), (90, 1), (180, 2), (-90, 3)])
def test_quarter_turns_are_exact(angle, quarters):
    np.testing.assert_array_equal(turned(BAR, angle), np.rot90(BAR, quarters))


def test_other_turns_keep_the_area():
    for angle in (10, 45, 77):
        mask = turned(rectangle(20, 20, 44, 44), angle)
        assert mask.dtype == np.uint8 and mask.max() == 1
        assert int(mask.sum()) == pytest.approx(24 * 24, rel=0.06)


def orientation(mask: np.ndarray) -> float:
    """Degrees of the long axis of a mask, in [0, 180)."""
    moments = cv2.moments(mask, binaryImage=True)
    axis = np.arctan2(2 * moments['mu11'], moments['mu20'] - moments['mu02']) / 2
    return float(np.degrees(axis)) % 180


def test_each_is_turned_by_itself_within_its_range():
    np.random.seed(0)
    bar = rectangle(12, 29, 52, 35)
    own, others = [], []
    for _ in range(60):
        results = TurnPair(20, 90)(dict(visible=bar, other_visible=bar, further_visible=[bar]))
        own.append((orientation(results['visible']) + 90) % 180 - 90)
        others += [orientation(mask) for mask in
                   (results['other_visible'], *results['further_visible'])]
    assert 15 < max(np.abs(own)) < 21 and min(own) < -10 and max(own) > 10
    assert np.histogram(others, bins=4, range=(0, 180))[0].min() > 10
    assert len(set(np.round(others, 3))) > 100


def test_without_further_ones_there_are_none():
    results = TurnPair()(dict(visible=BAR, other_visible=BAR))
    assert results['further_visible'] == []


STILL = dict(shift=0.0, zoom=(1.0, 1.0))


def hidden_square() -> dict:
    """Of a square, the left 10 of 30 columns are seen."""
    return dict(mask=rectangle(60, 60, 70, 90, 160), occluder=rectangle(70, 40, 120, 120, 160),
                target=rectangle(60, 60, 90, 90, 160))


def test_the_patch_is_that_of_test_time():
    results = FocusOnVisible(64, **STILL)(hidden_square())
    patch = square_patch((60, 60, 70, 90))
    for key in ('mask', 'occluder', 'target'):
        assert results[key].dtype == np.uint8
        np.testing.assert_array_equal(
            results[key], crop_mask(hidden_square()[key], patch, 64, smooth=True))
    x, _, w, _ = cv2.boundingRect(results['mask'])
    assert x + w / 2 == pytest.approx(32, abs=1)


def test_shift_and_zoom_keep_to_their_ranges():
    np.random.seed(0)
    centres, sizes = [], []
    for _ in range(200):
        x, _, w, h = cv2.boundingRect(FocusOnVisible(64)(hidden_square())['mask'])
        centres.append(x + w / 2)
        sizes.append(h)
    # 30 of a side of 33 / zoom; 0.05 of the side, by up to 1.1, and a pixel of the side
    assert 50 <= min(sizes) < 54 and 60 < max(sizes) <= 64
    assert 32 - 6.5 <= min(centres) < 31 and 33 < max(centres) <= 32 + 6.5


@pytest.mark.parametrize('side, taken', [(0, False), (13, False), (14, True)])
def test_what_is_hardly_seen_is_drawn_again(side, taken):
    """sqrt(3) * 13 = 22.5 is below 24 pixels, sqrt(3) * 14 = 24.2 is not."""
    given = dict(hidden_square(), mask=rectangle(60, 60, 60 + side, 60 + side, 160))
    assert (FocusOnVisible(64, **STILL)(given) is not None) == taken


def test_mask_and_occluder_stay_apart():
    np.random.seed(0)
    rng = np.random.default_rng(0)
    for _ in range(10):
        noise = cv2.blur(rng.random((96, 96)), (5, 5))
        mask = (noise > 0.5).astype(np.uint8)
        results = FocusOnVisible(64)(dict(mask=mask, occluder=1 - mask, target=mask))
        assert not (results['mask'] & results['occluder']).any()
