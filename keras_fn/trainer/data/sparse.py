"""Sparse and ragged data in memory: matrices of SciPy and the framework's tensors, cut into batches of rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_fn.core import dtypes, trees
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError
from keras_fn.trainer.data.arrays import ArraySource, check_lengths, to_array


def is_sparse_data(x: Any) -> bool:
    """Whether x holds sparse or ragged data: rows of it, a tensor of the framework, or a matrix of SciPy."""
    return isinstance(x, (SparseRows, RaggedRows)) or _is_tensor(x) or _is_scipy(x)


def _is_tensor(x: Any) -> bool:
    return x.__class__ in active.backend.sparse_classes or x.__class__ in active.backend.ragged_classes


def _is_scipy(x: Any) -> bool:
    return hasattr(x, "tocsr") and hasattr(x, "nnz")


class SparseRows:
    """Sparse data on the host, in the order of its rows, of which batches are made.

    Args:
        places: int array `(n, rank)`, rows in ascending order.
        values: array `(n,)`.
        shape: the shape of the whole.
    """

    def __init__(self, places: Any, values: Any, shape: tuple[int, ...]) -> None:
        self.places, self.values, self.shape = places, values, shape
        self.dtype = values.dtype
        self._starts = np.searchsorted(places[:, 0], np.arange(shape[0] + 1))

    def __getitem__(self, key: slice) -> SparseRows:
        return self.take(np.arange(self.shape[0])[key])

    def take(self, rows: Any) -> SparseRows:
        """The rows with these numbers, in this order."""
        counts = self._starts[rows + 1] - self._starts[rows]
        ends = np.cumsum(counts)
        index = np.arange(ends[-1] if len(ends) else 0) + np.repeat(self._starts[rows] - ends + counts, counts)
        places = self.places[index]
        places[:, 0] = np.repeat(np.arange(len(rows)), counts)
        return SparseRows(places, self.values[index], (len(rows), *self.shape[1:]))

    def tensor(self) -> Any:
        """A sparse tensor; where the backend has none, the array with all zeros."""
        backend = active.backend
        if backend.supports_sparse:
            return backend.sparse_batch(self.places, self.values, self.shape)
        dense = np.zeros(self.shape, self.values.dtype)
        dense[tuple(self.places.T)] = self.values
        return dense


class RaggedRows:
    """A ragged tensor as data, of which batches are made.

    Args:
        x: ragged tensor of the framework.
    """

    def __init__(self, x: Any) -> None:
        self.x = x
        self.shape: tuple[Any, ...] = (int(active.backend.row_count(x)), *tuple(x.shape)[1:])
        self.dtype = x.dtype

    def __getitem__(self, key: slice) -> RaggedRows:
        return self.take(np.arange(self.shape[0])[key])

    def take(self, rows: Any) -> RaggedRows:
        """The rows with these numbers, in this order."""
        return RaggedRows(active.backend.ragged_rows(self.x, rows))

    def tensor(self) -> Any:
        """The ragged tensor."""
        return self.x


def to_rows(x: Any) -> Any:
    """Sparse data on the host, ragged data, or an array: what rows can be taken of."""
    if isinstance(x, (SparseRows, RaggedRows)):
        return x
    if x.__class__ in active.backend.ragged_classes:
        return RaggedRows(x)
    if not is_sparse_data(x):
        return to_array(x)
    if _is_scipy(x):
        x = x.tocsr(copy=True)
        x.sum_duplicates()  # which also sorts
        rows = np.repeat(np.arange(x.shape[0]), np.diff(x.indptr))
        places, values, shape = np.stack([rows, x.indices], 1), x.data, x.shape
    else:
        backend = active.backend
        places, values = (np.array(backend.to_numpy(part)) for part in backend.coordinates(x))
        shape = tuple(int(d) for d in backend.shape_of(x))
        inside = (places < np.array(shape)).all(1)  # JAX fills up with places that lie outside
        places, values = places[inside], values[inside]
        order = np.lexsort(places.T[::-1])
        places, values = places[order], values[order]
    if not len(shape):
        raise ArgumentError("A sparse tensor without axes came. Data needs a first axis that counts the samples.")
    return SparseRows(places.astype("int64"), _narrow(values), tuple(int(d) for d in shape))


def to_batch(x: Any) -> Any:
    """Sparse or ragged data as one batch."""
    return x if _is_tensor(x) else to_rows(x).tensor()


def _narrow(values: Any) -> Any:
    """float64 and int64, SciPy's defaults, in the dtypes that arrays of data get."""
    if values.dtype == np.float64:
        return values.astype(dtypes.floatx())
    return values.astype("int32") if values.dtype == np.int64 else values


class SparseSource:
    """Batches of data in memory of which some is sparse or ragged: dense rows are gathered on the host beside it.

    Args:
        data, batch_size, shuffle, steps, seed, repeats: those of `ArraySource`, whose order this has.
    """

    in_memory = False

    def __init__(self, data: tuple[Any, ...], batch_size: int | None, shuffle: bool, steps: int | None, *rest: Any):
        self.data = tuple(trees.map(to_rows, part) for part in data)
        numbers = np.arange(check_lengths(self.data))
        self._order = ArraySource((numbers,), batch_size, shuffle, steps, *rest)
        self.size, self.steps = self._order.size, self._order.steps

    @property
    def seed(self) -> int:
        """Seed of the order."""
        return self._order.seed

    def go_on(self, place: Any, initial_epoch: int) -> None:
        """Takes over the order of a run that was cut off."""
        self._order.go_on(place, initial_epoch)

    def mark(self) -> None:
        """Rows of data in memory need no check sum of the batches."""

    def state(self) -> None:
        """Nor a state."""

    def first(self) -> Any:
        """The first rows, to learn structure, shapes and dtypes from."""
        return self._batch(np.arange(min(self.size, self._order.batch_size)))

    def epoch(self, epoch: int, done: int = 0) -> Iterator[Any]:
        """The batches of an epoch, without the first `done`."""
        return map(self._batch, self._order.epoch(epoch, done))

    def _batch(self, rows: Any) -> Any:
        def part(a: Any) -> Any:
            if isinstance(a, (SparseRows, RaggedRows)):
                return a.take(rows).tensor()
            if a is None:
                return None
            return (active.backend.to_numpy(a) if active.backend.is_tensor(a) else a)[rows]

        return trees.map(part, self.data)
