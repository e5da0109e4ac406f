"""mergedAMRCNN on masks of a few pixels."""

import numpy as np
import pytest

from mmamodal.evaluation.predictions.merged_predictions import match, merge_predictions
from mmamodal.structures.segmentation import decode, encode


def entry(row, score, category_id=1, image_id=1, **more):
    """A detection whose mask is one row of pixels, written '##..'."""
    mask = np.array([[pixel == '#' for pixel in row]], np.uint8)
    return dict(image_id=image_id, category_id=category_id, score=score,
                segmentation=encode(mask), **more)


def shown(result):
    """Entries as (amodal, visible, invisible, score)."""
    def row(rle):
        return ''.join('.#'[pixel] for pixel in decode(rle, *rle['size'])[0])
    return [(row(e['segmentation']), row(e['visible_mask']), row(e['invisible_mask']), e['score'])
            for e in result.entries]


@pytest.mark.parametrize('visible, expected, matched', [
    # IoU 3/4: the visible mask is taken, the score is the mean of both.
    ([entry('###.', 0.5)], ('####', '###.', '...#', 0.625), 1),
    # IoU 1/2 is not more than 1/2.
    ([entry('##..', 0.5)], ('####', '####', '....', 0.75), 0),
    # Another class.
    ([entry('####', 0.5, category_id=2)], ('####', '####', '....', 0.75), 0),
    # Of two the one with the larger IoU, not the one with the better score.
    ([entry('###.', 1.0), entry('####', 0.25)], ('####', '####', '....', 0.5), 1),
    ([entry('....', 0.5)], ('####', '####', '....', 0.75), 0),
    ([], ('####', '####', '....', 0.75), 0)])
def test_an_amodal_detection_takes_the_visible_mask_that_fits(visible, expected, matched):
    result = merge_predictions([entry('####', 0.75)], visible)
    assert shown(result) == [expected]
    assert result.matched == matched


def test_a_visible_mask_reaches_beyond_the_amodal_one():
    result = merge_predictions([entry('####.', 1.0)], [entry('.####', 0.5)])
    assert shown(result) == [('####.', '.####', '#....', 0.75)]


def test_other_keys_of_the_amodal_entry_stay():
    result = merge_predictions([entry('####', 1.0, bbox=[0, 0, 4, 1])],
                               [entry('###.', 0.5, bbox=[0, 0, 3, 1])])
    assert result.entries[0]['bbox'] == [0, 0, 4, 1]


@pytest.mark.parametrize('one_to_one, expected', [
    (True, [('####', '####', '....', 0.5), ('###.', '###.', '....', 0.625)]),
    (False, [('####', '###.', '...#', 0.5), ('###.', '###.', '....', 0.625)])])
def test_the_better_amodal_detection_chooses_first(one_to_one, expected):
    amodal = [entry('####', 0.5), entry('###.', 0.75)]
    result = merge_predictions(amodal, [entry('###.', 0.5)], one_to_one=one_to_one)
    assert shown(result) == expected


def test_a_choice_left_over_is_second_best():
    # Both overlap the second visible mask most; the better one gets it.
    ious = np.array([[0.6, 0.8, 0.0], [0.7, 0.9, 0.0], [0.0, 0.0, 0.4]])
    assert match(ious, [0.5, 0.9, 0.7]).tolist() == [0, 1, -1]
    assert match(ious, [0.9, 0.5, 0.7]).tolist() == [1, 0, -1]
    assert match(ious, [0.9, 0.9, 0.9]).tolist() == [1, 0, -1]
    assert match(ious, [0.5, 0.9, 0.7], iou_thr=0.65).tolist() == [-1, 1, -1]
    assert match(ious, [0.5, 0.9, 0.7], one_to_one=False).tolist() == [1, 1, -1]
    assert match(ious, [0.5, 0.9, 0.7], iou_thr=0).tolist() == [0, 1, 2]
    assert match(np.zeros((0, 3)), []).tolist() == []
    assert match(np.zeros((2, 0)), [1, 2]).tolist() == [-1, -1]


@pytest.mark.parametrize('keep, expected', [
    (False, [('####', '####', '....', 0.75)]),
    (True, [('####', '####', '....', 0.75), ('#...', '#...', '....', 0.5)])])
def test_visible_detections_that_nothing_took(keep, expected):
    result = merge_predictions([entry('####', 0.75)], [entry('#...', 0.5)], keep_unmatched=keep)
    assert shown(result) == expected
    taken = merge_predictions([entry('####', 0.75)], [entry('####', 0.25)], keep_unmatched=keep)
    assert shown(taken) == [('####', '####', '....', 0.5)]


def test_images_do_not_mix():
    amodal = [entry('####', 0.75, image_id=7), entry('##..', 0.5, image_id=3),
              entry('..##', 0.25, image_id=7)]
    visible = [entry('####', 0.25, image_id=3), entry('..##', 0.25, image_id=7),
               entry('#...', 1.0, image_id=9)]
    result = merge_predictions(amodal, visible, keep_unmatched=True)
    assert [e['image_id'] for e in result.entries] == [7, 7, 3, 3, 9]
    assert [s for *_, s in shown(result)] == [0.75, 0.25, 0.5, 0.25, 1.0]
    assert merge_predictions([], []).entries == []
    assert merge_predictions([], visible).entries == []
    assert len(merge_predictions([], visible, keep_unmatched=True).entries) == 3


@pytest.mark.parametrize('amodal, visible, options, message', [
    ([entry('####', 1.0)], [entry('###', 1.0)], {}, r'image 1 has masks of the sizes \[\(1, 3\)'),
    ([entry('####', 1.0)], [entry('####', 1.0, image_id=5)], {}, 'no image is in both'),
    ([], [], dict(iou_thr=1), 'threshold from 0 to below 1, got 1')])
def test_predictions_that_do_not_belong_together(amodal, visible, options, message):
    with pytest.raises(ValueError, match=message):
        merge_predictions(amodal, visible, **options)
