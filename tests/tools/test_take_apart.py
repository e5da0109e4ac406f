"""tools/analysis_tools/take_apart.py: what it writes, puts together and refuses."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Callable

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import MODELS

from mmamodal.apis.running.command_line import load_config, run_tool
from mmamodal.apis.take_apart import Objects, describe_order, rearrange
from mmamodal.structures.annotation import annotation_of_masks
from mmamodal.structures.layers import Layer

REPO = Path(__file__).parents[2]
# A red square that a blue one hides in part; a green one stands alone.
COLOURS = [(30, 40, 200), (200, 60, 20), (40, 180, 60)]
GREY = 120


@pytest.fixture(scope='module')
def tool() -> ModuleType:
    """The tool as a module."""
    path = REPO / 'tools/analysis_tools/take_apart.py'
    spec = importlib.util.spec_from_file_location('take_apart', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def masks() -> tuple:
    amodal = np.zeros((3, 48, 64), np.uint8)
    amodal[0, 14:30, 8:24], amodal[1, 20:40, 14:40], amodal[2, 4:12, 50:60] = 1, 1, 1
    return np.stack([amodal[0] & ~amodal[1], amodal[1], amodal[2]]), amodal


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """An image and its annotations, in the current directory; returns the image."""
    monkeypatch.chdir(tmp_path)
    visible, amodal = masks()
    image = np.full((48, 64, 3), GREY, np.uint8)
    for mask, colour in zip(visible, COLOURS):
        image[mask > 0] = colour
    cv2.imwrite('photo.png', image)
    Path('truth.json').write_text(json.dumps(dict(
        images=[dict(id=5, file_name='photo.png', height=48, width=64)],
        annotations=[dict(id=11 + i, image_id=5, category_id=1,
                          **annotation_of_masks(amodal[i], visible[i])) for i in range(3)],
        categories=[dict(id=1, name='square')])))
    return image


@pytest.fixture
def run(tool: ModuleType, files: np.ndarray) -> Callable:
    """The tool on the photo; returns what it put together."""
    def call(*options: str) -> np.ndarray:
        tool.main(['truth.json', '--image', 'photo.png', '--out-dir', 'out', *options])
        return cv2.imread('out/together.png')
    return call


def test_objects_of_an_earlier_image_do_not_stay(run):
    run()
    order = json.loads(Path('out/order.json').read_text())
    order['objects'].append(dict(number=4))
    Path('out/order.json').write_text(json.dumps(order))
    Path('out/object_004.png').touch()
    Path('out/object_005.png').touch()  # which no order.json names
    run()
    assert [path.name for path in sorted(Path('out').glob('object_*'))] == [
        f'object_{number:03d}.png' for number in (1, 2, 3, 5)]


def test_the_parts_are_written(run, files, capsys):
    together = run()
    assert sorted(path.name for path in Path('out').iterdir()) == [
        'background.png', 'object_001.png', 'object_002.png', 'object_003.png', 'order.json',
        'together.png']
    visible, amodal = masks()
    for number, (mask, colour) in enumerate(zip(amodal, COLOURS), 1):
        layer = cv2.imread(f'out/object_{number:03d}.png', cv2.IMREAD_UNCHANGED)
        assert np.array_equal(layer[..., 3], 255 * mask)
        assert np.abs(layer[mask > 0][:, :3].astype(int) - colour).max() <= 4
    assert np.abs(cv2.imread('out/background.png').astype(int) - GREY).max() <= 1
    assert np.abs(together.astype(int) - files).max() <= 1
    order = json.loads(Path('out/order.json').read_text())
    assert order['in_front'] == [[2, 1]] and order['rings'] == []
    assert order['front_to_back'].index(2) < order['front_to_back'].index(1)
    assert [item['ann_id'] for item in order['objects']] == [11, 12, 13]
    assert order['objects'][0]['hidden'] == round(10 * 10 / 256, 4)
    assert '3 objects, front to back' in capsys.readouterr().out


def test_another_order_and_moves(run):
    together = run('--order', '1,2', '--move', '2', '4', '-2')
    amodal = masks()[1]
    blue = np.roll(amodal[1], (-2, 4), (0, 1)) > 0
    red = amodal[0] > 0
    assert np.abs(together[red].astype(int) - COLOURS[0]).max() <= 4
    assert np.abs(together[blue & ~red].astype(int) - COLOURS[1]).max() <= 1
    assert np.abs(together[~blue & ~red].astype(int) - GREY).max() <= 1  # no green


def test_with_networks(run, files):
    """A completer of visible masks, and a network for the content of objects and background."""
    scenes = f'{REPO}/configs/pcnet/pcnet-c_unet_scenes.py'
    Path('content.py').write_text(
        f'_base_ = {scenes!r}\nmodel = dict(generator=dict(base_channels=4), patch_size=32)\n')
    model = MODELS.build(load_config('content.py').model)
    torch.save(dict(state_dict=model.state_dict()), 'content.pth')
    hulls = f'{REPO}/configs/baselines/convexr_scenes.py'
    together = run('--completer', hulls, 'none', '--content', 'content.py', 'content.pth',
                   '--background', 'content')
    visible, _ = masks()
    layer = cv2.imread('out/object_001.png', cv2.IMREAD_UNCHANGED)
    hidden = (layer[..., 3] > 0) & (visible[0] == 0)
    # The hull of an L closes half of the corner that is missing.
    assert 30 < np.count_nonzero(hidden) < 70
    assert np.array_equal(together[visible[1] > 0], files[visible[1] > 0])
    order = json.loads(Path('out/order.json').read_text())
    assert order['in_front'] == [[2, 1]]


@pytest.mark.parametrize('options, message', [
    (('--order', '1,4'), 'no object 4: expected numbers from 1 to 3'),
    (('--order', '1,1'), 'expected every object once'),
    (('--move', '9', '0', '0'), 'no object 9'),
    (('--background', 'content'), 'needs --content'),
    (('--content', f'{REPO}/configs/baselines/raw_scenes.py', 'none'),
     'has a HullCompleter: expected a ContentModel'),
    (('--image', '7'), "has no image '7': expected a file name or an id, such as photo.png or 5")])
def test_refusals_are_one_line(tool, files, capsys, options, message):
    arguments = ['truth.json', '--image', '5', '--out-dir', 'out', *options]
    assert run_tool(lambda: tool.main(arguments)) == 1
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert not Path('out').exists()


def test_a_broken_mask_is_named(tool, files):
    coco = json.loads(Path('truth.json').read_text())
    coco['annotations'][1]['segmentation']['counts'] = 'zzz'
    Path('truth.json').write_text(json.dumps(coco))
    with pytest.raises(ValueError, match='annotation 12 of .*truth.json: amodal mask: .*; mend or'):
        tool.main(['truth.json', '--image', '5', '--out-dir', 'out'])


def test_rings_are_told():
    order = np.array([[0, 1, -1], [-1, 0, 1], [1, -1, 0]], np.int8)
    one = np.ones((3, 2, 2), np.uint8)
    told = describe_order(Objects(one, one, order, np.arange(3), np.ones(3)))
    assert told['rings'] == [[1, 2, 3]] and told['layers'] == [[1, 2, 3]]
    assert told['in_front'] == [[1, 2], [2, 3], [3, 1]]


def test_moves_leave_the_layers_alone():
    layers = [Layer(0, 0, np.full((3, 3, 4), 255, np.uint8))]
    image = rearrange(np.zeros((3, 3, 3), np.uint8), layers, [1], [(1, 1, 0), (1, 1, 0)])
    assert image[0, :, 0].tolist() == [0, 0, 255] and layers[0].x == 0
