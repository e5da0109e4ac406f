"""What is remembered, what is forgotten."""

import numpy as np
import pytest

from mmamodal.datasets.completion.cache import ArrayCache


def asked(cache: ArrayCache, *keys: str) -> list:
    """Which of the keys, each of 1,000 bytes, had to be made."""
    made = []
    for key in keys:
        array, name = cache.get(key, lambda key=key: (made.append(key)
                                                      or np.zeros(1000, np.uint8), key))
        assert name == key and array.nbytes == 1000
    return made


@pytest.mark.parametrize('kilobytes, keys, made', [
    (2, 'aab', 'ab'), (2, 'abab', 'ab'), (2, 'abca', 'abca'), (2, 'abaca', 'abc'),
    (2, 'abacb', 'abcb'), (0, 'aa', 'aa'), (0.9, 'aa', 'aa'), (1, 'aab', 'ab')])
def test_what_was_asked_for_longest_ago_is_forgotten(kilobytes, keys, made):
    cache = ArrayCache(kilobytes / 1000)
    assert asked(cache, *keys) == list(made)
    assert cache.used <= 1000 * kilobytes


def test_what_fails_is_not_remembered():
    cache = ArrayCache(1)

    def fail() -> tuple:
        raise ValueError('broken')

    with pytest.raises(ValueError, match='broken'):
        cache.get('a', fail)
    assert asked(cache, 'a') == ['a']


def test_negative_memory_is_refused():
    with pytest.raises(ValueError, match='at least 0 megabytes, got -1'):
        ArrayCache(-1)
