"""HDF5 files put together byte by byte: what no library writes, and strangers may send.

Source of the format: The HDF Group, *HDF5 File Format Specification Version 3.0*.
"""

from __future__ import annotations

import struct

from keras_fn.saving.hdf5.checksum import lookup3

NOWHERE = 2**64 - 1
FLOAT32 = struct.pack("<BBBBI", 0x11, 0x20, 31, 0, 4) + struct.pack("<HHBBBBI", 0, 32, 23, 8, 0, 23, 127)
_SIGNATURE = b"\x89HDF\r\n\x1a\n"


class Builder:
    """Bytes at addresses, one after the other, behind a superblock."""

    def __init__(self, newer: bool = False) -> None:
        self._newer = newer
        self._parts: list[bytes] = []
        self.at = 48 if newer else 96

    def add(self, part: bytes) -> int:
        """Puts a part at the end. Returns its address."""
        address = self.at
        part += bytes(-len(part) % 8)
        self._parts.append(part)
        self.at += len(part)
        return address

    def file(self, root: int) -> bytes:
        """The whole file, with the address of the root group's header."""
        if self._newer:
            head = _SIGNATURE + struct.pack("<4B4Q", 3, 8, 8, 0, 0, NOWHERE, self.at, root)
            head += struct.pack("<I", lookup3(head))
        else:
            head = _SIGNATURE + struct.pack("<8B2HI", 0, 0, 0, 0, 0, 8, 8, 0, 4, 16, 0)
            head += struct.pack("<4Q", 0, NOWHERE, self.at, NOWHERE) + struct.pack("<QQII16x", 0, root, 0, 0)
        return head + b"".join(self._parts)


# --- headers
def old_header(messages: list[tuple[int, bytes]]) -> bytes:
    """An object's header of version 1."""
    body = b""
    for kind, raw in messages:
        raw += bytes(-len(raw) % 8)
        body += struct.pack("<HHB3x", kind, len(raw), 0) + raw
    return struct.pack("<BxHII4x", 1, len(messages), 1, len(body)) + body


def new_header(messages: list[tuple[int, bytes]]) -> bytes:
    """An object's header of version 2, in one block, with its check sum."""
    body = b"".join(struct.pack("<BHB", kind, len(raw), 0) + raw for kind, raw in messages)
    head = b"OHDR" + struct.pack("<BBI", 2, 2, len(body)) + body
    return head + struct.pack("<I", lookup3(head))


# --- messages
def attribute(name: str, value: float = 0.0) -> bytes:
    """The message of an attribute that is a number."""
    raw, shape = name.encode() + b"\0", struct.pack("<BBBB", 2, 0, 0, 0)
    return struct.pack("<BBHHHB", 3, 0, len(raw), len(FLOAT32), len(shape), 0) + raw + FLOAT32 + shape + (
        struct.pack("<f", value)
    )


def link(name: str, address: int) -> bytes:
    """The message of a name in a new group."""
    raw = name.encode()
    return struct.pack("<BBI", 1, 2, len(raw)) + raw + struct.pack("<Q", address)


LINK_INFO = struct.pack("<BBQQ", 0, 0, NOWHERE, NOWHERE)


def array_messages(shape: tuple[int, ...], layout: bytes) -> list[tuple[int, bytes]]:
    """The messages of an array of floats."""
    space = struct.pack("<BBB5x", 1, len(shape), 0) + b"".join(struct.pack("<Q", d) for d in shape)
    return [(1, space), (3, FLOAT32), (8, layout)]


def compact(raw: bytes) -> bytes:
    """The layout of values that lie in the header."""
    return struct.pack("<BBH", 3, 0, len(raw)) + raw


def chunked(tree: int, chunk: tuple[int, ...]) -> bytes:
    """The layout of values in chunks of 4-byte values."""
    return struct.pack("<BBBQ", 3, 2, len(chunk) + 1, tree) + b"".join(struct.pack("<I", c) for c in (*chunk, 4))


GZIP = struct.pack("<BB6x", 1, 1) + struct.pack("<HHHHII", 1, 0, 0, 1, 1, 0)


# --- old groups
def heap(file: Builder, names: list[bytes]) -> tuple[int, list[int]]:
    """A heap of names. Returns its address, and where in it they are."""
    data, places = bytes(8), []
    for name in names:
        places.append(len(data))
        data += name + b"\0"
    data += bytes(-len(data) % 8)
    at = file.add(data)
    return file.add(b"HEAP" + struct.pack("<B3xQQQ", 0, len(data), NOWHERE, at)), places


def table(entries: list[tuple[int, int]]) -> bytes:
    """A table of names: places in the heap, and addresses of headers."""
    raw = b"".join(struct.pack("<QQII16x", place, header, 0, 0) for place, header in entries)
    return b"SNOD" + struct.pack("<BBH", 1, 0, len(entries)) + raw


def node(kind: int, level: int, entries: list[tuple[bytes, int]], last: bytes) -> bytes:
    """A node of a tree: keys and children in turn, and one more key."""
    head = b"TREE" + struct.pack("<BBHQQ", kind, level, len(entries), NOWHERE, NOWHERE)
    return head + b"".join(key + struct.pack("<Q", child) for key, child in entries) + last


def old_group(file: Builder, members: list[tuple[bytes, int]]) -> int:
    """A group with a tree of one node, whose tables hold 8 names each. Returns the address of its header."""
    names = sorted(members)
    heap_at, places = heap(file, [n for n, _ in names])
    tables = []
    for i in range(0, len(names), 8):
        part = [(places[j], names[j][1]) for j in range(i, min(i + 8, len(names)))]
        tables.append((struct.pack("<Q", 0), file.add(table(part))))
    tree = file.add(node(0, 0, tables, struct.pack("<Q", 0)))
    return file.add(old_header([(0x11, struct.pack("<QQ", tree, heap_at))]))
