"""Entries of images, held against their files."""

from pathlib import Path
from typing import Optional

import pytest
from faulty_annotations import H, W, changed, clean, kinds, put
from PIL import Image

from mmamodal.annotations.checks import check_dataset
from mmamodal.annotations.image_checks import image_dir_of


def photo(folder: Path, height: int, width: int, **options: object) -> str:
    Image.new('RGB', (width, height)).save(folder / 'a.png', **options)
    return str(folder)


@pytest.mark.parametrize('size, image, found', [
    ((H, W), {}, {}),
    ((W, H), {}, {'image_size': 1}),
    ((8, W), {}, {'image_size': 1}),
    ((8, W), dict(canvas_origin=[0, 0]), {}),
    ((7, W), dict(canvas_origin=[0, 0]), {'photo': 1}),  # row 7 of the second is beyond
    ((8, W), dict(canvas_origin=[0, 2]), {'photo': 1}),  # row 1 of the first
    ((8, W), dict(canvas_origin=[0, 3]), {'image_size': 1}),
    ((8, W), dict(canvas_origin=[0, 0], photo_size=[8, W]), {}),
    ((H, W), dict(canvas_origin=[0, 0], photo_size=[8, W]), {'image_size': 1}),
    ((H, W), dict(canvas_origin='here'), {'image_size': 1}),
])
def test_image_files_have_the_size_that_is_annotated(tmp_path: Path, size: tuple, image: dict,
                                                     found: dict) -> None:
    coco = changed(lambda c, f, b: c['images'][0].update(image))
    assert kinds(coco, image_dir=photo(tmp_path, *size)) == found


def test_a_stated_photo_is_compared_without_files() -> None:
    stated = dict(canvas_origin=[0, 0], photo_size=[7, W])
    found = check_dataset(changed(lambda c, f, b: c['images'][0].update(stated)))
    assert [(violation.kind, violation.id) for violation in found] == [('photo', 9)]
    assert found[0].text.startswith('7 of 30 visible pixels are outside the photo')


@pytest.mark.parametrize('content', [None, b'', b'no image', b'\x89PNG\r\n\x1a\n'])
def test_image_files_that_are_missing_or_broken(tmp_path: Path, content: Optional[bytes]) -> None:
    if content is not None:
        (tmp_path / 'a.png').write_bytes(content)
    found = check_dataset(clean(), str(tmp_path))
    assert [(violation.kind, violation.id) for violation in found] == [('image_file', 4)]
    assert 'a.png' in found[0].text


def test_a_file_outside_the_folder_is_not_looked_at(tmp_path: Path) -> None:
    photo(tmp_path, 3, 3)
    (tmp_path / 'images').mkdir()
    coco = changed(lambda c, f, b: put(c['images'][0], file_name='../a.png'))
    assert kinds(coco, image_dir=str(tmp_path / 'images')) == {'file_name': 1}


def test_image_dir_of_is_the_first_that_has_a_file(tmp_path: Path) -> None:
    (tmp_path / 'images').mkdir()
    photo(tmp_path / 'images', H, W)
    folders = [str(tmp_path / 'none'), str(tmp_path), str(tmp_path / 'images')]
    assert image_dir_of(clean(), folders) == folders[2]
    assert image_dir_of(clean(), folders[:2]) is None
    assert image_dir_of([1], folders) is None
