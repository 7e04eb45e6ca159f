"""Check sums by which batches are known again that a run saw before it was cut off."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from keras_fn.core import trees
from keras_fn.core.backend import active

# how many batches of an epoch are read again to know it by, and bytes of an array of which all are looked at
_FIRST, _WHOLE = 8, 2**16


class Marks:
    """What the batches of an epoch were: check sums of the first ones, and of all so far."""

    def __init__(self) -> None:
        self.first: list[int] = []
        self.all = 0

    def begin(self) -> None:
        """Another epoch begins."""
        self.first, self.all = [], 0

    def note(self, batch: Any) -> None:
        """Notes the next batch."""
        self.all = check_sum(batch, self.all)
        if len(self.first) < _FIRST:
            self.first.append(self.all)

    def state(self) -> list[int]:
        """As plain data."""
        return [*self.first, self.all]

    def set(self, state: list[int]) -> None:
        """What `state` gave."""
        *self.first, self.all = state


def check_sum(batch: Any, before: int = 0) -> int:
    """A check sum of the numbers in a batch, of large arrays of some in even distances."""
    found = before
    for leaf in trees.flatten(batch):
        if leaf is not None:
            array = active.backend.to_numpy(leaf) if active.backend.is_tensor(leaf) else np.asarray(leaf)
            if array.dtype.kind in "biufcV":
                flat = array.reshape(-1)[:: 1 + array.nbytes // _WHOLE]
                found = zlib.crc32(np.ascontiguousarray(flat).view("uint8").data, found)
    return found
