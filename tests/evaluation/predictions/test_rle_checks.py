"""Broken run-length codes, among whole ones."""

import numpy as np
import pytest
from hypothesis import given, strategies

from mmamodal.evaluation.predictions import rle_checks
from mmamodal.evaluation.predictions.rle_checks import are_whole, first_broken
from mmamodal.structures.segmentation import encode, to_rle

SIZE = (7, 9)


def whole(seed: int) -> dict:
    rng = np.random.default_rng(seed)
    return encode((rng.random(SIZE) < rng.random()).astype(np.uint8))


@pytest.mark.parametrize('masks', [
    [], [np.zeros(SIZE)], [np.ones(SIZE)], [np.eye(*SIZE), np.zeros(SIZE), np.ones(SIZE)],
    [np.ones((3000, 4000))]])
def test_whole_ones(masks: list):
    rles = [encode(mask.astype(np.uint8)) for mask in masks]
    assert first_broken(rles, [rle['size'] for rle in rles]) is None


@pytest.mark.parametrize('counts, words', [
    ('', 'no compressed run lengths'),
    ('\x7f', 'no compressed run lengths'),
    ('ä', 'no compressed run lengths'),
    (' ', 'no compressed run lengths'),
    ('oP', 'no compressed run lengths'),  # a digit is announced and does not come
    ('PPPPPPPPPPPPPPP', 'no compressed run lengths'),
    ('PPPPPPP0', 'no compressed run lengths'),
    ('O', 'a negative run'),
    ('11', 'fill 2 pixels'),
    ('1111', 'fill 5 pixels'),  # the fourth run is written less the second
])
def test_the_first_broken_is_found(counts: str, words: str):
    rles = [whole(0), dict(size=list(SIZE), counts=counts), whole(1), dict(size=list(SIZE),
                                                                           counts='1')]
    place, text = first_broken(rles, [SIZE] * 4)
    assert place == 1 and words in text


def test_whole_but_of_another_size():
    place, text = first_broken([whole(0), whole(1)], [SIZE, (8, 9)])
    assert place == 1 and 'expected an RLE of size [8, 9]' in text
    rle = encode(np.ones((9, 7), np.uint8))
    assert first_broken([rle], [(9, 7)]) is None


@pytest.mark.parametrize('chunk', [1, 10, 100])
def test_chunks_leave_nothing_out(chunk: int, monkeypatch):
    monkeypatch.setattr(rle_checks, 'CHUNK', chunk)
    rles = [whole(seed) for seed in range(20)]
    assert first_broken(rles, [SIZE] * 20) is None
    for place in (0, 7, 19):
        broken = [*rles[:place], dict(size=list(SIZE), counts='1'), *rles[place + 1:]]
        assert first_broken(broken, [SIZE] * 20)[0] == place


@given(strategies.data())
def test_one_by_one_gives_the_same(data: strategies.DataObject):
    """Whatever becomes of a code, among whole ones, it is whole here if it is for to_rle."""
    counts = list(whole(data.draw(strategies.integers(0, 50)))['counts'])
    for _ in range(data.draw(strategies.integers(0, 3))):
        place = data.draw(strategies.integers(0, len(counts) - 1))
        counts[place] = chr(data.draw(strategies.integers(40, 120)))
    counts = ''.join(counts[:data.draw(strategies.integers(0, len(counts)))] or counts)
    try:
        to_rle(dict(size=list(SIZE), counts=counts), *SIZE)
        expected = True
    except ValueError:
        expected = False
    texts = [whole(1)['counts'], counts, whole(2)['counts']]
    assert are_whole(texts, np.full(3, SIZE[0] * SIZE[1])) == expected
