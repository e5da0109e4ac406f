"""Grounds to paste objects on."""

import cv2
import numpy as np
import pytest

from mmamodal.composites.backgrounds import (Background, least_covered, list_backgrounds, paint_out,
                                             photo_box)


def test_backgrounds_of_a_folder(tmp_path):
    for name, size in (('b.png', (4, 6)), ('a.JPG', (8, 3))):
        path = tmp_path / 'in.png'
        cv2.imwrite(str(path), np.zeros((*size, 3), np.uint8))
        path.rename(tmp_path / name)
    (tmp_path / 'notes.txt').touch()
    assert list_backgrounds(tmp_path) == [
        Background(str(tmp_path / 'a.JPG'), 8, 3), Background(str(tmp_path / 'b.png'), 4, 6)]


def test_folders_without_backgrounds_are_refused(tmp_path):
    with pytest.raises(ValueError, match='has no picture.*jpg'):
        list_backgrounds(tmp_path)
    with pytest.raises(FileNotFoundError, match='nowhere does not exist'):
        list_backgrounds(tmp_path / 'nowhere')
    (tmp_path / 'a.png').write_bytes(b'no picture')
    with pytest.raises(ValueError, match="a.png' cannot be decoded"):
        list_backgrounds(tmp_path)


@pytest.mark.parametrize('covered, kept', [
    ([0.5], [0]), ([0.5, 0.1], [1]), ([0.3, 0.1, 0.2], [1, 2]), ([0.1, 0.1, 0.1], [0, 1, 2])])
def test_least_covered(covered, kept):
    images = [(share, Background(i, 1, 1)) for i, share in enumerate(covered)]
    assert [background.source for background in least_covered(images)] == kept


def test_paint_out_restores_a_plain_ground():
    ground = np.linspace(90, 150, 300).astype(np.uint8)[None, :, None].repeat(200, 0).repeat(3, 2)
    image, hole = ground.copy(), np.zeros((200, 300), np.uint8)
    hole[60:120, 100:180] = 1
    image[hole > 0] = (0, 0, 255)
    out = paint_out(image, hole)
    assert np.abs(out.astype(int) - ground).max() <= 8
    np.testing.assert_array_equal(out[:, 200:], ground[:, 200:])


def test_paint_out_of_nothing_and_of_all():
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    np.testing.assert_array_equal(paint_out(image, np.zeros((4, 4), np.uint8)), image)
    assert len(np.unique(paint_out(image, np.ones((4, 4), np.uint8)).reshape(-1, 3), axis=0)) == 1


def test_photo_box():
    assert photo_box(dict(width=6, height=4)) == (0, 0, 6, 4)
