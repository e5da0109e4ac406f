import numpy as np
import pytest
from pictured_blocks import block, pixel

from mmamodal.visualization import drawing, sample_pictures
from mmamodal.visualization.sample_pictures import Annotated, Pair

BLUE, ORANGE, GREEN = (tuple(int(value) for value in colour)
                       for colour in drawing.object_colours(3))
WHITE, INK = (255, 255, 255), drawing.INK


def mixed(colour: tuple, opacity: float, ground: int = 255) -> tuple:
    return tuple(round((1 - opacity) * ground + opacity * value) for value in colour)


def annotated(amodal: list, visible: list, **fields) -> Annotated:
    fields = dict(boxes=np.zeros((0, 4)), ignored=np.zeros((0, 48, 48), np.uint8), names=(),
                  numbers=[''] * len(amodal), caption='c') | fields
    return Annotated(np.stack(amodal), np.stack(visible), **fields)


FRONT, MIDDLE, BACK, ALONE = (block(4, 4, 24, 24), block(14, 14, 34, 34), block(24, 24, 44, 44),
                              block(38, 2, 46, 10))
SEEN = [FRONT, MIDDLE & 1 - FRONT, BACK & 1 - MIDDLE, ALONE]


def test_fill_outline_and_stripes_lie_where_the_masks_are():
    ground = np.full((48, 48, 3), 255, np.uint8)
    objects = annotated([FRONT, MIDDLE], SEEN[:2])
    out = sample_pictures.draw_annotated(ground, objects)
    assert pixel(out, 8, 8) == mixed(BLUE, 0.4) and pixel(out, 28, 28) == mixed(ORANGE, 0.4)
    assert pixel(out, 4, 8) == BLUE and pixel(out, 33, 28) == ORANGE  # outlines
    hidden = {pixel(out, y, x) for y in range(16, 22) for x in range(16, 22)}
    assert hidden == {ORANGE, mixed(BLUE, 0.4)}
    assert pixel(out, 14, 20) in (BLUE, ORANGE) and pixel(out, 44, 44) == WHITE


def test_boxes_are_frames_at_the_scale_of_the_panel():
    ground = np.full((96, 96, 3), 255, np.uint8)
    objects = annotated([FRONT], [FRONT], boxes=np.array([[2, 3, 30, 40]]))
    out = sample_pictures.draw_annotated(ground, objects)
    frame = [pixel(out, y, x) == BLUE for y, x in ((6, 50), (79, 50), (50, 4), (50, 59))]
    assert all(frame) and pixel(out, 70, 50) == WHITE


def test_ignored_objects_are_grey():
    ground = np.full((48, 48, 3), 255, np.uint8)
    out = sample_pictures.draw_annotated(ground, annotated([FRONT], [FRONT], ignored=BACK[None]))
    assert pixel(out, 24, 34) == (60, 60, 60)
    assert pixel(out, 34, 34) == mixed((120, 120, 120), 0.55)


@pytest.mark.parametrize('visible', [FRONT, np.zeros_like(FRONT)])
def test_a_number_stands_in_the_middle_even_of_what_is_wholly_hidden(visible):
    ground = np.full((480, 480, 3), 255, np.uint8)
    objects = annotated([FRONT], [visible], numbers=['1'])
    bare = sample_pictures.draw_annotated(ground, objects._replace(numbers=['']))
    changed = (sample_pictures.draw_annotated(ground, objects) != bare).any(-1)
    ys, xs = np.nonzero(changed)
    assert abs(ys.mean() - 140) < 12 and abs(xs.mean() - 140) < 12 and 200 < changed.sum() < 600


def test_numbers_leave_out_empty_masks_and_empty_numbers():
    ground = np.full((48, 48, 3), 255, np.uint8)
    masks = np.stack([FRONT, np.zeros_like(FRONT)])
    out = drawing.draw_numbers(ground, masks, ['', '2'], drawing.object_colours(2))
    assert (out == 255).all()


def test_boxes_beyond_the_picture_are_cut_off_at_its_rim():
    ground = np.full((16, 16, 3), 255, np.uint8)
    out = drawing.draw_boxes(ground, np.array([[-5, 4, 40, 10]]), np.array([BLUE], np.uint8))
    assert pixel(out, 4, 0) == pixel(out, 9, 15) == pixel(out, 6, 15) == BLUE
    assert pixel(out, 6, 8) == WHITE and (ground == 255).all()


def test_tiles_stand_row_by_row():
    panels = [('a', np.full((20, 30, 3), value, np.uint8)) for value in (10, 20, 30)]
    panels[1] = ('b', np.full((40, 10, 3), 20, np.uint8))
    out = drawing.tile(panels, columns=2)
    assert out.shape == (5 + (40 + 33) + (20 + 33), 10 + 2 * 40, 3)
    assert [pixel(out, 28 + y, x) for y, x in ((10, 20), (10, 60), (73 + 10, 20), (30, 20))] == [
        (10, ) * 3, (20, ) * 3, (30, ) * 3, WHITE]


@pytest.mark.parametrize('size, shape', [
    ((128, 128), (768, 768)), ((480, 640), (480, 640)), ((800, 1067), (600, 800)),
    ((375, 1242), (375, 1242)), ((750, 2484), (386, 1280)), ((1, 4000), (1, 1280))])
def test_panels_of_annotated_images_are_large(size, shape):
    assert sample_pictures.panel_shape(*size) == shape


@pytest.mark.parametrize('image, count', [(None, 1), (np.zeros((48, 48, 3), np.uint8), 2)])
def test_an_image_stands_beside_what_is_annotated(image, count):
    objects = annotated([FRONT], [FRONT])
    panels = sample_pictures.annotated_panels(image, objects, 'a.png')
    assert len(panels) == count and panels[-1][0].startswith('c')
    assert ('no image' in panels[-1][0]) == (image is None)
    assert sample_pictures.small_picture(image, objects).shape == (256, 256, 3)


def pair_of(front: bool, **fields) -> Pair:
    target, other = block(8, 8, 24, 24, 32), block(16, 16, 30, 30, 32)
    mask, occluder = (target & 1 - other, other) if front else (target, other & 1 - target)
    return Pair(target, mask, occluder, other, ('cup', 'hat'), **fields)


@pytest.mark.parametrize('front, caption', [(True, 'set 1: hat in front of cup'),
                                            (False, 'set 2: hat behind cup')])
def test_pairs_say_which_set_they_are_of(front, caption):
    panels = sample_pictures.pair_panels(pair_of(front))
    assert [name for name, _ in panels] == [caption, 'mask', 'occluder', 'target']
    together = panels[0][1]  # enlarged eight times: stripes of the one that is behind
    stripes = {pixel(together, y, x) for y in range(140, 180) for x in range(140, 180)}
    behind, before = (BLUE, ORANGE) if front else (ORANGE, BLUE)
    assert stripes == {behind, mixed(before, 0.55, sample_pictures.PAPER)}


@pytest.mark.parametrize('front', [True, False])
def test_masks_of_a_pair_have_their_own_panels(front):
    pair = pair_of(front, boundary=block(14, 14, 18, 18, 32))
    panels = dict(sample_pictures.pair_panels(pair))
    for name, mask, colour in (('mask', pair.mask, BLUE), ('occluder', pair.occluder, ORANGE),
                               ('occlusion boundary', pair.boundary, INK),
                               ('target', pair.target, BLUE)):
        shown = (panels[name][::8, ::8] == np.array(colour)).all(-1)
        np.testing.assert_array_equal(shown, mask == 1)


def test_a_blend_shows_both_images_and_their_weight():
    bare, image = (np.full((32, 32, 3), value, np.uint8) for value in (50, 90))
    alpha = 0.8 * block(16, 16, 30, 30, 32).astype(np.float32)
    panels = sample_pictures.pair_panels(pair_of(True, bare_image=bare, image=image, alpha=alpha))
    assert [name for name, _ in panels[1:4]] == ['image before', 'image', 'α: 0, 0.8']
    assert [pixel(panel, 160, 160) for _, panel in panels[1:4]] == [(50, ) * 3, (90, ) * 3,
                                                                   (204, ) * 3]
    assert [name for name, _ in sample_pictures.pair_panels(pair_of(True, image=image))][1] == \
        'image'
