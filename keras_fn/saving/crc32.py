"""The CRC-32 of two pieces of data from those of each, without the data.

A CRC is the remainder of the data, taken as a polynomial over GF(2), by a fixed polynomial. Data with n bytes behind it
is multiplied by x^(8n); so its remainder is, too. The powers x^(2^k) come from squaring. (M. Adler's `crc32_combine`
of zlib rests on the same; Python's zlib does not have it.)
"""

from __future__ import annotations

# of CRC-32 as in ISO 3309, bits in reverse: the highest bit is the coefficient of x^0
_POLYNOMIAL, _ONE = 0xEDB88320, 0x80000000


def joined(first: int, second: int, length: int) -> int:
    """The CRC-32 of data that is followed by other data.

    Args:
        first: that of the first.
        second: that of the second.
        length: bytes of the second.

    Example:
        >>> import zlib
        >>> joined(zlib.crc32(b"one"), zlib.crc32(b"other"), 5) == zlib.crc32(b"oneother")
        True
    """
    return _product(_power(8 * length), first) ^ second


def _product(a: int, b: int) -> int:
    """The product of two polynomials, as a remainder."""
    total = 0
    while a:
        if a & _ONE:
            total ^= b
        a = a << 1 & 0xFFFFFFFF
        b = b >> 1 ^ _POLYNOMIAL if b & 1 else b >> 1  # times x
    return total


def _power(exponent: int) -> int:
    """x to a power, as a remainder."""
    result, square = _ONE, _ONE >> 1
    while exponent:
        if exponent & 1:
            result = _product(square, result)
        square, exponent = _product(square, square), exponent >> 1
    return result
