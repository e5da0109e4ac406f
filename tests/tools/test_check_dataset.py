"""tools/analysis_tools/check_dataset.py on the published layouts, and on files that are broken."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Tuple

import numpy as np
import published_files
import pytest

from mmamodal.apis.running.command_line import run_tool
from mmamodal.structures.segmentation import encode

TEXTS = {  # contents of files that are no data set, and what is said of them
    '[1, 2]': 'the file holds a list',
    '{}': 'images is None: expected a list of dicts',
    '{"images": 5, "annotations": []}': 'images is 5: expected a list of dicts',
}


@pytest.fixture(scope='module')
def tool() -> ModuleType:
    path = Path(__file__).parents[2] / 'tools' / 'analysis_tools' / 'check_dataset.py'
    spec = importlib.util.spec_from_file_location('check_dataset', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the data of the published files, the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / 'data'


def status(tool: ModuleType, *options: str) -> int:
    """What the tool ends with."""
    try:
        return run_tool(lambda: tool.main([str(option) for option in options]))
    except SystemExit as end:
        return end.code


def files(data: Path, name: str, split: str) -> Tuple[Path, Path]:
    """Annotation file and folder of the images."""
    layout = published_files.LAYOUTS[name]
    return (data / layout.root / layout.ann_files[split][0],
            data / layout.root / layout.image_dirs[split])


def coco_file(path: Path, **changes: object) -> Path:
    """A small amodal COCO file of one square, its annotation changed."""
    mask = np.zeros((6, 6), np.uint8)
    mask[1:5, 1:5] = 1
    ann = dict(id=1, image_id=1, category_id=1, segmentation=encode(mask), bbox=[1, 1, 4, 4],
               area=16, iscrowd=0, visible_mask=encode(mask))
    path.write_text(json.dumps(dict(
        images=[dict(id=1, file_name='a.png', height=6, width=6)],
        annotations=[dict(ann, **changes)], categories=[dict(id=1, name='square')])))
    return path


@pytest.mark.parametrize('split', [0, 1])
@pytest.mark.parametrize('name', published_files.NAMES)
def test_published_layouts_are_clean(tool: ModuleType, data: Path, capsys, name: str,
                                     split: int) -> None:
    published_files.write(name, data)
    split = list(published_files.LAYOUTS[name].ann_files)[split]
    ann_file, images = files(data, name, split)
    assert status(tool, ann_file, '--images', images) == 0
    assert ', 0 violations' in capsys.readouterr().out
    config = data / 'config.py'
    config.write_text("custom_imports = dict(imports=['mmamodal'])\ntest_dataloader = dict("
                      f'dataset={published_files.dataset_config(name, data, split)!r})\n')
    assert status(tool, config, '--split', 'test', '--fix', data / 'fixed.json') == 0
    assert 'not_compared' not in capsys.readouterr().out  # the config knows the images
    assert status(tool, data / 'fixed.json', '--images', images) == 0


def test_violations_of_a_kins_file(tool: ModuleType, data: Path, capsys) -> None:
    published_files.write('kins', data)
    ann_file, images = files(data, 'kins', 'train')
    coco = json.loads(ann_file.read_text())
    coco['annotations'][1]['inmodal_seg'] = coco['annotations'][0]['inmodal_seg']
    coco['annotations'][2]['bbox'][2] += 9
    ann_file.write_text(json.dumps(coco))
    next(images.iterdir()).unlink()
    out = data / 'report.json'
    assert status(tool, ann_file, '--images', images, '--out', out) == 1
    printed = capsys.readouterr().out
    report = json.loads(out.read_text())
    assert report['file'] == str(ann_file) and report['counts']['image_file'] == 1
    found = {violation['kind']: violation for violation in report['violations']}
    assert {'image_file', 'visible', 'bbox'} <= set(found)
    assert found['visible']['annotation_id'] == 2  # numbered by the reader, from 1
    assert found['bbox']['annotation_id'] == 3 and found['bbox']['file'] == str(ann_file)
    assert all(violation['text'] in printed for violation in found.values())


def test_fix_is_clean_and_loads(tool: ModuleType, tmp_path: Path, capsys) -> None:
    source = coco_file(tmp_path / 'a.json', id='x', area=99, bbox=[0, 0, 1, 1])
    before = source.read_bytes()
    out = tmp_path / 'folder' / 'mended.json'
    assert status(tool, source, '--fix', out) == 1
    assert '1 annotations mended, 1 annotations renumbered' in capsys.readouterr().out
    assert source.read_bytes() == before
    assert status(tool, out) == 0
    ann = json.loads(out.read_text())['annotations'][0]
    assert (ann['id'], ann['area'], ann['bbox']) == (1, 16, [1, 1, 4, 4])


def test_most_limits_what_is_printed(tool: ModuleType, tmp_path: Path, capsys) -> None:
    source = coco_file(tmp_path / 'a.json', area=99)
    coco = json.loads(source.read_text())
    coco['annotations'] += [dict(coco['annotations'][0], id=2), dict(coco['annotations'][0], id=3)]
    source.write_text(json.dumps(coco))
    assert status(tool, source, '--most', '1') == 1
    assert '… and 2 more' in capsys.readouterr().out
    assert status(tool, source, '--most', '3') == 1
    assert 'more' not in capsys.readouterr().out


def test_images_beside_the_file_are_compared(tool: ModuleType, tmp_path: Path, capsys) -> None:
    source = coco_file(tmp_path / 'a.json')
    assert status(tool, source) == 0
    assert 'give --images' in capsys.readouterr().out
    (tmp_path / 'images').mkdir()
    (tmp_path / 'images' / 'a.png').write_bytes(b'no image')
    assert status(tool, source) == 1
    assert 'image_file' in capsys.readouterr().out


def test_all_images_missing_where_they_are_asked_for(tool: ModuleType, tmp_path: Path,
                                                     capsys) -> None:
    assert status(tool, coco_file(tmp_path / 'a.json'), '--images', tmp_path) == 1
    assert 'is not a file' in capsys.readouterr().out


def test_drawn_scenes_are_clean(tool: ModuleType, tmp_path: Path, capsys) -> None:
    config = tmp_path / 'scenes.py'
    config.write_text("custom_imports = dict(imports=['mmamodal'])\ntrain_dataloader = dict(dataset"
                      "=dict(type='SceneDataset', num_scenes=3, image_size=(64, 64)))\n")
    assert status(tool, config) == 0
    assert capsys.readouterr().out.startswith('SceneDataset: 3 images')


@pytest.mark.parametrize('text', TEXTS)
def test_what_is_no_data_set_is_reported(tool: ModuleType, tmp_path: Path, capsys,
                                         text: str) -> None:
    source = tmp_path / 'a.json'
    source.write_text(text)
    assert status(tool, source, '--fix', tmp_path / 'b.json') == 1
    printed = capsys.readouterr()
    assert TEXTS[text] in printed.out
    assert 'error: ' in printed.err and 'cannot be mended' in printed.err
    assert not (tmp_path / 'b.json').exists()


def test_what_a_reader_refuses_is_reported(tool: ModuleType, data: Path, capsys) -> None:
    published_files.write('kins', data)
    ann_file, _ = files(data, 'kins', 'train')
    coco = json.loads(ann_file.read_text())
    coco['images'][0]['height'] = 'high'
    ann_file.write_text(json.dumps(coco))
    assert status(tool, ann_file, '--out', data / 'out.json') == 1
    assert 'KINSDataset cannot read it' in capsys.readouterr().out
    assert json.loads((data / 'out.json').read_text())['counts'] == {'structure': 1}


@pytest.mark.parametrize('options, message', [
    (['--fix', 'a.json'], 'a.json is to be written, but is read'),
    (['--out', './a.json'], 'a.json is to be written, but is read'),
    (['--fix', 'b.json', '--out', 'b.json'], 'b.json is to be written, but is read'),
    (['--images', 'nowhere'], '--images nowhere is not a folder')])
def test_refusals_are_one_line(tool: ModuleType, tmp_path: Path, capsys, monkeypatch,
                               options: list, message: str) -> None:
    monkeypatch.chdir(tmp_path)
    before = coco_file(tmp_path / 'a.json').read_bytes()
    assert status(tool, 'a.json', *options) == 1
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ['a.json']
    assert (tmp_path / 'a.json').read_bytes() == before


@pytest.mark.parametrize('options', [[], ['a.json', '--format', 'voc'], ['a.json', '--most', '-1']])
def test_a_wrong_command_line_is_status_2(tool: ModuleType, options: list) -> None:
    assert status(tool, *options) == 2


def test_a_missing_file_is_an_error(tool: ModuleType, tmp_path: Path, capsys) -> None:
    assert status(tool, tmp_path / 'none.json') == 1
    assert 'none.json' in capsys.readouterr().err


def test_help_names_every_kind(tool: ModuleType, capsys) -> None:
    assert status(tool, '--help') == 0
    printed = capsys.readouterr().out
    assert 'examples:' in printed and all(kind in printed for kind in tool.KINDS)


def test_real_data_are_clean(tool: ModuleType, shared_data: Path, capsys) -> None:
    sample = shared_data / 'cocoa_sample'
    assert status(tool, sample / 'annotations/COCO_amodal_val2014.json', '--images',
                  sample / 'val2014') == 0
    assert capsys.readouterr().out.endswith('3 images, 32 annotations, 0 violations\n')
