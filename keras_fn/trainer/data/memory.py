"""Memory that batches lie in while steps read them, used again: fresh memory costs more than the gathering itself."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_fn import ops
from keras_fn.core import trees
from keras_fn.core.aligned import aligned
from keras_fn.core.backend import active

# arrays of one shape and dtype that are kept: where others are waited for, few, as more leave the processor's cache
ALIKE, WAITED = 8, 4
_KINDS = 16
# bytes below which an array is as well copied by NumPy
_SMALL = 4096


class Memory:
    """A few arrays at round addresses. One that anybody still shows, here or inside of a framework, is not given out.

    Args:
        wait: waits until the steps are done that were dispatched, so that the arrays which they read are free.
    """

    def __init__(self, wait: Callable[[], Any]) -> None:
        self._wait = wait
        self._kept: dict[Any, list[tuple[Any, Any]]] = {}

    def array(self, shape: tuple[int, ...], dtype: Any, waits: bool = True) -> Any:
        """An array without values that nobody reads.

        Args:
            shape: its shape.
            dtype: its NumPy dtype.
            waits: whether to wait for steps where all that may be kept are being read; else one more is made.
        """
        kept = self._kept.get((shape, dtype))
        if kept is None:
            if len(self._kept) == _KINDS:
                self._kept.clear()
            kept = self._kept[shape, dtype] = []
        found = _free(kept)
        most = WAITED if waits else ALIKE
        if found is None and len(kept) >= most:
            if not waits:
                return aligned(shape, dtype)
            self._wait()
            found = _free(kept)
        if found is None:
            found = aligned(shape, dtype)
            kept[:] = [*kept[1 - most :], (found.base, found)]
        return found

    def copied(self, batch: Any, of_tensor: Any = None) -> Any:
        """A batch of somebody else's, whose arrays they may write to while a step still reads them.

        Args:
            batch: arrays or tensors, in any structure.
            of_tensor: copies a tensor; tensors stay what they are where it is None.
        """
        return trees.map(lambda a: self._copy(a, of_tensor), batch)

    def _copy(self, a: Any, of_tensor: Any) -> Any:
        if not isinstance(a, np.ndarray):
            return of_tensor(a) if of_tensor is not None and active.backend.is_tensor(a) else a
        if not a.flags.writeable:
            return a
        if a.nbytes < _SMALL:
            return a.copy()
        out = self.array(a.shape, a.dtype, waits=False)
        out[...] = a
        return out

    def stacked(self, batches: list[Any]) -> Any:
        """Batches of one form as one, along a new first axis."""
        columns = zip(*(trees.flatten(batch) for batch in batches), strict=True)
        return trees.unflatten(batches[0], [self._stack(column) for column in columns])

    def _stack(self, column: tuple[Any, ...]) -> Any:
        first = column[0]
        if first is None:
            return None
        if not isinstance(first, np.ndarray):
            return ops.stack(column)
        return np.stack(column, out=self.array((len(column), *first.shape), first.dtype))

    def taken(self, a: Any, rows: Any, waits: bool) -> Any:
        """Rows of an array, gathered."""
        shape = (*rows.shape, *a.shape[1:])
        if math.prod(shape) * a.dtype.itemsize < _SMALL:
            return a.take(rows, axis=0, mode="clip")
        return a.take(rows, axis=0, out=self.array(shape, a.dtype, waits), mode="clip")


def _free(kept: list[tuple[Any, Any]]) -> Any:
    """The first array that is in the list and nowhere else, with no view of its memory anywhere."""
    for base, found in kept:
        if sys.getrefcount(base) <= _HELD_HERE[0] and sys.getrefcount(found) <= _HELD_HERE[1]:
            return found
    return None


def _references() -> tuple[int, int]:
    """How many references `_free` counts for memory and an array that are only in the list."""
    counts = []
    found = aligned((1,), "uint8")
    kept = [(found.base, found)]
    del found
    for base, found in kept:
        counts.append((sys.getrefcount(base), sys.getrefcount(found)))
    return counts[0]


_HELD_HERE = _references()
