"""Batches that come one by one: generators, tf.data, torch DataLoaders, indexable data sets."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from keras_fn.core import trees
from keras_fn.core.errors import ArgumentError, ArgumentTypeError
from keras_fn.trainer.data.arrays import check_lengths, to_array


class IterableSource:
    """Batches of any iterable.

    Args:
        data: an iterable of `x`, `(x, y)` or `(x, y, sample_weight)`. One that can be begun anew gives an epoch each
            time; a generator goes on where it was.
        steps: batches an epoch; until the end where None.
    """

    in_memory = False
    seed = 0  # the order is the data's own affair

    def __init__(self, data: Any, steps: int | None) -> None:
        self.data = data
        self.once = iter(data) is data
        self._indexed = hasattr(data, "__getitem__") and hasattr(data, "__len__") and not hasattr(data, "__iter__")
        self._running: Iterator[Any] | None = None
        self._held: list[Any] = []
        self.steps = steps if steps is not None else self._length()

    def _length(self) -> int | None:
        if hasattr(self.data, "num_batches"):
            return self.data.num_batches
        if not hasattr(self.data, "__len__"):
            return None
        try:
            return len(self.data)
        except TypeError:  # tf.data and DataLoader over streams have a __len__ that does not know
            return None

    def _begin(self) -> Iterator[Any]:
        if self._indexed:
            return (self.data[i] for i in range(len(self.data)))
        return iter(self.data)

    def first(self) -> Any:
        """The first batch; it is also the first one that an epoch gives."""
        if not self._held:
            self._running = self._begin()
            batch = next(self._running, None)
            if batch is None:
                raise ArgumentError("The data gave no batch at all.")
            self._held.append(standardize(batch))
        return self._held[0]

    def go_on(self, epochs: int, batches: int, seed: int) -> None:
        """Drops what a run that was cut off after so many epochs had of data that cannot be begun anew."""
        if not self.once or not epochs:
            return
        if self.steps is None:
            raise ArgumentError(
                "A run that is taken up again needs `steps_per_epoch` for a generator, to know what it saw already."
            )
        for _ in range(epochs):
            for _ in self._all_batches():
                pass

    def epoch(self, epoch: int, done: int = 0) -> Iterator[Any]:
        """The batches of an epoch, without the first `done`: tuples `(x, y, sample_weight)` cut to what is there."""
        return itertools.islice(self._all_batches(), done, None)

    def _all_batches(self) -> Iterator[Any]:
        made = 0
        if self._running is None:
            self._running = self._begin()
        began_here = bool(self._held)
        while self.steps is None or made < self.steps:
            if self._held:
                yield self._held.pop()
                made += 1
                continue
            try:
                batch = next(self._running)
            except StopIteration:
                if self.once or self.steps is None or (made == 0 and not began_here):
                    break
                self._running = self._begin()
                batch = next(self._running, None)
                if batch is None:
                    break
            yield standardize(batch)
            made += 1
        if not self.once and (self.steps is None or made >= (self._length() or made)):
            self._running = None
        if hasattr(self.data, "on_epoch_end"):
            self.data.on_epoch_end()


def standardize(batch: Any) -> tuple[Any, ...]:
    """A batch as `(x,)`, `(x, y)` or `(x, y, sample_weight)`, with arrays for leaves."""
    if isinstance(batch, list) and len(batch) in (2, 3):  # a DataLoader gives lists
        batch = tuple(batch)
    if not isinstance(batch, tuple):
        batch = (batch,)
    if len(batch) > 3 or not batch:
        raise ArgumentTypeError(
            f"A batch must be x, (x, y) or (x, y, sample_weight), and a tuple of {len(batch)} came. Several inputs "
            "belong into one structure: ((x1, x2), y)."
        )
    data = tuple(trees.map(to_array, part) for part in batch)
    check_lengths(data)
    return data
