import io
import re

import cv2
import numpy as np
import pytest
from PIL import Image

from mmamodal.annotations import drawn_annotations as drawn
from mmamodal.annotations.drawn_annotations import (AMODAL, VISIBLE, DrawnImage, Outline,
                                                    amodal_coco, annotate, check_file_name,
                                                    check_size, photo_size, place_patch, read_label,
                                                    summary, unite)
from mmamodal.structures.segmentation import decode, encode

H, W = 6, 12


def mask(text):
    """Rows of a small mask, '#' where it is set, padded to H×W."""
    out = np.zeros((H, W), np.uint8)
    for y, row in enumerate(text.split('/')):
        out[y, :len(row)] = [letter == '#' for letter in row]
    return out


WHOLE, LEFT, RIGHT, ASTRAY = (mask(text) for text in (
    '########/########', '##/##', '......##/......##', '.......#####/.......#####'))


def outline(pixels, part=None, group=None, depth=None, label='cup', number=1, occluded=False):
    return Outline(f'shape {number}', label, encode(pixels), part, group, depth, occluded)


def image(*outlines, file_name='a.jpg', source='a.json'):
    return DrawnImage(source, file_name, (H, W), outlines)


def masks(annotation):
    return decode(annotation['segmentation'], H, W), decode(annotation['visible_mask'], H, W)


@pytest.mark.parametrize('label, ticked, expected', [
    ('cup', [], ('cup', None)),
    (' cup ', ['difficult'], ('cup', None)),
    ('cup:visible', [], ('cup', VISIBLE)),
    ('cup : Amodal', [], ('cup', AMODAL)),
    ('cup', ['Visible'], ('cup', VISIBLE)),
    ('cup:amodal', ['amodal'], ('cup', AMODAL)),
    ('cup:red', [], ('cup:red', None)),
    ('a:b:visible', [], ('a:b', VISIBLE)),
    ('invisible', [], ('invisible', None)),
    (7, [], ('7', None)),
])
def test_label(label, ticked, expected):
    assert read_label(label, ticked) == expected


@pytest.mark.parametrize('label, ticked, message', [
    ('', [], 'expected the class of the object as label, got'),
    (None, [], 'got None'),
    (':visible', [], "got ':visible'"),
    ('cup:visible', ['amodal'], 'both amodal and visible'),
])
def test_bad_label(label, ticked, message):
    with pytest.raises(ValueError, match=message):
        read_label(label, ticked)


@pytest.mark.parametrize('parts', [
    (AMODAL, VISIBLE, VISIBLE), (None, VISIBLE, VISIBLE), (AMODAL, None, None), (None, None, None),
    (AMODAL, None, VISIBLE),
])
@pytest.mark.parametrize('turn', [0, 1, 2])
def test_an_object_that_its_occluder_splits(parts, turn):
    shapes = [outline(pixels, part, group=3)
              for pixels, part in zip((WHOLE, LEFT, RIGHT), parts)]
    (annotation, ), notes = annotate(image(*shapes[turn:], *shapes[:turn]))
    amodal, visible = masks(annotation)
    np.testing.assert_array_equal(amodal, WHOLE)
    np.testing.assert_array_equal(visible, LEFT | RIGHT)
    assert (annotation['bbox'], annotation['area']) == ([0, 0, 8, 2], 16)
    assert annotation['occlude_rate'] == 0.5 and 'order' not in annotation and not notes


def test_shapes_without_a_group_are_objects_of_which_nothing_is_hidden():
    annotations, notes = annotate(image(outline(LEFT), outline(RIGHT), outline(WHOLE, AMODAL)))
    assert [ann['area'] for ann in annotations] == [4, 4, 16]
    assert notes == [(drawn.SHARED, 'a.json, shape 1')] * 3  # the last one lies over both
    assert not annotate(image(outline(LEFT), outline(RIGHT)))[1]
    for annotation, expected in zip(annotations, (LEFT, RIGHT, WHOLE)):
        np.testing.assert_array_equal(masks(annotation), [expected, expected])


def test_objects_stand_in_the_order_of_their_first_shapes():
    shapes = [outline(LEFT, group=2), outline(RIGHT), outline(WHOLE, group=2),
              outline(ASTRAY, group=0)]
    assert [item.name for item in unite(shapes)] == ['group 2 (shape 1, shape 1)', 'shape 1',
                                                     'group 0 (shape 1)']


def test_no_shapes():
    assert annotate(image()) == annotate(image(), by_depth=True) == ([], [])


@pytest.mark.parametrize('shapes, message', [
    ([(LEFT, VISIBLE)], r'group 3 \(shape 1\): expected an amodal outline, got visible ones only'),
    ([(WHOLE, AMODAL), (ASTRAY, AMODAL)], 'expected one amodal outline, got 2;'),
    ([(WHOLE, None), (ASTRAY, None)], 'got 2, since they are not marked.*cup:visible'),
    ([(WHOLE, None), (ASTRAY, None), (LEFT, VISIBLE)], 'expected one amodal outline, got 2'),
    ([(LEFT, None), (RIGHT, None)], 'none is around the rest'),
    ([(WHOLE, AMODAL), (ASTRAY, VISIBLE)], 'less than half of shape 2, a visible outline, is ins'),
    ([(WHOLE, AMODAL), (LEFT, VISIBLE), (ASTRAY, VISIBLE)], 'less than half of shape 3'),
    ([(np.zeros_like(WHOLE), None)], 'shape 1 covers no pixel of the image'),
    ([(WHOLE, None), (np.zeros_like(WHOLE), VISIBLE)], 'shape 2 covers no pixel of the image'),
])
def test_a_group_that_is_no_object_is_named(shapes, message):
    outlines = [outline(pixels, part, group=3, number=number)
                for number, (pixels, part) in enumerate(shapes, 1)]
    with pytest.raises(ValueError, match=message) as error:
        annotate(image(*outlines))
    assert str(error.value).startswith('a.json: ') and '\n' not in str(error.value)


def test_visible_outline_without_a_group_is_named():
    with pytest.raises(ValueError, match='a.json: shape 1: expected an amodal outline'):
        annotate(image(outline(LEFT, VISIBLE)))


def test_two_classes_in_a_group():
    with pytest.raises(ValueError, match='group 1 .*expected one class in a group'):
        annotate(image(outline(WHOLE, group=1), outline(LEFT, group=1, label='box')))


def test_long_groups_are_shortened():
    shapes = [outline(WHOLE, AMODAL, group=1, number=number) for number in range(1, 9)]
    with pytest.raises(ValueError, match=r'group 1 \(shape 1, .*, shape 4, …\): expected one'):
        annotate(image(*shapes))


def test_visible_is_cut_at_the_amodal_outline():
    wide = mask('#########/')
    pair = outline(WHOLE, group=1), outline(wide, VISIBLE, group=1)
    (annotation, ), notes = annotate(image(*pair))
    np.testing.assert_array_equal(masks(annotation)[1], mask('########'))
    assert notes == [(drawn.CUT, 'a.json, group 1 (shape 1, shape 1)')]


def test_marked_as_occluded_but_nothing_is_hidden():
    alone = outline(WHOLE, occluded=True)
    assert annotate(image(alone))[1] == [(drawn.UNHIDDEN, 'a.json, shape 1')]
    pair = outline(WHOLE, group=1, occluded=True), outline(LEFT, VISIBLE, group=1)
    assert annotate(image(*pair))[1] == []


def test_depth_hides_what_is_behind():
    back, middle, front = (mask(text) for text in ('########', '..######', '....########'))
    shapes = [outline(middle, depth=0), outline(front, depth=5), outline(back, depth=-1)]
    annotations, _ = annotate(image(*shapes), by_depth=True)
    assert [ann['order'] for ann in annotations] == [2, 1, 3]
    for annotation, seen in zip(annotations, ('..##', '....########', '##')):
        np.testing.assert_array_equal(masks(annotation)[1], mask(seen))
    flat, _ = annotate(image(*shapes))
    assert all(ann['occlude_rate'] == 0 and 'order' not in ann for ann in flat)


def test_a_visible_outline_stands_against_the_depth_order():
    shapes = [outline(WHOLE, group=1, depth=0), outline(RIGHT, VISIBLE, group=1, depth=9),
              outline(LEFT, depth=1)]
    annotations, _ = annotate(image(*shapes), by_depth=True)
    np.testing.assert_array_equal(masks(annotations[0])[1], RIGHT)
    assert [ann['order'] for ann in annotations] == [2, 1]


def test_wholly_hidden_is_kept_and_noted():
    annotations, notes = annotate(image(outline(LEFT, depth=1), outline(WHOLE, depth=2)), True)
    assert annotations[0]['occlude_rate'] == 1 and not masks(annotations[0])[1].any()
    assert notes == [(drawn.GONE, 'a.json, shape 1')]


@pytest.mark.parametrize('depths, what', [((1, 1), 'the same'), ((None, 1), 'no'),
                                          ((None, None), 'no')])
def test_overlap_without_an_order(depths, what):
    shapes = [outline(pixels, depth=depth, number=number)
              for number, (pixels, depth) in enumerate(zip((WHOLE, LEFT), depths), 1)]
    with pytest.raises(ValueError, match=f'a.json: shape 1 and shape 2 overlap and have {what} d'):
        annotate(image(*shapes), by_depth=True)
    both_drawn = [outline(WHOLE, group=1), outline(RIGHT, VISIBLE, group=1),
                  outline(mask('########'), group=2), outline(LEFT, VISIBLE, group=2)]
    assert len(annotate(image(*both_drawn), by_depth=True)[0]) == 2


def test_neighbours_that_overlap_by_a_rim_need_no_order():
    one = mask('###########/###########/###########/########')
    other = mask('///.......#####/############/############')
    assert (one & other).sum() == 1 < drawn.RIM * other.sum()
    annotations, _ = annotate(image(outline(one), outline(other, depth=3)), by_depth=True)
    assert [ann['occlude_rate'] for ann in annotations] == [0, 0]
    assert 'order' not in annotations[0] and annotations[1]['order'] == 1


def test_file_is_sorted_and_numbered_from_one():
    images = [
        image(outline(LEFT), outline(RIGHT, label='box'), file_name='b/2.jpg', source='2'),
        image(file_name='c.jpg', source='3'),
        image(outline(WHOLE), file_name='a.jpg', source='1')
    ]
    coco, notes = amodal_coco(iter(images))
    assert coco['images'] == [
        dict(id=number, file_name=name, height=H, width=W)
        for number, name in enumerate(('a.jpg', 'b/2.jpg', 'c.jpg'), 1)]
    assert coco['categories'] == [dict(id=1, name='box'), dict(id=2, name='cup')]
    assert [(ann['id'], ann['image_id'], ann['category_id'], ann['area'])
            for ann in coco['annotations']] == [(1, 1, 2, 16), (2, 2, 2, 4), (3, 2, 1, 4)]
    assert all(ann['iscrowd'] == 0 and 'label' not in ann for ann in coco['annotations'])
    assert amodal_coco(images[::-1]) == (coco, notes) and not notes
    assert summary(coco, notes).split('\n')[0] == (
        'images: 3 (1 without objects); objects: 3 (0 occluded); box 1, cup 2')


def test_classes_are_chosen_but_the_others_still_hide():
    shapes = image(outline(WHOLE, depth=0), outline(LEFT, depth=1, label='hand'))
    coco, notes = amodal_coco([shapes], classes=['spoon', 'cup'], by_depth=True)
    assert coco['categories'] == [dict(id=1, name='spoon'), dict(id=2, name='cup')]
    (annotation, ) = coco['annotations']
    assert (annotation['category_id'], annotation['occlude_rate']) == (2, 0.25)
    assert notes == [(drawn.OTHER, "a.json, 'hand'")]
    assert "left out, of a class not chosen: 1; the first is a.json, 'hand'" in summary(coco, notes)


@pytest.mark.parametrize('images, classes, message', [
    ([], None, 'nothing is annotated on 0 images'),
    ([image()], None, r'nothing is annotated on 1 images: .*any class, got none'),
    ([image(outline(LEFT))], ['box'], r"expected objects of \['box'\], got \['cup'\]"),
    ([image(outline(LEFT))], ['cup', 'cup'], "each class once, got 'cup' twice"),
    ([image(outline(LEFT), source='1'), image(source='2')], None,
     "1 and 2 are both about the image 'a.jpg'"),
])
def test_files_that_make_no_sense(images, classes, message):
    with pytest.raises(ValueError, match=message):
        amodal_coco(images, classes)


def test_summary_says_what_to_look_at(tmp_path):
    coco, notes = amodal_coco([image(outline(LEFT, occluded=True)), image(file_name='b.jpg')])
    (tmp_path / 'b.jpg').touch()
    lines = summary(coco, notes, tmp_path).split('\n')
    assert len(lines) == 4 and 'no object is occluded' in lines[1]
    assert re.search('images not in .*: 1; the first is a.jpg', lines[2])
    assert re.search('nothing is hidden.*: 1; the first is a.json, shape 1$', lines[3])


@pytest.mark.parametrize('corner, expected', [
    ((0, 0), '###/##'), ((2, 1), '/..###/..##'), ((-1, 0), '##/#'), ((10, 0), '..........##/' * 2),
    ((99, -99), '')
])
def test_patches_are_placed_and_cut_at_the_border(corner, expected):
    patch = mask('###/##')[:2, :3]
    np.testing.assert_array_equal(decode(place_patch(patch, corner, (H, W)), H, W), mask(expected))


@pytest.mark.parametrize('name, expected', [('a.jpg', 'a.jpg'), ('b\\a.jpg', 'b/a.jpg'),
                                            ('./b//c/../a.jpg', 'b/a.jpg')])
def test_file_name(name, expected):
    assert check_file_name(name, 'move it') == expected


@pytest.mark.parametrize('name', ['', '.', '../a.jpg', 'b/../../a.jpg', '/a.jpg', 'C:\\b\\a.jpg',
                                  '..\\a.jpg', 'b/C:/a.jpg'])
def test_file_name_that_leads_elsewhere(name):
    with pytest.raises(ValueError, match='inside the image folder, got .*; move it'):
        check_file_name(name, 'move it')


def write_jpeg(path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = io.BytesIO()
    Image.new('RGB', (W, H)).save(data, 'JPEG', exif=exif)
    path.write_bytes(data.getvalue())
    return str(path)


@pytest.mark.parametrize('orientation', [1, 3, 6, 8])
def test_sizes_are_those_that_images_are_loaded_with(tmp_path, orientation):
    path = write_jpeg(tmp_path / 'a.jpg', orientation)
    size = cv2.imread(path).shape[:2]
    assert photo_size(path) == size == check_size(None, None, path) == check_size(*size, path)
    with pytest.raises(ValueError, match=f'but .*a.jpg is {size[0]} high and {size[1]} wide'):
        check_size(size[1], size[0], path)


@pytest.mark.parametrize('size', [(None, None), (6, None), (0, 6), (6., 6), ('6', 6), (True, 6),
                                  (10**6, 10**6)])
def test_no_size(size):
    with pytest.raises(ValueError, match='expected height and width in pixels, got .*--images'):
        check_size(*size, 'absent.jpg')
