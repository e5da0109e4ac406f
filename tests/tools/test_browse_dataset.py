"""tools/analysis_tools/browse_dataset.py: the files that it writes, and errors of users."""

import importlib.util
from pathlib import Path
from types import ModuleType

import cv2
import pytest

from mmamodal.apis.running.command_line import run_tool

REPO = Path(__file__).parents[2]
DETECTOR = str(REPO / 'configs/mask_rcnn/mask-rcnn_r18_fpn_scenes.py')
COMPLETER = str(REPO / 'configs/asbu/asbu_unet_scenes.py')
FILES = str(REPO / 'configs/mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py')
FEW = {
    DETECTOR: ['train_dataloader.dataset.num_scenes=3', 'val_dataloader.dataset.num_scenes=3'],
    COMPLETER: ['train_dataloader.dataset.dataset.num_scenes=3',
                'test_dataloader.dataset.num_scenes=3'],
}


@pytest.fixture(scope='module')
def tool() -> ModuleType:
    path = REPO / 'tools/analysis_tools/browse_dataset.py'
    spec = importlib.util.spec_from_file_location('browse_dataset', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def browse(tool: ModuleType, out_dir: Path, config: str, *options: str) -> dict:
    tool.main([config, '--out-dir', str(out_dir), *options, '--cfg-options', *FEW[config]])
    return {path.name: path.read_bytes() for path in sorted(out_dir.iterdir())}


@pytest.mark.parametrize('config, split, names', [
    (DETECTOR, 'train', ['1.png', '2.png', '3.png', 'index.png']),
    (DETECTOR, 'val', ['1.png', '2.png', '3.png', 'index.png']),
    (COMPLETER, 'test', ['1.png', '2.png', '3.png', 'index.png']),
])
def test_a_picture_of_each_image_and_a_sheet_are_written(tool, tmp_path, config, split, names):
    files = browse(tool, tmp_path / 'out', config, '--split', split)
    assert list(files) == names
    assert cv2.imread(str(tmp_path / 'out/1.png')).shape == (5 + 768 + 33, 10 + 2 * 778, 3)


def test_pairs_are_named_after_their_set_image_and_annotation(tool, tmp_path, capsys):
    files = browse(tool, tmp_path, COMPLETER, '--number', '4')
    assert len(files) == 5 and 'index.png' in files
    assert all(name.startswith(('set1_', 'set2_', 'index')) for name in files)
    assert f'Wrote index.png and pictures of 4 samples to {tmp_path}' in capsys.readouterr().out


def test_ids_choose_the_samples(tool, tmp_path):
    assert list(browse(tool, tmp_path / 'images', DETECTOR, '--ids', '2')) == ['2.png', 'index.png']
    pairs = browse(tool, tmp_path / 'pairs', COMPLETER, '--ids', '2', '1')
    assert sorted(name.split('_', 1)[1] for name in pairs if '_' in name) == ['1_1.png', '1_2.png']


@pytest.mark.parametrize('config', [DETECTOR, COMPLETER])
def test_the_same_seed_gives_the_same_files(tool, tmp_path, config):
    runs = [browse(tool, tmp_path / str(i), config, '--number', '2', '--seed', seed)
            for i, seed in enumerate(('5', '5', '6'))]
    assert runs[0] == runs[1] != runs[2]


def test_files_go_below_work_dirs_if_not_said_otherwise(tool, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tool.main([DETECTOR, '--number', '1', '--cfg-options', *FEW[DETECTOR]])
    assert (tmp_path / 'work_dirs/mask-rcnn_r18_fpn_scenes/samples_train/index.png').is_file()


@pytest.mark.parametrize('options, message', [
    ([COMPLETER, '--split', 'all'], '--split all: expected one of train, val, test'),
    ([COMPLETER, '--cfg-options', 'train_dataloader=None'], 'expected --split to be one of val, '
     'test'),
    ([COMPLETER, '--number', '0'], 'expected a number of samples of at least 1, got 0'),
    ([COMPLETER, '--ids', '0'], 'no sample has the id 0'),
    ([COMPLETER, '--cfg-options', 'train_dataloader.dataset.pipeline.0.min_side=500'],
     'drops all 16 samples'),
    (['no.py'], 'config no.py does not exist'),
    ([FILES], "amodal_train2017.json' is not a file"),
])
def test_bad_input_gives_one_line(tool, tmp_path, capsys, options, message):
    code = run_tool(lambda: tool.main([*options[:1], '--out-dir', str(tmp_path), *options[1:]]))
    error = capsys.readouterr().err.strip()
    assert code == 1 and error.startswith('error: ') and message in error and '\n' not in error
    assert not list(tmp_path.iterdir())


def test_an_image_file_that_is_missing_is_named(tool, tmp_path, capsys, shared_data):
    code = run_tool(lambda: tool.main([
        FILES, '--out-dir', str(tmp_path), '--cfg-options',
        f'train_dataloader.dataset.data_root={shared_data}/composites/val/',
        'train_dataloader.dataset.ann_file=amodal.json']))
    output = capsys.readouterr()
    assert code == 1 and output.err.startswith('error: image file ') and output.out.endswith('\n')
    assert 'train2017' in output.err and output.err.count('\n') == 1


def test_real_images_have_the_order_of_their_file(tool, tmp_path, shared_data):
    tool.main([FILES, '--split', 'val', '--number', '2', '--out-dir', str(tmp_path),
               '--cfg-options', f'val_dataloader.dataset.data_root={shared_data}/composites/val/',
               'val_dataloader.dataset.ann_file=amodal.json',
               'val_dataloader.dataset.data_prefix.img=images'])
    assert len(list(tmp_path.glob('*.png'))) == 3


def test_help_has_an_example(tool, capsys):
    with pytest.raises(SystemExit):
        tool.main(['--help'])
    assert 'browse_dataset.py configs/' in capsys.readouterr().out
