"""The check sums of the format, of structures of version 2 on and of chunks; and one of values."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

_MASK = 0xFFFFFFFF


def lookup3(data: bytes) -> int:
    """Bob Jenkins's hash `lookup3` (public domain, 2006) with the start value 0, as the format uses it."""
    length = len(data)
    a = b = c = (0xDEADBEEF + length) & _MASK
    if not length:
        return c
    padded = data + bytes(-length % 12)
    words = np.frombuffer(padded, "<u4").tolist()
    last = len(words) - 3
    for i in range(0, last, 3):
        a = (a + words[i]) & _MASK
        b = (b + words[i + 1]) & _MASK
        c = (c + words[i + 2]) & _MASK
        a = ((a - c) & _MASK) ^ ((c << 4 | c >> 28) & _MASK)
        c = (c + b) & _MASK
        b = ((b - a) & _MASK) ^ ((a << 6 | a >> 26) & _MASK)
        a = (a + c) & _MASK
        c = ((c - b) & _MASK) ^ ((b << 8 | b >> 24) & _MASK)
        b = (b + a) & _MASK
        a = ((a - c) & _MASK) ^ ((c << 16 | c >> 16) & _MASK)
        c = (c + b) & _MASK
        b = ((b - a) & _MASK) ^ ((a << 19 | a >> 13) & _MASK)
        a = (a + c) & _MASK
        c = ((c - b) & _MASK) ^ ((b << 4 | b >> 28) & _MASK)
        b = (b + a) & _MASK
    a = (a + words[last]) & _MASK
    b = (b + words[last + 1]) & _MASK
    c = (c + words[last + 2]) & _MASK
    c = ((c ^ b) - (b << 14 | b >> 18)) & _MASK
    a = ((a ^ c) - (c << 11 | c >> 21)) & _MASK
    b = ((b ^ a) - (a << 25 | a >> 7)) & _MASK
    c = ((c ^ b) - (b << 16 | b >> 16)) & _MASK
    a = ((a ^ c) - (c << 4 | c >> 28)) & _MASK
    b = ((b ^ a) - (a << 14 | a >> 18)) & _MASK
    c = ((c ^ b) - (b << 24 | b >> 8)) & _MASK
    return c


def fletcher32(data: bytes) -> int:
    """Fletcher's checksum over big-endian 16-bit words (J. G. Fletcher, 1982), as the filter computes it."""
    words = np.frombuffer(data + bytes(len(data) % 2), ">u2").astype(np.uint64)
    first = second = 0
    for start in range(0, len(words), 2**16):
        part = words[start : start + 2**16]
        weights = np.arange(len(part), 0, -1, dtype=np.uint64)
        second += len(part) * first + int((part * weights).sum())
        first += int(part.sum())
    return _fold(second) << 16 | _fold(first)


def _fold(x: int) -> int:
    """`x` modulo 65535, where multiples other than 0 are 65535."""
    return x and (x % 65535 or 65535)


def values_crc32(raw: Any, dtype: np.dtype[Any], before: int = 0) -> int:
    """The CRC-32 of values in little-endian order.

    So it tells apart what is read from the same bytes under another byte order.

    Args:
        raw: the bytes of the values.
        dtype: what they are.
        before: the CRC-32 of the values before these.
    """
    if dtype.newbyteorder("<") != dtype:
        raw = np.frombuffer(raw, dtype).byteswap().view(np.uint8)
    return zlib.crc32(raw, before)
