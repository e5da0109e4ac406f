"""Annotation and image files, read with a worded error."""

import cv2
import numpy as np
import pytest
from PIL import Image

from mmamodal.datasets.coco_files import (describe_image, located, photo_size, read_ids,
                                          read_image_bytes, read_json)


def jpeg_with_thumbnail():
    """A JPEG whose first segment holds a whole other JPEG, with its own end marker."""
    image = np.random.default_rng(0).integers(0, 255, (4, 6, 3), np.uint8)
    whole = cv2.imencode('.jpg', image)[1].tobytes()
    return whole[:2] + b'\xff\xe1' + (len(whole) + 2).to_bytes(2, 'big') + whole + whole[2:]


def test_end_of_a_thumbnail_is_not_the_end(tmp_path):
    whole, path = jpeg_with_thumbnail(), tmp_path / 'a.jpg'
    path.write_bytes(whole + b'trailing')
    assert read_image_bytes(str(path)) == whole + b'trailing'
    path.write_bytes(whole[:-2])
    with pytest.raises(ValueError, match='breaks off'):
        read_image_bytes(str(path))


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


def test_files_are_found_in_other_folders(tmp_path):
    (tmp_path / 'annotations').mkdir()
    (tmp_path / 'annotations/a.json').write_text('{}')
    asked, root = str(tmp_path / 'a.json'), str(tmp_path)
    assert located(asked, root, ()) == asked
    assert located(asked, root, ('none', ), 'a.json') == asked  # which messages then name
    assert located(asked, root, ('none', 'annotations'), 'a.json') == str(
        tmp_path / 'annotations/a.json')
    (tmp_path / 'a.json').write_text('{}')
    assert located(asked, root, ('annotations', ), 'a.json') == asked


@pytest.mark.parametrize('content, words', [
    ('[' * 99999, 'cannot be read as JSON'), ('{"a": ' + '9' * 9999 + '}', 'cannot be read'),
    ('{"a": 1', 'no valid JSON at line 1 column 8 .character 7 of 7.')])
def test_json_that_is_none(tmp_path, content, words):
    (tmp_path / 'a.json').write_text(content)
    with pytest.raises(ValueError, match=f'a.json.* {words}'):
        read_json(str(tmp_path / 'a.json'))


@pytest.mark.parametrize('record, words', [
    (dict(img_path='a.png'), 'a.png'), (dict(file_name='b.png'), 'b.png'),
    (dict(img_path='a.png', ann_file='x.json'), 'a.png (annotated in x.json)')])
def test_images_in_words(record, words):
    assert describe_image(record) == words
