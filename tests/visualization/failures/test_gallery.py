"""Pictures of failures: what they show at known pixels."""

import numpy as np
import pytest

from mmamodal.evaluation.detection.amodal_overlaps import Predicted, Truth
from mmamodal.structures.segmentation import encode
from mmamodal.visualization.failures import gallery
from mmamodal.visualization.failures.failures import Failure
from mmamodal.visualization.failures.judged import Judged, judge
from mmamodal.visualization.pictures import Objects

CLASSES = ('cup', 'hat')
BLUE, ORANGE = (178, 114, 0), (0, 159, 230)  # the palette's first colours, BGR
SIZE = (96, 120)


def mask(top: int, left: int, bottom: int, right: int) -> np.ndarray:
    out = np.zeros(SIZE, np.uint8)
    out[top:bottom, left:right] = 1
    return out


CUP, HAT, SEEN = mask(20, 20, 60, 60), mask(20, 70, 60, 100), mask(20, 20, 60, 40)


def judged_image(visible: bool = True, count: int = 1) -> Judged:
    """A cup and a hat; the cup is found, seen in its left half."""
    truth = Truth(np.array([0, 1]), [encode(CUP), encode(HAT)], [encode(SEEN), encode(HAT)],
                  np.zeros(2, bool), np.full(2, -1))
    predicted = Predicted(np.zeros(count, np.int64), np.full(count, 0.9), [encode(CUP)] * count,
                          [encode(SEEN)] * count if visible else None, None)
    return judge(truth, predicted, 0.5)


FALSE = Failure('false_occlusion', 0.5, '', 0, (0, ), 0)
MERGED = Failure('merged', 0.5, '', 0, (0, 1), 0)
MISSED = Failure('missed', 0.5, '', 0, (1, ))
MISSED_NEAR = Failure('missed', 0.5, '', 0, (1, ), 0)
IMAGE = np.full((*SIZE, 3), 90, np.uint8)


@pytest.mark.parametrize('failure, predicted, true, others', [
    (FALSE, ['cup 0.90 50%'], ['cup 50%'], (0, 1)),
    (MERGED, ['cup 0.90 50%'], ['cup 50%', 'hat'], (0, 0)),
    (MISSED, [], ['hat'], (1, 1)),
    (MISSED_NEAR, ['cup 0.90 50%'], ['hat'], (0, 1)),
])
def test_sides_show_what_a_failure_is_about(failure, predicted, true, others):
    left, right = gallery.read_sides(judged_image(), failure, CLASSES)
    assert (left.objects.names, right.objects.names) == (predicted, true)
    assert (len(left.others), len(right.others)) == others
    assert left.objects.amodal.shape == (len(predicted), *SIZE)
    assert left.colours.shape == (len(predicted), 3)
    assert right.colours.tolist() == [list(BLUE), list(ORANGE)][:len(true)]
    assert left.colours.tolist() == [list(gallery.WRONG if failure.kind == 'missed' else BLUE)
                                     ] * len(predicted)


def test_masks_of_a_detection():
    objects = gallery.read_sides(judged_image(), FALSE, CLASSES)[0].objects
    np.testing.assert_array_equal(objects.visible[0], SEEN)
    assert objects.invisible is None
    plain = gallery.read_sides(judged_image(visible=False), FALSE, CLASSES)[0].objects
    np.testing.assert_array_equal(plain.visible[0], CUP)
    assert plain.names == ['cup 0.90']
    judged = judged_image(visible=False)
    judged = judged._replace(predicted=judged.predicted._replace(invisible=[encode(CUP - SEEN)]))
    direct = gallery.read_sides(judged, FALSE, CLASSES)[0].objects
    np.testing.assert_array_equal(direct.visible[0], SEEN)
    np.testing.assert_array_equal(direct.invisible[0], CUP - SEEN)


@pytest.mark.parametrize('box, expected', [
    ((20, 30, 40, 60), (20, 5, 71, 56)),  # 1.7 times 30 around its middle, (45, 30)
    ((0, 0, 4, 4), (0, 0, 48, 48)),  # 48 at least, inside the image
    ((90, 110, 96, 120), (72, 48, 120, 96)),
    ((0, 0, 96, 120), (0, 0, 120, 96)),
    ((0, 0, 90, 10), (0, 0, 120, 96)),
])
def test_window_is_about_square_and_inside_the_image(box, expected):
    side = gallery.Side(Objects(mask(*box)[None], mask(*box)[None], ''), np.zeros((1, 3)),
                        np.zeros((0, *SIZE)))
    assert gallery.window_of([side]) == expected


def test_panel_shows_the_object_and_outlines_the_others():
    judged = judged_image()
    left, right = gallery.read_sides(judged, FALSE, CLASSES)
    panel = gallery.draw_side(None, right._replace(objects=right.objects._replace(names=())),
                              (0, 0, 120, 96), SIZE)
    assert panel[40, 40].tolist() in (list(BLUE), [gallery.PAPER] * 3)  # striped
    assert tuple(panel[20, 30]) == BLUE  # the amodal outline
    assert len(np.unique(panel[24:56, 24:36].reshape(-1, 3), axis=0)) == 1  # filled
    assert {tuple(pixel) for pixel in panel[24:56, 44:56].reshape(-1, 3)} == {
        BLUE, (gallery.PAPER, ) * 3}
    assert tuple(panel[40, 70]) == gallery.BYSTANDER and (panel[40, 80] == gallery.PAPER).all()


@pytest.mark.parametrize('image, panels', [(IMAGE, 3), (None, 2)])
@pytest.mark.parametrize('failure', [FALSE, MERGED, MISSED, MISSED_NEAR])
def test_picture_has_its_panels(image, panels, failure):
    judged = judged_image()
    picture = gallery.failure_picture(image, judged, failure, CLASSES, 'x')
    width = gallery.drawing.panel_shape(*_window_size(judged, failure))[1]
    assert picture.dtype == np.uint8 and picture.shape[1] == 10 + panels * (width + 10)
    assert (picture[:10] == 255).all() and picture[10:30, :30].min() < 100  # the title
    again = gallery.failure_picture(image, judged, failure, CLASSES, 'x')
    np.testing.assert_array_equal(picture, again)


def _window_size(judged: Judged, failure: Failure) -> tuple:
    x1, y1, x2, y2 = gallery.window_of(gallery.read_sides(judged, failure, CLASSES))
    return y2 - y1, x2 - x1


@pytest.mark.parametrize('image', [IMAGE, None])
def test_small_pictures_have_one_width_and_no_names(image):
    small = gallery.small_picture(image, judged_image(), MERGED, CLASSES, side=120)
    assert small.shape == (96, 244, 3)  # of an image that is no square, 120×96
    assert (small[:, 120:124] == 255).all()
    ground = 159 if image is not None else gallery.PAPER
    assert (small[:20, :20] == ground).all() and (small[:20, 124:140] == ground).all()


def test_sheet_and_title():
    small = np.zeros((20, 40, 3), np.uint8)
    sheet = gallery.contact_sheet([('1', small)] * 4, 'Missed')
    assert sheet.shape == (34 + 5 + 2 * (20 + 23 + 10), 10 + 3 * 50, 3)
    assert (sheet == 0).all(-1).sum() == 4 * 20 * 40
    wide = gallery.titled(small, 'a title that is longer than the picture')
    assert wide.shape[0] == 54 and wide.shape[1] > 200 and (wide[34:, 40:] == 255).all()
