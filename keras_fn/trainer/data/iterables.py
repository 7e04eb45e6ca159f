"""Batches that come one by one: generators, tf.data, torch DataLoaders, indexable data sets."""

from __future__ import annotations

import itertools
import warnings
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_fn.core import trees
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, ArgumentTypeError
from keras_fn.random.generators import generators_state, set_generators_state
from keras_fn.trainer.data.arrays import check_lengths, to_array
from keras_fn.trainer.data.state import generators_of, packed, set_generators_of, unpacked


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
        self._ahead: Iterator[Any] | None = None  # an epoch in whose middle a run goes on
        self._first: Any = None  # the first batch of the epoch that ran last
        self._keeps_place = hasattr(data, "state_dict") and hasattr(data, "load_state_dict")
        self._told = False
        self._done: int | None = None  # batches of the epoch in which data went on that knows its place
        self._ended = False
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

    def _begin(self, start: int = 0) -> Iterator[Any]:
        if self._indexed:
            return (self.data[i] for i in range(start, len(self.data)))
        return iter(self.data)

    def first(self) -> Any:
        """The first batch; it is also the first one that an epoch gives."""
        if self._ahead is not None:
            return self._first
        if not self._held:
            self._running = self._begin()
            batch = next(self._running, None)
            if batch is None and self._done is not None:  # it was cut off behind the last batch of an epoch
                self._ended = self._done > 0
                self._running = self._begin()
                batch = next(self._running, None)
            if batch is None:
                raise ArgumentError("The data gave no batch at all.")
            self._held.append(standardize(batch))
        return self._held[0]

    def mark(self) -> int | None:
        """A check sum by which the first batch of the epoch that ran last is known again."""
        return None if self._first is None else check_sum(self._first)

    def generators(self) -> dict[str, Any]:
        """Where the global generators and those of the data are."""
        return {**generators_state(), "own": generators_of(self.data)}

    def set_generators(self, state: dict[str, Any]) -> None:
        """Puts all of them there."""
        set_generators_state(state)
        set_generators_of(self.data, state.get("own", []))

    def state(self) -> Any:
        """The state of data that knows its own place, as plain data; None of other data."""
        if not self._keeps_place:
            return None
        try:
            return packed(self.data.state_dict())
        except ArgumentTypeError as error:
            if not self._told:
                warnings.warn(
                    f"The place in the {type(self.data).__name__} cannot be kept: {error} A run that is taken up again "
                    "reads the batches again that were seen. Let `state_dict` give numbers, text, bytes, arrays, "
                    "lists and dicts.",
                    stacklevel=2,
                )
            self._told = True
            return None

    def go_on(self, place: Any, initial_epoch: int) -> None:
        """Brings the data to where a run was that was cut off, as far as it gives the same batches again.

        Data that is begun anew each epoch is begun as often as it was; what it had of the last epoch is passed over.
        Where epochs end inside of the data, or it cannot be begun anew, all batches are passed over. Data with
        `state_dict` and `load_state_dict` goes on by itself, and nothing is read again.
        """
        if place.data is not None and self._keeps_place:
            self.data.load_state_dict(unpacked(place.data))
            self._done = place.batch
            return
        epochs = place.epoch - initial_epoch
        if self.once and self.steps is None and epochs:
            raise ArgumentError(
                "A run that is taken up again needs `steps_per_epoch` for a generator, to know what it saw already."
            )
        whole = not self.once and self.steps in (None, self._length())
        self.set_generators(place.generators["begin"])
        for _ in range(epochs):
            if whole:
                self._pass_epoch()
            else:
                for _ in self._all_batches():
                    pass
        if place.batch:
            self.set_generators(place.generators["epoch"])
            self._ahead = self._passed(place.batch, whole)
        if self._first is not None and self.mark() != place.mark:
            warnings.warn(
                f"The {type(self.data).__name__} gives other batches than it gave to the run that was cut off, so the "
                "results will not be those of a run that was not. Give its shuffling a fixed seed.",
                stacklevel=4,
            )

    def _pass_epoch(self) -> None:
        """Begins an epoch, as data that is shuffled each time it is begun must be, and lets it go."""
        batch = next(self._begin(), None)
        self._first = None if batch is None else standardize(batch)
        if hasattr(self.data, "on_epoch_end"):
            self.data.on_epoch_end()

    def _passed(self, count: int, whole: bool) -> Iterator[Any]:
        """An epoch without its first batches."""
        if self._indexed and whole:
            self._first = standardize(self.data[0])
            self._running = self._begin(count)
            return self._all_batches(count)
        batches = self._all_batches()
        for _ in range(count):
            next(batches, None)
        return batches

    def epoch(self, epoch: int, done: int = 0) -> Iterator[Any]:
        """The batches of an epoch, without the first `done`: tuples `(x, y, sample_weight)` cut to what is there."""
        if self._ahead is not None:
            batches, self._ahead = self._ahead, None
            return batches
        if self._done is not None:
            made, self._done = self._done, None
            over = self._ended or (self.steps is not None and made >= self.steps)
            return self._nothing() if over else self._all_batches(made)
        return itertools.islice(self._all_batches(), done, None)

    def _nothing(self) -> Iterator[Any]:
        """What is left of an epoch that had ended."""
        self._ended = False
        if hasattr(self.data, "on_epoch_end"):
            self.data.on_epoch_end()
        return iter(())

    def _all_batches(self, made: int = 0) -> Iterator[Any]:
        """The batches of an epoch of which so many were made."""
        if self._running is None:
            self._running = self._begin()
        began_here = bool(self._held)
        while self.steps is None or made < self.steps:
            if self._held:
                self._first = self._held.pop()
                yield self._first
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
            batch = standardize(batch)
            if not made:
                self._first = batch
            yield batch
            made += 1
        if not self.once and (self.steps is None or made >= (self._length() or made)):
            self._running = None
        if hasattr(self.data, "on_epoch_end"):
            self.data.on_epoch_end()


def check_sum(batch: Any) -> int:
    """A check sum of all numbers in a batch."""
    found = 0
    for leaf in trees.flatten(batch):
        if leaf is not None:
            array = active.backend.to_numpy(leaf) if active.backend.is_tensor(leaf) else np.asarray(leaf)
            if array.dtype.kind in "biufcV":
                found = zlib.crc32(np.ascontiguousarray(array).view("uint8").data, found)
    return found


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
