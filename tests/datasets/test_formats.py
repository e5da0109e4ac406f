"""Formats by name, several files as one, files of ids."""

import json

import published_files
import pytest

from mmamodal.datasets import coco_files
from mmamodal.datasets.formats import FORMATS, guess_format, open_annotations


@pytest.mark.parametrize('name', published_files.NAMES)
def test_published_files_open_by_name_and_by_guess(name, tmp_path):
    published_files.write(name, tmp_path)
    config = published_files.dataset_config(name, tmp_path)
    path = f"{config.get('data_root', '')}/{config['ann_file']}"
    data = open_annotations(path, name)
    assert type(data) is FORMATS[name] and data.visible_only == (name == 'coco')
    with open(path) as file:
        guess = guess_format(json.load(file))
    assert guess == ('amodal-coco' if name == 'cocoa-cls' else name)
    assert len(open_annotations(path)) == len(data) > 0


@pytest.mark.parametrize('lazy', [True, False])
@pytest.mark.parametrize('name', published_files.NAMES)
def test_files_are_read_once(name, lazy, tmp_path, monkeypatch):
    published_files.write(name, tmp_path)
    config = published_files.dataset_config(name, tmp_path)
    path = f"{config.get('data_root', '')}/{config['ann_file']}"
    read, real = [], coco_files.read_file
    monkeypatch.setattr(coco_files, 'read_file',
                        lambda path, *rest: read.append(path) or real(path, *rest))
    data = open_annotations(path, lazy_init=lazy)
    assert len(data) > 0 and read == [path]
    data.as_amodal_coco()
    assert read == [path, path]


@pytest.mark.parametrize('content', [
    dict(), [], None, 'text', dict(annotations=[3, None]), dict(annotations=5)])
def test_guess_of_what_is_no_annotation_file(content):
    assert guess_format(content) == 'amodal-coco'


@pytest.mark.parametrize('written, read', [
    ('kins', 'amodal-coco'), ('coco', 'kins'), ('cocoa', 'coco'), ('kins2020', 'kins')])
def test_file_of_another_format(written, read, tmp_path):
    published_files.write(written, tmp_path)
    config = published_files.dataset_config(written, tmp_path)
    path = f"{config.get('data_root', '')}/{config['ann_file']}"
    with pytest.raises(ValueError, match=f'is no file of {read}: .* read it as {written}'):
        open_annotations(path, read)


def test_unknown_format():
    with pytest.raises(ValueError, match="among .*'kins'.* got 'kitti'"):
        open_annotations('a.json', 'kitti')
