"""tools/dataset_converters/d2s_modal_aug.py: exact, the same each time, and after a kill."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from mmamodal.annotations.dataset_statistics import occlusion_statistics
from mmamodal.apis.running.command_line import run_tool
from mmamodal.composites.composer import Composer
from mmamodal.composites.files import PART
from mmamodal.datasets.formats import open_annotations
from mmamodal.datasets.loading import LoadAmodalAnnotations
from mmamodal.structures.segmentation import decode

REPO = Path(__file__).parents[2]
TOOL = REPO / 'tools/dataset_converters/d2s_modal_aug.py'
COLOURS = {1: (0, 0, 250), 2: (0, 250, 0), 3: (250, 0, 0), 4: (250, 250, 0), 5: (0, 250, 250)}


@pytest.fixture(scope='module')
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location('d2s_modal_aug', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three grey images of 120×160 with five blocks in a colour each, and one at the rim."""
    polygons = {1: (10, 10, 50, 40), 2: (70, 20, 95, 90), 3: (20, 30, 60, 80),
                4: (90, 60, 130, 100), 5: (40, 40, 75, 75), 6: (0, 90, 30, 115)}
    images = [dict(id=i, file_name=f'{i}.png', height=120, width=160) for i in (7, 8, 9)]
    annotations = [
        dict(id=ann_id, image_id=7 + (ann_id - 1) // 2, category_id=10 + ann_id % 2, iscrowd=0,
             segmentation=[[x1, y1, x2, y1, x2, y2, x1, y2]], area=(x2 - x1) * (y2 - y1),
             bbox=[x1, y1, x2 - x1, y2 - y1])
        for ann_id, (x1, y1, x2, y2) in polygons.items()]
    for image in images:
        picture = np.full((120, 160, 3), 100, np.uint8)
        for ann in annotations:
            if ann['image_id'] == image['id']:
                x1, y1, x2, y2 = polygons[ann['id']]
                picture[y1:y2, x1:x2] = COLOURS.get(ann['id'], 0)
        cv2.imwrite(str(tmp_path / image['file_name']), picture)
    categories = [dict(id=10, name='even'), dict(id=11, name='odd')]
    (tmp_path / 'ann.json').write_text(
        json.dumps(dict(images=images, annotations=annotations, categories=categories)))
    return tmp_path


def arguments(data: Path, out: str, *more: str) -> list:
    return [str(data / 'ann.json'), '--images', str(data), '--out-dir', str(data / out),
            '--suffix', 'png', '--min-area', '100', '--min-visible', '30', '--workers', '1', *more]


def content(data: Path, out: str) -> dict:
    """All files of a set by name."""
    return {str(path.relative_to(data / out)): path.read_bytes()
            for path in sorted((data / out).rglob('*')) if path.is_file()}


# The set


def test_masks_and_pixels_are_exact(tool, data):
    tool.main(arguments(data, 'out', '--number', '12'))
    coco = json.loads((data / 'out/annotations.json').read_text())
    assert [image['file_name'] for image in coco['images']][::11] == ['000001.png', '000012.png']
    assert [ann['id'] for ann in coco['annotations']] == list(range(
        1, len(coco['annotations']) + 1))
    occluded = 0
    for image in coco['images']:
        picture = cv2.imread(str(data / 'out/images' / image['file_name']))
        assert picture.shape == (image['height'], image['width'], 3) == (120, 160, 3)
        chosen = [ann for ann in coco['annotations'] if ann['image_id'] == image['id']]
        assert [ann['order'] for ann in chosen] == list(range(1, len(chosen) + 1))
        in_front = np.zeros((120, 160), bool)
        for ann in chosen:
            amodal, visible, invisible = (
                decode(ann[key], 120, 160) for key in ('segmentation', 'visible_mask',
                                                       'invisible_mask'))
            np.testing.assert_array_equal(amodal, visible + invisible)
            np.testing.assert_array_equal(visible, amodal * ~in_front)
            assert ann['area'] == amodal.sum()
            assert ann['occlude_rate'] == pytest.approx(invisible.sum() / amodal.sum())
            assert ann['occlude_rate'] <= tool.DEFAULTS.max_occlusion and visible.sum() >= 30
            assert ann['category_id'] == 10 + ann['source_annotation_id'] % 2
            inner = cv2.erode(np.pad(visible, 1), np.ones((7, 7)))[1:-1, 1:-1] > 0
            colour = COLOURS[ann['source_annotation_id']]
            assert (np.abs(picture[inner].astype(int) - colour) <= 1).all()
            in_front |= amodal > 0
            occluded += ann['occlude_rate'] > 0
        ground = picture[~in_front]
        assert (np.abs(ground.astype(int) - 100) <= 1).all()  # objects are painted out
    assert occluded > 20


def test_the_set_is_read_by_its_dataset(tool, data):
    tool.main(arguments(data, 'out', '--number', '3'))
    dataset = open_annotations(str(data / 'out/annotations.json'), 'amodal-coco',
                               str(data / 'out/images'), lazy_init=False)
    for index in range(3):
        assert dataset.read_image(index).shape == (120, 160, 3)
        record = dataset.get_data_info(index)
        masks = LoadAmodalAnnotations()(record)['gt_masks']
        assert len(masks) == len(record['instances']) >= 1
    assert dataset.metainfo['classes'] == ('even', 'odd')


def test_table_3_is_printed(tool, data, capsys):
    tool.main(arguments(data, 'out', '--number', '4'))
    output = capsys.readouterr().out
    assert '5 objects to cut out, ' in output and 'left out: 1 at the rim of the photo' in output
    rows = {line[:24].strip(): line.split()[-3:] for line in output.splitlines()}
    assert rows['num imgs'] == ['4', '2,000', '1,562']
    assert rows['obj OR [%]'][1:] == ['71.3', '71.1']
    coco = json.loads((data / 'out/annotations.json').read_text())
    found = occlusion_statistics(coco, 'out')
    assert rows['num objs occl'] == [str(found.objects_occluded), '11,302', '8,798']


@pytest.mark.parametrize('key, images, objects, mean_all, mean_occluded', [
    ('paper, modal aug', 96, 71, 23, 33), ('paper, aug', 96, 71, 23, 33)])
def test_the_paper_s_columns(tool, key, images, objects, mean_all, mean_occluded):
    column = tool.PAPER[key]
    assert int(column.images_percent) == images and int(column.objects_percent) == objects
    assert (column.all_percent, column.occluded_percent) == pytest.approx(
        (mean_all, mean_occluded))


def test_other_backgrounds(tool, data):
    (data / 'grounds').mkdir()
    cv2.imwrite(str(data / 'grounds/red.png'), np.full((90, 200, 3), (0, 0, 99), np.uint8))
    tool.main(arguments(data, 'out', '--number', '2', '--backgrounds', str(data / 'grounds')))
    coco = json.loads((data / 'out/annotations.json').read_text())
    assert {(image['background'], image['height'], image['width'])
            for image in coco['images']} == {('red.png', 90, 200)}
    assert (cv2.imread(str(data / 'out/images/000001.png')) == (0, 0, 99)).all(2).mean() > 0.2


def test_jpeg(tool, data):
    tool.main(arguments(data, 'out', '--number', '1', '--suffix', 'jpg'))
    assert (data / 'out/images/000001.jpg').read_bytes().startswith(b'\xff\xd8')


def test_fit_leaves_what_is_given(tool, data, capsys, monkeypatch):
    asked = []

    def fitted(sources, options, free):
        asked.append(free)
        return options, tool.MODAL_AUG

    monkeypatch.setattr(tool, 'fit', fitted)
    tool.main(arguments(data, 'out', '--number', '1', '--fit', '--even-size', '0'))
    assert asked == [['density', 'max_occlusion']]
    assert '--even-size 0.0' in capsys.readouterr().out
    settings = json.loads((data / 'out/annotations.json').read_text())['info']['settings']
    assert settings['even_size'] == 0


# The same each time


def test_workers_and_order_make_no_difference(tool, data):
    tool.main(arguments(data, 'one', '--number', '11'))
    tool.main(arguments(data, 'two', '--number', '11', '--workers', '2'))
    assert content(data, 'one') == content(data, 'two')
    tool.main(arguments(data, 'other', '--number', '11', '--seed', '1'))
    assert content(data, 'one')['images/000001.png'] != content(data, 'other')['images/000001.png']


def test_a_longer_set_begins_like_a_shorter_one(tool, data):
    tool.main(arguments(data, 'short', '--number', '2'))
    tool.main(arguments(data, 'long', '--number', '3'))
    short, long = content(data, 'short'), content(data, 'long')
    assert {name: long[name] for name in short if name.endswith('png')} == {
        name: data for name, data in short.items() if name.endswith('png')}


def test_a_stopped_run_goes_on(tool, data, monkeypatch, capsys):
    tool.main(arguments(data, 'whole', '--number', '6'))
    write = Composer.write

    def stop(self, k, folder):
        if k == 3:
            raise KeyboardInterrupt
        return write(self, k, folder)

    with monkeypatch.context() as patch:
        patch.setattr(Composer, 'write', stop)
        assert run_tool(lambda: tool.main(arguments(data, 'out', '--number', '6'))) == 130
    part = data / 'out' / PART
    part.write_bytes(part.read_bytes()[:-9])  # killed while it was written
    (data / 'out/images/000001.png').unlink()
    capsys.readouterr()
    tool.main(arguments(data, 'out', '--number', '6'))
    assert '1 of 6 images are there from an interrupted run' in capsys.readouterr().out
    assert content(data, 'out') == content(data, 'whole')


def test_a_killed_run_goes_on_and_leaves_no_workers(tool, data):
    if not any(Path('/proc/self/task').glob('*/children')):
        pytest.skip('no /proc with the children of a process: workers cannot be watched')
    command = [sys.executable, str(TOOL), *arguments(data, 'out', '--number', '120', '--workers',
                                                     '2')]
    environment = dict(os.environ, PYTHONPATH=str(REPO), OMP_NUM_THREADS='1')
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    part = data / 'out' / PART
    while process.poll() is None and (not part.exists() or part.read_bytes().count(b'\n') < 9):
        time.sleep(0.01)
    workers = children(process.pid)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL and len(workers) >= 2
    assert part.exists() and not (data / 'out/annotations.json').exists()
    for _ in range(300):  # They notice in a second.
        time.sleep(0.1 * any(map(alive, workers)))
    assert not any(map(alive, workers))
    tool.main(arguments(data, 'out', '--number', '120', '--workers', '2'))
    tool.main(arguments(data, 'whole', '--number', '120'))
    assert content(data, 'out') == content(data, 'whole')


def children(pid: int) -> list:
    """Process ids of a process's children."""
    tasks = Path(f'/proc/{pid}/task').glob('*/children')
    return [int(child) for task in tasks for child in task.read_text().split()]


def alive(pid: int) -> bool:
    """Whether a process runs; one that nobody waits for is listed as a zombie."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return False


def test_a_finished_set_is_left_alone(tool, data, capsys):
    tool.main(arguments(data, 'out', '--number', '2'))
    before = content(data, 'out')
    tool.main(arguments(data, 'out', '--number', '2'))
    assert 'nothing to do' in capsys.readouterr().out
    assert content(data, 'out') == before


def test_an_image_that_is_gone_is_made_again(tool, data, capsys):
    tool.main(arguments(data, 'out', '--number', '3'))
    before = content(data, 'out')
    next((data / 'out' / 'images').iterdir()).unlink()
    tool.main(arguments(data, 'out', '--number', '3'))
    assert '1 images were missing' in capsys.readouterr().out
    assert content(data, 'out') == before


# What is refused


def error(tool: ModuleType, capsys: pytest.CaptureFixture, *command: str) -> str:
    assert run_tool(lambda: tool.main(list(command))) == 1
    return capsys.readouterr().err


@pytest.mark.parametrize('other, message', [
    (['--number', '3'], 'number 2, not 3'), (['--number', '2', '--seed', '4'], 'seed 0, not 4'),
    (['--number', '2', '--density', '1'], 'density .*, not 1.0')])
def test_folders_of_other_settings(tool, data, capsys, other, message):
    tool.main(arguments(data, 'out', '--number', '2'))
    with pytest.raises(ValueError, match=f'other settings.*{message}.*give another --out-dir'):
        tool.main(arguments(data, 'out', *other))


def test_folders_of_others(tool, data, capsys):
    (data / 'ann.json').rename(data / 'annotations.json')
    command = [str(data / 'annotations.json'), '--images', str(data), '--out-dir', str(data),
               '--min-area', '100']
    before = (data / 'annotations.json').read_bytes()
    assert 'is not of this tool: give another --out-dir' in error(tool, capsys, *command)
    assert (data / 'annotations.json').read_bytes() == before


def test_folders_with_files_of_others_are_not_filled(tool, data, capsys):
    (data / 'out' / 'images').mkdir(parents=True)
    (data / 'out' / 'images' / '000001.png').write_bytes(b'mine')
    assert 'holds files of something else' in error(tool, capsys, *arguments(data, 'out'))
    assert (data / 'out' / 'images' / '000001.png').read_bytes() == b'mine'


def test_no_usable_object(tool, data, capsys):
    message = error(tool, capsys, *arguments(data, 'out', '--min-area', '9999'))
    assert 'has no whole object' in message and '6 smaller than 9999 pixels' in message


@pytest.mark.parametrize('workers', ['1', '2'])
def test_missing_images(tool, data, capsys, workers):
    for path in data.glob('?.png'):
        path.unlink()
    message = error(tool, capsys, *arguments(data, 'out', '--workers', workers))
    assert '.png' in message and 'is not a file' in message


@pytest.mark.parametrize('more, message', [
    (['--backgrounds', 'nowhere'], 'nowhere does not exist'),
    (['--scale', '0', '1'], r'scale=\(0.0, 1.0\): expected'),
    (['--max-occlusion', '40'], 'max_occlusion=40.0: expected')])
def test_wrong_options(tool, data, more, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        tool.main(arguments(data, 'out', *more))


@pytest.mark.parametrize('more', [['--number', '0'], ['--workers', '-1'], ['--format', 'voc']])
def test_wrong_arguments(tool, data, more):
    with pytest.raises(SystemExit):
        tool.parse_args(arguments(data, 'out', *more))


# The paper's figures, from real objects


def test_cut_outs_of_coco_give_table_3(shared_data, tool):
    from mmamodal.composites.fit import Simulation
    from mmamodal.composites.sources import find_sources
    folder = shared_data / 'coco_modal'
    dataset = open_annotations(str(folder / 'annotations/instances.json'),
                               images=str(folder / 'images'), lazy_init=False)
    figures = Simulation(find_sources(dataset), 600).run(tool.DEFAULTS)
    np.testing.assert_allclose(figures[:4], tool.MODAL_AUG[:4], atol=3)
    assert figures.objects_per_image == pytest.approx(tool.MODAL_AUG.objects_per_image, rel=0.05)
