"""What was done to chunks when they were written (section IV.A.2.l, "The Data Storage - Filter Pipeline Message")."""

from __future__ import annotations

import zlib
from typing import NamedTuple

import numpy as np

from keras_fn.saving.hdf5.bytes import Cursor, Place
from keras_fn.saving.hdf5.checksum import fletcher32

_DEFLATE, _SHUFFLE, _FLETCHER = 1, 2, 3
_NAMES = {4: "szip", 5: "nbit", 6: "scaleoffset", 32000: "lzf", 32001: "blosc", 32015: "zstd"}


class Filter(NamedTuple):
    """A filter, and the size of the values that it was told."""

    kind: int
    itemsize: int


def read_filters(cursor: Cursor) -> list[Filter]:
    """The filters in the order in which they were applied."""
    place = cursor.place
    version, count = cursor.version(1, 2), cursor.uint(1)
    if version == 1:
        cursor.take(6)
    found: list[Filter] = []
    for _ in range(count):
        kind = cursor.uint(2)
        if kind not in (_DEFLATE, _SHUFFLE, _FLETCHER):
            raise place.unsafe(
                f"the array is packed by the filter {_NAMES.get(kind, kind)}, which is not read. Write it with gzip, "
                "shuffle and fletcher32, or without filters."
            )
        name_size = cursor.uint(2) if version == 1 else 0
        cursor.take(2)
        values = cursor.uint(2)
        cursor.take(-(-name_size // 8) * 8)
        settings = [cursor.uint(4) for _ in range(values)]
        if version == 1 and values % 2:
            cursor.take(4)
        found.append(Filter(kind, settings[0] if kind == _SHUFFLE and settings else 1))
    if len({f.kind for f in found}) < len(found):
        raise place.corrupt("the array is packed by the same filter twice.")
    return found


def unpack(raw: bytes, filters: list[Filter], skipped: int, size: int, place: Place) -> bytes:
    """The bytes of a chunk. No more than `size` bytes are ever unpacked.

    Args:
        raw: the stored bytes.
        filters: as they were applied.
        skipped: bit i says that filter i was left out for this chunk.
        size: what the chunk has to have in the end.
    """
    used = [f for i, f in enumerate(filters) if not skipped >> i & 1]
    for i in range(len(used) - 1, -1, -1):
        # a check sum that was added before counts, too
        expected = size + 4 * sum(f.kind == _FLETCHER for f in used[:i])
        raw = _undo(raw, used[i], expected, place)
    if len(raw) != size:
        raise place.corrupt(f"a chunk has {len(raw)} bytes, and {size} were expected.")
    return raw


def _undo(raw: bytes, applied: Filter, size: int, place: Place) -> bytes:
    if applied.kind == _DEFLATE:
        return _inflate(raw, size, place)
    if applied.kind == _SHUFFLE:
        return _unshuffle(raw, applied.itemsize, place)
    if len(raw) < 4 or fletcher32(raw[:-4]) != int.from_bytes(raw[-4:], "little"):
        raise place.corrupt("the check sum of a chunk is wrong.")
    return raw[:-4]


def _inflate(raw: bytes, size: int, place: Place) -> bytes:
    stream = zlib.decompressobj()
    try:
        out = stream.decompress(raw, size) if size else b""
        rest = stream.decompress(stream.unconsumed_tail, 1)
    except zlib.error as e:
        raise place.corrupt(f"a chunk cannot be unpacked: {e}.") from e
    if rest or not stream.eof or len(out) != size:
        more = "more than " if rest else ""
        raise place.corrupt(f"a chunk unpacks to {more}{len(out)} bytes, and {size} were expected.")
    return out


def _unshuffle(raw: bytes, itemsize: int, place: Place) -> bytes:
    """The first bytes of all values were put first, then their second bytes, and so on; what is left over is last."""
    if not 1 <= itemsize <= 256:
        raise place.corrupt(f"values of {itemsize} bytes are said to be shuffled.")
    count = len(raw) // itemsize
    whole = count * itemsize
    planes = np.frombuffer(raw, np.uint8, whole).reshape(itemsize, count)
    return planes.T.tobytes() + raw[whole:]
