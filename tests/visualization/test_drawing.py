import numpy as np
import pytest

from mmamodal.visualization import drawing
from mmamodal.visualization.pictures import Objects, Patches, completion_picture, detection_picture

BLUE = (178, 114, 0)  # the palette's first colour, BGR
GREY = np.full((16, 16, 3), 128, np.uint8)


def block(top: int, left: int, bottom: int, right: int, size: int = 16) -> np.ndarray:
    mask = np.zeros((size, size), np.uint8)
    mask[top:bottom, left:right] = 1
    return mask


def is_colour(picture: np.ndarray, colour: tuple) -> np.ndarray:
    return (picture == np.array(colour, np.uint8)).all(-1)


@pytest.mark.parametrize('size, expected', [
    ((128, 128), (256, 256)),
    ((64, 48), (256, 192)),
    ((300, 260), (300, 260)),
    ((480, 640), (288, 384)),
    ((375, 1242), (232, 768)),
])
def test_panels_are_readable_and_not_huge(size, expected):
    assert drawing.panel_shape(*size) == expected


@pytest.mark.parametrize('count', [0, 1, 12, 30])
def test_colours_of_objects(count):
    colours = drawing.object_colours(count)
    assert colours.shape == (count, 3) and colours.dtype == np.uint8
    assert len(np.unique(colours, axis=0)) == min(count, 12)


def test_fill_mixes_inside_and_leaves_the_rest():
    out = drawing.fill(GREY, block(4, 4, 8, 8)[None], np.array([BLUE], np.uint8), opacity=0.5)
    assert out[5, 5].tolist() == [153, 121, 64]
    assert (out[block(4, 4, 8, 8) == 0] == 128).all()
    assert (GREY == 128).all()


def test_outline_lies_inside_the_mask_and_not_along_the_image_border():
    out = drawing.outline(GREY, block(0, 4, 10, 14)[None], np.array([BLUE], np.uint8), width=1)
    expected = block(0, 4, 10, 14) - block(0, 5, 9, 13)
    np.testing.assert_array_equal(is_colour(out, BLUE), expected == 1)


def test_stripes_show_colour_and_ground_in_equal_parts():
    out = drawing.stripe(GREY, block(0, 0, 16, 16)[None], np.array([BLUE], np.uint8))
    assert is_colour(out, BLUE).mean() == 0.5
    assert is_colour(out, (128, 128, 128)).mean() == 0.5


def test_stripes_of_two_objects_at_one_place_both_show():
    colours = drawing.object_colours(2)
    out = drawing.stripe(GREY, np.stack([block(0, 0, 16, 16)] * 2), colours)
    assert {tuple(pixel) for pixel in out.reshape(-1, 3)} == {
        *(tuple(colour) for colour in colours), (128, 128, 128)}


def test_the_added_part_is_unlike_the_visible_part():
    amodal, visible = block(0, 0, 16, 16, 32), block(0, 0, 16, 8, 32)
    ground = np.full((32, 32, 3), 200, np.uint8)
    out = drawing.draw_amodal(ground, amodal[None], visible[None], np.array([BLUE], np.uint8))
    seen, added = out[:14, :8].reshape(-1, 3), out[:14, 8:14].reshape(-1, 3)
    assert len(np.unique(seen, axis=0)) == 1
    assert {tuple(pixel) for pixel in added} == {BLUE, (200, 200, 200)}
    assert (out[16:] == 200).all()


def test_patches_return_to_their_place_and_the_largest_value_wins():
    values = np.stack([np.full((4, 4), 1.0), np.full((4, 4), 2.0)]).astype(np.float32)
    out = drawing.paste_patches(values, np.array([[0, 0, 4, 4], [2, 2, 6, 6]]), (8, 8))
    assert (out[:2, :2] == 1).all() and (out[2:6, 2:6] == 2).all()
    assert np.isnan(out[6:]).all() and np.isnan(out[0, 4:]).all()


@pytest.mark.parametrize('patch', [[-4, -4, 4, 4], [6, 6, 14, 14]])
def test_a_patch_may_leave_the_image(patch):
    out = drawing.paste_patches(np.zeros((1, 4, 4), np.float32), np.array([patch]), (8, 8))
    inside = np.zeros((8, 8), bool)
    inside[max(patch[1], 0):patch[3], max(patch[0], 0):patch[2]] = True
    np.testing.assert_array_equal(~np.isnan(out), inside)


def test_an_empty_patch_is_left_out():
    out = drawing.paste_patches(np.ones((1, 4, 4), np.float32), np.zeros((1, 4), int), (8, 8))
    assert np.isnan(out).all()


def test_heat_grows_brighter_with_the_value_and_leaves_the_rest():
    values = np.full((16, 16), np.nan, np.float32)
    values[:, :4], values[:, 4:8], values[:, 8:12] = 0.1, 0.4, 0.7
    out = drawing.draw_heat(GREY, values, top=0.7, opacity=1.0)
    bright = [int(out[0, column].sum()) for column in (0, 4, 8)]
    assert bright == sorted(bright) and len(set(bright)) == 3
    assert (out[:, 12:] == 128).all()
    assert out[0, 8].tolist() == drawing.HEAT[-1].tolist()


def test_name_tags_do_not_cover_one_another():
    ground = np.full((100, 100, 3), 255, np.uint8)
    colours = drawing.object_colours(2)
    masks = np.stack([block(10, 10, 50, 50, 100)] * 2)
    out = drawing.draw_names(ground, masks, ['cup', 'cup'], colours)
    first, second = (is_colour(out, tuple(colour)).sum() for colour in colours)
    assert abs(int(first) - int(second)) < 40 and first > 200


def test_predictions_take_the_colour_of_the_object_they_show():
    truth = np.stack([block(0, 0, 8, 8), block(8, 8, 16, 16)])
    masks = np.stack([block(8, 8, 16, 15), block(0, 0, 8, 7), block(0, 0, 8, 8),
                      block(0, 8, 8, 16)])
    colours = drawing.object_colours(2)
    matched = drawing.match_colours(masks, truth, colours)
    expected = [colours[1].tolist(), colours[0].tolist()] + [list(drawing.UNMATCHED)] * 2
    assert matched.tolist() == expected


@pytest.mark.parametrize('predicted, true', [(0, 0), (0, 2), (2, 0)])
def test_matching_with_none(predicted, true):
    matched = drawing.match_colours(np.zeros((predicted, 4, 4), np.uint8),
                                    np.zeros((true, 4, 4), np.uint8),
                                    drawing.object_colours(true))
    assert matched.tolist() == [list(drawing.UNMATCHED)] * predicted


@pytest.mark.parametrize('shape, size', [((40, 60), (78, 220)), ((30, 90), (131, 210))])
def test_panels_stand_in_a_row_or_if_elongated_in_two_columns(shape, size):
    panels = [(name, np.full((*shape, 3), shade, np.uint8))
              for name, shade in (('a', 50), ('b', 100), ('c', 150))]
    out = drawing.side_by_side(panels)
    assert out.shape == (*size, 3)
    assert [int((out == shade).all(-1).sum()) >= shape[0] * shape[1]
            for shade in (50, 100, 150)] == [True] * 3


def scene(count: int) -> tuple:
    """128×128 image, N amodal squares, what is seen of them, patches."""
    image = np.full((128, 128, 3), (30, 160, 90), np.uint8)
    amodal = np.array([block(30, 20 + 20 * i, 70, 60 + 20 * i, 128) for i in range(count)],
                      np.uint8).reshape(-1, 128, 128)
    hidden = np.array([amodal[i + 1:].any(0) for i in range(count)], bool).reshape(amodal.shape)
    places = np.array([[20 * i, 10, 80 + 20 * i, 90] for i in range(count)]).reshape(-1, 4)
    return image, amodal, amodal & ~hidden, places


def panels_of(picture: np.ndarray) -> list:
    """The 256×256 panels of a picture in a row."""
    count = (picture.shape[1] - 10) // 266
    return [picture[28:284, 10 + 266 * i:266 + 266 * i] for i in range(count)]


@pytest.mark.parametrize('count', [0, 1, 3])
@pytest.mark.parametrize('kind', ['uncertainty', 'no uncertainty', 'no patches'])
@pytest.mark.parametrize('with_truth', [True, False])
def test_completion_picture_has_a_panel_for_what_is_known(count, kind, with_truth):
    image, amodal, visible, places = scene(count)
    patches = None
    if kind != 'no patches':
        evidence = np.zeros((count, 32, 32), np.uint8)
        unsure = np.ones((count, 32, 32), np.float32) if kind == 'uncertainty' else None
        patches = Patches(places, evidence, True, unsure)
    objects = Objects(amodal, visible, 'predicted')
    out = completion_picture(image, objects, patches, objects if with_truth else None)
    panels = 3 + (patches is not None) + with_truth + (kind == 'uncertainty' and count > 0)
    assert len(panels_of(out)) == panels and out.dtype == np.uint8
    assert (panels_of(out)[0] == (30, 160, 90)).all()


def test_an_object_has_its_colour_in_all_panels():
    image, amodal, visible, places = scene(2)
    patches = Patches(places, np.zeros((2, 32, 32), np.uint8), True)
    panels = panels_of(completion_picture(image, Objects(amodal, visible, 'predicted'), patches,
                                          Objects(amodal, visible, 'truth')))
    for panel in (panels[1], panels[3], panels[4]):
        assert is_colour(panel[60:140, 40:42], BLUE).all()
        assert is_colour(panel[60:140, 158:160], drawing.PALETTE[1][::-1]).all()


@pytest.mark.parametrize('is_boundary, share', [(True, 1.0), (False, 0.5)])
def test_evidence_is_inked_where_its_patch_lies(is_boundary, share):
    image, amodal, visible, places = scene(1)
    evidence = np.zeros((1, 40, 40), np.uint8)
    evidence[0, 10:20, 10:20] = 1  # a patch of side 80 at (0, 10): image pixels 20..39, 30..49
    panel = panels_of(completion_picture(image, Objects(amodal, visible, ''),
                                         Patches(places, evidence, is_boundary)))[2]
    inked = is_colour(panel, drawing.INK)
    assert inked[64:96, 44:76].mean() == pytest.approx(share, abs=0.05)
    inked[60:100, 40:80] = False
    assert not inked.any()


def test_detection_picture_pairs_colours_and_greys_false_alarms():
    image, amodal, visible, _ = scene(2)
    false_alarm = block(90, 90, 120, 120, 128)
    masks = np.stack([amodal[1], false_alarm, amodal[0]])
    out = detection_picture(image, Objects(masks, masks, 'predicted'),
                            Objects(amodal, visible, 'truth'))
    _, predicted, truth = panels_of(out)
    for panel in (predicted, truth):
        assert is_colour(panel[62:138, 158:160], drawing.PALETTE[1][::-1]).all()
    assert is_colour(predicted[182:238, 180:182], drawing.UNMATCHED).all()


@pytest.mark.parametrize('count, true', [(0, 0), (0, 2), (2, None), (0, None)])
def test_detection_picture_with_none(count, true):
    image, amodal, _, _ = scene(count)
    truth = None if true is None else Objects(*scene(true)[1:3], 'truth')
    out = detection_picture(image, Objects(amodal, amodal, 'predicted'), truth)
    assert len(panels_of(out)) == (2 if true is None else 3)
