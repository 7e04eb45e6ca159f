"""Arrays of HDF5 files: read one by one, and only after what the file declares was checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import ml_dtypes
import numpy as np

from keras_fn.core.allowance import PER_VARIABLE
from keras_fn.core.errors import CorruptFileError, ShapeError
from keras_fn.core.variable import Variable
from keras_fn.saving import checksums, hdf5
from keras_fn.saving.aligned import empty, give
from keras_fn.saving.hdf5 import Dataset, File, Group
from keras_fn.saving.plan import memory_for

# dtypes that NumPy and HDF5 lack: stored as raw bytes, with the name beside them
EXTRA = {name: np.dtype(getattr(ml_dtypes, name)) for name in ("bfloat16", "float8_e4m3fn", "float8_e5m2")}
NUMERIC = "biufc"


class Reader(Mapping[str, Any]):
    """A group as a read-only dict of arrays: what `load_own_variables` is given."""

    def __init__(self, group: Group | None, where: str) -> None:
        self._group, self.where = group, where

    def __getitem__(self, key: str) -> np.ndarray:
        return read_array(self.dataset(key))

    def dataset(self, key: str) -> Dataset:
        """The checked dataset of a name, before any of it is read."""
        if key not in self:
            raise KeyError(f"{self.where} has no array {key!r}; it has {list(self)[:10]}.")
        return member(self._group, key, Dataset, self.where)

    def __iter__(self) -> Iterator[str]:
        return iter(()) if self._group is None else iter(self._group)

    def __len__(self) -> int:
        return 0 if self._group is None else len(self._group)

    def __contains__(self, key: object) -> bool:
        return self._group is not None and isinstance(key, str) and key in self._group


def open_h5(file: Any, where: str) -> File:
    """An HDF5 file for reading, after all that it holds was found to be sound, except the values of arrays.

    Values are compared with their check sums, where the file has them, when they are read.
    """
    root = hdf5.open_h5(file, where)
    try:
        checksums.expect(root, dict(root.walk()), where)
    except BaseException:
        root.close()
        raise
    return root


def member(group: Any, key: str, kind: type, where: str) -> Any:
    """What a group holds under one name, or None."""
    if key not in group:
        return None
    found = group[key]
    if not isinstance(found, kind):
        raise CorruptFileError(f"{key!r} of {where} is a {type(found).__name__}, and a {kind.__name__} was expected.")
    return found


def group_at(root: Any, path: str, where: str) -> Any:
    """The group at a path of names, or None."""
    for name in path.split("/"):
        root = member(root, name, Group, where)
        if root is None:
            return None
        where = f"{where}/{name}"
    return root


def declared_bytes(root: File, where: str) -> int:
    """Size of all arrays in a file, as a model may hold them."""
    arrays = [i for _, i in root.walk() if isinstance(i, Dataset)]
    return sum(i.size * max(4, i.dtype.itemsize) + PER_VARIABLE for i in arrays)


def dtype_name(dataset: Dataset) -> str:
    """The dtype of the values."""
    if dataset.dtype.kind != "V":
        return dataset.dtype.name
    name = dataset.attrs.get("dtype")
    if name is None and dataset.dtype.itemsize == 2:  # legacy files leave the name out; only one has two bytes
        return "bfloat16"
    if not isinstance(name, str) or name not in EXTRA or EXTRA[name].itemsize != dataset.dtype.itemsize:
        raise CorruptFileError(
            f"{dataset.name} of {dataset.place.file} holds raw bytes of the unknown dtype {name!r}, not {list(EXTRA)}."
        )
    return name


def _empty_array(dataset: Dataset) -> np.ndarray:
    name = dtype_name(dataset)
    return empty(dataset.shape, EXTRA.get(name, dataset.dtype))


def read_array(dataset: Dataset) -> np.ndarray:
    """The values of a dataset."""
    array = _empty_array(dataset)
    dataset.read_into(array)
    return array


def read_into(variable: Variable, dataset: Dataset) -> None:
    """Writes a dataset of the same shape into a variable: straight into its memory, where the backend shows it."""
    if tuple(dataset.shape) != tuple(variable.shape):
        raise ShapeError(f"{dataset.name} has the shape {dataset.shape}, and {variable.path!r} has {variable.shape}.")
    memory = memory_for(variable, dtype_name(dataset))
    if memory is not None:
        dataset.read_into(memory)
    else:
        give(variable, read_array(dataset))
