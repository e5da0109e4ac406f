"""Instances image by image, without order otherwise."""

from itertools import islice
from typing import List

import numpy as np
import pytest

from mmamodal.datasets import ImageWindowSampler


class Instances:
    """Of image k there are k + 1 instances."""

    images = [k for k in range(10) for _ in range(k + 1)]

    def __len__(self) -> int:
        return len(self.images)

    def get_data_info(self, index: int) -> dict:
        return dict(img_id=self.images[index])


def drawn(count: int, window: int = 3, seed: int = 0) -> List[int]:
    return list(islice(ImageWindowSampler(Instances(), window, seed), count))


def test_every_instance_comes_once_before_any_comes_again():
    first, second = np.split(np.array(drawn(110)), 2)
    assert sorted(first) == sorted(second) == list(range(55))
    assert first.tolist() != second.tolist()


def test_so_many_images_at_a_time():
    images = [Instances.images[index] for index in drawn(55)]
    places = {image: np.flatnonzero(np.array(images) == image) for image in range(10)}
    ends = sorted((place.max(), image) for image, place in places.items())
    begun = sorted(place.min() for place in places.values())
    # The fourth image begins after the first three have ended, and so on.
    for k in (3, 6, 9):
        assert begun[k] > ends[k - 1][0]


def test_they_are_shuffled_within_the_window():
    images = [Instances.images[index] for index in drawn(55, window=10)]
    assert sum(a == b for a, b in zip(images, images[1:])) < 20
    assert drawn(55, window=10) != sorted(drawn(55, window=10))


@pytest.mark.parametrize('window', [1, 4])
def test_the_seed_gives_the_order(window):
    assert drawn(60, window) == drawn(60, window)
    assert drawn(60, window) != drawn(60, window, seed=1)


def test_processes_share_the_instances():
    parts = []
    for rank in (0, 1):
        sampler = ImageWindowSampler(Instances(), 3, seed=0)
        sampler.rank, sampler.world_size = rank, 2
        parts.append(list(islice(sampler, 30)))
    assert [index for pair in zip(*parts) for index in pair] == drawn(60)


def test_no_window_is_refused():
    with pytest.raises(ValueError, match='window of at least 1 image, got 0'):
        ImageWindowSampler(Instances(), 0)
