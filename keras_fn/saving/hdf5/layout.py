"""Where the values of an array are (section IV.A.2.i, "The Data Layout Message")."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from keras_fn.saving.hdf5.bytes import NOWHERE, Cursor, Place, Source

_COMPACT, _CONTIGUOUS, _CHUNKED, _VIRTUAL = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stored chunk: the first index of it in each dimension, its bytes in the file, the filters left out."""

    start: tuple[int, ...]
    address: int
    size: int
    skipped: int


@dataclass(slots=True)
class Layout:
    """Where the values are: in the header, in one piece of the file, or in chunks."""

    stored: int = 0
    inline: bytes | None = None
    address: int = NOWHERE
    chunk: tuple[int, ...] | None = None
    chunks: list[Chunk] = field(default_factory=list)


def read_layout(cursor: Cursor, source: Source, shape: tuple[int, ...], itemsize: int) -> Layout:
    """The layout, with the index of the chunks."""
    place = cursor.place
    version, kind = cursor.version(3, 4), cursor.uint(1)
    if kind == _VIRTUAL:
        raise place.unsafe("the array lies in other files, which are never opened. Save the weights in one file.")
    if kind == _COMPACT:
        inline = cursor.take(cursor.uint(2))
        return Layout(stored=len(inline), inline=inline)
    if kind == _CONTIGUOUS:
        address, size = cursor.uint(8), cursor.uint(8)
        if address == NOWHERE:
            return Layout()
        if address + size > source.end:
            raise place.corrupt(f"{size} bytes at {address} lie behind the end of the file at {source.end}.")
        return Layout(stored=size, address=address)
    if kind == _CHUNKED and version == 3:
        return _read_chunked(cursor, source, shape, itemsize)
    raise place.unsafe(f"the array is stored in the way {kind} of version {version}, which is not read.")


def _read_chunked(cursor: Cursor, source: Source, shape: tuple[int, ...], itemsize: int) -> Layout:
    place = cursor.place
    ndim = cursor.uint(1) - 1
    address = cursor.uint(8)
    chunk = tuple(cursor.uint(4) for _ in range(ndim))
    if ndim != len(shape) or cursor.uint(4) != itemsize or 0 in chunk:
        raise place.corrupt(f"the array has the shape {shape}, and chunks of the shape {chunk}.")
    size = math.prod(chunk) * itemsize
    if size > 2**20 + 4 * math.prod(shape) * itemsize:
        raise place.limit(f"chunks of the shape {chunk} are out of proportion to an array of the shape {shape}.")
    layout = Layout(address=address, chunk=chunk)
    if address == NOWHERE:
        return layout
    count = math.prod(-(-d // c) for d, c in zip(shape, chunk, strict=True))
    if count > source.end // (32 + 8 * ndim):  # what one entry of the index takes
        raise place.limit(f"{count} chunks are declared, which the {source.end} bytes of the file cannot hold.")
    layout.chunks = _read_index(source, address, ndim, count, place)
    _check_chunks(layout, shape, count, place)
    layout.stored = sum(c.size for c in layout.chunks)
    return layout


def _read_index(source: Source, root: int, ndim: int, count: int, place: Place) -> list[Chunk]:
    """The leaves of the tree of chunks (section III.A.1, "Version 1 B-trees", node type 1)."""
    found: list[Chunk] = []
    seen: set[int] = set()
    todo: list[tuple[int, int | None]] = [(root, None)]
    key_size = 8 + 8 * (ndim + 1)
    while todo:
        address, expected = todo.pop()
        if address in seen:
            raise place.corrupt(f"the node at {address} of the index of chunks is there twice.")
        seen.add(address)
        level, cursor = read_node(source, address, 1, key_size, expected, place)
        for _ in range(cursor.left // (key_size + 8)):
            size, skipped = cursor.uint(4), cursor.uint(4)
            start = tuple(cursor.uint(8) for _ in range(ndim))
            if cursor.uint(8):
                raise place.corrupt("a chunk begins inside a value.")
            child = cursor.uint(8)
            if level:
                todo.append((child, level - 1))
                continue
            found.append(Chunk(start, child, size, skipped))
            if len(found) > count or child + size > source.end:
                raise place.corrupt(f"the chunk of {size} bytes at {child} is one too many, or behind the file's end.")
    return found


def read_node(
    source: Source, address: int, kind: int, key_size: int, level: int | None, place: Place
) -> tuple[int, Cursor]:
    """A node of a tree of version 1: its level, and a cursor over keys and children in turn, and one more key."""
    head = source.cursor(address, 24, place, "a node of a tree")
    head.signature(b"TREE")
    got_kind, got_level, used = head.uint(1), head.uint(1), head.uint(2)
    if got_kind != kind or (level is not None and got_level != level):
        raise place.corrupt(f"a tree has a node of the type {got_kind} and level {got_level}, not {kind} and {level}.")
    size = used * (key_size + 8) + key_size
    return got_level, source.cursor(address + 24, size, place, "a node of a tree")


def _check_chunks(layout: Layout, shape: tuple[int, ...], count: int, place: Place) -> None:
    assert layout.chunk is not None
    for chunk in layout.chunks:
        if any(s % c or s >= d for s, c, d in zip(chunk.start, layout.chunk, shape, strict=True)):
            raise place.corrupt(f"no chunk of the shape {layout.chunk} can begin at {chunk.start}.")
    if len({c.start for c in layout.chunks}) != count:
        raise place.corrupt(f"{len({c.start for c in layout.chunks})} chunks are stored, and {count} were expected.")
