"""Memory that gathered batches lie in, and that is used again: fresh memory costs more than the gathering itself."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

# blocks of one length, and lengths, that are kept
_BLOCKS, _LENGTHS = 4, 16


class Memory:
    """A few blocks of memory. One that any array still shows, here or inside of a framework, is not given out.

    Args:
        wait: waits until the steps are done that were dispatched, so that the blocks which they read are free.
    """

    def __init__(self, wait: Callable[[], Any]) -> None:
        self._wait = wait
        self._blocks: dict[int, list[Any]] = {}

    def block(self, size: int) -> Any:
        """Bytes that nobody reads."""
        kept = self._blocks.get(size)
        if kept is None:
            if len(self._blocks) == _LENGTHS:
                self._blocks.clear()
            kept = self._blocks[size] = []
        found = _free(kept)
        if found is None and len(kept) == _BLOCKS:
            self._wait()
            found = _free(kept)
        if found is None:
            found = np.empty(size, "uint8")
            kept[:] = [*kept[1 - _BLOCKS :], found]
        return found


def _free(blocks: list[Any]) -> Any:
    """The first block that is in the list and nowhere else."""
    for block in blocks:
        if sys.getrefcount(block) <= _HELD_HERE:
            return block
    return None


def _references() -> int:
    """How many references `_free` counts for a block that is only in the list."""
    counts = []
    for block in [np.empty(1, "uint8")]:
        counts.append(sys.getrefcount(block))
    return counts[0]


_HELD_HERE = _references()
