"""The messages of an object: what a group or an array is made of (section IV.A.1, "Data Object Headers")."""

from __future__ import annotations

from typing import NamedTuple

from keras_fn.saving.hdf5.bytes import Cursor, Place, Source
from keras_fn.saving.hdf5.checksum import lookup3

DATASPACE, LINK_INFO, DATATYPE, FILL, LINK, EXTERNAL, LAYOUT = 0x01, 0x02, 0x03, 0x05, 0x06, 0x07, 0x08
FILTERS, ATTRIBUTE, SHARED_TABLE, CONTINUATION, SYMBOL_TABLE, ATTRIBUTE_INFO = 0x0B, 0x0C, 0x0F, 0x10, 0x11, 0x15
_HARMLESS = frozenset({0x00, 0x04, 0x0A, 0x0D, 0x0E, 0x12, 0x16})  # space, old fill value, group info, comment, times
_KNOWN = frozenset({
    DATASPACE, LINK_INFO, DATATYPE, FILL, LINK, EXTERNAL, LAYOUT, FILTERS, ATTRIBUTE, SYMBOL_TABLE, ATTRIBUTE_INFO,
})  # fmt: skip
_SHARED_FLAG = 2
_MOST_BLOCKS = 4096
# no header of less messages than that is looked at twice
_FREE_MESSAGES = 4096


class Message(NamedTuple):
    """A message: its type, and its bytes."""

    kind: int
    body: bytes


def read_messages(source: Source, address: int, place: Place) -> list[Message]:
    """All messages of the object whose header is at an address."""
    if source.peek(address, 4, place, "the header") == b"OHDR":
        return _Second(source, place).read(address)
    return _First(source, place).read(address)


class _Header:
    """What both versions share: blocks of messages that name further blocks."""

    def __init__(self, source: Source, place: Place) -> None:
        self._source, self._place = source, place
        self.messages: list[Message] = []
        self.blocks: list[tuple[int, int]] = []
        self.number = 0

    def add(self, kind: int, flags: int, body: bytes) -> None:
        self.number += 1
        if self.number > _FREE_MESSAGES:
            self._source.check_count(self.number, "messages in a header", self._place)
        if kind == CONTINUATION:
            cursor = Cursor(body, self._place, "the note of a further block")
            self.blocks.append((cursor.uint(8), cursor.uint(8)))
            if len(self.blocks) > _MOST_BLOCKS:
                raise self._place.limit(f"a header may lie in {_MOST_BLOCKS} blocks, not more.")
        elif flags & _SHARED_FLAG or kind == SHARED_TABLE:
            raise self._place.unsafe("a message is kept elsewhere and shared, which files of weights have no use for.")
        elif kind in _KNOWN:
            self.messages.append(Message(kind, body))
        elif kind not in _HARMLESS:
            raise self._place.unsafe(f"the header has a message of the type {kind:#x}, which is not read.")


class _First(_Header):
    """Version 1: messages are counted, and each takes a multiple of 8 bytes."""

    def read(self, address: int) -> list[Message]:
        cursor = self._source.cursor(address, 16, self._place, "the header")
        cursor.version(1)
        cursor.take(1)
        count, _, size = cursor.uint(2), cursor.uint(4), cursor.uint(4)
        self.blocks.append((address + 16, size))
        done = 0
        while done < len(self.blocks):
            start, size = self.blocks[done]
            done += 1
            self._block(self._source.cursor(start, size, self._place, "a block of the header"))
        if self.number != count:
            raise self._place.corrupt(f"the header says that it has {count} messages, and has {self.number}.")
        return self.messages

    def _block(self, cursor: Cursor) -> None:
        while cursor.left:
            kind, size, flags = cursor.uint(2), cursor.uint(2), cursor.uint(1)
            if size % 8:
                raise self._place.corrupt(f"a message has {size} bytes, and a multiple of 8 was expected.")
            cursor.take(3)
            self.add(kind, flags, cursor.take(size))


class _Second(_Header):
    """Version 2: blocks have check sums, and may end in a gap that is too small for a message."""

    def read(self, address: int) -> list[Message]:
        cursor = Cursor(self._source.peek(address, 6, self._place, "the header"), self._place, "the header")
        cursor.signature(b"OHDR")
        cursor.version(2)
        flags = cursor.uint(1)
        self._ordered = bool(flags & 4)
        start = 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        size = int.from_bytes(self._source.peek(address + start, width, self._place, "the header"), "little")
        start += width
        self._block(address, start + size + 4, start)
        done = 0
        while done < len(self.blocks):
            where, length = self.blocks[done]
            done += 1
            if length < 8 or self._source.peek(where, 4, self._place, "a block of the header") != b"OCHK":
                raise self._place.corrupt(f"no block of the header is at {where}.")
            self._block(where, length, 4)
        return self.messages

    def _block(self, address: int, size: int, start: int) -> None:
        raw = self._source.block(address, size, self._place, "a block of the header")
        if lookup3(raw[:-4]) != int.from_bytes(raw[-4:], "little"):
            raise self._place.corrupt(f"the check sum of a block of the header, at {address}, is wrong.")
        cursor = Cursor(raw[:-4], self._place, "a block of the header")
        cursor.take(start)
        smallest = 6 if self._ordered else 4
        while cursor.left >= smallest:
            kind, size, flags = cursor.uint(1), cursor.uint(2), cursor.uint(1)
            if self._ordered:
                cursor.take(2)
            self.add(kind, flags, cursor.take(size))
