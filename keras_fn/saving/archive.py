"""The container of a saved model: a zip file or a folder, read with distrust. It is written by core/atomic.py.

Members: `metadata.json`, `config.json`, `model.weights.h5`, and `assets/…` where layers have files of their own.
"""

from __future__ import annotations

import io
import pathlib
import re
import shutil
import stat
import tempfile
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO

from keras_fn.core.atomic import standing
from keras_fn.core.errors import CorruptFileError, FileLimitError, UnsafeFileError
from keras_fn.saving.regular import files_in, open_regular
from keras_fn.saving.structure import MAX_TEXT as MAX_JSON
from keras_fn.saving.structure import parse_json
from keras_fn.saving.zip_members import STORED, Member, read_member, read_members

METADATA, CONFIG, WEIGHTS, ASSETS = "metadata.json", "config.json", "model.weights.h5", "assets"
SHARDS = "model.weights.json"
# what compressed data can hold at most, for each of its bytes
MAX_RATIO = 1100
_CHUNK = 2**20


# --- writing
def is_saved_model(folder: pathlib.Path) -> bool:
    """Whether a folder is one that a model was saved to, and may be replaced by another one."""
    return (folder / CONFIG).is_file()


# --- reading
class Archive:
    """A saved model that is open for reading; `open_archive` makes one."""

    where: pathlib.Path
    total: int  # bytes on the disk

    def names(self) -> list[str]:
        """The members, as paths inside the archive."""
        raise NotImplementedError

    def size(self, name: str) -> int:
        """A member's size in bytes, unpacked."""
        raise NotImplementedError

    def open(self, name: str) -> Any:
        """A member as a binary file that can be read from any place."""
        raise NotImplementedError

    def require(self, name: str) -> None:
        """Raises where a member is missing."""
        if name not in self.names():
            raise CorruptFileError(
                f"{self.where} has no member {name!r}, so it is not a whole saved model. It holds: {self.names()[:10]}"
            )

    def json(self, name: str) -> Any:
        """The data of a JSON member."""
        self.require(name)
        if self.size(name) > MAX_JSON:
            raise FileLimitError(
                f"The member {name!r} of {self.where} has {self.size(name)} bytes; no more than {MAX_JSON} are read."
            )
        with self.open(name) as file:
            raw = file.read(MAX_JSON + 1)
        return parse_json(raw, f"The member {name!r} of {self.where}")

    def copy_assets(self, folder: pathlib.Path, places: Sequence[str]) -> None:
        """Writes the members that lie in some places under `assets/` into a folder."""
        wanted = tuple(f"{ASSETS}/{p}/" if p else f"{ASSETS}/" for p in places)
        for name in self.names():
            if not name.startswith(wanted):
                continue
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with self.open(name) as source, target.open("xb") as out:
                shutil.copyfileobj(source, out, _CHUNK)

    def close(self) -> None:
        """Closes the file."""

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()


def open_archive(path: pathlib.Path) -> Archive:
    """A saved model, zip file or folder, for reading.

    Raises:
        FileMissingError: where there is nothing.
        FileError: where it is neither, or is damaged or malicious.
    """
    path = standing(path)
    if path.is_dir():
        return _Folder(path)
    return _Zip(path)


class _Folder(Archive):
    def __init__(self, path: pathlib.Path) -> None:
        self.where = path
        self._sizes = files_in(path)
        self.total = sum(self._sizes.values())
        check_names(self._sizes, path)

    def names(self) -> list[str]:
        return list(self._sizes)

    def size(self, name: str) -> int:
        return self._sizes[name]

    def open(self, name: str) -> Any:
        return open_regular(self.where / name, links=False)


class _Zip(Archive):
    def __init__(self, path: pathlib.Path) -> None:
        self.where = path
        self._file = open_regular(path)
        self.total = self._file.seek(0, io.SEEK_END)
        try:
            members = read_members(self._file, path)
            check_names([m.name for m in members], path)
            for member in members:
                _check_kind(member, path)
        except BaseException:
            self._file.close()
            raise
        self._members = {m.name: m for m in members if not m.name.endswith("/")}

    def names(self) -> list[str]:
        return list(self._members)

    def size(self, name: str) -> int:
        return self._members[name].size

    def open(self, name: str) -> Any:
        """The member, unpacked where it is compressed, after its check sum was found right."""
        member = self._members[name]
        parts = read_member(self._file, member, self.where)
        if member.method == STORED:
            for _ in parts:
                pass
            return io.BufferedReader(_Window(self._file, member.start, member.size), _CHUNK)
        unpacked = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
        try:
            for part in parts:
                unpacked.write(part)
        except BaseException:
            unpacked.close()
            raise
        unpacked.seek(0)
        return unpacked

    def close(self) -> None:
        self._file.close()


_SHARD = re.compile(r"model(\.weights)?_\d{5}(\.weights)?\.h5")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def check_names(names: Iterable[str], path: pathlib.Path) -> None:
    """Raises where a member does not belong to a saved model, or stands for the same file as another one."""
    seen: set[str] = set()
    for name in names:
        parts = name.replace("\\", "/").split("/")
        problem = ""
        if name.startswith(("/", "\\")) or ":" in name or ".." in parts or "\0" in name:
            problem = "leads out of the archive"
        elif not _belongs(name):
            problem = "does not belong to a saved model"
        same = unicodedata.normalize("NFKC", name).casefold().rstrip("/")
        if same in seen:
            problem = "is there twice"
        seen.add(same)
        if problem:
            raise UnsafeFileError(f"The member {name!r} of {path} {problem}. The file is damaged or malicious.")


def _belongs(name: str) -> bool:
    if name in (METADATA, CONFIG, WEIGHTS, SHARDS, f"{ASSETS}/") or _SHARD.fullmatch(name):
        return True
    first, *rest = name.removesuffix("/").split("/")
    return first == ASSETS and 0 < len(rest) <= 20 and all(_plain(part) for part in rest)


def _plain(part: str) -> bool:
    """Whether a part of a path is a name on every system."""
    good = part.isprintable() and not set(part) & set('\\:*?"<>|') and not part.endswith((".", " "))
    return good and 0 < len(part) <= 200 and not _RESERVED.fullmatch(part)


def _check_kind(member: Member, path: pathlib.Path) -> None:
    kind, folder = stat.S_IFMT(member.mode), member.name.endswith("/")
    if kind == stat.S_IFLNK:
        raise UnsafeFileError(f"The member {member.name!r} of {path} is a link. The file is damaged or malicious.")
    if kind not in (0, stat.S_IFDIR if folder else stat.S_IFREG) or (folder and member.size):
        raise UnsafeFileError(f"The member {member.name!r} of {path} is no regular file.")


class _Window(io.RawIOBase):
    """A stretch of a file as a file of its own, so that a stored member is read in place, from any place."""

    def __init__(self, file: BinaryIO, start: int, length: int) -> None:
        self._file = file
        self._start, self._length, self._at = start, length, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        view = view[: max(0, self._length - self._at)]
        self._file.seek(self._start + self._at)
        got = self._file.readinto(view) or 0  # type: ignore[attr-defined]
        self._at += got
        return got
