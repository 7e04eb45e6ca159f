"""Files, groups and arrays as they are read: checked when they are looked up, before any value is read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from keras_fn.core.errors import ArgumentError
from keras_fn.saving.hdf5.attributes import Attributes, Heaps
from keras_fn.saving.hdf5.bytes import Cursor, Place, Source
from keras_fn.saving.hdf5.checksum import values_crc32
from keras_fn.saving.hdf5.datatypes import read_shape, read_type
from keras_fn.saving.hdf5.filters import Filter, read_filters, unpack
from keras_fn.saving.hdf5.groups import is_group, read_links
from keras_fn.saving.hdf5.layout import Chunk, read_layout
from keras_fn.saving.hdf5.object_header import (
    ATTRIBUTE,
    ATTRIBUTE_INFO,
    DATASPACE,
    DATATYPE,
    EXTERNAL,
    FILTERS,
    LAYOUT,
    Message,
    read_messages,
)
from keras_fn.saving.hdf5.superblock import read_superblock

_MOST_DEPTH = 256
_PIECE = 2**20


def open_h5(file: Any, where: str) -> File:
    """An HDF5 file for reading.

    Args:
        file: a path, or a binary file that can be read from any place, which stays open.
        where: what errors call the file.

    Raises:
        CorruptFileError: where it is no whole HDF5 file.
        UnsafeFileError: where it uses a part of the format that is not read.
    """
    if hasattr(file, "seek"):
        return File(file, where, owned=False)
    opened = open(file, "rb", buffering=0)  # noqa: SIM115 - the File closes it
    try:
        return File(opened, where, owned=True)
    except BaseException:
        opened.close()
        raise


class _Object:
    """What groups and arrays have in common: a place, and attributes."""

    def __init__(self, source: Source, heaps: Heaps, place: Place, messages: list[Message]) -> None:
        self._source, self._heaps, self.place = source, heaps, place
        self._attributes = [m for m in messages if m.kind in (ATTRIBUTE, ATTRIBUTE_INFO)]
        self._attrs: Attributes | None = None

    @property
    def name(self) -> str:
        """The path inside the file."""
        return self.place.path

    @property
    def attrs(self) -> Attributes:
        """The attributes."""
        if self._attrs is None:
            self._attrs = Attributes(self._source, self._heaps, self._attributes, self.place)
        return self._attrs


class Group(_Object, Mapping[str, Any]):
    """A group: names of groups and arrays.

    `group["a/b"]` reads what is on the way to it; links of other kinds than plain names are never followed.
    """

    def __init__(self, source: Source, heaps: Heaps, place: Place, messages: list[Message]) -> None:
        super().__init__(source, heaps, place, messages)
        self._links = read_links(source, messages, place)
        self._members: dict[str, Group | Dataset] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._links)

    def __len__(self) -> int:
        return len(self._links)

    def __contains__(self, key: object) -> bool:
        return key in self._links

    def __getitem__(self, key: str) -> Group | Dataset:
        found: Group | Dataset = self
        for name in key.split("/"):
            if not isinstance(found, Group) or name not in found._links:
                raise KeyError(f"{self.place.file} has no {key!r} in {self.name!r}.")
            found = found._member(name)
        return found

    def _member(self, name: str) -> Group | Dataset:
        if name not in self._members:
            target = self._links[name]
            if isinstance(target, str):
                raise self.place.unsafe(
                    f"the group holds the {target} {name!r}. Files with links are refused: they could lead anywhere."
                )
            self._members[name] = _open(self._source, self._heaps, target, self.place.below(name))
        return self._members[name]

    def walk(self) -> Iterator[tuple[str, Group | Dataset]]:
        """All groups and arrays below, with their paths from here. At the end of it, no two of them overlap."""
        todo = [("", name, self) for name in reversed(self._links)]
        while todo:
            above, name, group = todo.pop()
            member, path = group._member(name), above + name
            yield path, member
            if isinstance(member, Group):
                if path.count("/") >= _MOST_DEPTH:
                    raise member.place.limit(f"groups may lie {_MOST_DEPTH} deep in each other, not deeper.")
                prefix = f"{path}/"
                todo += [(prefix, name, member) for name in reversed(member._links)]
        self._source.check_claims(self.place)

    def __repr__(self) -> str:
        return f"<Group {self.name!r} of {self.place.file}: {list(self)[:8]}>"


class File(Group):
    """The root group of a file, which is closed at the end of a with block."""

    def __init__(self, file: Any, where: str, owned: bool) -> None:
        source, place = Source(file, where), Place(where)
        self._opened = file if owned else None
        address = read_superblock(source, place)
        source.add_object(address, place)
        messages = read_messages(source, address, place)
        if not is_group(messages):
            raise place.corrupt("the root of the file is no group.")
        super().__init__(source, {}, place, messages)

    def close(self) -> None:
        """Closes the file, where it was opened here."""
        if self._opened is not None:
            self._opened.close()

    def __enter__(self) -> File:
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()


class Dataset(_Object):
    """An array in a file.

    Attributes:
        shape: its shape.
        dtype: the NumPy dtype of its values, in the byte order of this machine; `V<n>` for raw values of n bytes.
        size: number of values.
        nbytes: bytes of all values.
        expected_crc: the CRC-32 that the values must have in little-endian order, or None. It is compared once, when
            they are first read.
    """

    def __init__(self, source: Source, heaps: Heaps, place: Place, messages: list[Message]) -> None:
        super().__init__(source, heaps, place, messages)
        if any(m.kind == EXTERNAL for m in messages):
            raise place.unsafe("the array lies in other files, which are never opened. Save the weights in one file.")
        type_ = read_type(self._one(messages, DATATYPE, "the type"))
        shape = read_shape(self._one(messages, DATASPACE, "the shape"))
        if type_.dtype is None:
            raise place.unsafe("the array holds text, and numbers were expected.")
        if shape is None:
            raise place.unsafe("the array has no values at all, not even none of a shape, which is not read.")
        self._stored, self._kind = type_.dtype, type_.kind
        self.shape, self.dtype = shape, type_.dtype.newbyteorder("=")
        self.size = math.prod(shape)
        self.nbytes = self.size * type_.size
        self._layout = read_layout(self._one(messages, LAYOUT, "the layout"), source, shape, type_.size)
        self._filters = self._read_filters(messages)
        self.expected_crc: int | None = None
        self._check_size()

    def _one(self, messages: list[Message], kind: int, what: str) -> Cursor:
        found = [m.body for m in messages if m.kind == kind]
        if len(found) != 1:
            raise self.place.corrupt(f"{what} of the array is there {len(found)} times, and once was expected.")
        return Cursor(found[0], self.place, what)

    def _read_filters(self, messages: list[Message]) -> list[Filter]:
        if not any(m.kind == FILTERS for m in messages):
            return []
        filters = read_filters(self._one(messages, FILTERS, "the list of filters"))
        if filters and self._layout.chunk is None:
            raise self.place.corrupt("the array is packed by filters, and lies in one piece.")
        return filters

    def _check_size(self) -> None:
        layout = self._layout
        fits = bool(layout.chunks) or not self.nbytes if layout.chunk is not None else layout.stored == self.nbytes
        if not fits:
            raise self.place.corrupt(
                f"the array declares the shape {self.shape} ({self.nbytes} bytes) and stores {layout.stored} bytes."
            )
        if layout.chunk is None:
            if layout.inline is None and self.nbytes:
                self._source.claim(layout.address, self.nbytes, self.place, "the array")
            return
        self._source.add_unpacked(self.nbytes, self.place)
        for chunk in layout.chunks:
            self._source.claim(chunk.address, chunk.size, self.place, "a chunk")

    def read(self) -> np.ndarray:
        """All values."""
        array = np.empty(self.shape, self.dtype)
        self.read_into(array)
        return array

    def read_into(self, array: np.ndarray) -> None:
        """Writes all values into an array of the same shape and dtype, without another copy of them.

        Args:
            array: C-contiguous; for raw values, of any dtype with values of as many bytes.
        """
        same = array.dtype == self.dtype or (self._kind == "raw" and array.dtype.itemsize == self.dtype.itemsize)
        if array.shape != self.shape or not same or not array.flags.c_contiguous:
            raise ArgumentError(
                f"{self.name!r} has the shape {self.shape} and the dtype {self.dtype}, and is to be read into an array "
                f"of {array.shape} and {array.dtype}. Take a C-contiguous array of the same."
            )
        if not self.size:
            self._compare(0)
            return
        flat = array.reshape(-1).view(np.uint8)
        if self._layout.chunk is not None:
            values = array if same and array.dtype == self.dtype else array.view(self.dtype)
            self._read_chunks(values)
        elif self._layout.inline is not None:
            flat[:] = np.frombuffer(self._layout.inline, np.uint8)
        else:
            self._source.read_into(flat, self._layout.address, self.place)
        if self.expected_crc is not None:
            stored = self._stored if self._layout.chunk is None else self.dtype
            self._compare(values_crc32(flat, stored))
        if self._kind == "bool" and flat.max() > 1:
            raise self.place.corrupt("the array holds other values than FALSE and TRUE.")
        if self._layout.chunk is None and not self._stored.isnative:
            array.byteswap(inplace=True)

    def _read_chunks(self, array: np.ndarray) -> None:
        shape = self._layout.chunk
        assert shape is not None
        for chunk in self._layout.chunks:
            values = np.frombuffer(self._unpacked(chunk), self._stored).reshape(shape)
            inside = tuple(slice(0, d - s) for s, d in zip(chunk.start, self.shape, strict=True))
            place = tuple(slice(s, s + c) for s, c in zip(chunk.start, shape, strict=True))
            array[place] = values[inside]

    def _unpacked(self, chunk: Chunk) -> bytes:
        raw = bytes(self._source.read_into(bytearray(chunk.size), chunk.address, self.place))
        size = math.prod(self._layout.chunk or ()) * self.dtype.itemsize
        return unpack(raw, self._filters, chunk.skipped, size, self.place)

    def verify(self) -> None:
        """Reads through the values without keeping them. Afterwards, reading them finds nothing wrong.

        Raises:
            CorruptFileError: where they cannot be unpacked, or do not have the check sum that is expected of them.
        """
        if self._layout.chunk is not None:
            self.read()
        elif self.expected_crc is not None:
            self._compare(self._stored_crc())

    def _stored_crc(self) -> int:
        if self._layout.inline is not None:
            return values_crc32(self._layout.inline, self._stored)
        found = 0
        buffer = memoryview(bytearray(min(_PIECE, self.nbytes)))
        for start in range(0, self.nbytes, _PIECE):
            part = buffer[: min(_PIECE, self.nbytes - start)]
            self._source.read_into(part, self._layout.address + start, self.place)
            found = values_crc32(part, self._stored, found)
        return found

    def _compare(self, crc: int) -> None:
        if self.expected_crc is not None and crc != self.expected_crc:
            raise self.place.corrupt(
                f"the values of this array have the check sum {crc:#010x}, and were written with "
                f"{self.expected_crc:#010x}."
            )
        self.expected_crc = None

    def __repr__(self) -> str:
        return f"<Dataset {self.name!r} of {self.place.file}: {self.shape} {self.dtype}>"


def _open(source: Source, heaps: Heaps, address: int, place: Place) -> Group | Dataset:
    source.add_object(address, place)
    messages = read_messages(source, address, place)
    kinds = {m.kind for m in messages}
    if is_group(messages):
        if DATATYPE in kinds or LAYOUT in kinds:
            raise place.corrupt("the object is a group and an array at the same time.")
        return Group(source, heaps, place, messages)
    if DATATYPE in kinds and LAYOUT not in kinds:
        raise place.unsafe("the object is a named type, which is not read.")
    if DATATYPE not in kinds:
        raise place.corrupt("the object is neither a group nor an array.")
    return Dataset(source, heaps, place, messages)
