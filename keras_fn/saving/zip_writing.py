"""Members of a zip file, stored as they are; one that is written back and forth lies in its place from the start."""

from __future__ import annotations

import io
import shutil
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from keras_fn.saving.crc32 import joined

_CHUNK = 2**20


def add_member(packed: zipfile.ZipFile, name: str, source: BinaryIO) -> None:
    """Copies a file into a zip file, uncompressed, as Keras does: weights hardly shrink."""
    info = _info(name)
    info.file_size = source.seek(0, io.SEEK_END)
    source.seek(0)
    with packed.open(info, "w") as member:
        shutil.copyfileobj(source, member, _CHUNK)


class Stretch(io.RawIOBase):
    """The end of a file, from a place on, as a file of its own.

    Attributes:
        known: `(place, length, CRC-32)` of parts of it whose check sums are known, so that they need not be read again.
    """

    def __init__(self, file: BinaryIO, start: int) -> None:
        self._file, self._start = file, start
        self.known: list[tuple[int, int, int]] = []

    def write(self, data: memoryview | bytes) -> int:  # type: ignore[override]
        return self._file.write(data)

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]
        return self._file.readinto(buffer)  # type: ignore[attr-defined]

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset + self._start if whence == io.SEEK_SET else offset, whence) - self._start

    def tell(self) -> int:
        return self._file.tell() - self._start

    def truncate(self, size: int | None = None) -> int:
        return self._file.truncate(None if size is None else size + self._start) - self._start

    def flush(self) -> None:
        self._file.flush()

    def crc(self) -> int:
        """The CRC-32 of all of it."""
        total = at = 0
        for place, length, crc in sorted(self.known):
            total = joined(self._read_crc(at, place, total), crc, length)
            at = place + length
        return self._read_crc(at, self.seek(0, io.SEEK_END), total)

    def _read_crc(self, at: int, end: int, before: int) -> int:
        self.seek(at)
        while at < end:
            part = self._file.read(min(_CHUNK, end - at))
            before, at = zlib.crc32(part, before), at + len(part)
        return before


@contextmanager
def member_in_place(packed: zipfile.ZipFile, target: BinaryIO, name: str) -> Iterator[Stretch]:
    """A member that is written as a file in which one goes back and forth. Its description is put before it at the end.

    Args:
        packed: the zip file.
        target: the file that it is written to.
        name: of the member.
    """
    info = _info(name)
    info.CRC = info.compress_size = 0  # for now
    info.header_offset = target.seek(packed.start_dir)
    target.write(info.FileHeader(zip64=True))  # with room for any size
    stretch = Stretch(target, target.tell())
    yield stretch
    info.CRC = stretch.crc()
    info.file_size = info.compress_size = stretch.seek(0, io.SEEK_END)
    packed.start_dir = target.tell()
    target.seek(info.header_offset)
    target.write(info.FileHeader(zip64=True))
    target.seek(packed.start_dir)
    packed.filelist.append(info)
    packed.NameToInfo[name] = info


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, time.localtime()[:6])
    info.external_attr = 0o644 << 16
    return info
