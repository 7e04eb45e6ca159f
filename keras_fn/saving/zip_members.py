"""The directory of a zip file, read strictly.

Zip files say everything twice, and readers differ in what they believe, so that one file can show different things to
different programs. Here a file is accepted only if there is one way to read it: the members lie one after the other
from the first byte, the directory follows at once and ends the file, and both descriptions of a member agree. Format:
PKWARE, APPNOTE.TXT, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

from __future__ import annotations

import os
import pathlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from keras_fn.core.errors import CorruptFileError, FileLimitError, UnsafeFileError

STORED, DEFLATED = 0, 8
_CHUNK = 2**20
_MOST_MEMBERS, _DIRECTORY = 10_000, 4 * 2**20
# deflate cannot do better than 1032 to 1; weights hardly shrink, and a config is small
_RATIO, _TOTAL_RATIO, _SPARE = 1100, 10, 2**25
_UTF8, _DESCRIPTOR, _SPEED = 0x800, 0x8, 0x6
# extra fields: sizes in 64 bits; times and owners, as other zip programs write them
_ZIP64, _HARMLESS = 0x0001, frozenset({0x0001, 0x000A, 0x5455, 0x5855, 0x7855, 0x7875})
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF


@dataclass(frozen=True)
class Member:
    """One member: its name, its sizes packed and unpacked, and where it lies."""

    name: str
    raw: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    at: int
    attributes: int
    start: int = 0

    @property
    def mode(self) -> int:
        """The kind and permissions that Unix programs wrote down."""
        return self.attributes >> 16


def read_members(file: BinaryIO, path: pathlib.Path) -> list[Member]:
    """The members of a zip file, in the order in which they lie there.

    Raises:
        CorruptFileError, UnsafeFileError, FileLimitError: where the file is not exactly what it should be.
    """
    total = file.seek(0, os.SEEK_END)
    at, length, count = _end(file, total, path)
    members = sorted(_directory(_bytes(file, at, length), count, path), key=lambda m: m.at)
    placed, expected = [], 0
    for i, member in enumerate(members):
        following = members[i + 1].at if i + 1 < len(members) else at
        if member.at != expected:
            raise CorruptFileError(
                f"The member {member.name!r} of {path} begins at byte {member.at}, and {expected} was expected: bytes "
                "that belong to no member, or to two. The file is damaged or malicious."
            )
        placed.append(_local(file, member, following, path))
        expected = following
    if not members:
        raise CorruptFileError(f"{path} is an empty zip file.")
    unpacked = sum(m.size for m in members)
    if unpacked > _TOTAL_RATIO * total + _SPARE:
        raise FileLimitError(f"{path} has {total} bytes and unpacks to {unpacked}, more than a saved model can.")
    return placed


def read_member(file: BinaryIO, member: Member, path: pathlib.Path) -> Iterator[bytes]:
    """The content of a member in parts; at the end its size and check sum have been compared."""
    parts = _inflated if member.method == DEFLATED else _stored
    crc = size = 0
    for part in parts(file, member, path):
        crc, size = zlib.crc32(part, crc), size + len(part)
        if size > member.size:
            break
        yield part
    if size != member.size or crc != member.crc:
        raise _damaged(member, path, "its bytes are not those that its size and check sum were made for")


def _damaged(member: Member, path: pathlib.Path, why: str) -> CorruptFileError:
    return CorruptFileError(f"The member {member.name!r} of {path} is damaged: {why}. Take another copy of the file.")


def _stored(file: BinaryIO, member: Member, path: pathlib.Path) -> Iterator[bytes]:
    for done in range(0, member.packed, _CHUNK):
        yield _bytes(file, member.start + done, min(_CHUNK, member.packed - done))


def _inflated(file: BinaryIO, member: Member, path: pathlib.Path) -> Iterator[bytes]:
    inflate, raw = zlib.decompressobj(-15), _stored(file, member, path)
    while not inflate.eof:
        given = inflate.unconsumed_tail or next(raw, b"")
        try:
            part = inflate.decompress(given, _CHUNK)
        except zlib.error as e:
            raise _damaged(member, path, str(e)) from e
        if not part and not given:
            raise _damaged(member, path, "it ends too early")
        yield part
    if inflate.unused_data or next(raw, b""):
        raise _damaged(member, path, "it goes on after its end")


def _bytes(file: BinaryIO, at: int, length: int) -> bytes:
    file.seek(at)
    found = file.read(length)
    if len(found) != length:
        raise CorruptFileError(f"The zip file ends at byte {at + len(found)}, and {at + length} was expected.")
    return found


def _end(file: BinaryIO, total: int, path: pathlib.Path) -> tuple[int, int, int]:
    """Where the directory lies, its length, and the number of members, from the record that ends the file."""
    if total < 22 or (raw := _bytes(file, total - 22, 22))[:4] != b"PK\5\6":
        raise CorruptFileError(
            f"{path} is not a zip file, as a `.keras` file must be, or does not end where its directory does: it is "
            "cut off, damaged, has something appended, or is of another format."
        )
    disk, first, here, count, length, at, comment = struct.unpack("<4H2LH", raw[4:])
    ends = total - 22
    if _FULL16 in (here, count) or _FULL32 in (length, at):
        ends, here, count, length, at = _end64(file, total, path)
    if disk or first or here != count or comment or at + length != ends:
        raise CorruptFileError(
            f"{path} is a damaged zip file: its directory is said to have {count} members in {length} bytes from byte "
            f"{at}, and should end at byte {ends}, with no comment."
        )
    if count > _MOST_MEMBERS or length > _DIRECTORY:
        raise FileLimitError(f"{path} has {count} members, their list {length} bytes: more than a saved model can.")
    return at, length, count


def _end64(file: BinaryIO, total: int, path: pathlib.Path) -> tuple[int, int, int, int, int]:
    if total >= 98:
        mark, disk, at, disks = struct.unpack("<4sLQL", _bytes(file, total - 42, 20))
        if mark == b"PK\6\7" and not disk and disks == 1 and at == total - 98:
            record = struct.unpack("<4sQ2H2L4Q", _bytes(file, at, 56))
            if record[0] == b"PK\6\6" and record[1] == 44 and not record[4] and not record[5]:
                return at, *record[6:]
    raise CorruptFileError(f"{path} is a damaged zip file: its 64-bit directory is not where it should be.")


def _directory(raw: bytes, count: int, path: pathlib.Path) -> Iterator[Member]:
    at = 0
    for number in range(count):
        if len(raw) - at < 46 or raw[at : at + 4] != b"PK\1\2":
            raise CorruptFileError(f"{path} is a damaged zip file: its directory lacks member {number} of {count}.")
        fields = struct.unpack("<6H3L5H2L", raw[at + 4 : at + 46])
        _, needs, flags, method, _, _, crc, packed, size, name_n, extra_n, comment_n, disk, _, attributes, where = (
            fields
        )
        name = raw[at + 46 : at + 46 + name_n]
        extra = raw[at + 46 + name_n : at + 46 + name_n + extra_n]
        at += 46 + name_n + extra_n + comment_n
        shown = _decoded(name, flags, path)
        if len(name) != name_n or len(extra) != extra_n or comment_n or disk or (needs & 0xFF) > 45:
            raise CorruptFileError(f"The member {shown!r} of {path} is described in a way that no saved model is.")
        size, packed, where = _in_64_bits(_fields(extra, shown, path), (size, packed, where), shown, path)
        yield Member(shown, name, flags, method, crc, packed, size, where, attributes)
    if at != len(raw):
        raise CorruptFileError(f"{path} is a damaged zip file: its directory goes on after its {count} members.")


def _decoded(name: bytes, flags: int, path: pathlib.Path) -> str:
    try:
        return name.decode("utf-8" if flags & _UTF8 else "cp437")
    except UnicodeDecodeError as e:
        raise CorruptFileError(f"{path} holds a member whose name {name[:100]!r} is no text.") from e


def _fields(extra: bytes, name: str, path: pathlib.Path) -> dict[int, bytes]:
    """The extra fields, by their numbers."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(extra):
        number, length = struct.unpack("<2H", extra[at : at + 4]) if len(extra) - at >= 4 else (None, 0)
        if number not in _HARMLESS or number in found or at + 4 + length > len(extra):
            raise CorruptFileError(f"The member {name!r} of {path} has an extra field that no saved model has.")
        found[number] = extra[at + 4 : at + 4 + length]
        at += 4 + length
    return found


def _in_64_bits(extra: dict[int, bytes], values: tuple[int, ...], name: str, path: pathlib.Path) -> tuple[int, ...]:
    """Sizes and places, with those from the extra field that did not fit into 32 bits."""
    wanted = sum(v == _FULL32 for v in values)
    raw = extra.get(_ZIP64, b"")
    if len(raw) != 8 * wanted:
        raise CorruptFileError(f"The member {name!r} of {path} gives {len(raw) // 8} 64-bit numbers for {wanted}.")
    large = iter(struct.unpack(f"<{wanted}Q", raw))
    return tuple(next(large) if v == _FULL32 else v for v in values)


def _local(file: BinaryIO, member: Member, following: int, path: pathlib.Path) -> Member:
    """The member with the place of its bytes, after its own header was compared with the directory."""
    what = f"The member {member.name!r} of {path}"
    if member.flags & ~(_UTF8 | _DESCRIPTOR | _SPEED):
        kind = "is encrypted" if member.flags & 0x2041 else f"has the flags {member.flags:#x}"
        raise UnsafeFileError(f"{what} {kind}. The file is damaged or malicious.")
    if member.method not in (STORED, DEFLATED):
        raise UnsafeFileError(f"{what} is packed by method {member.method}; only stored and deflated ones are read.")
    header = _bytes(file, member.at, 30)
    mark, needs, flags, method, _, _, crc, packed, size, name_n, extra_n = struct.unpack("<4s5H3L2H", header)
    rest = _bytes(file, member.at + 30, name_n + extra_n)
    extra = _fields(rest[name_n:], member.name, path)
    streamed = bool(flags & _DESCRIPTOR)
    if _ZIP64 in extra and not streamed:
        size, packed = _in_64_bits(extra, (size, packed), member.name, path)
    told = (crc, packed, size)
    agree = told == (member.crc, member.packed, member.size) or (
        streamed and not crc and {packed, size} <= {0, _FULL32}
    )
    if (
        mark != b"PK\3\4" or (needs & 0xFF) > 45 or rest[:name_n] != member.raw or not agree
        or (flags, method) != (member.flags, member.method)
    ):  # fmt: skip
        raise CorruptFileError(f"{what} is described differently at its own place and in the directory.")
    start = member.at + 30 + name_n + extra_n
    _check_sizes(member, what)
    _check_gap(file, member, start + member.packed, following if streamed else None, following, what)
    return Member(**{**vars(member), "start": start})


def _check_sizes(member: Member, what: str) -> None:
    if member.method == STORED and member.size != member.packed:
        raise CorruptFileError(f"{what} declares {member.size} bytes and stores {member.packed}.")
    if member.size > _RATIO * member.packed + 1024:
        raise FileLimitError(f"{what} declares {member.size} bytes, which {member.packed} bytes cannot hold.")


def _check_gap(file: BinaryIO, member: Member, end: int, streamed: int | None, following: int, what: str) -> None:
    """Between a member and the next one is nothing, or the sizes again of a member that was written as a stream."""
    gap = following - end
    if streamed is None and gap == 0:
        return
    if streamed is not None and gap in (12, 16, 20, 24):
        raw = _bytes(file, end, gap)
        raw = raw[4:] if gap in (16, 24) and raw[:4] == b"PK\7\x08" else raw
        numbers = {12: "<3L", 20: "<L2Q"}.get(len(raw))
        if numbers and struct.unpack(numbers, raw) == (member.crc, member.packed, member.size):
            return
    raise CorruptFileError(f"{what} is followed by {gap} bytes that belong to no member, or overlaps the next one.")
