"""Formats by name, several files as one, files of ids."""

import json

import published_files
import pytest
from PIL import Image

from mmamodal.datasets.coco_checks import choose_images, merge_coco
from mmamodal.datasets.coco_files import photo_size, read_ids
from mmamodal.datasets.formats import FORMATS, guess_format, open_annotations


def coco(images: list, annotations: list) -> dict:
    return dict(
        images=[dict(id=i) for i in images],
        annotations=[dict(id=i, image_id=image) for i, image in annotations])


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


def test_merge_keeps_ids_that_are_free():
    merged = merge_coco(dict(a=coco([1, 2], [(1, 1), (2, 2)]), b=coco([3], [(7, 3)])))
    assert [i['id'] for i in merged['images']] == [1, 2, 3]
    assert [(a['id'], a['image_id']) for a in merged['annotations']] == [(1, 1), (2, 2), (7, 3)]


def test_merge_numbers_on_where_one_is_taken(log):
    merged = merge_coco(dict(a=coco([1, 5], [(4, 5)]), b=coco([5, 7], [(4, 7), (6, 5)])))
    assert log[0].startswith('b: 1 is added to the ids of its images')
    assert [i['id'] for i in merged['images']] == [1, 5, 6, 8]
    assert [(a['id'], a['image_id']) for a in merged['annotations']] == [(4, 5), (5, 8), (7, 6)]


def test_chosen_images_come_with_their_annotations():
    chosen = choose_images(coco([1, 2, 3], [(1, 1), (2, 3), (3, 3)]), [3, 2], 'x.json')
    assert chosen == coco([2, 3], [(2, 3), (3, 3)])


@pytest.mark.parametrize('ids', [[1, 4], []])
def test_ids_of_other_images(ids):
    with pytest.raises(ValueError, match='x.json has no image'):
        choose_images(coco([1], []), ids, 'x.json')


def test_ids_file(tmp_path):
    path = tmp_path / 'ids.txt'
    path.write_text('3\n17\n0\n')
    assert read_ids(str(path)) == [3, 17, 0]


@pytest.mark.parametrize('text', ['1\nx', '1.5', '1,2', '--1', '9' * 30])
def test_ids_file_of_something_else(tmp_path, text):
    (tmp_path / 'ids.txt').write_text(text)
    with pytest.raises(ValueError, match="ids.txt.*expected image ids"):
        read_ids(str(tmp_path / 'ids.txt'))


def test_size_of_a_photo_is_as_it_is_shown(tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new('RGB', (8, 5)).save(tmp_path / 'plain.jpg')
    Image.new('RGB', (8, 5)).save(tmp_path / 'turned.jpg', exif=turned)
    assert photo_size(str(tmp_path / 'plain.jpg')) == (5, 8)
    assert photo_size(str(tmp_path / 'turned.jpg')) == (8, 5)
    (tmp_path / 'text.jpg').write_text('no image')
    with pytest.raises(ValueError, match='text.jpg.* cannot be decoded'):
        photo_size(str(tmp_path / 'text.jpg'))
    with pytest.raises(FileNotFoundError, match='none.jpg'):
        photo_size(str(tmp_path / 'none.jpg'))
