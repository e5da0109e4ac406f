"""Which objects are cut out."""

import json
from pathlib import Path
from typing import List

import cv2
import numpy as np
import pytest

from mmamodal.composites.backgrounds import Background, read_background
from mmamodal.composites.sources import Sources, find_sources
from mmamodal.datasets.formats import open_annotations
from mmamodal.structures.segmentation import encode

SIZE = (40, 60)


def box(x1: int, y1: int, x2: int, y2: int) -> np.ndarray:
    mask = np.zeros(SIZE, np.uint8)
    mask[y1:y2, x1:x2] = 1
    return mask


def write(folder: Path, *images: List[dict]) -> str:
    """An annotation file of grey images; each annotation is given by its masks."""
    coco = dict(categories=[dict(id=3, name='thing')], images=[], annotations=[])
    for number, annotations in enumerate(images, 1):
        coco['images'].append(dict(id=number, file_name=f'{number}.png', height=40, width=60))
        cv2.imwrite(str(folder / f'{number}.png'), np.full((*SIZE, 3), 50 * number, np.uint8))
        for ann in annotations:
            masks = {key: encode(value) if isinstance(value, np.ndarray) else value
                     for key, value in ann.items()}
            coco['annotations'].append(dict(
                id=len(coco['annotations']) + 1, image_id=number, category_id=3, iscrowd=0,
                area=9, **masks))
    (folder / 'ann.json').write_text(json.dumps(coco))
    return str(folder / 'ann.json')


def sources(folder: Path, *images: List[dict], **options) -> Sources:
    path = write(folder, *images)
    dataset = open_annotations(path, images=str(folder), lazy_init=False)
    return find_sources(dataset, **dict(dict(min_area=20), **options))


def whole(mask: np.ndarray) -> dict:
    return dict(segmentation=mask)


def test_whole_objects_of_visible_masks(tmp_path):
    found = sources(tmp_path, [
        whole(box(2, 2, 12, 9)),
        whole(box(0, 20, 9, 29)), whole(box(51, 20, 60, 29)),  # at the rim
        whole(box(20, 20, 30, 30)), whole(box(30, 20, 40, 30)),  # side by side
        whole(box(20, 2, 24, 6)),  # small
        whole(box(30, 2, 36, 5) | box(30, 7, 36, 10))])  # in pieces
    assert found.left_out == {'at the rim of the photo': 2, 'touching others': 2,
                              'smaller than 20 pixels': 1, 'in several pieces': 1}
    (cut_out, ) = found.cut_outs
    assert cut_out[:5] == (0, 1, 3, 70, (2, 2, 12, 9))
    np.testing.assert_array_equal(cut_out.bitmap(), np.ones((7, 10)))


def test_touching_objects_are_taken_on_demand(tmp_path):
    image = [whole(box(20, 20, 30, 30)), whole(box(30, 20, 40, 30))]
    assert len(sources(tmp_path, image, touching=True).cut_outs) == 2


def test_whole_objects_of_amodal_masks(tmp_path):
    found = sources(tmp_path, [
        dict(segmentation=box(5, 5, 20, 20), visible_mask=box(5, 5, 20, 20)),
        dict(segmentation=box(10, 10, 30, 30), visible_mask=box(10, 20, 30, 30)),
        dict(segmentation=box(31, 10, 40, 30))])  # beside the last
    assert [cut_out.ann_id for cut_out in found.cut_outs] == [1, 3]
    assert found.left_out == {'occluded': 1}


def test_objects_beyond_the_photo_are_not_whole(tmp_path):
    path = write(tmp_path, [whole(box(5, 5, 20, 20)), whole(box(5, 25, 20, 35))])
    cv2.imwrite(str(tmp_path / '1.png'), np.zeros((30, 60, 3), np.uint8))
    dataset = open_annotations(path, 'd2sa', str(tmp_path), lazy_init=False)
    found = find_sources(dataset, min_area=20)
    assert [cut_out.ann_id for cut_out in found.cut_outs] == [1]
    assert found.backgrounds == [Background(0, 30, 60)]
    assert read_background(found.backgrounds[0], dataset).shape == (30, 60, 3)


def test_without_whole_objects_it_is_refused(tmp_path):
    with pytest.raises(ValueError, match='ann.json has no whole object.*1 at the rim.*min-area'):
        sources(tmp_path, [whole(box(0, 2, 12, 9))])


def test_a_broken_mask_is_named(tmp_path):
    broken = dict(size=list(SIZE), counts='5')
    with pytest.raises(ValueError, match='annotation 2 of .*1.png.*ann.json.*runs of an RLE'):
        sources(tmp_path, [whole(box(5, 5, 20, 20)), dict(segmentation=broken, bbox=[1, 1, 9, 9])])


def test_crowds_are_left_out(tmp_path):
    path = Path(write(tmp_path, [whole(box(5, 5, 20, 20)), whole(box(30, 5, 50, 20))]))
    coco = json.loads(path.read_text())
    coco['annotations'][0]['iscrowd'] = 1
    path.write_text(json.dumps(coco))
    dataset = open_annotations(str(path), images=str(tmp_path), lazy_init=False)
    assert find_sources(dataset, min_area=20).left_out == {'crowds': 1}
