"""Check sums of the arrays in a weights file, in two attributes of its root, which Keras leaves alone.

HDF5 in its default form has none: a changed bit in a weight would be loaded as another weight. `keras_fn_arrays` is
JSON, `{path: [dtype, shape, CRC-32 of the values, little endian, in C order]}`, and `keras_fn_crc32` is the CRC-32 of
this text. So names, shapes and dtypes are protected as well as the values. Files with neither attribute are those of
other programs.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

import numpy as np

from keras_fn.core.errors import CorruptFileError
from keras_fn.saving.archive import parse_json
from keras_fn.saving.hdf5 import Dataset, File, Group
from keras_fn.saving.hdf5.checksum import values_crc32

ARRAYS, CRC = "keras_fn_arrays", "keras_fn_crc32"
# what Keras keeps as JSON in legacy files
_LEGACY = ("model_config", "training_config")
_HINT = "The file is damaged, or was changed by another program. Take another copy of it."


class Ledger:
    """The check sums of the arrays written so far."""

    def __init__(self) -> None:
        self._arrays: dict[str, list[Any]] = {}

    def note(self, path: str, array: np.ndarray, dtype: str) -> None:
        """Notes an array that is written as it is, under its path from the root."""
        raw = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        self._arrays[path.strip("/")] = [dtype, list(array.shape), values_crc32(raw, array.dtype)]

    def write(self, root: Any) -> None:
        """Writes the attributes into the root of an h5py file."""
        text = json.dumps(self._arrays, separators=(",", ":"))
        root.attrs[ARRAYS] = text
        root.attrs[CRC] = np.uint32(zlib.crc32(text.encode()))


def expect(root: File, items: dict[str, Group | Dataset], where: str) -> bool:
    """Tells each array of a file the check sum that it must have. Returns whether the file has check sums.

    Raises:
        CorruptFileError: where names, shapes or dtypes are not those that were written.
    """
    text, crc = root.attrs.get(ARRAYS), root.attrs.get(CRC)
    if text is None and crc is None:
        _check_traces(root, where)
        return False
    if not isinstance(text, str) or not isinstance(crc, np.integer) or zlib.crc32(text.encode()) != int(crc):
        raise CorruptFileError(f"The list of arrays and check sums in {where} is damaged. {_HINT}")
    listed = parse_json(text, f"The list of arrays in {where}")
    arrays = {path: item for path, item in items.items() if isinstance(item, Dataset)}
    for path in arrays.keys() ^ listed.keys():
        state = "is not in the list of arrays" if path in arrays else "is a Group" if path in items else "is missing"
        raise CorruptFileError(f"{path!r} {state} in {where}; its list of arrays and the file should agree. {_HINT}")
    for path, (dtype, shape, array_crc) in listed.items():
        _expect_one(arrays[path], dtype, shape, array_crc, where)
    return True


def _check_traces(root: File, where: str) -> None:
    """Two changed names must not make the check sums disappear: what is left of them is looked for."""
    for name in root.attrs:
        if name.startswith("keras_fn") or (name not in _LEGACY and str(root.attrs[name]).startswith('{"')):
            raise CorruptFileError(f"The list of arrays and check sums in {where} has lost its name. {_HINT}")


def _expect_one(dataset: Dataset, dtype: str, shape: list[int], crc: int, where: str) -> None:
    from keras_fn.saving.h5 import dtype_name

    if list(dataset.shape) != shape or dtype_name(dataset) != dtype:
        raise CorruptFileError(
            f"The array {dataset.name!r} of {where} has the shape {list(dataset.shape)} and the dtype "
            f"{dtype_name(dataset)}, and was written with {shape} and {dtype}. {_HINT}"
        )
    dataset.expected_crc = crc
