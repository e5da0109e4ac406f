"""labelme_to_amodal.py, cvat_to_amodal.py: what is drawn comes out pixel for pixel, or is named."""

import base64
import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from xml.sax.saxutils import quoteattr

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools import mask as mask_utils

from mmamodal.apis.running.command_line import run_tool
from mmamodal.datasets import AmodalCocoDataset, LoadAmodalAnnotations
from mmamodal.structures.segmentation import decode

REPO = Path(__file__).parents[2]
H, W = 40, 60
CUP = [[5.3, 4.1], [31, 4.5], [30.2, 33.7], [6, 34]]
CUP_LEFT = [[5.3, 4.1], [15.5, 4.2], [15, 33.9], [6, 34]]
CUP_RIGHT = [[20, 5], [31, 4.5], [30.2, 33.7], [20.4, 33]]
BOX = [[15, 2], [20.5, 2], [20.2, 38.4], [15.1, 38]]
OUTSIDE = [[40, 10], [75, 10], [75, 55], [40, 55]]


def load_tool(name: str) -> ModuleType:
    """tools/dataset_converters/NAME.py as a module."""
    path = REPO / 'tools' / 'dataset_converters' / f'{name}.py'
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LABELME, CVAT = load_tool('labelme_to_amodal'), load_tool('cvat_to_amodal')


def fill(*polygons):
    """Oracle: polygons as pycocotools fills them, united."""
    flat = [np.ravel(polygon).tolist() for polygon in polygons]
    return mask_utils.decode(mask_utils.merge(mask_utils.frPyObjects(flat, H, W)))


def shape(label, points, group=None, **fields):
    return dict(label=label, points=points, group_id=group, shape_type='polygon', flags={},
                description='', mask=None) | fields


def write_labelme(path, *shapes, **fields):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(dict(
        version='5.5.0', flags={}, shapes=shapes, imagePath=f'{path.stem}.png', imageData=None,
        imageHeight=H, imageWidth=W) | fields))


def polygon(label, points, inside='', **fields):
    """<polygon> of CVAT."""
    text = ';'.join(f'{x:.2f},{y:.2f}' for x, y in points)
    return element('polygon', inside, label=label, points=text, **fields)


def element(tag, inside='', **fields):
    attributes = {'occluded': 0, 'z_order': 0, 'source': 'manual', **fields}
    text = ' '.join(f'{key}={quoteattr(str(value))}' for key, value in attributes.items())
    return f'<{tag} {text}>{inside}</{tag}>'


def ticked(name, value='true'):
    return f'<attribute name="{name}">{value}</attribute>'


def write_cvat(path, *shapes, name='a.png', more=''):
    path.write_text(f'<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version>'
                    f'<meta><task/></meta><image id="0" name={quoteattr(name)} width="{W}" '
                    f'height="{H}">{"".join(shapes)}</image>{more}</annotations>')


def write_images(folder, *names, size=(H, W)):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), np.full((*size, 3), 90, np.uint8))


def convert(tool, *args):
    """The file that a tool writes; its last argument but options names it."""
    tool.main([str(arg) for arg in args])
    return json.loads(Path(args[1]).read_text())


def error_of(capsys, tool, *args):
    """The one line that a tool ends with."""
    assert run_tool(lambda: tool.main([str(arg) for arg in args])) == 1
    printed = capsys.readouterr().err
    assert printed.startswith('error: ') and printed.count('\n') == 1
    return printed


def masks(coco):
    return [(decode(ann['segmentation'], H, W), decode(ann['visible_mask'], H, W))
            for ann in coco['annotations']]


def assert_masks(coco, *expected):
    """Amodal and visible masks of all annotations, in their order."""
    assert len(coco['annotations']) == len(expected)
    for found, pair in zip(masks(coco), expected):
        np.testing.assert_array_equal(found, pair)


VISIBLE = fill(CUP_LEFT, CUP_RIGHT) & fill(CUP)
PAIRS = (fill(BOX), fill(BOX)), (fill(CUP), VISIBLE)
BY_DEPTH = (fill(BOX), fill(BOX)), (fill(CUP), fill(CUP) & ~fill(BOX) & 1)


@pytest.mark.parametrize('marks', [
    (dict(label='cup'), dict(label='cup:visible')),
    (dict(label='cup:amodal'), dict(label='cup')),
    (dict(flags=dict(visible=False, old=True)), dict(flags=dict(visible=True))),
    (dict(), dict()),
])
def test_labelme_pairs(tmp_path, marks):
    amodal, visible = marks
    write_labelme(tmp_path / 'a.json', shape('box', BOX), shape('cup', CUP_LEFT, 4) | visible,
                  shape('cup', CUP, 4) | amodal, shape('cup', CUP_RIGHT, 4) | visible)
    coco = convert(LABELME, tmp_path, tmp_path / 'out.json')
    assert_masks(coco, *PAIRS)
    assert [ann['category_id'] for ann in coco['annotations']] == [1, 2]


@pytest.mark.parametrize('option, box, cup', [
    ('description', dict(description='old box, order=1'), dict(description='order = 2')),
    ('description', dict(flags={'order=-3': True, 'order=9': False}), dict(description='order=0')),
])
def test_labelme_order_in_words(tmp_path, option, box, cup):
    write_labelme(tmp_path / 'a.json', shape('box', BOX, **box), shape('cup', CUP, **cup))
    coco = convert(LABELME, tmp_path, tmp_path / 'out.json', '--order-by', option)
    assert_masks(coco, *BY_DEPTH)
    assert [ann['order'] for ann in coco['annotations']] == [1, 2]


def test_labelme_order_of_shapes(tmp_path):
    write_labelme(tmp_path / 'a.json', shape('cup', CUP, description='order=1'), shape('box', BOX))
    coco = convert(LABELME, tmp_path, tmp_path / 'out.json', '--order-by', 'shape')
    assert_masks(coco, *BY_DEPTH[::-1])
    assert [ann['order'] for ann in coco['annotations']] == [2, 1]


def painted(patch):
    return base64.b64encode(cv2.imencode('.png', patch)[1].tobytes()).decode()


def test_labelme_shapes(tmp_path):
    patch = np.array([[0, 1, 1], [1, 1, 0]], np.uint8)
    fields = [dict(shape_type='rectangle', points=[[20.5, 30], [10, 5.2]]),
              dict(shape_type='circle', points=[[30, 20], [33, 24]]),
              dict(shape_type='mask', points=[[7, 3], [9, 4]], mask=painted(patch)),
              dict(shape_type='mask', points=[[58, 38], [60, 39]], mask=painted(255 * patch)),
              dict(shape_type=None, points=OUTSIDE)]
    write_labelme(tmp_path / 'a.json', *(shape('cup', []) | field for field in fields))
    found = [amodal for amodal, _ in masks(convert(LABELME, tmp_path, tmp_path / 'out.json'))]
    np.testing.assert_array_equal(found[0], fill([[20.5, 30], [10, 30], [10, 5.2], [20.5, 5.2]]))
    y, x = np.mgrid[:H, :W] + 0.5
    distance = np.hypot(x - 30, y - 20)
    assert found[1][distance < 4.5].all() and not found[1][distance > 5.5].any()
    for mask, (x, y), pixels in ((found[2], (7, 3), patch), (found[3], (58, 38), patch[:, :2])):
        expected = np.zeros((H, W), np.uint8)
        expected[y:y + 2, x:x + pixels.shape[1]] = pixels
        np.testing.assert_array_equal(mask, expected)
    np.testing.assert_array_equal(found[4], fill([[40, 10], [W, 10], [W, H], [40, H]]))


def test_labelme_folders(tmp_path, capsys):
    """Sorted and numbered by file name, images without shapes kept, our own output passed over."""
    for name in ('b', 'sub/a', 'a'):
        write_labelme(tmp_path / f'{name}.json', *[shape('cup', CUP)] * (name != 'a'))
    (tmp_path / '._a.json').write_bytes(b'\0')
    write_images(tmp_path, 'a.png', 'b.png')
    out = tmp_path / 'out.json'
    coco = convert(LABELME, tmp_path, out)
    assert [(i['id'], i['file_name']) for i in coco['images']] == [
        (1, 'a.png'), (2, 'b.png'), (3, 'sub/a.png')]
    assert [(ann['id'], ann['image_id']) for ann in coco['annotations']] == [(1, 2), (2, 3)]
    printed = capsys.readouterr().out
    assert 'images: 3 (1 without objects); objects: 2 (0 occluded); cup 2' in printed
    assert re.search('images not in .*: 1; the first is sub/a.png', printed)
    before = out.read_bytes()
    assert convert(LABELME, tmp_path, out) == coco and out.read_bytes() == before
    files = [tmp_path / 'sub/a.json', out, '--images', tmp_path]
    assert convert(LABELME, *files)['images'][0]['file_name'] == 'sub/a.png'


@pytest.mark.parametrize('image_path, place, options', [
    ('../images/a.png', 'images/a.png', ['--images', 'images']),
    ('..\\images\\a.png', 'images/a.png', ['--images', 'images']),
    ('a.png', 'images/a.png', ['--images', 'images']),
    ('C:\\Users\\me\\a.png', 'labels/a.png', []),
    ('/home/me/a.png', 'images/a.png', ['--images', 'images']),
])
def test_labelme_finds_images(tmp_path, monkeypatch, image_path, place, options):
    monkeypatch.chdir(tmp_path)
    write_images(tmp_path, place)
    write_labelme(tmp_path / 'labels/x.json', shape('cup', CUP), imagePath=image_path,
                  imageHeight=None, imageWidth=None)
    coco = convert(LABELME, 'labels', 'out.json', *options)
    assert coco['images'] == [dict(id=1, file_name='a.png', height=H, width=W)]


@pytest.mark.parametrize('fields, message', [
    (dict(label=''), "shape 2 '': expected the class"),
    (dict(label='cup:visible'), 'shape 2 .*: expected an amodal outline, got visible ones only'),
    (dict(points=CUP[:2]), "shape 2 'cup': a polygon of 2 points: expected 3 or more"),
    (dict(points=[[1, 2], [3]] * 2), r'expected points \[\[x, y\]'),
    (dict(points=[[1, 2], [3, 4], [5, float('nan')]]), 'finite numbers'),
    (dict(points=[[1, 2], [3, 4], [5, 1e9]]), '1,000,000 pixels away'),
    (dict(points=None), 'expected points'),
    (dict(points=[[70, 50], [80, 50], [80, 60]]), "shape 2 'cup' covers no pixel"),
    (dict(shape_type='line'), "a 'line' has no area that is known here; expected a polygon"),
    (dict(shape_type=['x']), 'has no area'),
    (dict(shape_type='rectangle'), 'a rectangle of 4 points: expected 2;'),
    (dict(shape_type='mask', points=CUP[:2], mask='!'), 'expected a PNG in base64'),
    (dict(shape_type='mask', points=CUP[:2]), 'expected a PNG in base64'),
    (dict(flags=['visible']), "shape 2 'cup': expected flags as a dict"),
    (dict(group_id=1.5), 'group_id as a number, got .* and 1.5'),
    (dict(group_id=7), 'group 7 .*expected one class in a group'),
    (dict(description='order=two'), 'expected one order=NUMBER in description and flags'),
    (dict(description='order=1, order=2'), 'expected one order=NUMBER'),
    (dict(description='order=5'), 'overlap and have the same depth: .*order=1 in the desc'),
    (dict(), 'overlap and have no depth'),
])
def test_labelme_bad_shapes(tmp_path, capsys, fields, message):
    write_labelme(tmp_path / 'a.json', shape('box', BOX, 7, description='order=5'),
                  shape('cup', CUP) | fields)
    out = tmp_path / 'out.json'
    error = error_of(capsys, LABELME, tmp_path, out, '--order-by', 'description')
    assert re.search(message, error) and str(tmp_path / 'a.json') in error and not out.exists()


@pytest.mark.parametrize('content, message', [
    (b'{"shapes": [', 'is no valid JSON'),
    (b'\xff\xfe', 'is no valid JSON'),
    (b'[' * 100000, 'is no valid JSON'),
    (b'[]', "has no list 'shapes': expected a file that labelme saved"),
    (b'{"images": []}', 'move other JSON files elsewhere'),
    (b'{"shapes": [1], "imagePath": "a.png", "imageHeight": 4, "imageWidth": 4}', 'shape 1: exp'),
    (b'{"shapes": [], "imageHeight": 4, "imageWidth": 4}', "expected the .* as 'imagePath'"),
    (b'{"shapes": [], "imagePath": "a.png"}', 'expected height and width in pixels, got None'),
    (b'{"shapes": [], "imagePath": "../i/a.png"}', "inside the image folder, got '../i/a.png'.*"
     r'give its folder .*/i as --images'),
    (b'{"shapes": [], "imagePath": "b.png", "imageHeight": 4, "imageWidth": 9}',
     'drawn on an image 4 high and 9 wide, but .*b.png is 40 high and 60 wide'),
    (b'{"shapes": [], "imagePath": "a.png", "imageHeight": 4, "imageWidth": 4}', 'nothing is ann'),
])
def test_labelme_bad_files(tmp_path, capsys, content, message):
    write_images(tmp_path, 'b.png')
    (tmp_path / 'a.json').write_bytes(content)
    error = error_of(capsys, LABELME, tmp_path / 'a.json', tmp_path / 'out.json')
    assert re.search(message, error) and ('a.json' in error or 'nothing' in error)


def test_labelme_bad_arguments(tmp_path, capsys):
    out = tmp_path / 'out.json'
    assert 'no JSON file in' in error_of(capsys, LABELME, tmp_path, out)
    assert 'absent does not exist' in error_of(capsys, LABELME, tmp_path / 'absent', out)
    for name in ('a', 'b'):
        write_labelme(tmp_path / f'{name}.json', shape('cup', CUP), imagePath='a.png')
    before = (tmp_path / 'b.json').read_bytes()
    error = error_of(capsys, LABELME, tmp_path / 'a.json', tmp_path / 'b.json')
    assert 'b.json is an annotation of labelme and would be lost' in error
    assert (tmp_path / 'b.json').read_bytes() == before
    assert 'is a folder: expected a file' in error_of(capsys, LABELME, tmp_path, tmp_path)
    assert 'is not a folder' in error_of(capsys, LABELME, tmp_path, out, '--images', 'absent')
    assert "both about the image 'a.png'" in error_of(capsys, LABELME, tmp_path, out)


@pytest.mark.parametrize('visible', [
    dict(label='cup', inside=ticked('visible') + ticked('colour', 'red')),
    dict(label='cup:visible'),
])
def test_cvat_pairs(tmp_path, visible):
    write_cvat(tmp_path / 'a.xml', polygon('box', BOX, z_order=3),
               polygon('cup', CUP, ticked('visible', 'false'), group_id=2, occluded=1),
               polygon(points=CUP_LEFT, group_id=2, **visible),
               polygon(points=CUP_RIGHT, group_id=2, **visible), '<tag label="kitchen"/>')
    assert_masks(convert(CVAT, tmp_path / 'a.xml', tmp_path / 'out.json'), *PAIRS)


def test_cvat_layers(tmp_path):
    write_cvat(tmp_path / 'a.xml', polygon('cup', CUP, z_order=-1), polygon('box', BOX))
    coco = convert(CVAT, tmp_path / 'a.xml', tmp_path / 'out.json', '--order-by', 'z')
    assert_masks(coco, *BY_DEPTH[::-1])
    assert [ann['order'] for ann in coco['annotations']] == [2, 1]


def test_cvat_shapes(tmp_path):
    sides = dict(label='cup', xtl=10, ytl=5.5, xbr=20, ybr=9.5)
    middle = dict(label='cup', cx=30, cy=20)
    write_cvat(tmp_path / 'a.xml', element('box', **sides), element('box', rotation=90, **sides),
               element('box', rotation=45, **sides),
               element('ellipse', rx=8, ry=3, rotation=0, **middle),
               element('ellipse', rx=3, ry=8, rotation=90, **middle),
               element('mask', label='cup', rle='1, 2, 2, 1', left=4, top=7, width=3, height=2),
               polygon('cup', OUTSIDE))
    found = [amodal for amodal, _ in masks(convert(CVAT, tmp_path / 'a.xml', tmp_path / 'o.json'))]
    box = [[10, 5.5], [20, 5.5], [20, 9.5], [10, 9.5]]
    upright = [[17, 2.5], [17, 12.5], [13, 12.5], [13, 2.5]]
    for mask, corners in zip(found, (box, upright)):
        np.testing.assert_array_equal(mask, fill(corners))
    y, x = np.nonzero(found[2])
    assert np.corrcoef(x, y)[0, 1] > 0.5  # clockwise, as seen: down to the right
    np.testing.assert_array_equal(found[3], found[4])
    y, x = np.mgrid[:H, :W] + 0.5
    distance = np.hypot((x - 30) / 8, (y - 20) / 3)
    assert found[3][distance < 0.8].all() and not found[3][distance > 1.25].any()
    expected = np.zeros((H, W), np.uint8)
    expected[7:9, 4:7] = [[0, 1, 1], [0, 0, 1]]
    np.testing.assert_array_equal(found[5], expected)
    np.testing.assert_array_equal(found[6], fill([[40, 10], [W, 10], [W, H], [40, H]]))


def test_cvat_images(tmp_path, capsys):
    empty = f'<image id="7" name="b\\a.png" width="{W}" height="{H}"/>'
    write_cvat(tmp_path / 'a.xml', polygon('cup', CUP, occluded=1), name='c.png', more=empty)
    write_images(tmp_path / 'i', 'b/a.png')
    coco = convert(CVAT, tmp_path / 'a.xml', tmp_path / 'o.json', '--images', tmp_path / 'i')
    assert [(i['id'], i['file_name']) for i in coco['images']] == [(1, 'b/a.png'), (2, 'c.png')]
    assert coco['annotations'][0]['image_id'] == 2
    printed = capsys.readouterr().out
    assert 'whose sizes were not compared: 1; the first is c.png' in printed
    assert 'marked as occluded, but nothing is hidden' in printed


@pytest.mark.parametrize('shape_of_cup, message', [
    (polygon('', CUP), 'polygon 2 .*expected the class'),
    (polygon('cup', CUP[:2]), "polygon 2 'cup': expected points .* of three points or more"),
    (element('polygon', label='cup'), 'three points or more'),
    (element('polygon', label='cup', points='1,2;3,x;4,5'), 'three points or more'),
    (element('polygon', label='cup', points='1,2;3,nan;4,5'), "polygon 2 'cup': .*NaN"),
    (element('polyline', label='cup', points='1,2;3,4;4,5'), 'a polyline has no area'),
    (element('box', label='cup', xtl=3, ytl=4, xbr=6), "expected a number as 'ybr', got None"),
    (element('box', label='cup', xtl=3, ytl=4, xbr=6, ybr='x'), "as 'ybr', got 'x'"),
    (element('mask', label='cup', rle='3', left=0, top=0, width=2, height=2), 'runs that fill'),
    (element('mask', label='cup', rle='-1,5', left=0, top=0, width=2, height=2), 'runs that fill'),
    (element('mask', label='cup', left=0, top=0, width=2, height=2), 'runs that fill'),
    (element('mask', label='cup', rle=str(10**16), left=0, top=0, width=10**8, height=10**8),
     'runs that fill'),
    (polygon('cup', CUP, z_order='top'), "expected a number as 'z_order'"),
    (polygon('cup', CUP, ticked('visible')), 'visible ones only'),
    (polygon('cup', CUP, group_id=7), 'expected one class in a group'),
    (polygon('box', CUP, group_id=7) + polygon('box', OUTSIDE, group_id=7),
     'group 7 .*expected one amodal outline, got 3'),
    (polygon('cup', CUP), 'overlap and have the same depth.*CVAT: another layer'),
])
def test_cvat_bad_shapes(tmp_path, capsys, shape_of_cup, message):
    write_cvat(tmp_path / 'a.xml', polygon('box', BOX, group_id=7), shape_of_cup)
    out = tmp_path / 'out.json'
    error = error_of(capsys, CVAT, tmp_path / 'a.xml', out, '--order-by', 'z')
    assert re.search(message, error) and f"{tmp_path / 'a.xml'}, image 'a.png'" in error
    assert not out.exists()


BOMB = ('<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bb">' + ''.join(
    f'<!ENTITY b{i} "{f"&b{i - 1 or str()};" * 10}">' for i in range(1, 12))
    + ']><annotations>&b11;</annotations>')


@pytest.mark.parametrize('content, message', [
    (b'', 'is no valid XML'),
    (b'<annotations><image>', 'is no valid XML'),
    (b'<?xml version="1.0" encoding="klingon"?><a/>', 'is no valid XML'),
    (b'PK\x03\x04', 'is an archive: unpack it'),
    (BOMB.encode(), 'has a DOCTYPE or entities'),
    (BOMB.encode('utf-16'), 'has a DOCTYPE or entities, or is not in UTF-8'),
    (b'<annotations/>', 'is <annotations> without images'),
    (b'<annotations><track/></annotations>', 'is a video export: .*CVAT for images 1.1'),
    (b'<page><image/></page>', 'is <page> without images'),
    (b'<annotations><image/></annotations>', "image '': expected an image inside the image fold"),
    (b'<annotations><image name="../a.png" width="3" height="3"/></annotations>',
     "got '../a.png'; give images names below"),
    (b'<annotations><image name="a.png" width="3"/></annotations>', "number as 'height', got None"),
    (b'<annotations><image name="a.png" width="0" height="3"/></annotations>', 'height and width'),
    (b'<annotations><image name="b.png" width="3" height="3"/></annotations>', '40 high and 60 w'),
    (b'<annotations><image name="a.png" width="3" height="3"/></annotations>', 'nothing is annot'),
    (b'<annotations>' + b'<image name="a.png" width="3" height="3"/>' * 2 + b'</annotations>',
     "both about the image 'a.png'"),
])
def test_cvat_bad_files(tmp_path, capsys, content, message):
    write_images(tmp_path, 'b.png')
    (tmp_path / 'a.xml').write_bytes(content)
    error = error_of(capsys, CVAT, tmp_path / 'a.xml', tmp_path / 'o.json', '--images', tmp_path)
    assert re.search(message, error) and ('a.xml' in error or 'nothing' in error)


def test_cvat_bad_arguments(tmp_path, capsys):
    path = tmp_path / 'a.xml'
    assert 'a.xml is not a file' in error_of(capsys, CVAT, path, tmp_path / 'o.json')
    write_cvat(path, polygon('cup', CUP))
    before = path.read_bytes()
    assert 'expected a JSON file to write' in error_of(capsys, CVAT, path, path)
    assert 'expected a JSON file to write' in error_of(capsys, CVAT, path, tmp_path)
    assert 'is not a folder' in error_of(capsys, CVAT, path, tmp_path / 'o', '--images', path)
    assert path.read_bytes() == before


@pytest.mark.parametrize('tool', [LABELME, CVAT])
def test_help_has_an_example(capsys, tool):
    with pytest.raises(SystemExit, match='0'):
        tool.main(['--help'])
    assert re.search(r'example:\n  python tools/dataset_converters/\w+_to_amodal.py ',
                     capsys.readouterr().out)


def test_datasets_read_what_both_tools_write(tmp_path):
    write_images(tmp_path, 'a.png')
    write_labelme(tmp_path / 'a.json', shape('box', BOX), shape('cup', CUP, 1),
                  shape('cup:visible', CUP_LEFT, 1), shape('cup:visible', CUP_RIGHT, 1))
    write_cvat(tmp_path / 'a.xml', polygon('box', BOX, z_order=1), polygon('cup', CUP))
    convert(LABELME, tmp_path / 'a.json', tmp_path / 'pairs.json')
    convert(CVAT, tmp_path / 'a.xml', tmp_path / 'depth.json', '--order-by', 'z')
    for name, expected in (('pairs', PAIRS), ('depth', BY_DEPTH)):
        dataset = AmodalCocoDataset(ann_file=str(tmp_path / f'{name}.json'), test_mode=True,
                                    data_prefix=dict(img=str(tmp_path)), serialize_data=False)
        assert dataset.metainfo['classes'] == ('box', 'cup')
        assert dataset.read_image(0).shape == (H, W, 3)
        loaded = LoadAmodalAnnotations(with_bbox=True)(dataset.get_data_info(0))['gt_masks']
        np.testing.assert_array_equal(loaded.masks, [amodal for amodal, _ in expected])
        np.testing.assert_array_equal(loaded.visible.masks, [visible for _, visible in expected])


NUMBERS = st.integers(-9, 70) | st.floats() | st.sampled_from([2**70, -2**70, 1e6, -0.0])
JUNK = st.recursive(st.none() | st.booleans() | NUMBERS | st.text(max_size=4),
                    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
                        st.text(max_size=3), inner, max_size=2), max_leaves=6)
POINTS = st.lists(st.lists(NUMBERS, min_size=2, max_size=2), max_size=5)
SHAPE = st.fixed_dictionaries(dict(
    label=st.sampled_from(['cup', 'box:visible', 'box']) | JUNK,
    points=POINTS | JUNK), optional=dict(
        shape_type=st.sampled_from(['polygon', 'rectangle', 'circle', 'mask']) | JUNK,
        group_id=st.integers(0, 1) | JUNK, flags=st.dictionaries(st.text(), JUNK) | JUNK,
        description=st.sampled_from(['order=1', 'order=2']) | JUNK,
        mask=st.just(painted(np.ones((3, 4), np.uint8))) | JUNK))
FUZZ = settings(max_examples=100, deadline=None, derandomize=True,
                suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def assert_file_or_error(tool, path, *options):
    """A sound file, or a ValueError that names the file or says that there is nothing."""
    out = path.with_name('out.json')
    try:
        coco = convert(tool, path, out, *options)
    except ValueError as error:
        assert str(path) in str(error) or 'nothing is annotated' in str(error), error
        return
    for amodal, visible in masks(coco):
        assert amodal.any() and not (visible & ~amodal).any()


@FUZZ
@given(shapes=st.lists(SHAPE | JUNK, max_size=4), order=st.sampled_from(['shape', 'description']))
def test_labelme_with_junk(tmp_path, shapes, order):
    write_labelme(tmp_path / 'a.json', *shapes)
    assert_file_or_error(LABELME, tmp_path / 'a.json', '--order-by', order)


@FUZZ
@given(fields=st.dictionaries(st.sampled_from(['shapes', 'imagePath', 'imageHeight', 'imageWidth']),
                              JUNK))
def test_labelme_with_junk_around(tmp_path, fields):
    write_labelme(tmp_path / 'a.json', shape('cup', CUP), **fields)
    try:
        convert(LABELME, tmp_path / 'a.json', tmp_path / 'out.json')
    except ValueError as error:
        assert 'a.json' in str(error) or 'nothing is annotated' in str(error)


TEXTS = NUMBERS.map(str) | st.text('ab1,;.-é "<&', max_size=4)
KEYS = ['label', 'xtl', 'ytl', 'xbr', 'ybr', 'cx', 'cy', 'rx', 'ry', 'left', 'top', 'width',
        'height', 'rotation', 'z_order', 'group_id', 'occluded']
ELEMENT = st.builds(
    lambda tag, points, rle, fields: element(
        tag, **{'label': 'cup', 'points': ';'.join(f'{x},{y}' for x, y in points),
                'rle': ', '.join(map(str, rle)), **fields}),
    st.sampled_from(['polygon', 'box', 'ellipse', 'mask', 'points', 'tag']), POINTS,
    st.lists(NUMBERS, max_size=4), st.dictionaries(st.sampled_from(KEYS), TEXTS))


@FUZZ
@given(shapes=st.lists(ELEMENT, max_size=4))
def test_cvat_with_junk(tmp_path, shapes):
    write_cvat(tmp_path / 'a.xml', *shapes)
    assert_file_or_error(CVAT, tmp_path / 'a.xml', '--order-by', 'z')


def test_polygons_and_orders_of_cocoa_give_its_visible_masks(tmp_path, shared_data):
    """People drew COCOA's polygons front to back; visible masks were made from them."""
    folder = shared_data / 'cocoa_sample'
    official = json.loads((folder / 'annotations' / 'COCO_amodal_val2014.json').read_text())
    images = {image['id']: image for image in official['images']}
    expected = []
    for record in sorted(official['annotations'], key=lambda r: images[r['image_id']]['file_name']):
        image = images[record['image_id']]
        write_labelme(tmp_path / f"{image['id']}.json", *[
            shape('object', np.reshape(region['segmentation'], (-1, 2)).tolist(),
                  description=f"{region['name']}, order={region['order']}")
            for region in record['regions']], imagePath=str(folder / 'val2014' / image['file_name']),
            imageHeight=image['height'], imageWidth=image['width'])
        expected += [(region, image['height'], image['width']) for region in record['regions']]
    coco = convert(LABELME, tmp_path, tmp_path / 'out.json', '--order-by', 'description',
                   '--images', folder / 'val2014')
    assert len(coco['annotations']) == len(expected) == 32
    for ann, (region, *size) in zip(coco['annotations'], expected):
        visible = region.get('visible_mask', region['segmentation'])
        np.testing.assert_array_equal(decode(ann['visible_mask'], *size), decode(visible, *size))
        assert ann['occlude_rate'] == pytest.approx(region['occlude_rate'], abs=1e-6)


def test_the_example_of_the_tutorial_converts(tmp_path, capsys):
    text = (REPO / 'docs' / 'own_annotations.md').read_text()
    example, = re.findall(r'```json\n(.*?)```', text, re.DOTALL)
    (tmp_path / 'cups.json').write_text(example)
    coco = convert(LABELME, tmp_path, tmp_path / 'out.json')
    assert [round(ann['occlude_rate'], 2) for ann in coco['annotations']] == [0, 0.21, 0.58, 0]
    said = re.search(r'```\nWrote data/my/amodal_train.json: (.*)\n```', text)[1]
    assert f': {said}\n' in capsys.readouterr().out
    split = decode(coco['annotations'][2]['visible_mask'], 256, 384)
    assert cv2.connectedComponents(split)[0] - 1 == 2
    assert coco['annotations'][3]['bbox'][0] + coco['annotations'][3]['bbox'][2] == 384
    assert (REPO / 'docs' / 'images' / 'own_annotations.png').stat().st_size < 150_000
