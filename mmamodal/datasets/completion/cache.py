"""Arrays that were made before, as many as fit into some memory."""

from collections import OrderedDict
from typing import Callable, Hashable, Tuple, TypeVar

import numpy as np

Kept = TypeVar('Kept', bound=Tuple[np.ndarray, ...])


class ArrayCache:
    """Remembers what was made lately and forgets what was asked for longest ago.

    What it gives is shared: it must not be written to.

    Args:
        megabytes: memory for the arrays of each process; 0: nothing is remembered.

    Raises:
        ValueError: ``megabytes`` is negative.
    """

    def __init__(self, megabytes: float) -> None:
        if megabytes < 0:
            raise ValueError(f'expected a cache of at least 0 megabytes, got {megabytes}')
        self.limit, self.used = megabytes * 1e6, 0
        self._kept: 'OrderedDict[Hashable, tuple]' = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Kept]) -> Kept:
        """What is kept under a key, made if it is not: a tuple that begins with an array."""
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept
        made = make()
        if made[0].nbytes <= self.limit:
            self._kept[key] = made
            self.used += made[0].nbytes
            while self.used > self.limit:
                self.used -= self._kept.popitem(last=False)[1][0].nbytes
        return made
