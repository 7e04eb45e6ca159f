"""The container of a saved model: a zip file or a folder, written whole or not at all, and read with distrust.

Members: `metadata.json`, `config.json`, `model.weights.h5`, and `assets/…` where layers have files of their own.
"""

from __future__ import annotations

import io
import json
import os
import pathlib
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from keras_fn.core.errors import FileFormatError, FileMissingError, FileThereError

METADATA, CONFIG, WEIGHTS, ASSETS = "metadata.json", "config.json", "model.weights.h5", "assets"
MAX_JSON = 64 * 2**20
# a file that unpacks to more than this many times its size is a bomb, no model
MAX_RATIO = 1100
_CHUNK = 2**20


# --- writing
def check_target(path: pathlib.Path, overwrite: bool) -> None:
    """Refuses, before any work is done, a target that cannot or must not be written."""
    if path.exists() and not overwrite:
        raise FileThereError(f"{path} is there already. Pass `overwrite=True` to replace it, or take another name.")
    if not path.absolute().parent.is_dir():
        raise FileMissingError(f"The folder {path.absolute().parent} is not there. Make it first.")


@contextmanager
def new_file(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A temporary file beside `path`, which takes its place when the with block ends well, and goes when it fails."""
    path = path.absolute()
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    os.close(handle)
    temporary = pathlib.Path(name)
    try:
        yield temporary
        os.chmod(temporary, _usual_mode())
        _to_disk(temporary)
        if path.is_dir() and not path.is_symlink():
            raise FileThereError(f"{path} is a folder, and a file is to be written there. Take another name.")
        os.replace(temporary, path)
        _to_disk(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def new_folder(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A temporary folder beside `path`, which takes its place when the with block ends well, and goes when it fails.

    An old folder is first set aside, then the new one takes its name, then the old one is deleted.
    """
    path = path.absolute()
    temporary = pathlib.Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent))
    aside = temporary.with_suffix(".old")
    try:
        yield temporary
        os.chmod(temporary, _usual_mode() | 0o111)
        for inner in temporary.rglob("*"):
            _to_disk(inner)
        _to_disk(temporary)
        _replace_folder(temporary, path, aside)
        _to_disk(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if aside.exists() and path.exists():
            shutil.rmtree(aside)


def _replace_folder(new: pathlib.Path, path: pathlib.Path, aside: pathlib.Path) -> None:
    if not path.exists():
        os.replace(new, path)
        return
    if not path.is_dir() or not (path / CONFIG).is_file():
        raise FileThereError(f"{path} is there and holds no saved model, so it is not replaced. Take another name.")
    os.replace(path, aside)
    try:
        os.replace(new, path)
    except OSError:
        os.replace(aside, path)
        raise


def _usual_mode() -> int:
    """The mode that a new file gets; temporary ones are made readable for their owner alone."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _to_disk(path: pathlib.Path) -> None:
    try:
        handle = os.open(path, os.O_RDONLY)
    except PermissionError:  # folders cannot be opened on Windows; their entries are safe there by themselves
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_zip(target: pathlib.Path, folder: pathlib.Path) -> None:
    """Puts the files of a folder into a zip file, uncompressed, as Keras does: weights hardly shrink."""
    names = [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as packed:
        for name in sorted(names, key=_order):
            packed.write(folder / name, name)


def _order(name: str) -> tuple[int, str]:
    first = (METADATA, CONFIG, WEIGHTS)
    return (first.index(name) if name in first else len(first), name)


# --- reading
class Archive:
    """A saved model that is open for reading; `open_archive` makes one."""

    where: pathlib.Path

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
            raise FileFormatError(
                f"{self.where} has no member {name!r}, so it is not a whole saved model. It holds: {self.names()[:10]}"
            )

    def json(self, name: str) -> Any:
        """The data of a JSON member."""
        self.require(name)
        if self.size(name) > MAX_JSON:
            raise FileFormatError(
                f"The member {name!r} of {self.where} has {self.size(name)} bytes; no more than {MAX_JSON} are read."
            )
        with self.open(name) as file:
            raw = file.read()
        return parse_json(raw, f"The member {name!r} of {self.where}")

    def copy_assets(self, folder: pathlib.Path) -> bool:
        """Writes the members under `assets/` into a folder. Returns whether there were any."""
        found = [n for n in self.names() if n.startswith(f"{ASSETS}/") and not n.endswith("/")]
        for name in found:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with self.open(name) as source, target.open("wb") as out:
                shutil.copyfileobj(source, out, _CHUNK)
        return bool(found)

    def close(self) -> None:
        """Closes the file."""

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()


def parse_json(raw: bytes | str, what: str) -> Any:
    """The data of JSON text; errors say whose text it is and where it breaks."""
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as e:
        raise FileFormatError(f"{what} is not valid JSON: {e}") from e
    if not isinstance(data, dict):
        raise FileFormatError(f"{what} must hold a JSON object, and holds a {type(data).__name__}.")
    return data


def open_archive(path: pathlib.Path) -> Archive:
    """A saved model, zip file or folder, for reading.

    Raises:
        FileMissingError: where there is nothing.
        FileFormatError: where it is neither, or is malicious.
    """
    if path.is_dir():
        return _Folder(path)
    if not path.exists():
        raise FileMissingError(f"There is no file {path}. Check the path; the extension `.keras` belongs to it.")
    if not zipfile.is_zipfile(path):
        raise FileFormatError(
            f"{path} is not a zip file, as a `.keras` file must be: it is cut off, damaged, or of another format."
        )
    return _Zip(path)


class _Folder(Archive):
    def __init__(self, path: pathlib.Path) -> None:
        self.where = path
        self._names = []
        for inner in sorted(path.rglob("*")):
            name = inner.relative_to(path).as_posix()
            if inner.is_symlink():
                raise FileFormatError(f"{path} holds the link {name!r}. Links are not followed: save the model again.")
            if inner.is_file():
                self._names.append(name)

    def names(self) -> list[str]:
        return self._names

    def size(self, name: str) -> int:
        return (self.where / name).stat().st_size

    def open(self, name: str) -> Any:
        return (self.where / name).open("rb")


class _Zip(Archive):
    def __init__(self, path: pathlib.Path) -> None:
        self.where = path
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, NotImplementedError, OSError) as e:
            raise FileFormatError(f"{path} is a damaged zip file: {e}") from e
        try:
            self._infos = _checked_members(self._zip, path)
        except FileFormatError:
            self._zip.close()
            raise

    def names(self) -> list[str]:
        return list(self._infos)

    def size(self, name: str) -> int:
        return self._infos[name].file_size

    def open(self, name: str) -> Any:
        """The member, unpacked where it is compressed, after its check sum was found right."""
        info = self._infos[name]
        try:
            if info.compress_type == zipfile.ZIP_STORED:
                start = self._verify(info, None)
                return io.BufferedReader(_Window(self.where, start, info.file_size), _CHUNK)
            unpacked = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
            self._verify(info, unpacked)
            unpacked.seek(0)
            return unpacked
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError) as e:
            raise FileFormatError(
                f"The member {name!r} of {self.where} is damaged: {e}. Take another copy of the file."
            ) from e

    def _verify(self, info: zipfile.ZipInfo, out: Any) -> int:
        """Reads a member to its end, which checks its check sum. Returns where its bytes begin in the file."""
        with self._zip.open(info) as member:
            while chunk := member.read(_CHUNK):
                if out is not None:
                    out.write(chunk)
        with self.where.open("rb") as file:
            file.seek(info.header_offset)
            header = file.read(30)  # its last two numbers are the lengths of the name and of the extra field
            return info.header_offset + 30 + sum(struct.unpack("<HH", header[26:30]))

    def close(self) -> None:
        self._zip.close()


def _checked_members(packed: zipfile.ZipFile, path: pathlib.Path) -> dict[str, zipfile.ZipInfo]:
    total = path.stat().st_size
    found: dict[str, zipfile.ZipInfo] = {}
    for info in packed.infolist():
        name = info.filename
        problem = _problem(info, total)
        if name in found:
            problem = "is there twice"
        if problem:
            raise FileFormatError(f"The member {name!r} of {path} {problem}. The file is damaged or malicious.")
        if not info.is_dir():
            found[name] = info
    return found


def _problem(info: zipfile.ZipInfo, total: int) -> str:
    name = info.orig_filename
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ":" in parts[0] or ".." in parts or "\0" in name:
        return "leads out of the archive"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "is a link"
    if info.flag_bits & 0x1:
        return "is encrypted"
    if info.compress_size > total or info.file_size > MAX_RATIO * info.compress_size + _CHUNK:
        return f"declares {info.file_size} bytes, which the {total} bytes of the file cannot hold"
    if info.compress_type == zipfile.ZIP_STORED and info.file_size != info.compress_size:
        return f"declares {info.file_size} bytes and stores {info.compress_size}"
    return ""


class _Window(io.RawIOBase):
    """A stretch of a file as a file of its own, so that a stored member is read in place, from any place."""

    def __init__(self, path: pathlib.Path, start: int, length: int) -> None:
        self._file = path.open("rb", buffering=0)
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
        got = self._file.readinto(view) or 0
        self._at += got
        return got

    def close(self) -> None:
        self._file.close()
        super().close()
