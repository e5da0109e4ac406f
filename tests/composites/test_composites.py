"""What composites are made of, and the search for options that hide as much as the paper's set."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import List

import cv2
import numpy as np
import pytest

from mmamodal.composites.backgrounds import (Background, least_covered, list_backgrounds, paint_out,
                                             photo_box, read_background)
from mmamodal.composites.composer import merge
from mmamodal.composites.files import check_finished, read_part
from mmamodal.composites.fit import MODAL_AUG, Figures, Simulation, distance, fit, summarise
from mmamodal.composites.sources import CutOut, Sources, find_sources
from mmamodal.datasets.formats import open_annotations
from mmamodal.datasets.pasting.paste_layout import PasteOptions
from mmamodal.files import open_lines
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


# Cut-outs


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


# Backgrounds


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


# Files


def test_merge_numbers_annotations():
    records = [dict(id=1, file_name='a', annotations=[dict(order=1), dict(order=2)]),
               dict(id=2, file_name='b', annotations=[dict(order=1)])]
    coco = merge(records, [dict(id=3, name='c')], dict(seed=0))
    assert coco['images'] == [dict(id=1, file_name='a'), dict(id=2, file_name='b')]
    assert [(ann['id'], ann['image_id']) for ann in coco['annotations']] == [(1, 1), (2, 1), (3, 2)]


def test_images_without_any_object_are_refused():
    with pytest.raises(ValueError, match='no object found a place'):
        merge([dict(id=1, annotations=[])], [], {})


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


# The fit


def test_summarise():
    figures = summarise([[0, 0.5, 0.25], [0], [], [0, 0]])
    assert figures == Figures(25, pytest.approx(100 / 3), 12.5, 37.5, 1.5)
    assert summarise([[], [0]]) == Figures(0, 0, 0, 0, 0.5)


def test_the_paper_s_figures():
    images, occluded, objects, objects_occluded = 2000, 1930, 15851, 11302
    assert MODAL_AUG[0] == 100 * occluded / images
    assert MODAL_AUG[1] == pytest.approx(100 * objects_occluded / objects, abs=0.05)
    assert MODAL_AUG[4] == objects / images
    assert distance(MODAL_AUG, MODAL_AUG) == 0
    further = MODAL_AUG._replace(images_percent=98.5, objects_per_image=8.1255)
    assert distance(further, MODAL_AUG) == pytest.approx((8 / 5)**0.5)


@pytest.fixture(scope='module')
def blocks() -> Sources:
    """Blocks of two classes on grounds of two sizes, as in a data set that is not there."""
    masks = [box(3, 3, 3 + 3 * i, 33 - 3 * i) for i in range(2, 9)]
    cut_outs = [CutOut(0, i, i % 2, int(mask.sum()), (3, 3, 3 + 3 * i, 33 - 3 * i), encode(mask),
                       SIZE) for i, mask in enumerate(masks, 2)]
    return Sources(cut_outs, [Background(0, 100, 140), Background(1, 120, 120)], Counter())


def test_a_simulation_repeats_itself(blocks):
    options = PasteOptions()
    assert Simulation(blocks, 20).run(options) == Simulation(blocks, 20).run(options)
    assert Simulation(blocks, 20, seed=1).run(options) != Simulation(blocks, 20).run(options)


def test_density_and_limit_hide_more(blocks):
    simulation = Simulation(blocks, 60)
    sparse, dense, lenient = (
        simulation.run(PasteOptions(density=density, max_occlusion=limit, min_visible=1))
        for density, limit in ((0.1, 0.6), (0.6, 0.6), (0.6, 0.9)))
    assert sparse.objects_percent < dense.objects_percent - 10
    assert dense.occluded_percent < lenient.occluded_percent


def test_fit_comes_close(blocks):
    start = PasteOptions(density=0.1, even_size=0, max_occlusion=0.9)
    options, figures = fit(blocks, start, ['density', 'max_occlusion'], number=60, tries=20)
    assert distance(figures, MODAL_AUG) < 3 < distance(Simulation(blocks, 60).run(start),
                                                       MODAL_AUG)
    assert options == replace(start, density=options.density,
                              max_occlusion=options.max_occlusion)
    assert (options, figures) == fit(blocks, start, ['density', 'max_occlusion'], 60, 20)


def test_objects_of_no_size_cannot_be_fitted(blocks):
    line = blocks.cut_outs[0]._replace(mask=encode(np.eye(*SIZE, dtype=np.uint8)))
    with pytest.raises(ValueError, match='too small beside the backgrounds'):
        Simulation(Sources([line], [Background(0, 9000, 9000)], Counter()), 1)


@pytest.mark.parametrize('free', [[], ['objects']])
def test_nothing_to_fit_is_refused(blocks, free):
    with pytest.raises(ValueError, match='expected some of'):
        fit(blocks, PasteOptions(), free)
