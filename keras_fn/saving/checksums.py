"""Check sums of the arrays in a weights file, in two attributes that other programs leave alone.

HDF5 in its default form has none, nor has safetensors: a changed bit in a weight would be loaded as another weight.
`keras_fn_arrays` is JSON, `{path: [dtype, shape, CRC-32 of the values, little endian, in C order]}`, and
`keras_fn_crc32` is the CRC-32 of this text. So names, shapes and dtypes are protected as well as the values. They are
attributes of the root of an HDF5 file, and lie in the `__metadata__` of a safetensors file. Files with neither are
those of other programs.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from keras_fn.core.errors import CorruptFileError
from keras_fn.saving.archive import parse_json
from keras_fn.saving.hdf5 import Dataset, File, Group
from keras_fn.saving.hdf5.checksum import values_crc32

ARRAYS, CRC = "keras_fn_arrays", "keras_fn_crc32"
# what Keras keeps as JSON in legacy files
_LEGACY = ("model_config", "training_config")
# bytes from which on to join two check sums takes less time than to read the bytes again
_LARGE = 2**20
_HINT = "The file is damaged, or was changed by another program. Take another copy of it."
# the beginning of a list of arrays, by which it is known where it has lost its name
_LIST = re.compile(r'\{("(?:[^"\\]|\\.)*+":\["\w+",\[[\d,]*\],\d+\]|\}$)')


class Ledger:
    """The check sums of the arrays written so far.

    Attributes:
        places: `(place, length, CRC-32)` of large arrays whose bytes lie in the file as they are.
    """

    def __init__(self) -> None:
        self._arrays: dict[str, list[Any]] = {}
        self.places: list[tuple[int, int, int]] = []

    def note(self, path: str, array: np.ndarray, dtype: str, place: int | None = None) -> None:
        """Notes an array that is written as it is, under its path from the root, and where its bytes lie, if known."""
        raw = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        crc = values_crc32(raw, array.dtype)
        self._arrays[path] = [dtype, list(array.shape), crc]
        if place is not None and raw.nbytes >= _LARGE and array.dtype == array.dtype.newbyteorder("<"):
            self.places.append((place, raw.nbytes, crc))

    def reserve(self, path: str, shape: list[int], dtype: str) -> None:
        """Notes an array whose values are not known yet: the list becomes no longer when they are."""
        self._arrays[path] = [dtype, shape, 2**32 - 1]

    def text(self) -> str:
        """The list of arrays."""
        return json.dumps(self._arrays, separators=(",", ":"))

    def write(self, root: Any) -> int:
        """Writes the attributes into the root of an h5py file. Returns the check sum of the list."""
        text = self.text()
        root.attrs[ARRAYS] = text
        crc = zlib.crc32(text.encode())
        root.attrs[CRC] = np.uint32(crc)
        return crc

    def notes(self) -> dict[str, str]:
        """The attributes as text."""
        text = self.text()
        return {ARRAYS: text, CRC: f"{zlib.crc32(text.encode()):010d}"}


class Summed(Protocol):
    """An array that can be told which check sum its values must have."""

    shape: Any
    expected_crc: int | None


def expect(root: File, items: dict[str, Group | Dataset], where: str) -> bool:
    """Tells each array of an HDF5 file the check sum that it must have. Returns whether the file has check sums.

    Raises:
        CorruptFileError: where names, shapes or dtypes are not those that were written.
    """
    from keras_fn.saving.h5 import dtype_name

    text, crc = root.attrs.get(ARRAYS), root.attrs.get(CRC)
    if text is None and crc is None:
        _check_traces(root, where)
        return False
    arrays = {path: (item, dtype_name(item)) for path, item in items.items() if isinstance(item, Dataset)}
    _expect_all(text, int(crc) if isinstance(crc, np.integer) else None, arrays, where, items)
    return True


def list_crc(root: File) -> int | None:
    """The check sum of the list of arrays of a file that was found right; None where it has none."""
    crc = root.attrs.get(CRC)
    return None if crc is None else int(crc)


def expect_noted(notes: Mapping[str, str], arrays: Mapping[str, tuple[Summed, str]], where: str) -> bool:
    """Tells each array the check sum that it must have by the notes of a safetensors file, if there are any.

    Args:
        notes: name -> text.
        arrays: name -> the array and the name of its dtype.
        where: name of the file for messages.

    Raises:
        CorruptFileError: where names, shapes or dtypes are not those that were written.
    """
    text, crc = notes.get(ARRAYS), notes.get(CRC)
    if text is None and crc is None:
        for name, value in notes.items():
            if name.startswith("keras_fn") or _LIST.match(value):
                raise _nameless(where)
        return False
    _expect_all(text, int(crc) if crc is not None and re.fullmatch(r"[0-9]{10}", crc) else None, arrays, where)
    return True


def _expect_all(
    text: Any, crc: int | None, arrays: Mapping[str, tuple[Summed, str]], where: str, items: Any = ()
) -> None:
    if not isinstance(text, str) or zlib.crc32(text.encode()) != crc:
        raise CorruptFileError(f"The list of arrays and check sums in {where} is damaged. {_HINT}")
    listed = parse_json(text, f"The list of arrays in {where}")
    for path in arrays.keys() ^ listed.keys():
        kind = type(items[path]).__name__ if path in items else None
        state = "is not in the list of arrays" if path in arrays else f"is a {kind}" if kind else "is missing"
        raise CorruptFileError(f"{path!r} {state} in {where}; its list of arrays and the file should agree. {_HINT}")
    for path, entry in listed.items():
        if not isinstance(entry, list) or len(entry) != 3 or type(entry[2]) is not int:
            raise CorruptFileError(f"The list of arrays in {where} says {str(entry)[:100]} of {path!r}. {_HINT}")
        dtype, shape, array_crc = entry
        array, found = arrays[path]
        if list(array.shape) != shape or found != dtype:
            raise CorruptFileError(
                f"The array {path!r} of {where} has the shape {list(array.shape)} and the dtype {found}, and was "
                f"written with {shape} and {dtype}. {_HINT}"
            )
        array.expected_crc = array_crc


def _check_traces(root: File, where: str) -> None:
    """Two changed names must not make the check sums disappear: what is left of them is looked for."""
    for name in root.attrs:
        if name.startswith("keras_fn") or (name not in _LEGACY and str(root.attrs[name]).startswith('{"')):
            raise _nameless(where)


def _nameless(where: str) -> CorruptFileError:
    return CorruptFileError(f"The list of arrays and check sums in {where} has lost its name. {_HINT}")
