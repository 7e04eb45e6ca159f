"""The reading of safetensors files: a JSON header, then plain arrays one after the other.

Format: https://huggingface.co/docs/safetensors/index#format. All that the header says is checked before an array is
read: each array has the bytes that its shape takes, and together they are all the bytes that follow, with no gap and
no overlap. So a header cannot make the reader allocate more than the file holds. Where the file has check sums (see
checksums.py), values are compared with them when they are read.
"""

from __future__ import annotations

import math
import os
import pathlib
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import ml_dtypes
import numpy as np

from keras_fn.core.errors import CorruptFileError, FileLimitError
from keras_fn.saving.aligned import empty
from keras_fn.saving.checksums import expect_noted
from keras_fn.saving.hdf5.checksum import values_crc32
from keras_fn.saving.regular import open_regular
from keras_fn.saving.structure import MAX_TEXT, parse_json

DTYPES = {
    "BOOL": np.dtype("?"), "U8": np.dtype("u1"), "U16": np.dtype("<u2"), "U32": np.dtype("<u4"), "U64": np.dtype("<u8"),
    "I8": np.dtype("i1"), "I16": np.dtype("<i2"), "I32": np.dtype("<i4"), "I64": np.dtype("<i8"),
    "F16": np.dtype("<f2"), "F32": np.dtype("<f4"), "F64": np.dtype("<f8"), "C64": np.dtype("<c8"),
    "BF16": np.dtype(ml_dtypes.bfloat16), "F8_E4M3": np.dtype(ml_dtypes.float8_e4m3fn),
    "F8_E5M2": np.dtype(ml_dtypes.float8_e5m2),
}  # fmt: skip
# a dtype works out its name anew each time
_NAMES = {dtype: dtype.name for dtype in DTYPES.values()}
NOTES = "__metadata__"
_MOST_AXES = 32
_PIECE = 2**20  # bytes, a multiple of the size of every dtype
_KEYS = {"dtype", "shape", "data_offsets"}


@dataclass
class Array:
    """An array in a file, before it is read.

    Attributes:
        file: the file, open.
        where: its name for messages.
        name: name of the array.
        dtype: of the values.
        shape: of the array.
        start, length: where its bytes lie.
        expected_crc: the CRC-32 that the values must have, or None.
    """

    file: BinaryIO
    where: str
    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int
    length: int
    expected_crc: int | None = None

    def read(self) -> np.ndarray:
        """Its values.

        Raises:
            CorruptFileError: where they are damaged.
        """
        values = empty(self.shape, self.dtype)
        self.read_into(values)
        return values

    def read_into(self, array: np.ndarray) -> None:
        """Its values, into an array of its shape and dtype whose elements lie in C order.

        Raises:
            CorruptFileError: where they are damaged.
        """
        raw = array.reshape(-1).view(np.uint8)
        self.file.seek(self.start)
        got = self.file.readinto(memoryview(raw)) if self.length else 0  # type: ignore[attr-defined]
        if got != self.length:
            raise self._corrupt("the file ends inside of it")
        self._check(values_crc32(raw, self.dtype) if self.expected_crc is not None else None, array)

    def verify(self) -> None:
        """Reads through the values without keeping them.

        Raises:
            CorruptFileError: where they are damaged.
        """
        if self.expected_crc is None and self.dtype.kind != "b":
            return
        crc = 0
        self.file.seek(self.start)
        for at in range(0, self.length, _PIECE):
            piece = self.file.read(min(_PIECE, self.length - at))
            if not piece:
                raise self._corrupt("the file ends inside of it")
            crc = values_crc32(piece, self.dtype, crc)
            self._check(None, np.frombuffer(piece, np.uint8))
        self._check(crc, None)

    def _check(self, crc: int | None, values: np.ndarray | None) -> None:
        if self.dtype.kind == "b" and values is not None and values.size and values.view(np.uint8).max() > 1:
            raise self._corrupt("it holds other values than false and true")
        if None not in (crc, self.expected_crc) and crc != self.expected_crc:
            raise self._corrupt(
                f"its values have the check sum {crc:#010x}, and were written with {self.expected_crc:#010x}"
            )

    def _corrupt(self, what: str) -> CorruptFileError:
        return CorruptFileError(f"The array {self.name!r} of {self.where} is damaged: {what}. Take another copy.")


@contextmanager
def open_safetensors(path: pathlib.Path) -> Iterator[dict[str, Array]]:
    """The arrays of a file by their names, for as long as a with block lasts.

    Raises:
        FileError: where the file is not exactly what it should be.
    """
    with open_regular(path) as file:
        yield _arrays(file, path)


def _arrays(file: BinaryIO, path: pathlib.Path) -> dict[str, Array]:
    total = os.fstat(file.fileno()).st_size
    head = file.read(8)
    length = struct.unpack("<Q", head)[0] if len(head) == 8 else -1
    if not 2 <= length <= total - 8:
        raise CorruptFileError(
            f"{path} is no safetensors file: its header is said to have {length} bytes, and the file has {total}."
        )
    if length > MAX_TEXT:
        raise FileLimitError(f"The header of {path} has {length} bytes; no more than {MAX_TEXT} are read.")
    header = parse_json(file.read(length), f"The header of {path}")
    notes = header.pop(NOTES, {})
    if not isinstance(notes, dict) or not all(isinstance(v, str) for v in notes.values()):
        raise CorruptFileError(f"`{NOTES}` in the header of {path} must map text to text.")
    start = 8 + length
    found = {name: _array(file, name, entry, start, path) for name, entry in header.items()}
    at = start
    for array in sorted(found.values(), key=lambda a: (a.start, a.length)):
        if array.start != at:
            raise CorruptFileError(
                f"The array {array.name!r} of {path} begins at byte {array.start}, and {at} was expected: arrays lie "
                "one after the other."
            )
        at += array.length
    if at != total:
        raise CorruptFileError(f"The arrays of {path} end at byte {at}, and the file at byte {total}.")
    expect_noted(notes, {name: (array, _NAMES[array.dtype]) for name, array in found.items()}, str(path))
    return found


def _array(file: BinaryIO, name: str, entry: Any, start: int, path: pathlib.Path) -> Array:
    if not isinstance(entry, dict) or entry.keys() != _KEYS:
        raise CorruptFileError(
            f"The array {name!r} of {path} must be described by {', '.join(sorted(_KEYS))}, and is by "
            f"{str(entry)[:200]}."
        )
    dtype = DTYPES.get(entry["dtype"]) if isinstance(entry["dtype"], str) else None
    if dtype is None:
        raise CorruptFileError(
            f"The array {name!r} of {path} has the unknown dtype {str(entry['dtype'])[:100]!r}; known are "
            f"{', '.join(DTYPES)}."
        )
    shape, offsets = entry["shape"], entry["data_offsets"]
    if not _naturals(shape) or len(shape) > _MOST_AXES or not _naturals(offsets) or len(offsets) != 2:
        raise CorruptFileError(
            f"The array {name!r} of {path} must have a shape and two offsets of natural numbers, and has "
            f"{str(shape)[:200]}, {str(offsets)[:100]}."
        )
    size, length = math.prod(shape) * dtype.itemsize, offsets[1] - offsets[0]
    if size != length:
        raise CorruptFileError(
            f"The array {name!r} of {path} has the shape {tuple(shape)}, {size} bytes of {dtype}, and {length} in the "
            "file."
        )
    return Array(file, str(path), name, dtype, tuple(shape), start + offsets[0], length)


def _naturals(values: Any) -> bool:
    return isinstance(values, list) and all(type(v) is int and v >= 0 for v in values)
