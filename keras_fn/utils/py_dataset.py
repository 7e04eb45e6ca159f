"""`PyDataset`: batches by their number, made by workers ahead of time."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

from keras_fn.core.errors import ArgumentError

# set in each worker process: the data set is sent to it once, not with every batch
_sent: list[Any] = []


class PyDataset:
    """A data set that makes a batch from its number: files that are read, images that are changed.

    Subclass it: `__getitem__(index)` gives a batch, `(x,)`, `(x, y)` or `(x, y, sample_weight)`, and `__len__` or the
    property `num_batches` says how many there are. Batches come in order, whatever the number of workers.

    Args:
        workers: how many batches are made at once; 0 or 1 for one after the other, in the calling thread.
        use_multiprocessing: whether workers are processes (for work in Python) and not threads (for work that waits,
            or in NumPy). The object must be picklable then.
        max_queue_size: how many batches may be ready before they are asked for.

    Example:
        >>> import numpy as np
        >>> import keras_fn
        >>> class Squares(keras_fn.utils.PyDataset):
        ...     def __len__(self):
        ...         return 3
        ...     def __getitem__(self, index):
        ...         return np.full((2, 1), index), np.full((2, 1), index**2)
        >>> [int(y[0, 0]) for x, y in Squares(workers=2)]
        [0, 1, 4]
    """

    # for subclasses whose constructor does not call this one
    workers: int = 1
    use_multiprocessing: bool = False
    max_queue_size: int = 10

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        for name, value, least in (("workers", workers, 0), ("max_queue_size", max_queue_size, 1)):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:  # pyright: ignore[reportUnnecessaryIsInstance]
                raise ArgumentError(f"`{name}` must be an int from {least} on, not {value!r}.")
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        """The batch of that number."""
        raise NotImplementedError(f"{type(self).__name__} must define `__getitem__(self, index)`, which gives a batch.")

    @property
    def num_batches(self) -> int | None:
        """How many batches an epoch has; None for no end."""
        length = getattr(self, "__len__", None)
        if length is None:
            raise NotImplementedError(f"{type(self).__name__} must define `__len__` or the property `num_batches`.")
        return length()

    def on_epoch_begin(self) -> None:
        """Runs before the first batch of an epoch."""

    def on_epoch_end(self) -> None:
        """Runs after the last batch of an epoch: the place to shuffle."""

    def __iter__(self) -> Iterator[Any]:
        self.on_epoch_begin()
        count = self.num_batches
        numbers = itertools.count() if count is None or count == math.inf else iter(range(count))
        if self.workers <= 1 and not self.use_multiprocessing:
            yield from (self[i] for i in numbers)
        else:
            yield from self._made_ahead(numbers)

    def _made_ahead(self, numbers: Iterator[int]) -> Iterator[Any]:
        pool: Executor
        if self.use_multiprocessing:
            pool = ProcessPoolExecutor(max(self.workers, 1), initializer=_receive, initargs=(self,))
            make: Any = _from_sent
        else:
            pool = ThreadPoolExecutor(self.workers, thread_name_prefix="keras_fn_data")
            make = self.__getitem__
        ready: deque[Future[Any]] = deque()
        try:
            for i in itertools.islice(numbers, self.max_queue_size):
                ready.append(pool.submit(make, i))
            while ready:
                batch = ready.popleft().result()
                for i in itertools.islice(numbers, 1):
                    ready.append(pool.submit(make, i))
                yield batch
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


# the name of earlier Kerases
Sequence = PyDataset


def _receive(data: Any) -> None:
    _sent[:] = [data]


def _from_sent(index: int) -> Any:
    return _sent[0][index]
