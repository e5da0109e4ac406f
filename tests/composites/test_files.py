"""Composites while they are written, and after a kill."""

import json

import pytest

from mmamodal.composites.files import check_finished, read_part
from mmamodal.files import open_lines

RECORD = dict(id=4, annotations=[])


@pytest.mark.parametrize('end, numbers', [('', [3]), ('{"id": 5, "annot', [3]), ('\n', [3])])
def test_a_line_that_was_cut_off_is_not_done(tmp_path, end, numbers):
    path = tmp_path / 'part'
    with open_lines(path, dict(settings=dict(seed=0))) as file:
        file.write(json.dumps(RECORD) + '\n' + end)
    assert sorted(read_part(path, dict(seed=0))) == numbers
    with open_lines(path, dict(settings=dict(seed=0))) as file:
        file.write(json.dumps(dict(RECORD, id=5)) + '\n')
    assert sorted(read_part(path, dict(seed=0))) == [*numbers, 4]


def test_a_part_without_its_first_line_begins_anew(tmp_path):
    (tmp_path / 'part').write_text('{"settin')
    assert read_part(tmp_path / 'part', dict(seed=0)) == {}
    assert not (tmp_path / 'part').exists()


def test_other_settings_are_refused(tmp_path):
    with open_lines(tmp_path / 'part', dict(settings=dict(seed=0))):
        pass
    with pytest.raises(ValueError, match=r"other settings \(seed 0, not 1\): give another"):
        read_part(tmp_path / 'part', dict(seed=1))
    (tmp_path / 'done.json').write_text(json.dumps(dict(info=dict(settings=dict(seed=0)))))
    with pytest.raises(ValueError, match='other settings'):
        check_finished(tmp_path / 'done.json', dict(seed=1))


@pytest.mark.parametrize('text', ['{}', '[]', 'no JSON', '{"info": {}}'])
def test_files_of_others_are_not_overwritten(tmp_path, text):
    (tmp_path / 'a.json').write_text(text)
    with pytest.raises(ValueError, match='not of this tool: give another --out-dir'):
        check_finished(tmp_path / 'a.json', {})
