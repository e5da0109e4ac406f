"""tools/analysis_tools/failure_gallery.py on small files: what it writes, prints and refuses."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from mmamodal.apis.running.command_line import run_tool
from mmamodal.structures.annotation import annotation_of_masks
from mmamodal.structures.segmentation import encode

REPO = Path(__file__).parents[2]
HEIGHT, WIDTH = 48, 64
CATEGORIES = [dict(id=3, name='cup'), dict(id=7, name='hat')]
NUMBERS = ['occlusion.png', 'occlusion.txt', 'precision_recall.png']


@pytest.fixture(scope='module')
def tool() -> ModuleType:
    """The tool as a module."""
    path = REPO / 'tools/analysis_tools/failure_gallery.py'
    spec = importlib.util.spec_from_file_location('failure_gallery', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def mask(left: int, right: int, bottom: int = 20) -> np.ndarray:
    out = np.zeros((HEIGHT, WIDTH), np.uint8)
    out[4:bottom, left:right] = 1
    return out


def entry(image_id: int, category_id: int, score: float, amodal: np.ndarray,
          visible: np.ndarray) -> dict:
    return dict(image_id=image_id, category_id=category_id, score=score,
                segmentation=encode(amodal), visible_mask=encode(visible))


@pytest.fixture
def files(tmp_path, monkeypatch) -> list:
    """Annotations and predictions of three images: in the first a hat is missed, in the second a
    cup is said to be half hidden, and in the third a cup and a hat are taken for one."""
    monkeypatch.chdir(tmp_path)
    objects = [(5, 3, mask(4, 20), mask(4, 20, 12)), (5, 7, mask(30, 60), mask(30, 60)),
               (6, 3, mask(4, 20), mask(4, 20)),
               (8, 3, mask(4, 30), mask(4, 30)), (8, 7, mask(32, 50), mask(32, 50))]
    Path('truth.json').write_text(json.dumps(dict(
        images=[dict(id=i, file_name=f'{i}.png', height=HEIGHT, width=WIDTH) for i in (5, 6, 8)],
        annotations=[dict(id=i, image_id=image, category_id=category,
                          **annotation_of_masks(*masks))
                     for i, (image, category, *masks) in enumerate(objects, 1)],
        categories=CATEGORIES)))
    Path('found.json').write_text(json.dumps([
        entry(5, 3, 0.9, mask(4, 20), mask(4, 20, 12)),
        entry(5, 7, 0.3, mask(30, 60), mask(30, 60)),
        entry(6, 3, 0.8, mask(4, 20), mask(4, 20, 12)),
        entry(8, 3, 0.7, mask(4, 50), mask(4, 50))]))
    Path('images').mkdir()
    for i in (5, 6, 8):
        cv2.imwrite(f'images/{i}.png', np.full((HEIGHT, WIDTH, 3), 20 * i, np.uint8))
    return ['truth.json', 'found.json', '--out-dir', 'out']


def written() -> list:
    return sorted(str(path.relative_to('out')) for path in Path('out').rglob('*.*'))


def test_pictures_curves_and_table(tool, files, capsys):
    tool.main([*files, '--images', 'images'])
    out = capsys.readouterr().out
    assert 'Missed: 2\nFalse occlusion: 1\nSeveral taken for one: 1\n' in out
    assert 'right: 2 of 3 (66.7 %)' in out and 'Wrote pictures to out' in out
    assert written() == sorted([
        *NUMBERS, 'missed.png', 'missed/01.png', 'missed/02.png', 'false_occlusion.png',
        'false_occlusion/01.png', 'merged.png', 'merged/01.png'])
    assert Path('out/occlusion.txt').read_text() in out
    picture = cv2.imread('out/false_occlusion/01.png')
    assert {(120, 120, 120), (178, 114, 0)} <= {tuple(p) for p in picture.reshape(-1, 3).tolist()}


def test_a_second_run_writes_the_same_and_leaves_nothing_of_another(tool, files):
    tool.main(files)
    first = {name: Path('out', name).read_bytes() for name in written()}
    Path('out/missed/mine.png').write_bytes(b'')
    tool.main([*files, '--score-thr', '0.2', '--number', '1', '--min-rate', '0.6'])
    assert written() == sorted([*NUMBERS, 'missed.png', 'missed/01.png', 'missed/mine.png',
                                'merged.png', 'merged/01.png'])
    Path('out/missed/mine.png').unlink()
    tool.main(files)
    assert {name: Path('out', name).read_bytes() for name in written()} == first


def test_detectors_of_amodal_masks_alone(tool, files, capsys):
    entries = json.loads(Path('found.json').read_text())
    for one in entries:
        del one['visible_mask']
    Path('found.json').write_text(json.dumps(entries))
    tool.main(files)
    assert 'occlusion cannot be judged' in capsys.readouterr().out
    assert [name for name in written() if '/' not in name] == ['merged.png', 'missed.png',
                                                               'precision_recall.png']


@pytest.mark.parametrize('found', [[], [entry(5, 3, 0.9, mask(4, 20), mask(4, 9))]])
def test_nothing_to_find(tool, files, found, capsys):
    truth = json.loads(Path('truth.json').read_text())
    truth['annotations'] = [dict(truth['annotations'][0], iscrowd=1)]
    Path('truth.json').write_text(json.dumps(truth))
    Path('found.json').write_text(json.dumps(found))
    tool.main(files)
    out = capsys.readouterr().out
    assert 'Missed: 0\nFalse occlusion: 0\nSeveral taken for one: 0\n' in out
    assert ('right: 0 of 0' in out) == bool(found) and 'precision_recall.png' in written()


@pytest.mark.parametrize('options, words', [
    (['none.json', 'found.json'], 'none.json'),
    (['truth.json', 'none.json'], 'none.json does not exist'),
    (['truth.json', 'truth.json'], 'COCO result'),
    (['truth.json', 'found.json', '--images', 'nowhere'], 'nowhere is not a folder'),
    (['truth.json', 'found.json', '--number', '0'], '--number'),
    (['truth.json', 'found.json', '--min-rate', '1'], '--min-rate'),
    (['truth.json', 'found.json', '--score-thr', 'nan'], '--score-thr'),
    (['truth.json', 'found.json', '--out-dir', 'truth.json'], 'is a file')])
def test_errors_are_one_line(tool, files, options, words, capsys):
    options = options if '--out-dir' in options else [*options, '--out-dir', 'out']
    assert run_tool(lambda: tool.main(options)) == 1
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1 and error[0].startswith('error: ') and words in error[0]


def test_a_missing_image_is_named(tool, files, capsys):
    assert run_tool(lambda: tool.main([*files, '--images', '.'])) == 1
    progress, line = capsys.readouterr().err.strip().split('\n')
    assert '3/3' in progress and line.startswith('error: ') and '5.png' in line


def test_a_broken_mask_is_named(tool, files, capsys):
    truth = json.loads(Path('truth.json').read_text())
    truth['annotations'][1]['visible_mask']['counts'] = 'x'
    Path('truth.json').write_text(json.dumps(truth))
    assert run_tool(lambda: tool.main(files)) == 1
    line, = capsys.readouterr().err.strip().splitlines()
    assert line.startswith('error: ') and 'truth.json' in line and 'annotation 2' in line


def test_help_shows_an_example(tool, capsys):
    with pytest.raises(SystemExit):
        tool.main(['--help'])
    assert 'python tools/analysis_tools/failure_gallery.py' in capsys.readouterr().out
