"""Files that are there whole or not at all."""

import json

import pytest

from mmamodal.files import (add_line, check_output, check_writable, open_lines, read_lines,
                            write_json, write_whole)


def test_makes_the_folder_and_leaves_nothing_else(tmp_path):
    write_whole(tmp_path / 'a' / 'b.bin', b'xy')
    assert [path.name for path in (tmp_path / 'a').iterdir()] == ['b.bin']
    assert (tmp_path / 'a' / 'b.bin').read_bytes() == b'xy'


def test_what_was_there_stays_when_writing_fails(tmp_path):
    path = tmp_path / 'a.json'
    write_json(path, dict(a=1))
    with pytest.raises(ValueError):
        write_json(path, dict(a=float('nan')))
    assert json.loads(path.read_text()) == dict(a=1)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize('out, others, message', [
    ('out.txt', (), r"ends in .json, got 'out.txt'"),
    ('a.json', ('b.json', './a.json'), 'a.json is to be written, but is read'),
    ('link.json', ('a.json', ), 'link.json is to be written, but is read'),
])
def test_outputs_that_would_do_harm_are_refused(tmp_path, monkeypatch, out, others, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'link.json').symlink_to(tmp_path / 'a.json')
    with pytest.raises(ValueError, match=message):
        check_output(out, *others)
    check_output('new.json', *others)


def test_a_place_where_nothing_can_be_written_is_found_at_once(tmp_path):
    (tmp_path / 'file').touch()
    (tmp_path / 'folder.json').mkdir()
    for path in (tmp_path / 'folder.json', tmp_path / 'file' / 'a.json'):
        with pytest.raises(OSError, match=str(path.parent)):
            check_output(path)
    check_writable(tmp_path / 'new' / 'a.json')
    assert sorted(path.name for path in tmp_path.rglob('*')) == ['file', 'folder.json', 'new']


def test_errors_name_the_file_and_not_its_draft(tmp_path):
    (tmp_path / 'folder').mkdir()
    with pytest.raises(OSError) as error:
        write_whole(tmp_path / 'folder', b'x')
    assert error.value.filename == str(tmp_path / 'folder')
    assert [path.name for path in tmp_path.iterdir()] == ['folder']


def test_lines_survive_one_that_was_cut_off(tmp_path):
    path = tmp_path / 'a' / 'part.jsonl'
    with open_lines(path, dict(head=1)) as file:
        add_line(file, dict(k=1))
    with path.open('a') as file:
        file.write('{"k": ')
    with open_lines(path, dict(head=2)) as file:
        add_line(file, dict(k=2))
    lines = dict(read_lines(path))
    assert list(lines.values()) == [dict(head=1), dict(k=1), dict(k=2)]
    with path.open('rb') as file:
        for offset, content in lines.items():
            file.seek(offset)
            assert json.loads(file.readline()) == content
