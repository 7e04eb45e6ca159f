"""Batches that come one by one: generators, tf.data, torch DataLoaders, indexable data sets."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_fn.core import trees
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, ArgumentTypeError
from keras_fn.random.generators import generators_state, set_generators_state
from keras_fn.trainer.data.arrays import check_lengths, to_array
from keras_fn.trainer.data.marks import Marks
from keras_fn.trainer.data.state import generators_of, packed, same, set_generators_of, unpacked

_END: Any = object()


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
        self._first: Any = None  # the first batch of an epoch in whose middle a run goes on
        self._watched = False  # whether what happens is noted, for a run that may be cut off
        self._marks = Marks()
        # where generators were when `on_epoch_end` drew from them, for each epoch; and those of the run before
        self._ends: list[dict[str, Any]] = []
        self._ended_before: list[dict[str, Any]] = []
        self._began: dict[str, Any] = {}
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

    def watch(self) -> None:
        """From here on, what happens is noted for a run that may be cut off."""
        self._watched = True

    def mark(self) -> list[int]:
        """Check sums by which the epoch that ran last is known again."""
        return self._marks.state()

    def ends(self) -> list[dict[str, Any]]:
        """Where generators were when `on_epoch_end` drew from them, as far as the batches had moved them."""
        return self._ends

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
        self._ended_before = list(place.generators.get("ends", ()))
        for number in range(epochs):
            if whole:
                self._pass_epoch(1 if place.batch or number < epochs - 1 else len(place.mark) - 1)
            else:
                for _ in self._all_batches():
                    pass
        seen = len(place.mark)
        if place.batch:
            self.set_generators(place.generators["epoch"])
            seen = self._pass_batches(place, whole)
        elif whole:
            seen -= 1  # of an epoch that has ended, the first batches are read
        found = self._marks.state()[:seen]
        self._marks.set(place.mark)
        if (epochs or place.batch) and found != place.mark[:seen]:
            warnings.warn(
                f"The {type(self.data).__name__} gives other batches than it gave to the run that was cut off, so the "
                "results will not be those of a run that was not. Give its shuffling a fixed seed, and let nothing "
                "that is made in parallel come in another order.",
                stacklevel=4,
            )
        elif has_no_order(self.data):
            warnings.warn(
                f"The {type(self.data).__name__} has the option `deterministic=False`: its batches may come in another "
                "order than before, so the results may not be those of a run that was not cut off.",
                stacklevel=4,
            )

    def _pass_epoch(self, count: int) -> None:
        """Begins an epoch, as data that is shuffled each time it begins must be, and lets it go after some batches."""
        self._marks.begin()
        self._note_generators()
        for batch in itertools.islice(self._begin(), count):
            self._marks.note(standardize(batch))
        self._end_epoch()

    def _pass_batches(self, place: Any, whole: bool) -> int:
        """Goes into the middle of an epoch. Returns how many check sums there are of what was read for it."""
        if self._indexed and whole:
            self._note_generators()
            self._first = standardize(self.data[0])
            self._marks.begin()
            self._marks.note(self._first)
            self._running = self._begin(place.batch)
            self._ahead = self._all_batches(place.batch)
            return 1
        self._ahead = self._all_batches()
        for number in range(place.batch):
            batch = next(self._ahead, None)
            if not number:
                self._first = batch
        return len(place.mark)

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
        self._end_epoch()
        return iter(())

    def _note_generators(self) -> None:
        if self._watched and hasattr(self.data, "on_epoch_end"):
            self._began = self.generators()

    def _end_epoch(self) -> None:
        """Tells the data, which may draw a new order now, from where generators are after all of its batches.

        Who takes up a run reads only some of the batches, and must know where the others left the generators.
        """
        if not hasattr(self.data, "on_epoch_end"):
            return
        if self._ended_before:
            known = self._ended_before.pop(0)
            if known:
                self.set_generators({**self.generators(), **known})
            self.data.on_epoch_end()
        else:
            before = self.generators() if self._watched else {}
            self.data.on_epoch_end()
            after = self.generators() if self._watched else {}
            known = {k: v for k, v in before.items() if not same(v, after[k]) and not same(v, self._began.get(k))}
        self._ends.append(known)

    def _all_batches(self, made: int = 0) -> Iterator[Any]:
        """The batches of an epoch of which so many were made."""
        fresh = self._running is None or bool(self._held)
        if self._running is None:
            self._running = self._begin()
        if not made:
            self._marks.begin()
            self._note_generators()
        while self.steps is None or made < self.steps:
            if self._held:
                batch = self._held.pop()
            else:
                batch = next(self._running, _END)
                if batch is _END:
                    if self.once or self.steps is None or (made == 0 and fresh):
                        break
                    self._running = self._begin()
                    batch = next(self._running, _END)
                    if batch is _END:
                        break
                batch = standardize(batch)
            if self._watched:
                self._marks.note(batch)
            yield batch
            made += 1
        if not self.once and (self.steps is None or made >= (self._length() or math.inf)):
            self._running = None
        self._end_epoch()


def form_of(batch: Any) -> Any:
    """What batches that are stacked have in common; of batches that cannot be, nothing."""
    leaves = trees.flatten(batch)
    backend = active.backend
    if not all(x is None or isinstance(x, np.ndarray) or backend.is_tensor(x) for x in leaves):
        return object()
    return trees.structure(batch), [None if x is None else (x.__class__, tuple(x.shape), x.dtype) for x in leaves]


def has_no_order(data: Any) -> bool:
    """Whether data says that its order may differ from time to time, as the options of a tf.data.Dataset may."""
    options = getattr(data, "options", None) if hasattr(data, "element_spec") else None
    return callable(options) and getattr(options(), "deterministic", None) is False


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
    data = tuple([trees.map(to_array, part) for part in batch])
    check_lengths(data)
    return data
