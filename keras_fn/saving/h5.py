"""Arrays in HDF5 files: written one by one; read one by one, and only after what the file declares was checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import h5py
import ml_dtypes
import numpy as np

from keras_fn.core.errors import FileFormatError, ShapeError
from keras_fn.core.variable import Variable
from keras_fn.saving.archive import MAX_RATIO

# dtypes that NumPy and HDF5 lack: stored as raw bytes, with the name beside them
_EXTRA = {name: np.dtype(getattr(ml_dtypes, name)) for name in ("bfloat16", "float8_e4m3fn", "float8_e5m2")}
_NUMERIC = "biufc"


class Writer:
    """A group as a dict to write into: what `save_own_variables` is given."""

    def __init__(self, group: h5py.Group) -> None:
        self._group = group

    def __setitem__(self, key: str, value: Any) -> None:
        write_array(self._group, key, as_array(value))

    def keys(self) -> list[str]:
        """The names written so far."""
        return list(self._group.keys())

    def __len__(self) -> int:
        return len(self._group)

    def __contains__(self, key: str) -> bool:
        return key in self._group


def as_array(value: Any) -> np.ndarray:
    """The values of a Variable, tensor, array or number."""
    if isinstance(value, Variable):
        return value.numpy()
    from keras_fn.core.backend import active

    return active.backend.to_numpy(value) if active.backend.is_tensor(value) else np.asarray(value)


def write_array(group: h5py.Group, key: str, array: np.ndarray) -> None:
    """One array as a dataset."""
    name = array.dtype.name
    if name in _EXTRA:
        dataset = group.create_dataset(key, data=array.view(f"V{array.dtype.itemsize}"))
        dataset.attrs["dtype"] = name
        return
    group.create_dataset(key, data=array)


class Reader(Mapping[str, Any]):
    """A group as a read-only dict of arrays: what `load_own_variables` is given."""

    def __init__(self, group: h5py.Group | None, where: str) -> None:
        self._group, self.where = group, where

    def __getitem__(self, key: str) -> np.ndarray:
        return read_array(self.dataset(key))

    def dataset(self, key: str) -> h5py.Dataset:
        """The checked dataset of a name, before any of it is read."""
        if key not in self:
            raise KeyError(f"{self.where} has no array {key!r}; it has {list(self)[:10]}.")
        return member(self._group, key, h5py.Dataset, self.where)

    def __iter__(self) -> Iterator[str]:
        return iter(()) if self._group is None else iter(self._group.keys())

    def __len__(self) -> int:
        return 0 if self._group is None else len(self._group)

    def __contains__(self, key: object) -> bool:
        return self._group is not None and isinstance(key, str) and key in self._group


def open_h5(file: Any, where: str) -> h5py.File:
    """An HDF5 file for reading."""
    try:
        return h5py.File(file, "r")
    except OSError as e:
        raise FileFormatError(f"{where} is not a whole HDF5 file: {e}") from e


def member(group: Any, key: str, kind: type, where: str) -> Any:
    """What a group holds itself under one name: links to other places and files are refused, and never followed."""
    link = group.get(key, getlink=True)
    if link is None:
        return None
    if not isinstance(link, h5py.HardLink):
        raise FileFormatError(
            f"{where} holds the {_link_kind(link)} {key!r}. Files with links are refused: they could lead anywhere."
        )
    try:
        found = group[key]
    except (KeyError, OSError, RuntimeError) as e:
        raise FileFormatError(f"{key!r} of {where} is damaged: {e}") from e
    if not isinstance(found, kind):
        raise FileFormatError(f"{key!r} of {where} is a {type(found).__name__}, and a {kind.__name__} was expected.")
    if kind is h5py.Dataset:
        _check_dataset(found, f"{where}/{key}")
    return found


def group_at(root: Any, path: str, where: str) -> Any:
    """The group at a path of names, or None."""
    for name in path.split("/"):
        root = member(root, name, h5py.Group, where)
        if root is None:
            return None
        where = f"{where}/{name}"
    return root


def _link_kind(link: Any) -> str:
    return f"link to the file {link.filename!r} named" if isinstance(link, h5py.ExternalLink) else "soft link"


def _check_dataset(dataset: h5py.Dataset, where: str) -> None:
    if dataset.is_virtual or dataset.external:
        raise FileFormatError(f"{where} lies in other files, which are never opened. Save the weights in one file.")
    if dataset.dtype.kind not in _NUMERIC and not (dataset.dtype.kind == "V" and dataset.dtype.names is None):
        raise FileFormatError(f"{where} holds {dataset.dtype}, and numbers were expected.")
    stored, size = dataset.id.get_storage_size(), dataset.size or 0
    declared = size * dataset.dtype.itemsize
    if declared > (MAX_RATIO * stored if dataset.chunks else stored):
        raise FileFormatError(
            f"{where} declares the shape {dataset.shape} ({declared} bytes) and stores {stored} bytes. The file "
            "is damaged "
            "or malicious."
        )


def declared_bytes(root: h5py.File, where: str) -> int:
    """Size of all arrays in a file, each of which was checked."""
    total = 0

    def add(name: str, item: Any) -> None:
        nonlocal total
        if isinstance(item, h5py.Dataset):
            _check_dataset(item, f"{where}/{name}")
            total += (item.size or 0) * max(4, item.dtype.itemsize)

    root.visititems(add)
    return total


def dtype_name(dataset: h5py.Dataset) -> str:
    """The dtype of the values."""
    name = dataset.attrs.get("dtype") if dataset.dtype.kind == "V" else None
    if dataset.dtype.kind != "V":
        return dataset.dtype.name
    name = name.decode() if isinstance(name, bytes) else name
    if name not in _EXTRA or _EXTRA[name].itemsize != dataset.dtype.itemsize:
        raise FileFormatError(f"{dataset.name} holds raw bytes of the unknown dtype {name!r}, not {list(_EXTRA)}.")
    return str(name)


def read_array(dataset: h5py.Dataset) -> np.ndarray:
    """The values of a dataset."""
    name = dtype_name(dataset)
    try:
        raw = dataset[()]
    except (OSError, RuntimeError) as e:
        raise FileFormatError(f"{dataset.name} cannot be read, the file is damaged: {e}") from e
    array = np.asarray(raw)
    return array.view(_EXTRA[name]) if name in _EXTRA else array


def read_into(variable: Variable, dataset: h5py.Dataset) -> None:
    """Writes a dataset of the same shape into a variable."""
    if tuple(dataset.shape) != tuple(variable.shape):
        raise ShapeError(f"{dataset.name} has the shape {dataset.shape}, and {variable.path!r} has {variable.shape}.")
    variable.assign(read_array(dataset))
