"""Whether run-length codes (RLE) are whole, many at once.

pycocotools takes the counts of an RLE as they are: of broken ones it makes nonsense, or reads on
past their end. To decode each in Python would take longer than an evaluation.
"""

from typing import Iterator, Optional, Sequence, Tuple

import numpy as np

from ...structures.segmentation import to_rle

CHUNK = 1 << 17  # characters that are checked at once: so few that caches hold their numbers
MOST_DIGITS = 7  # of a run: 35 bits


def first_broken(rles: Sequence[dict], sizes: Sequence[Tuple[int, int]]) -> Optional[
        Tuple[int, str]]:
    """The place of the first RLE that is broken, and what is wrong with it; None if none is.

    Args:
        rles: with compressed counts, as text.
        sizes: (height, width) that each must have.
    """
    for start, stop in _chunks([len(rle['counts']) for rle in rles]):
        texts = [rle['counts'] for rle in rles[start:stop]]
        pixels = np.array([height * width for height, width in sizes[start:stop]])
        if are_whole(texts, pixels):
            continue
        for place in range(start, stop):
            try:
                to_rle(rles[place], *sizes[place])
            except ValueError as error:
                return place, str(error)
    return None


def are_whole(texts: Sequence[str], pixels: np.ndarray) -> bool:
    """Whether compressed counts are well formed, and the runs of each fill ``pixels``.

    Args:
        texts: N counts.
        pixels: (N,) height times width of their masks.
    """
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    if not len(lengths):
        return True
    codes = np.frombuffer(''.join(texts).encode('utf-8'), np.uint8) - np.uint8(48)
    text_ends = np.cumsum(lengths)
    if lengths.min() == 0 or len(codes) != text_ends[-1] or codes.max() > 63:
        return False
    ends = np.flatnonzero((codes & 32) == 0)  # of the numbers: no further digit follows
    if (codes[text_ends - 1] & 32).any():
        return False
    numbers = np.diff(np.searchsorted(ends, text_ends), prepend=0)
    differences = _numbers(codes, ends)
    if differences is None:
        return False
    runs = _runs(differences, numbers)
    filled = np.add.reduceat(runs, np.cumsum(numbers) - numbers)
    return bool(runs.min() >= 0 and (filled == pixels).all())


def _numbers(codes: np.ndarray, ends: np.ndarray) -> Optional[np.ndarray]:
    """The signed numbers whose digits of five bits, the lowest first, end at ``ends``."""
    starts = np.concatenate([[0], ends[:-1] + 1])
    digits = ends - starts + 1
    if digits.max() > MOST_DIGITS:
        return None
    values = (codes[starts] & 31).astype(np.int64)
    for place in range(1, digits.max()):
        longer = np.flatnonzero(digits > place)
        values[longer] += (codes[starts[longer] + place] & 31).astype(np.int64) << (5 * place)
    negative = np.flatnonzero(codes[ends] & 16)
    values[negative] -= np.int64(1) << (5 * digits[negative])
    return values


def _runs(differences: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Runs of all texts: from the fourth on, each is written less the last but one."""
    runs = differences
    place = np.arange(len(runs)) - np.repeat(np.cumsum(numbers) - numbers, numbers)
    for first in (1, 2):
        chain = np.flatnonzero((place > 0) & ((place & 1) == (first & 1)))
        heads = np.flatnonzero(place[chain] == first)
        if len(heads):
            links = runs[chain]
            totals = np.add.reduceat(links, heads)
            links[heads[1:]] -= totals[:-1]  # so that one sum runs through all of them
            runs[chain] = np.cumsum(links)
    return runs


def _chunks(lengths: Sequence[int]) -> Iterator[Tuple[int, int]]:
    """Slices of about ``CHUNK`` characters together, one text at least."""
    start, total = 0, 0
    for place, length in enumerate(lengths):
        if total + length > CHUNK and place > start:
            yield start, place
            start, total = place, 0
        total += length
    if start < len(lengths):
        yield start, len(lengths)
