"""Attributes: small values beside a group or an array.

Sections IV.A.2.m ("The Attribute Message"), IV.A.2.v ("Attribute Info") and III.E ("Global Heap"), where text of any
length is kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from keras_fn.saving.hdf5.bytes import NOWHERE, Cursor, Place, Source, decode
from keras_fn.saving.hdf5.datatypes import Type, read_shape, read_type
from keras_fn.saving.hdf5.object_header import ATTRIBUTE, ATTRIBUTE_INFO, Message

# a list that is too long for one attribute is kept in several, of up to 64 kB each
_MOST = 1000
# the collections of the global heap that were read: address -> number -> bytes
Heaps = dict[int, dict[int, bytes]]


class Attributes(Mapping[str, Any]):
    """The attributes of an object as a dict; values are decoded when they are looked up.

    Text is given as `str`, numbers as NumPy scalars, and what has a shape as an array (of `str` where it is text).
    """

    def __init__(self, source: Source, heaps: Heaps, messages: list[Message], place: Place) -> None:
        self._source, self._heaps, self._place = source, heaps, place
        self._messages: dict[str, Cursor] = {}
        self._values: dict[str, Any] = {}
        for message in messages:
            if message.kind == ATTRIBUTE_INFO:
                self._check_info(Cursor(message.body, place, "the note on attributes"))
            elif message.kind == ATTRIBUTE:
                self._add(Cursor(message.body, place, "an attribute"))
        if len(self._messages) > _MOST:
            raise place.limit(f"{len(self._messages)} attributes are kept here, and no more than {_MOST} may be.")

    def __iter__(self) -> Iterator[str]:
        return iter(self._messages)

    def __len__(self) -> int:
        return len(self._messages)

    def __contains__(self, key: object) -> bool:
        return key in self._messages

    def __getitem__(self, key: str) -> Any:
        if key not in self._values:
            cursor = self._messages[key]
            cursor.at = 0
            self._values[key] = self._value(cursor, key)
        return self._values[key]

    def _check_info(self, cursor: Cursor) -> None:
        cursor.version(0)
        cursor.take(2 if cursor.uint(1) & 1 else 0)
        if cursor.uint(8) != NOWHERE:
            raise self._place.unsafe("the many attributes are kept in a fractal heap, which is not read.")

    def _add(self, cursor: Cursor) -> None:
        name = _head(cursor)[0]
        if name in self._messages:
            raise self._place.corrupt(f"the attribute {name!r} is there twice.")
        self._messages[name] = cursor

    def _value(self, cursor: Cursor, key: str) -> Any:
        _, type_raw, shape_raw = _head(cursor)
        what = f"the attribute {key!r}"
        type_ = read_type(Cursor(type_raw, self._place, f"the type of {what}"))
        shape = read_shape(Cursor(shape_raw, self._place, f"the shape of {what}"))
        if shape is None:
            raise self._place.unsafe(f"{what} has no value at all, which is not read.")
        count = math.prod(shape)
        raw = cursor.take(count * type_.size)
        if type_.dtype is None:
            return self._text(raw, type_, shape, what)
        if type_.kind == "bool" and any(b > 1 for b in raw):
            raise self._place.corrupt(f"{what} holds other values than FALSE and TRUE.")
        array = np.frombuffer(raw, type_.dtype).astype(type_.dtype.newbyteorder("=")).reshape(shape)
        return array if shape else array[()]

    def _text(self, raw: bytes, type_: Type, shape: tuple[int, ...], what: str) -> Any:
        parts = [raw[i : i + type_.size] for i in range(0, len(raw), type_.size)]
        if type_.kind == "long text":
            parts = [self._from_heap(Cursor(part, self._place, what)) for part in parts]
        # shorter text is filled up with null bytes or with spaces
        ends = b" " if type_.kind == "spaced text" else b""
        texts = [decode(part.split(b"\0", 1)[0].rstrip(ends), self._place, what) for part in parts]
        if not shape:
            return texts[0]
        array = np.empty(len(texts), object)
        array[:] = texts
        return array.reshape(shape)

    def _from_heap(self, cursor: Cursor) -> bytes:
        size, address, index = cursor.uint(4), cursor.uint(8), cursor.uint(4)
        if not size:
            return b""
        self._source.add_text(size, self._place)
        if address not in self._heaps:
            self._heaps[address] = _read_heap(self._source, address, self._place)
        found = self._heaps[address].get(index)
        if found is None or len(found) < size:
            raise self._place.corrupt(f"text of {size} bytes is said to be number {index} at {address}, and is not.")
        return found[:size]


def _head(cursor: Cursor) -> tuple[str, bytes, bytes]:
    """Name, type and shape of an attribute; its values follow."""
    version, flags = cursor.version(1, 2, 3), cursor.uint(1)
    sizes = [cursor.uint(2) for _ in range(3)]
    if version > 1 and flags:
        raise cursor.place.unsafe("the type of an attribute is kept elsewhere, which is not read.")
    if version == 3:
        cursor.take(1)  # ASCII or UTF-8, of which ASCII is a part
    step = 8 if version == 1 else 1
    name, type_, shape = (cursor.take(-(-n // step) * step)[:n] for n in sizes)
    return decode(name.split(b"\0", 1)[0], cursor.place, "the name of an attribute"), type_, shape


def _read_heap(source: Source, address: int, place: Place) -> dict[int, bytes]:
    """The objects of a collection of the global heap, by number."""
    head = Cursor(source.peek(address, 16, place, "a global heap"), place, "a global heap")
    head.signature(b"GCOL")
    head.version(1)
    head.take(3)
    cursor = source.cursor(address, head.uint(8), place, "a global heap")
    cursor.take(16)
    found: dict[int, bytes] = {}
    while cursor.left >= 16:
        index = cursor.uint(2)
        cursor.take(6)
        size = cursor.uint(8)
        if not index:  # the rest is free
            break
        if index in found:
            raise place.corrupt(f"a global heap has the number {index} twice.")
        found[index] = cursor.take(size)
        cursor.take(min(-size % 8, cursor.left))
    return found
