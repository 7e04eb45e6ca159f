"""Arrays into HDF5 files, one by one; h5py writes them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import h5py
import numpy as np

from keras_fn.core.errors import ArgumentTypeError
from keras_fn.core.variable import Variable
from keras_fn.saving.checksums import Ledger
from keras_fn.saving.h5 import EXTRA, NUMERIC


class Writer:
    """A group as a dict to write into: what `save_own_variables` is given."""

    def __init__(self, group: h5py.Group, ledger: Ledger) -> None:
        self._group, self._ledger = group, ledger

    def __setitem__(self, key: str, value: Any) -> None:
        write_array(self._group, key, as_array(value), self._ledger)

    def keys(self) -> list[str]:
        """The names written so far."""
        return list(self._group.keys())

    def __len__(self) -> int:
        return len(self._group)

    def __contains__(self, key: str) -> bool:
        return key in self._group


@contextmanager
def new_h5(file: BinaryIO | io.RawIOBase) -> Iterator[h5py.File]:
    """An HDF5 file for writing, in a file that is open."""
    steady = _Steady(file)
    try:
        with h5py.File(steady, "w") as root:
            yield root
    finally:
        if steady.failure is not None:
            raise steady.failure


class _Steady(io.RawIOBase):
    """What HDF5 writes to: it keeps a failure to itself until HDF5 has ended, which cannot stop halfway."""

    def __init__(self, file: BinaryIO | io.RawIOBase) -> None:
        self._file = file
        self.failure: BaseException | None = None

    def _do(self, action: Callable[..., int], instead: int, *args: Any) -> int:
        if self.failure is None:
            try:
                return action(*args)
            except BaseException as e:  # Ctrl-C too: it is raised in the end
                self.failure = e
        return instead

    def write(self, data: Any) -> int:
        return self._do(self._file.write, memoryview(data).nbytes, data)

    def readinto(self, buffer: Any) -> int:
        return self._do(self._file.readinto, len(buffer), buffer)  # type: ignore[attr-defined]

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._do(self._file.seek, 0, offset, whence)

    def tell(self) -> int:
        return self._do(self._file.tell, 0)

    def truncate(self, size: int | None = None) -> int:
        return self._do(self._file.truncate, size or 0, size)

    def flush(self) -> None:
        self._do(lambda: self._file.flush() or 0, 0)

def as_array(value: Any) -> np.ndarray:
    """The values of a Variable, tensor, array or number."""
    if isinstance(value, Variable):
        return value.numpy()
    from keras_fn.core.backend import active

    return active.backend.to_numpy(value) if active.backend.is_tensor(value) else np.asarray(value)


def write_array(group: h5py.Group, key: str, array: np.ndarray, ledger: Ledger) -> None:
    """One array as a dataset."""
    name = array.dtype.name
    if name not in EXTRA and array.dtype.kind not in NUMERIC:
        raise ArgumentTypeError(f"Arrays of numbers are saved; {key!r} holds {array.dtype}.")
    raw = array.view(f"V{array.dtype.itemsize}") if name in EXTRA else array
    dataset = group.create_dataset(key, data=raw)
    if name in EXTRA:
        dataset.attrs["dtype"] = name
    ledger.note(str(dataset.name).strip("/"), array, name, dataset.id.get_offset())
