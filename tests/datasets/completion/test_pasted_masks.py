"""Objects of a file of visible masks pasted on each other."""

import json
from pathlib import Path

import numpy as np
import pytest
from mmdet.registry import DATASETS

from mmamodal.datasets import PastedMasksDataset
from mmamodal.structures.segmentation import decode, encode

SIZE = 100


def disc(x: int, y: int, radius: int) -> np.ndarray:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    return ((columns - x)**2 + (rows - y)**2 <= radius**2).astype(np.uint8)


def bar(x1: int, y1: int, x2: int, y2: int) -> np.ndarray:
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[y1:y2, x1:x2] = 1
    return mask


# Whole ones: a disc, a bar.
WHOLE = [disc(25, 25, 16), bar(50, 10, 90, 30)]
NOT_WHOLE = [bar(0, 60, 30, 90), bar(40, 60, 60, 90), bar(60, 60, 90, 90), bar(45, 40, 50, 50),
             bar(5, 45, 20, 55) | bar(25, 45, 40, 55)]  # at the rim; touching; small; in pieces


def build(folder: Path, masks: list, **options) -> PastedMasksDataset:
    annotations = [dict(id=k, image_id=1, category_id=1 + k % 2, iscrowd=0,
                        segmentation=encode(mask), area=int(mask.sum()), bbox=[0, 0, SIZE, SIZE])
                   for k, mask in enumerate(masks, 1)]
    path = folder / 'visible.json'
    path.write_text(json.dumps(dict(
        images=[dict(id=1, file_name='a.jpg', height=SIZE, width=SIZE)], annotations=annotations,
        categories=[dict(id=1, name='disc'), dict(id=2, name='bar')])))
    return DATASETS.build(dict(dict(type='PastedMasksDataset', ann_file=str(path), num_images=5,
                                    size=(120, 160), test_mode=True), **options))


def masks_of(record: dict) -> tuple:
    size = record['height'], record['width']
    return tuple(np.stack([decode(instance[key], *size) for instance in record['instances']])
                 for key in ('mask', 'visible_mask'))


def test_only_objects_that_look_whole_are_taken(tmp_path):
    dataset = build(tmp_path, WHOLE + NOT_WHOLE)
    found, categories = dataset._whole_objects(json.loads(Path(dataset.ann_file).read_text()))
    assert categories == [2, 1]
    for mask, whole in zip(found, WHOLE):
        assert mask.sum() == whole.sum() and mask.all(1).any()


def test_visible_masks_are_what_those_in_front_leave(tmp_path):
    dataset = build(tmp_path, WHOLE)
    assert len(dataset) == 5
    hidden = 0
    for k in range(5):
        record = dataset.get_data_info(k)
        assert (record['height'], record['width']) == (120, 160) and not record['visible_only']
        amodal, visible = masks_of(record)
        assert 3 <= len(amodal) <= 8
        assert [instance['order'] for instance in record['instances']] == [
            *range(1, len(amodal) + 1)]
        free = np.ones((120, 160), np.uint8)
        for whole, seen in zip(amodal, visible):
            np.testing.assert_array_equal(seen, whole & free)
            free &= 1 - whole
            assert seen.sum() >= 0.3 * whole.sum()
            hidden += seen.sum() < whole.sum()
    assert hidden > 3


def test_images_follow_from_the_seed(tmp_path):
    def first(**options) -> np.ndarray:
        return masks_of(build(tmp_path, WHOLE, **options).get_data_info(0))[0]

    np.testing.assert_array_equal(first(), first(num_images=2))
    assert first().shape != first(seed=1).shape or (first() != first(seed=1)).any()


@pytest.mark.parametrize('segmentation, words', [
    (dict(size=[SIZE, SIZE], counts='zzz'), 'no compressed run lengths'),
    (None, 'expected a polygon, a list of polygons or an RLE')])
def test_a_broken_mask_is_named(tmp_path, segmentation, words):
    path = Path(build(tmp_path, WHOLE).ann_file)
    coco = json.loads(path.read_text())
    coco['annotations'][1]['segmentation'] = segmentation
    path.write_text(json.dumps(coco))
    with pytest.raises(ValueError, match=f'annotation 2 of .*visible.json: .*{words}.*; mend or'):
        DATASETS.build(dict(type='PastedMasksDataset', ann_file=str(path)))


def test_a_file_without_whole_objects_is_refused(tmp_path):
    with pytest.raises(ValueError, match='visible.json has no object that looks whole: .*400'):
        build(tmp_path, NOT_WHOLE)
