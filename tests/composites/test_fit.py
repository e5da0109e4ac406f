"""The search for options that hide as much as the paper's set."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from mmamodal.composites.backgrounds import Background
from mmamodal.composites.fit import MODAL_AUG, Figures, Simulation, distance, fit, summarise
from mmamodal.composites.sources import CutOut, Sources
from mmamodal.datasets.pasting.paste_layout import PasteOptions
from mmamodal.structures.segmentation import encode

SIZE = (40, 60)


def box(x1: int, y1: int, x2: int, y2: int) -> np.ndarray:
    mask = np.zeros(SIZE, np.uint8)
    mask[y1:y2, x1:x2] = 1
    return mask


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
