"""Masks of annotation files, against pycocotools."""

import cv2
import numpy as np
import pytest
from pycocotools import mask as mask_utils

from mmamodal.structures.segmentation import decode, decode_tight, encode, rle_bbox_xywh, to_rle

SQUARE = [1, 1, 4, 1, 4, 4, 1, 4]
SQUARE_MASK = np.zeros((5, 6), np.uint8)
SQUARE_MASK[1:4, 1:4] = 1
OTHER = [4, 0, 6, 0, 6, 2, 4, 2]
# Down the columns: nothing in column 0; rows 1 to 3 of the columns 1 to 3; nothing behind.
COUNTS = [6, 3, 2, 3, 2, 3, 11]


def pasted(segmentation: object, height: int, width: int) -> np.ndarray:
    """What decode_tight gives, put back into the image."""
    mask, (x, y) = decode_tight(segmentation, height, width)
    out = np.zeros((height, width), np.uint8)
    out[y:y + mask.shape[0], x:x + mask.shape[1]] = mask
    return out


def is_tight(mask: np.ndarray) -> bool:
    if not mask.size:
        return mask.shape == (0, 0)
    return bool(mask[0].any() and mask[-1].any() and mask[:, 0].any() and mask[:, -1].any())


def rle_of(counts: object) -> dict:
    return dict(size=[5, 6], counts=counts)


COMPRESSED = mask_utils.encode(np.asfortranarray(SQUARE_MASK))['counts']


@pytest.mark.parametrize('segmentation', [
    SQUARE, [SQUARE], tuple(SQUARE), [np.array(SQUARE, float)],
    rle_of(COUNTS), rle_of(COMPRESSED), rle_of(COMPRESSED.decode())
], ids=['flat', 'list', 'tuple', 'array', 'runs', 'bytes', 'str'])
def test_every_form_of_the_same_mask(segmentation):
    rle = to_rle(segmentation, 5, 6)
    assert rle == dict(size=[5, 6], counts=COMPRESSED.decode())
    assert decode(segmentation, 5, 6).dtype == np.uint8
    np.testing.assert_array_equal(decode(segmentation, 5, 6), SQUARE_MASK)
    np.testing.assert_array_equal(pasted(segmentation, 5, 6), SQUARE_MASK)


def test_polygons_of_one_object_are_united():
    both = decode([SQUARE, OTHER], 5, 6)
    np.testing.assert_array_equal(both, decode(SQUARE, 5, 6) | decode(OTHER, 5, 6))
    np.testing.assert_array_equal(pasted([SQUARE, OTHER], 5, 6), both)


def test_decode_inverts_encode():
    masks = np.random.default_rng(0).integers(0, 2, (20, 7, 9)).astype(np.uint8)
    for mask in (*masks, np.zeros((7, 9), np.uint8), np.ones((7, 9), np.uint8)):
        assert isinstance(encode(mask)['counts'], str)
        np.testing.assert_array_equal(decode(encode(mask), 7, 9), mask)
        np.testing.assert_array_equal(decode(encode(mask.astype(bool)), 7, 9), mask)


@pytest.mark.parametrize('shape', [(5,), (2, 5, 6)])
def test_encode_refuses_what_is_not_one_mask(shape):
    with pytest.raises(ValueError, match='expected one .H, W. mask'):
        encode(np.zeros(shape, np.uint8))


# Inside, touching each border, leaving the image at each side, and outside of it.
@pytest.mark.parametrize('decimals', [0, 1, 2, 9])
def test_tight_polygons_have_pycocotools_pixels(decimals):
    rng = np.random.default_rng(decimals)
    for _ in range(200):
        height, width = (int(n) for n in rng.integers(1, 60, 2))
        polygons = [
            np.round(rng.uniform(-20, 80, 2) + rng.normal(0, 15, (rng.integers(3, 8), 2)),
                     decimals).ravel().tolist() for _ in range(rng.integers(1, 3))]
        oracle = mask_utils.decode(mask_utils.merge(
            mask_utils.frPyObjects(polygons, height, width)))
        np.testing.assert_array_equal(decode(polygons, height, width), oracle)
        np.testing.assert_array_equal(pasted(polygons, height, width), oracle)
        assert is_tight(decode_tight(polygons, height, width)[0])


def test_tight_polygon_keeps_the_rounding_of_coordinates_far_from_the_origin():
    # 5 * 100.3 rounds to 501.5 in double precision, 5 * (100.3 - 100) stays below 1.5.
    polygon = [100.3, 100.3, 104.3, 100.3, 104.3, 104.3, 100.3, 104.3]
    np.testing.assert_array_equal(pasted(polygon, 200, 200), decode(polygon, 200, 200))


@pytest.mark.parametrize('form', ['runs', 'bytes', 'str'])
def test_tight_rles_have_pycocotools_pixels(form):
    rng = np.random.default_rng(1)
    for _ in range(200):
        height, width = (int(n) for n in rng.integers(1, 40, 2))
        ends = np.sort(rng.integers(0, height * width + 1, rng.integers(0, 8)))
        # Runs may be empty, at the ends and in the middle.
        runs = np.diff([0, *ends, height * width]).tolist()
        rle = mask_utils.frPyObjects(dict(size=[height, width], counts=runs), height, width)
        counts = dict(runs=runs, bytes=rle['counts'], str=rle['counts'].decode())[form]
        segmentation = dict(size=[height, width], counts=counts)
        oracle = mask_utils.decode(rle)
        np.testing.assert_array_equal(decode(segmentation, height, width), oracle)
        np.testing.assert_array_equal(pasted(segmentation, height, width), oracle)
        assert is_tight(decode_tight(segmentation, height, width)[0])


def test_tight_rle_with_long_runs():
    # Runs above 2**15 take several characters, and their differences are negative.
    mask = np.zeros((700, 900), np.uint8)
    mask[3:690, 40:44] = 1
    mask[:, 300:500] = 1
    mask[5, 700] = 1
    np.testing.assert_array_equal(pasted(encode(mask), 700, 900), mask)
    assert decode_tight(encode(mask), 700, 900)[0].shape == (700, 661)


@pytest.mark.parametrize('segmentation', [
    rle_of([30]), rle_of([30, 0]), rle_of([0, 0, 30]), encode(np.zeros((5, 6), np.uint8)),
    [7, 1, 9, 1, 9, 4], [1, -9, 4, -9, 4, -3], [-9, 1, -2, 1, -2, 4], [1, 8, 4, 8, 4, 9],
    [1.1, 1.1, 1.2, 1.1, 1.2, 1.2]
])
def test_tight_box_of_nothing(segmentation):
    assert not decode(segmentation, 5, 6).any()
    assert decode_tight(segmentation, 5, 6)[0].shape == (0, 0)


def test_full_image():
    mask, origin = decode_tight(rle_of([0, 30]), 5, 6)
    assert mask.shape == (5, 6) and mask.all() and origin == (0, 0)


@pytest.mark.parametrize('seed', range(40))
def test_bbox_of_rle_is_that_of_its_mask(seed):
    rng = np.random.default_rng(seed)
    mask = (rng.random((rng.integers(1, 6), rng.integers(1, 6))) < rng.random()).astype(np.uint8)
    assert rle_bbox_xywh(encode(mask), *mask.shape) == list(cv2.boundingRect(mask))


def test_empty_runs_do_not_count_for_the_bbox():
    assert rle_bbox_xywh(rle_of([2, 0, 4, 3, 2, 3, 2, 3, 6, 0, 5]), 5, 6) == [1, 1, 3, 3]


NAN = float('nan')


@pytest.mark.parametrize('segmentation, message', [
    (None, 'expected a polygon, a list of polygons or an RLE, got None'),
    ([], r'or an RLE, got \[\]'),
    ('abc', "or an RLE, got 'abc'"),
    (3, 'or an RLE, got 3'),
    ([1, 1, 4, 4], 'at least three points'),
    ([[1, 1, 4, 4]], 'at least three points'),
    ([SQUARE, [1, 1]], 'at least three points'),
    ([[]], 'at least three points'),
    ([1, 1, 4, 1, 4, 4, 1], 'at least three points'),
    ([[[1, 1], [4, 1], [4, 4]]], 'at least three points'),
    ([None], 'at least three points'),
    (['a', 'b', 'c', 'd', 'e', 'f'], 'polygon of numbers'),
    ([[1, 1, 4, 1, [4], 4]], 'polygon of numbers'),
    ([1, 1, 4, 1, NAN, 4], 'NaN'),
    ([1, 1, 4, 1, float('inf'), 4], 'infinite'),
    ([1, 1, 1e9, 1, 4, 4], 'pixels away'),
    ({}, r'expected an RLE of size \[5, 6\] with counts, got size None and no counts'),
    (dict(size=[5, 6]), 'no counts'),
    (dict(counts=COUNTS), 'got size None'),
    (dict(size=5, counts=COUNTS), 'got size 5'),
    (dict(size=[6, 5], counts=COUNTS), r'of size \[5, 6\] with counts, got size \[6, 5\]'),
    (rle_of(COUNTS[:-1]), 'fill 19 pixels.* has 30'),
    (rle_of(COUNTS + [1]), 'fill 31 pixels'),
    (rle_of([6, -3, 27]), 'whole number >= 0'),
    (rle_of([6.5, 23.5]), 'whole number >= 0'),
    (rle_of(['30']), 'whole number >= 0'),
    (rle_of(30), 'as list or string, got int'),
    (rle_of(''), 'no compressed run lengths'),
    (rle_of('€'), 'no compressed run lengths'),
    (rle_of('!'), 'no compressed run lengths'),
    (rle_of('P'), 'no compressed run lengths'),
    (rle_of('P' * 8 + '0'), 'no compressed run lengths'),
    (rle_of('O'), 'negative run'),
    (rle_of(COMPRESSED[:-1]), 'fill .* pixels'),
])
@pytest.mark.parametrize('function', [to_rle, decode, decode_tight])
def test_what_is_no_mask_is_refused_with_the_reason(function, segmentation, message):
    with pytest.raises(ValueError, match=message):
        function(segmentation, 5, 6)


def test_messages_are_short():
    with pytest.raises(ValueError) as caught:
        decode(['x'] * 5000, 5, 6)
    assert len(str(caught.value)) < 200
