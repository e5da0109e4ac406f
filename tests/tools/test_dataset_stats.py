"""tools/analysis_tools/dataset_stats.py on small files: what it prints, writes and refuses."""

import doctest
import importlib.util
import json
from pathlib import Path
from types import ModuleType

import published_files
import pytest

from mmamodal.apis.running.command_line import run_tool

REPO = Path(__file__).parents[2]


@pytest.fixture(scope='module')
def tool() -> ModuleType:
    """The tool as a module."""
    path = REPO / 'tools/analysis_tools/dataset_stats.py'
    spec = importlib.util.spec_from_file_location('dataset_stats', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def kins(tmp_path, monkeypatch) -> str:
    """KINS's train file, in a folder like a user's."""
    published_files.write('kins', tmp_path / 'data')
    monkeypatch.chdir(tmp_path)
    return 'data/KINS/instances_train.json'


def figures(text: str, row: str) -> list:
    """The numbers of a row of the printed table."""
    line = next(line for line in text.splitlines() if line.startswith(row + '  '))
    return line[len(row):].split()


def test_table_of_one_file_and_of_two(tool, kins, capsys):
    val = kins.replace('train', 'val')
    tool.main([kins])
    alone = capsys.readouterr()
    assert figures(alone.out, 'num imgs') == ['4'] and 'total' not in alone.out
    assert '14/14' in alone.err and 'more than 0 % of the object' in alone.out
    tool.main([kins, val, kins])
    both = capsys.readouterr().out
    assert figures(both, '') == ['instances_train', 'instances_val', 'total']
    assert figures(both, 'num imgs') == ['4', '4', '8']
    counts = [int(count) for count in figures(both, 'num objs occl')]
    assert counts[0] == int(figures(alone.out, 'num objs occl')[0]) and counts[2] == sum(counts[:2])


def test_splits_of_a_config_are_columns_and_the_same_data_one(tool, kins, capsys):
    dataset = {split: published_files.dataset_config('kins', Path('data'), split)
               for split in ('train', 'val')}
    Path('kins.py').write_text('\n'.join(
        f'{split}_dataloader = dict(dataset={dataset[split.replace("test", "val")]!r})'
        for split in ('train', 'val', 'test')))
    tool.main(['kins.py'])
    out = capsys.readouterr().out
    assert figures(out, '') == ['train', 'val', 'total'] and 'test is the same data as val' in out
    tool.main(['kins.py', '--split', 'val'])
    assert figures(capsys.readouterr().out, '') == ['kins', 'val']
    Path('other.py').write_text('model = dict()')
    assert run_tool(lambda: tool.main(['other.py'])) == 1
    assert 'has no data' in capsys.readouterr().err


def test_everything_is_written(tool, kins, capsys):
    tool.main([kins, '--per-class', '--min-rate', '0.3', '--hist', 'pictures/new', '--out',
               'new/figures.json'])
    out = capsys.readouterr().out
    content = json.loads(Path('new/figures.json').read_text())
    column = content['columns']['instances_train']
    assert content['min_rate'] == 0.3 and column['images'] == 4
    assert [column['objects_occluded']] == [int(n) for n in figures(out, 'num objs occl')]
    classes = content['classes']['instances_train']
    assert sum(one['objects'] for one in classes.values()) == column['objects'] == 14
    assert list(classes) == sorted(classes, key=lambda name: -classes[name]['objects'])
    assert all(f'\n{name} ' in out for name in classes) and 'more than 30 %' in out
    assert [path.name for path in Path('pictures/new').iterdir()] == ['instances_train.png']


def test_visible_masks_alone_are_said_to_be_so(tool, tmp_path, capsys):
    published_files.write('coco', tmp_path)
    config = published_files.dataset_config('coco', tmp_path)
    tool.main([f"{config['data_root']}/{config['ann_file']}"])
    out = capsys.readouterr().out
    assert 'nothing counts as occluded' in out and figures(out, 'num objs occl') == ['0']
    assert "1 as crowds or marked 'ignore'" in out


@pytest.mark.parametrize('options, words', [
    (['data/none.json'], 'none.json'),
    (['--out', 'data/KINS/instances_train.json'], 'give the output another name'),
    (['--out', './data/../data/KINS/instances_train.json'], 'another name'),
    (['--format', 'd2sa'], 'is no file of d2sa: its annotations have the keys of kins')])
def test_errors_are_one_line_and_no_file_is_lost(tool, kins, options, words, capsys):
    before = Path(kins).read_bytes()
    assert run_tool(lambda: tool.main([kins, *options])) == 1
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1 and error[0].startswith('error: ') and words in error[0]
    assert Path(kins).read_bytes() == before


@pytest.mark.parametrize('options', [['--min-rate', '1'], ['--min-rate', 'x'], ['--split', 'all'],
                                     ['--format', 'xml'], []])
def test_wrong_options_are_refused(tool, options, capsys):
    with pytest.raises(SystemExit) as stop:
        tool.main([*(['a.json'] if options else []), *options])
    assert stop.value.code == 2 and 'usage' in capsys.readouterr().err


def test_help_shows_an_example_and_names_are_as_documented(tool, capsys):
    with pytest.raises(SystemExit):
        tool.main(['--help'])
    assert 'python tools/analysis_tools/dataset_stats.py' in capsys.readouterr().out
    assert doctest.testmod(tool).failed == 0
    same = [('a/x.json', ''), ('b/x.json', ''), ('c.py', 'train')]
    assert tool.column_names(same) == ['a/x', 'b/x', 'c train']
