"""Arrays in memory: a batch is a list of row numbers, and the rows are gathered where the computation is."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from keras_fn.core import dtypes, trees
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, ArgumentTypeError
from keras_fn.core.variable import unwrap
from keras_fn.trainer.data.memory import Memory


class ArraySource:
    """Batches of arrays that are all in memory.

    Args:
        data: `(x,)`, `(x, y)` or `(x, y, sample_weight)`; each an array or a structure of arrays, or None.
        batch_size: rows a batch.
        shuffle: whether each epoch has its own order.
        steps: batches an epoch; all of them where None.
        seed: seed of the order.
        repeats: whether the rows begin anew where there are fewer than `steps` batches of them.
    """

    in_memory = True

    def __init__(
        self,
        data: tuple[Any, ...],
        batch_size: int | None,
        shuffle: bool,
        steps: int | None,
        seed: int,
        repeats: bool = False,
    ) -> None:
        self.data = tuple(trees.map(to_array, part) for part in data)
        self.size = check_lengths(self.data)
        self.batch_size = 32 if batch_size is None else batch_size
        if not isinstance(self.batch_size, (int, np.integer)) or self.batch_size < 1:
            raise ArgumentError(f"`batch_size` must be a positive int, not {batch_size!r}.")
        self.shuffle = shuffle
        self.seed = seed
        full = math.ceil(self.size / self.batch_size)
        self.steps: int | None = full if steps is None else steps if repeats else min(steps, full)
        self._tensors: Any = None

    def tensors(self) -> Any:
        """The arrays as tensors of the active backend, made once."""
        if self._tensors is None:
            convert = active.backend.convert
            self._tensors = trees.map(lambda a: None if a is None else convert(a, None), self.data)
        return self._tensors

    def gathers_on_host(self) -> bool:
        """Whether batches are gathered from the arrays as they lie in the host's memory."""
        leaves = trees.flatten(self.data)
        return active.backend.gathers_on_host and all(a is None or isinstance(a, np.ndarray) for a in leaves)

    def gathered(self, rows: Any, memory: Memory) -> Any:
        """The rows of each array, in memory that a device which is the host's CPU can read in place.

        Args:
            rows: array of row numbers: those of a batch, or of several in a matrix.
            memory: where they are put. Only for several batches it may wait for steps.
        """
        several = rows.ndim > 1
        return trees.map(lambda a: None if a is None else memory.taken(a, rows, several), self.data)

    def order(self, epoch: int) -> Any:
        """Row numbers in the order of an epoch."""
        if not self.shuffle:
            return np.arange(self.size, dtype="int32")
        from keras_fn.random.host import host_generator

        return host_generator(self.seed + epoch).permutation(self.size).astype("int32")

    def go_on(self, place: Any, initial_epoch: int) -> None:
        """Takes over the order of a run that was cut off."""
        self.seed = place.seed

    def mark(self) -> None:
        """Rows of arrays need no check sum of the batches."""

    def epoch(self, epoch: int, done: int = 0) -> Iterator[Any]:
        """The row numbers of each batch, without the first `done`."""
        return itertools.islice(self._all_batches(epoch), done, None)

    def _all_batches(self, epoch: int) -> Iterator[Any]:
        order = self.order(epoch)
        assert self.steps is not None
        made = 0
        while made < self.steps:
            for start in range(0, self.size, self.batch_size):
                if made == self.steps:
                    return
                yield order[start : start + self.batch_size]
                made += 1
            order = self.order(epoch + 1_000_003 * made)

    def slices(self, convert: Callable[[Any], Any]) -> Iterator[Any]:
        """The batches in the order of the rows, made from slices: no copy of the whole arrays.

        Args:
            convert: makes of a slice what a step takes.
        """
        full = math.ceil(self.size / self.batch_size)
        cuts = [_cutter(a, convert) for a in trees.flatten(self.data)]
        form = trees.structure(self.data)
        assert self.steps is not None
        for number in range(self.steps):
            start = number % full * self.batch_size
            yield form.unflatten([cut(start, start + self.batch_size) for cut in cuts])

    def first(self) -> Any:
        """The first rows, to learn structure, shapes and dtypes from."""
        return trees.map(lambda a: None if a is None else a[: self.batch_size], self.data)


def _cutter(a: Any, convert: Callable[[Any], Any]) -> Callable[[int, int], Any]:
    """What cuts rows out of an array and converts them: the other way round where the whole is converted in place."""
    if a is None:
        return lambda start, stop: None
    if not active.backend.takes_in_place(a):
        return lambda start, stop: convert(a[start:stop])
    whole = convert(a)
    return lambda start, stop: whole[start:stop]


def to_array(x: Any) -> Any:
    """An array (or tensor) that can be gathered from: floats in the default float."""
    if x.__class__ is not np.ndarray:  # most are, and a generator's come here batch by batch
        x = _read(x)
        if not isinstance(x, np.ndarray):
            return x
    kind, size = x.dtype.kind, x.dtype.itemsize
    if kind == "O":
        raise ArgumentTypeError(
            "An array of Python objects came (rows of unequal length, or mixed types). Pad the rows to one length, for "
            "example with `keras_fn.utils.pad_sequences`."
        )
    if size != 8:
        return x
    if kind == "f":
        return x.astype(dtypes.floatx())
    return _narrowed(x) if kind in "iu" else x


def _read(x: Any) -> Any:
    """The array of whatever came; None, arrays, and tensors of the active backend, as they are."""
    if x is None or isinstance(x, np.ndarray):
        return x
    x = unwrap(x)
    backend = active.backend
    if backend.is_tensor(x):
        return x
    cls = x.__class__
    if cls in backend.sparse_classes or cls in backend.ragged_classes or hasattr(cls, "tocsr"):
        from keras_fn.trainer.data.sparse import is_sparse_data, to_batch

        if is_sparse_data(x):
            return to_batch(x)
    read = _reader_of_class(cls) or _reader(x)
    if read is None:
        raise ArgumentTypeError(f"Data must be arrays or structures of arrays, and {cls.__name__} came.")
    return read(x)


def _reader(thing: Any) -> Callable[[Any], Any] | None:
    """What makes an array of an object, or of all objects of a class."""
    if hasattr(thing, "to_numpy"):  # pandas
        return lambda x: x.to_numpy()
    if hasattr(thing, "detach"):  # a torch tensor under another backend
        return lambda x: x.numpy(force=True)
    known = hasattr(thing, "__array__") or isinstance(thing, (list, tuple, int, float))
    return np.asarray if known else None


# a class is asked once; to ask a tensor of TensorFlow for what it lacks takes longer than to read it
_reader_of_class = functools.lru_cache(maxsize=64)(_reader)


def _narrowed(x: Any) -> Any:
    """64-bit integers in 32 bits where they fit: ids and labels do, and every backend has them."""
    if x.size and (x.max() > 2**31 - 1 or x.min() < -(2**31)):
        return x
    return x.astype("int32")


def check_lengths(data: tuple[Any, ...]) -> int:
    """The common number of rows.

    Raises:
        ArgumentError: where there are none, or the numbers differ.
    """
    lengths = set()
    for part in data:
        for leaf in trees.flatten(part):
            if leaf is not None:
                shape = leaf.shape
                lengths.add(int(shape[0]) if len(shape) else 0)
    if len(lengths) != 1 or lengths == {0}:
        raise ArgumentError(_wrong_lengths(data))
    return lengths.pop()


def _wrong_lengths(data: tuple[Any, ...]) -> str:
    """Which arrays have no common number of rows."""
    found: list[tuple[str, int]] = []
    for name, part in zip(("x", "y", "sample_weight"), data, strict=False):
        for path, leaf in zip(trees.paths(part), trees.flatten(part), strict=True):
            if leaf is not None:
                label = name + "".join(f"[{p!r}]" for p in path)
                if not len(leaf.shape):
                    return f"{label} is a single number. Data needs a first axis that counts the samples."
                found.append((label, int(leaf.shape[0])))
    if not found:
        return "There is no data: every array is None."
    if len({n for _, n in found}) > 1:
        listed = ", ".join(f"{label}: {n}" for label, n in found)
        return f"All arrays must have the same number of samples (rows), and they have {listed}."
    return f"There are no samples: {found[0][0]} has the shape with 0 rows."
