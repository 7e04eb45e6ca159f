"""What a group holds: old groups have a tree, a heap of names and tables, new ones have messages.

Sections III.A.1 ("Version 1 B-trees"), III.B ("Group Symbol Table Nodes"), III.C ("Symbol Table Entry"), III.D ("Local
Heaps"), IV.A.2.c ("Link Info") and IV.A.2.g ("Link").
"""

from __future__ import annotations

from keras_fn.saving.hdf5.bytes import NOWHERE, Cursor, Place, Source, decode
from keras_fn.saving.hdf5.layout import read_node
from keras_fn.saving.hdf5.object_header import LINK, LINK_INFO, SYMBOL_TABLE, Message

_HARD, _SOFT, _EXTERNAL = 0, 1, 64


def is_group(messages: list[Message]) -> bool:
    """Whether an object is a group."""
    return any(m.kind in (SYMBOL_TABLE, LINK_INFO) for m in messages)


def read_links(source: Source, messages: list[Message], place: Place) -> dict[str, int | str]:
    """Name -> address of the header; or, for a link that is not followed, what kind it is."""
    links: dict[str, int | str] = {}
    for message in messages:
        if message.kind == SYMBOL_TABLE:
            cursor = Cursor(message.body, place, "the symbol table")
            _add(links, _old_links(source, cursor.uint(8), cursor.uint(8), place), place)
        elif message.kind == LINK:
            _add(links, [_new_link(Cursor(message.body, place, "a link"))], place)
        elif message.kind == LINK_INFO:
            _check_info(Cursor(message.body, place, "the note on links"))
    return links


def _add(links: dict[str, int | str], found: list[tuple[str, int | str]], place: Place) -> None:
    for name, target in found:
        if name in links or not name or "/" in name or name in (".", ".."):
            raise place.corrupt(f"the name {name!r} is there twice, or is none.")
        links[name] = target


# --- new groups
def _check_info(cursor: Cursor) -> None:
    cursor.version(0)
    cursor.take(8 if cursor.uint(1) & 1 else 0)
    if cursor.uint(8) != NOWHERE:
        raise cursor.place.unsafe(
            "the group keeps its many names in a fractal heap, which is not read. Write the file with h5py's default "
            "`libver`."
        )


def _new_link(cursor: Cursor) -> tuple[str, int | str]:
    cursor.version(1)
    flags = cursor.uint(1)
    kind = cursor.uint(1) if flags & 8 else _HARD
    cursor.take((8 if flags & 4 else 0) + (1 if flags & 16 else 0))
    raw = cursor.take(cursor.uint(1 << (flags & 3)))
    name = decode(raw, cursor.place, "the name of a link")
    if kind == _HARD:
        return name, cursor.uint(8)
    if kind == _SOFT:
        return name, "soft link"
    if kind == _EXTERNAL:
        parts = cursor.take(cursor.uint(2))[1:].split(b"\0")
        return name, f"link to the file {decode(parts[0], cursor.place, 'the name of a file')!r} named"
    return name, f"link of the type {kind}"


# --- old groups
def _old_links(source: Source, tree: int, heap_address: int, place: Place) -> list[tuple[str, int | str]]:
    heap = _read_heap(source, heap_address, place)
    found: list[tuple[str, int | str]] = []
    seen: set[int] = set()
    todo: list[tuple[int, int | None]] = [(tree, None)]
    while todo:
        address, expected = todo.pop()
        if address in seen:
            raise place.corrupt(f"the node at {address} of the tree of names is there twice.")
        seen.add(address)
        source.check_count(len(seen), "parts of a tree of names", place)
        if expected == -1:
            found += _read_table(source, address, heap, place)
            source.check_count(len(found), "names", place)
            continue
        level, cursor = read_node(source, address, 0, 8, expected, place)
        children = []
        while cursor.left > 8:
            cursor.take(8)
            children.append((cursor.uint(8), level - 1))
        todo += reversed(children)
    names = [name.encode() for name, _ in found]
    if any(a >= b for a, b in zip(names, names[1:], strict=False)):
        raise place.corrupt("the names of the group are not in order.")
    return found


class _Heap:
    """Names that end in a null byte. All names that are taken from it together fit into it."""

    def __init__(self, data: bytes, place: Place) -> None:
        self._data, self._place, self._taken = data, place, 0

    def name(self, start: int) -> str:
        """The name that begins at a place."""
        end = self._data.find(b"\0", start)
        if start >= len(self._data) or end < 0:
            raise self._place.corrupt(f"a name begins at {start} of {len(self._data)} bytes, and does not end.")
        self._taken += end - start + 1
        if self._taken > len(self._data):
            raise self._place.corrupt(f"the names take more than their {len(self._data)} bytes: they overlap.")
        return decode(self._data[start:end], self._place, "a name")


def _read_heap(source: Source, address: int, place: Place) -> _Heap:
    cursor = source.cursor(address, 32, place, "the heap of names")
    cursor.signature(b"HEAP")
    cursor.version(0)
    cursor.take(3)
    size, _, data = cursor.uint(8), cursor.uint(8), cursor.uint(8)
    return _Heap(source.block(data, size, place, "the heap of names"), place)


def _read_table(source: Source, address: int, heap: _Heap, place: Place) -> list[tuple[str, int | str]]:
    head = source.cursor(address, 8, place, "a table of names")
    head.signature(b"SNOD")
    head.version(1)
    head.take(1)
    count = head.uint(2)
    cursor = source.cursor(address + 8, 40 * count, place, "a table of names")
    found: list[tuple[str, int | str]] = []
    for _ in range(count):
        name_at, header, cache = cursor.uint(8), cursor.uint(8), cursor.uint(4)
        scratch = cursor.take(20)[4:]
        name = heap.name(name_at)
        if cache == 2:
            value = heap.name(int.from_bytes(scratch[:4], "little"))
            found.append((name, f"soft link (to {value[:100]!r})"))
        elif cache > 2:
            raise place.corrupt(f"the entry {name!r} has the type {cache}, which there is not.")
        else:
            found.append((name, header))
    return found
