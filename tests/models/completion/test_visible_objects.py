"""The visible masks of an image, by hand."""

import numpy as np

from mmamodal.models.completion.visible_objects import VisibleObjects


def rectangle(x1: int, y1: int, x2: int, y2: int) -> np.ndarray:
    mask = np.zeros((20, 30), np.uint8)
    mask[y1:y2, x1:x2] = 1
    return mask


# Two of 4x4 pixels with a gap of two columns between them, and one of which nothing is seen.
MASKS = np.stack([rectangle(4, 6, 8, 10), rectangle(10, 6, 14, 10), rectangle(0, 0, 0, 0)])
MIDDLE = 9  # the second column of the gap; either may own it


def objects(visible: np.ndarray = MASKS, gap: float = 0.0) -> VisibleObjects:
    """Patches have sides of 8 pixels."""
    return VisibleObjects(visible, np.ones(len(visible)), None, enlarge=4.0, contact_gap=gap)


def test_boxes_and_patches():
    found = objects()
    assert found.boxes.tolist() == [[4, 6, 8, 10], [10, 6, 14, 10], [0, 0, 0, 0]]
    assert found.patches.tolist() == [[2, 4, 10, 12], [8, 4, 16, 12], [0, 0, 0, 0]]
    assert found.sides.tolist() == [8, 8, 0] and found.seen.tolist() == [True, True, False]
    assert found.visible is found.given is MASKS


def test_none():
    found = objects(MASKS[:0], gap=0.5)
    assert found.patches.shape == found.boxes.shape == (0, 4) and len(found.seen) == 0


def test_a_gap_is_closed_and_patches_stay():
    found = objects(gap=0.64)  # a third and a sixteenth of it are two of eight pixels
    assert found.given is MASKS and (found.visible >= MASKS).all()
    assert found.visible[:2].any(0)[6:10, 8:10].all() and not found.visible[2].any()
    assert found.patches.tolist() == objects().patches.tolist()
    assert found.boxes[0, 2] == found.boxes[1, 0] in (8, MIDDLE, 10)
    assert (objects(gap=0.62).visible == MASKS).all()


def test_union_inside_a_patch():
    union = objects().union([0, 1], (6, 4, 12, 8))
    assert union.shape == (4, 6) and union.tolist() == [[0] * 6] * 2 + [[1, 1, 0, 0, 1, 1]] * 2
    assert not objects().union([], (6, 4, 12, 8)).any()
    assert objects().union([0], (-2, 8, 6, 12))[:2, 6:].all()  # which leaves the image


def test_clip_cuts_off_what_is_of_neither():
    mask = rectangle(2, 4, 10, 12)  # all of the first one's patch
    objects().clip(mask, 0, [])
    np.testing.assert_array_equal(mask, MASKS[0])
    wide = rectangle(8, 4, 16, 12)
    objects().clip(wide, 1, [0])
    np.testing.assert_array_equal(wide, MASKS[1])  # nothing of the other is on this patch


def test_the_given_masks_are_united():
    found = objects(gap=0.25)
    masks = np.zeros_like(MASKS)
    found.unite(masks)
    np.testing.assert_array_equal(masks, MASKS)
