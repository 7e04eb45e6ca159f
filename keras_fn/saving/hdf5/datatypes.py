"""Types of values (section IV.A.2.d, "The Datatype Message") and shapes (section IV.A.2.b, "The Dataspace Message").

Only types that NumPy has exactly are read: what would have to be rounded or guessed is refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_fn.saving.hdf5.bytes import Cursor, Place

_FIXED, _FLOAT, _STRING, _OPAQUE, _COMPOUND, _ENUM, _VARIABLE = 0, 1, 3, 5, 6, 8, 9
_CLASSES = {2: "time", 4: "bit field", 7: "reference", 10: "array", 11: "complex"}
# size -> bit offset, precision, place and size of the exponent and of the mantissa, bias, place of the sign (IEEE 754)
_IEEE = {
    2: (0, 16, 10, 5, 0, 10, 15, 15),
    4: (0, 32, 23, 8, 0, 23, 127, 31),
    8: (0, 64, 52, 11, 0, 52, 1023, 63),
}
_MOST_OPAQUE = 16
_MOST_DIMS = 32


@dataclass(frozen=True, slots=True)
class Type:
    """What the bytes of a value mean.

    Attributes:
        size: bytes of one value in the file.
        dtype: the NumPy dtype as stored, for numbers and raw bytes; None for text.
        kind: "number", "bool", "raw", "text" or "spaced text" (of fixed size, filled up with null bytes or spaces), or
            "long text" (in the global heap).
    """

    size: int
    dtype: np.dtype[Any] | None
    kind: str = "number"


def read_type(cursor: Cursor, inner: bool = False) -> Type:
    """The type that a datatype message describes."""
    head, bits, size = cursor.uint(1), cursor.uint(3), cursor.uint(4)
    version, kind = head >> 4, head & 15
    place = cursor.place
    if version not in (1, 2, 3):
        raise place.unsafe(f"a type has the version {version}; read are 1 to 3.")
    if not size:
        raise place.corrupt("a type has 0 bytes.")
    if kind == _FIXED:
        return Type(size, _integer(cursor, bits, size))
    if kind == _FLOAT:
        return Type(size, _float(cursor, bits, size))
    if inner:
        raise place.unsafe("a type is made of other types than numbers, which is not read.")
    if kind == _STRING:
        return Type(size, None, _text(bits, place))
    if kind == _OPAQUE:
        return _opaque(cursor, bits, size)
    if kind == _ENUM:
        return _boolean(cursor, bits, size, version)
    if kind == _COMPOUND:
        return _complex(cursor, bits, size, version)
    if kind == _VARIABLE and bits & 15 == 1 and size == 16:
        return Type(size, None, "long text")
    raise place.unsafe(f"values of the class {_CLASSES.get(kind, kind)!r} are not read; numbers were expected.")


def _order(bits: int) -> str:
    return ">" if bits & 1 else "<"


def _integer(cursor: Cursor, bits: int, size: int) -> np.dtype[Any]:
    offset, precision = cursor.uint(2), cursor.uint(2)
    if size not in (1, 2, 4, 8) or offset or precision != 8 * size or bits & ~0b1111:
        raise cursor.place.unsafe(f"integers of {precision} bits at bit {offset} of {size} bytes are not read.")
    return np.dtype(f"{_order(bits)}{'i' if bits & 8 else 'u'}{size}")


def _float(cursor: Cursor, bits: int, size: int) -> np.dtype[Any]:
    offset, precision = cursor.uint(2), cursor.uint(2)
    exponent, exponent_size, mantissa, mantissa_size = cursor.take(4)
    bias = cursor.uint(4)
    got = (offset, precision, exponent, exponent_size, mantissa, mantissa_size, bias, bits >> 8)
    implied = bits >> 4 & 3 == 2
    if got != _IEEE.get(size) or not implied or bits & 0b1000000:
        raise cursor.place.unsafe(
            f"floats of {size} bytes with the layout {got} are not read; IEEE 754 binary16, binary32 and binary64 are."
        )
    return np.dtype(f"{_order(bits)}f{size}")


def _text(bits: int, place: Place) -> str:
    if bits & 15 > 2 or bits >> 4 & 15 > 1:
        raise place.unsafe(f"text with the settings {bits:#x} is not read.")
    return "spaced text" if bits & 15 == 2 else "text"


def _opaque(cursor: Cursor, bits: int, size: int) -> Type:
    if size > _MOST_OPAQUE:
        raise cursor.place.unsafe(f"raw values of {size} bytes are not read; at most {_MOST_OPAQUE} are.")
    cursor.take(bits & 255)  # a tag, which is for people
    return Type(size, np.dtype(f"V{size}"), "raw")


def _boolean(cursor: Cursor, bits: int, size: int, version: int) -> Type:
    """An enumeration of FALSE = 0 and TRUE = 1 in one byte, as h5py writes booleans."""
    base = read_type(cursor, inner=True)
    names = [_member_name(cursor, version) for _ in range(min(bits & 0xFFFF, 3))]
    if base.size != 1 or size != 1 or names != ["FALSE", "TRUE"] or cursor.take(2) != b"\0\1":
        raise cursor.place.unsafe(f"an enumeration of {names} is not read; FALSE and TRUE in one byte is.")
    return Type(1, np.dtype(np.bool_), "bool")


def _complex(cursor: Cursor, bits: int, size: int, version: int) -> Type:
    """A compound of two floats r and i, as h5py writes complex numbers."""
    if bits & 0xFFFF != 2:
        raise cursor.place.unsafe(f"compounds of {bits & 0xFFFF} fields are not read; of the two floats r and i are.")
    parts = []
    for _ in range(2):
        name = _member_name(cursor, version)
        offset = cursor.uint(4 if version < 3 else max(1, (size.bit_length() + 7) // 8))
        if version == 1 and any(cursor.take(28)):
            raise cursor.place.unsafe("a compound holds arrays, which is not read.")
        parts.append((name, offset, read_type(cursor, inner=True).dtype))
    half = parts[0][2]
    expected = [("r", 0, half), ("i", size // 2, half)]
    if half is None or half.kind != "f" or 2 * half.itemsize != size or parts != expected or size < 8:
        raise cursor.place.unsafe(f"a compound of {[p[0] for p in parts]} is not read; of two floats r and i is.")
    return Type(size, np.dtype(f"{half.byteorder}c{size}".replace("=", "<")))


def _member_name(cursor: Cursor, version: int) -> str:
    """A name that ends in a null byte; before version 3 it is filled up to a multiple of 8 bytes."""
    end = cursor.data.find(b"\0", cursor.at)
    length = (end if end >= 0 else cursor.end) - cursor.at + 1
    return cursor.text(length if version == 3 else -(-length // 8) * 8)


def read_shape(cursor: Cursor) -> tuple[int, ...] | None:
    """The shape that a dataspace message describes; None where there are no values at all."""
    place = cursor.place
    version, ndim, flags = cursor.version(1, 2), cursor.uint(1), cursor.uint(1)
    if version == 1:
        cursor.take(5)
        empty = False
    else:
        kind = cursor.uint(1)
        empty = kind == 2
        if kind > 2 or (kind != 1 and ndim):
            raise place.corrupt(f"a shape has the type {kind} and {ndim} dimensions.")
    if ndim > _MOST_DIMS or flags & ~1:
        raise place.unsafe(f"a shape of {ndim} dimensions with the flags {flags:#x} is not read.")
    shape = tuple(cursor.uint(8) for _ in range(ndim))
    if flags & 1:
        most = [cursor.uint(8) for _ in range(ndim)]
        if any(a > b for a, b in zip(shape, most, strict=True)):
            raise place.corrupt(f"the shape {shape} exceeds the largest one that it may grow to, {most}.")
    if math.prod(max(d, 1) for d in shape) >= 2**56:
        raise place.limit(f"the shape {shape} is larger than any memory.")
    return None if empty else shape
