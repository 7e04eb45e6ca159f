"""Containers: members that do not belong, headers that contradict each other, bombs."""

from __future__ import annotations

import io
import stat
import struct
import unicodedata
import warnings
import zipfile
import zlib
from collections.abc import Iterator

from hostile.base import CONFIG, METADATA, WEIGHTS, Maker, Row

_FOREIGN = {
    "python": "evil.py",
    "package": "__init__.py",
    "other weights": "model.weights.npz",
    "pickle": "model.pkl",
    "up": "../evil.txt",
    "up twice": "assets/../../evil.txt",
    "up in place": "assets/../config.json",
    "absolute": "/evil.txt",
    "drive": "C:/evil.txt",
    "backslashes": "assets\\..\\..\\evil.txt",
    "stream": "assets/config.json:evil",
    "empty part": "assets//evil.txt",
    "dot": "assets/./evil.txt",
    "device": "assets/con",
    "device with end": "assets/NUL.txt",
    "end in dot": "assets/evil.",
    "end in space": "assets/a ",
    "control": "assets/a\x1b[2Jb",
    "wildcard": "assets/*",
    "case": "Config.json",
    "folder of a member": "config.json/",
    "member below a member": "config.json/a",
    "hidden": ".config.json",
    "other shard": "model.weights_1.h5",
    "deep": "assets/" + "a/" * 30 + "b",
    "long": "assets/" + "a" * 5000,
    "right to left": "assets/\u202etxt.exe",
    "home": "~/evil.txt",
    "assets of capitals": "ASSETS/evil.txt",
    "zero width": "config\u200b.json",
}


def rows(m: Maker) -> Iterator[Row]:
    """All rows of this category."""
    good = m.zipped(m.members)
    yield m.row("zip", "empty", b"")
    yield m.row("zip", "text", b"no zip at all")
    yield m.row("zip", "only an end", b"PK\5\6" + bytes(18))
    for i, part in enumerate((1, len(good) // 4, len(good) // 2, len(good) - 30, len(good) - 1)):
        yield m.row("zip", f"cut {i}", good[:part])
    yield m.row("zip", "begun with something else", b"#!/bin/sh\n" + good)
    yield m.row("zip", "begun with a zip", m.zipped({CONFIG: b"{}"}) + good)
    yield m.row("zip", "followed by a byte", good + b"\0")
    yield m.row("zip", "followed by a zip", good + m.zipped({CONFIG: b"{}"}))
    yield m.row("zip", "comment", good[:-2] + struct.pack("<H", 5) + b"hello")
    for name in (CONFIG, METADATA, WEIGHTS):
        yield m.row("zip", f"without {name}", m.zipped({k: v for k, v in m.members.items() if k != name}))
    for name, member in _FOREIGN.items():
        yield m.row("zip", f"foreign {name}", m.zipped({**m.members, member: b"x" if member[-1] != "/" else b""}))
    yield from _twice(m)
    yield from _kinds(m)
    yield from _headers(m, good)
    yield from _sizes(m, good)


def _twice(m: Maker) -> Iterator[Row]:
    both = {
        "same": (CONFIG, CONFIG),
        "case": ("assets/a", "assets/A"),
        "normal form": (unicodedata.normalize("NFC", "assets/é"), unicodedata.normalize("NFD", "assets/é")),
        "compatible": ("assets/ﬁle", "assets/file"),
        "file and folder": ("assets/a", "assets/a/"),
    }
    for name, pair in both.items():
        out = io.BytesIO(m.zipped(m.members))
        with warnings.catch_warnings(), zipfile.ZipFile(out, "a") as packed:
            warnings.simplefilter("ignore")
            for member in pair:
                if member != CONFIG or pair[0] != pair[1] or member not in packed.namelist()[len(m.members) :]:
                    packed.writestr(zipfile.ZipInfo(member), b"{}" if member[-1] != "/" else b"")
        yield m.row("zip", f"twice {name}", out.getvalue())


def _kinds(m: Maker) -> Iterator[Row]:
    kinds = {
        "link": stat.S_IFLNK,
        "pipe": stat.S_IFIFO,
        "socket": stat.S_IFSOCK,
        "char device": stat.S_IFCHR,
        "block device": stat.S_IFBLK,
        "folder without slash": stat.S_IFDIR,
    }
    for name, kind in kinds.items():
        out = io.BytesIO(m.zipped(m.members))
        with zipfile.ZipFile(out, "a") as packed:
            info = zipfile.ZipInfo("assets/a")
            info.external_attr = (kind | 0o777) << 16
            packed.writestr(info, "/etc/passwd")
        yield m.row("zip", f"kind {name}", out.getvalue())
    for name, method in (("bzip2", zipfile.ZIP_BZIP2), ("lzma", zipfile.ZIP_LZMA)):
        yield m.row("zip", f"method {name}", m.zipped(m.members, method))


# field of the directory's first record: offset, struct code, value
_CENTRAL = {
    "version needed": (6, "<H", 99),
    "encrypted": (8, "<H", 1),
    "strongly encrypted": (8, "<H", 0x41),
    "masked": (8, "<H", 0x2000),
    "patched": (8, "<H", 0x20),
    "method 99": (10, "<H", 99),
    "method deflated": (10, "<H", 8),
    "crc": (16, "<L", 1),
    "packed size": (20, "<L", 1),
    "packed size huge": (20, "<L", 2**32 - 2),
    "size": (24, "<L", 1),
    "size huge": (24, "<L", 2**32 - 2),
    "size in 64 bits without": (24, "<L", 2**32 - 1),
    "name length": (28, "<H", 3),
    "extra length": (30, "<H", 4),
    "comment length": (32, "<H", 9),
    "disk": (34, "<H", 1),
    "place": (42, "<L", 7),
    "place huge": (42, "<L", 2**32 - 2),
    "mark": (0, "<L", 0),
}
_LOCAL = {
    "version needed": (4, "<H", 99),
    "flags": (6, "<H", 2),
    "streamed": (6, "<H", 8),
    "method": (8, "<H", 8),
    "crc": (14, "<L", 1),
    "packed size": (18, "<L", 1),
    "size": (22, "<L", 1),
    "name length": (26, "<H", 3),
    "extra length": (28, "<H", 4),
    "mark": (0, "<L", 0),
    "name": (30, "<L", 0x61616161),
}
_END = {
    "count": (10, "<H", 9),
    "count here": (8, "<H", 9),
    "count none": (10, "<H", 0),
    "length": (12, "<L", 5),
    "length huge": (12, "<L", 2**32 - 2),
    "place": (16, "<L", 5),
    "disk": (4, "<H", 1),
    "first disk": (6, "<H", 1),
    "comment length": (20, "<H", 1),
    "count in 64 bits": (10, "<H", 0xFFFF),
    "place in 64 bits": (16, "<L", 2**32 - 1),
}


def _headers(m: Maker, good: bytes) -> Iterator[Row]:
    directory, end = good.index(b"PK\1\2"), len(good) - 22
    for place, table, start in (("directory", _CENTRAL, directory), ("own header", _LOCAL, 0), ("end", _END, end)):
        for name, (offset, code, value) in table.items():
            changed = bytearray(good)
            struct.pack_into(code, changed, start + offset, value)
            yield m.row("zip", f"{place} {name}", bytes(changed))
    yield m.row("zip", "all counts none", good[: end + 8] + bytes(4) + good[end + 12 :])
    for name, extra in (
        ("unicode path", struct.pack("<2HBL", 0x7075, 5 + 11, 1, zlib.crc32(METADATA.encode())) + b"config.json"),
        ("unknown", struct.pack("<2H", 0xBEEF, 2) + b"xx"),
        ("64 bits for nothing", struct.pack("<2HQ", 1, 8, 1)),
        ("cut", b"\1\0\xff\0"),
    ):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as packed:
            for member, content in m.members.items():
                info = zipfile.ZipInfo(member)
                info.extra = extra
                packed.writestr(info, content)
        yield m.row("zip", f"extra {name}", out.getvalue())
    yield m.row("zip", "two names for one place", _second_name(good))
    yield m.row("zip", "bytes between members", _gap(good))
    yield m.row("zip", "64-bit end elsewhere", _end64(good, 0))
    yield m.row("zip", "64-bit end of another size", _end64(good, end, 99))


def _second_name(good: bytes) -> bytes:
    """A second entry of the directory that points at the first member."""
    end = len(good) - 22
    at = good.index(b"PK\1\2")
    record = good[at : good.index(b"PK\1\2", at + 1)]
    name = record[46:]
    twin = record[:46] + b"assets/" + name[7:]
    count, length, place = struct.unpack("<HLL", good[end + 10 : end + 20])
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count + 1, count + 1, length + len(twin), place, 0)
    return good[:end] + twin + tail


def _gap(good: bytes) -> bytes:
    """Bytes before the directory that no member owns."""
    end, at = len(good) - 22, good.index(b"PK\1\2")
    count, length, place = struct.unpack("<HLL", good[end + 10 : end + 20])
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, length, place + 7, 0)
    return good[:at] + b"between" + good[at:end] + tail


def _end64(good: bytes, where: int, size: int = 44) -> bytes:
    end = len(good) - 22
    count, length, place = struct.unpack("<HLL", good[end + 10 : end + 20])
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", size, 45, 45, 0, 0, count, count, length, place)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, where, 1)
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 2**32 - 1, 2**32 - 1, 0)
    return good[:end] + record + locator + tail


def _sizes(m: Maker, good: bytes) -> Iterator[Row]:
    deflated = zipfile.ZIP_DEFLATED
    yield m.row("zip", "bomb of a config", m.zipped({**m.members, CONFIG: b" " * (60 * 2**20)}, deflated))
    yield m.row("zip", "bomb of metadata", m.zipped({**m.members, METADATA: b"[" * (20 * 2**20)}, deflated))
    yield m.row("zip", "bomb of weights", m.zipped({**m.members, WEIGHTS: bytes(300 * 2**20)}, deflated))
    yield m.row("zip", "bomb of assets", m.zipped({**m.members, "assets/a": bytes(100 * 2**20)}, deflated))
    many = {f"assets/{i}": b"" for i in range(12_000)}
    yield m.row("zip", "many members", m.zipped({**m.members, **many}))
    changed = bytearray(m.zipped(m.members, deflated))
    changed[60] ^= 0xFF
    yield m.row("zip", "deflated badly", bytes(changed))
    place = good.index(m.members[CONFIG][:40])
    yield m.row("zip", "changed config", good[: place + 5] + b"#" + good[place + 6 :])
    place = good.index(m.weights[:40])
    yield m.row("zip", "changed weights", good[: place + 900] + b"#" + good[place + 901 :])
    for name in (CONFIG, METADATA, WEIGHTS):
        yield m.row("zip", f"empty {name}", m.zipped({**m.members, name: b""}))
    yield m.row("zip", "members in members", m.zipped({"m.keras": good}))
