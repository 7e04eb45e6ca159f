"""Where a file begins, and where its root group is (section II.A, "Format Signature and Superblock")."""

from __future__ import annotations

from keras_fn.saving.hdf5.bytes import NOWHERE, Place, Source
from keras_fn.saving.hdf5.checksum import lookup3

SIGNATURE = b"\x89HDF\r\n\x1a\n"


def read_superblock(source: Source, place: Place) -> int:
    """Returns the address of the root group's header, after the file was found to be whole."""
    start = source.peek(0, min(9, source.end), place, "the superblock")
    if start[:8] != SIGNATURE or len(start) < 9:
        raise place.corrupt(f"this is not a whole HDF5 file: it begins with {start[:8]!r}, not with {SIGNATURE!r}.")
    version = start[8]
    if version in (0, 1):
        return _first(source, place, version)
    if version in (2, 3):
        return _second(source, place)
    raise place.unsafe(f"the superblock has the version {version}; read are 0 to 3.")


def _first(source: Source, place: Place, version: int) -> int:
    cursor = source.cursor(0, 96 + 4 * version, place, "the superblock")
    cursor.take(9)
    versions = cursor.take(4)
    if versions[0] or versions[1] or versions[3]:
        raise place.unsafe(f"the parts of the file have the versions {list(versions)}; read are those of version 0.")
    _sizes(cursor.uint(1), cursor.uint(1), place)
    cursor.take(1 + 2 + 2 + 4 + 4 * version)
    base, _, end, driver = (cursor.uint(8) for _ in range(4))
    if driver != NOWHERE:
        raise place.unsafe("the file is one of several that hold the data together. Save the weights in one file.")
    _bounds(base, end, source, place)
    cursor.take(8)  # the root has no name
    return cursor.uint(8)


def _second(source: Source, place: Place) -> int:
    cursor = source.cursor(0, 48, place, "the superblock")
    cursor.take(9)
    _sizes(cursor.uint(1), cursor.uint(1), place)
    cursor.take(1)
    base, extension, end, root, checksum = (cursor.uint(n) for n in (8, 8, 8, 8, 4))
    if lookup3(cursor.data[:44]) != checksum:
        raise place.corrupt("the check sum of the superblock is wrong.")
    if extension != NOWHERE:
        raise place.unsafe("the superblock has an extension, which files of weights have no use for.")
    _bounds(base, end, source, place)
    return root


def _sizes(offsets: int, lengths: int, place: Place) -> None:
    if (offsets, lengths) != (8, 8):
        raise place.unsafe(f"addresses have {offsets} bytes and lengths {lengths}; 8 and 8 are read.")


def _bounds(base: int, end: int, source: Source, place: Place) -> None:
    if base:
        raise place.unsafe(f"addresses are counted from {base} instead of 0.")
    if end > source.end:
        raise place.corrupt(f"this is not a whole HDF5 file: it has {source.end} bytes of {end}.")
    source.end = end
