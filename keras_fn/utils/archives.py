"""Unpacking archives that nobody vouches for."""

from __future__ import annotations

import gzip
import pathlib
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import IO, Any, NamedTuple

from keras_fn.core.atomic import member_file, write_failure
from keras_fn.core.errors import ArgumentError, KerasFnError, printable

try:
    from lzma import LZMAError
except ImportError:  # a Python without it unpacks no such archives
    LZMAError = EOFError


class UnsafeArchiveError(KerasFnError, ValueError):
    """An archive holds something that would end up, or lead, outside of its directory."""


# what the standard library raises at damaged archives
_DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, LZMAError, gzip.BadGzipFile, EOFError, NotImplementedError,
)  # fmt: skip
# bombs: no data set has more files, or unpacks to more than so many times its size
_MOST_MEMBERS, _RATIO, _SPARE = 2_000_000, 100, 2**26


class _Member(NamedTuple):
    name: str
    size: int  # bytes
    folder: bool
    opener: Any  # () -> a file to read from


def extract_archive(path: pathlib.Path, directory: pathlib.Path, archive_format: str | Sequence[str] = "auto") -> bool:
    """Unpacks a tar or zip archive into a directory.

    Only plain files and folders are unpacked, with default permissions. Everything is checked before the first byte
    is written: no name may lead out of the directory, no member may be a link or a device, and all of it must fit
    on the disk.

    Args:
        path: the archive.
        directory: where to; made where missing.
        archive_format: "tar" (also compressed), "zip", a list of them, or "auto" for both.

    Returns:
        Whether the file was an archive of the format; where not, nothing was written.

    Raises:
        UnsafeArchiveError: see above.
        FileWriteError: where the disk refuses.
    """
    for opened in _openers(archive_format):
        archive = opened(path)
        if archive is None:
            continue
        try:
            with archive:
                listed = _tar_members(archive) if isinstance(archive, tarfile.TarFile) else _zip_members(archive)
                members = list(_bounded(path, listed))
                _check(path, members, directory)
                for member in members:
                    _write(member, directory)
        except _DAMAGED as e:
            raise UnsafeArchiveError(f"{path} is a damaged archive: {printable(str(e), 300)}") from e
        return True
    return False


def _openers(archive_format: str | Sequence[str]) -> list[Any]:
    known = {"tar": _open_tar, "zip": _open_zip}
    names = ("tar", "zip") if archive_format == "auto" else archive_format
    names = (names,) if isinstance(names, str) else tuple(names or ())
    unknown = [n for n in names if n not in known]
    if unknown:
        raise ArgumentError(f"`archive_format` must be 'auto', 'tar', 'zip', None, or a list, not {archive_format!r}.")
    return [known[n] for n in names]


def _open_tar(path: pathlib.Path) -> AbstractContextManager[Any] | None:
    return tarfile.open(path) if tarfile.is_tarfile(path) else None


def _open_zip(path: pathlib.Path) -> AbstractContextManager[Any] | None:
    return zipfile.ZipFile(path) if zipfile.is_zipfile(path) else None


def _bounded(path: pathlib.Path, members: Iterator[_Member]) -> Iterator[_Member]:
    """The members, counted while they are listed: listing a compressed tar file unpacks it already."""
    most, total = _RATIO * path.stat().st_size + _SPARE, 0
    for number, member in enumerate(members):
        total += member.size
        if total > most or number >= _MOST_MEMBERS:
            raise UnsafeArchiveError(
                f"{path} would unpack to over {most} bytes or {_MOST_MEMBERS} files, which is too much for one "
                "of its size. Nothing was unpacked; unpack it by hand if you trust it."
            )
        yield member


def _tar_members(archive: tarfile.TarFile) -> Iterator[_Member]:
    for entry in archive:
        if not (entry.isreg() or entry.isdir()):
            raise UnsafeArchiveError(
                f"{archive.name} holds {entry.name!r}, which is a link or a device. Only plain files and folders are "
                "unpacked; unpack the archive by hand if you trust it."
            )
        yield _Member(entry.name, entry.size, entry.isdir(), lambda e=entry: archive.extractfile(e))


def _zip_members(archive: zipfile.ZipFile) -> Iterator[_Member]:
    for entry in archive.infolist():
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or entry.flag_bits & 1:
            raise UnsafeArchiveError(
                f"{archive.filename} holds {entry.filename!r}, which is a link, a device or encrypted. Only plain "
                "files and folders are unpacked; unpack the archive by hand if you trust it."
            )
        yield _Member(entry.filename, entry.file_size, entry.is_dir(), lambda e=entry: archive.open(e))


def _check(path: pathlib.Path, members: list[_Member], directory: pathlib.Path) -> None:
    for member in members:
        # both kinds of separators count, and a drive letter, whatever system this runs on
        parts = member.name.replace("\\", "/").split("/")
        if ".." in parts or parts[0] == "" or ":" in parts[0] or "\0" in member.name:
            raise UnsafeArchiveError(
                f"{path} holds a member {member.name!r}, whose name leads out of the directory it is unpacked into. "
                "Nothing was unpacked."
            )
    directory.mkdir(parents=True, exist_ok=True)
    needed, free = sum(m.size for m in members), shutil.disk_usage(directory).free
    if needed > free:
        raise UnsafeArchiveError(f"{path} unpacks to {needed} bytes, and {free} are free where {directory} is.")


def _write(member: _Member, directory: pathlib.Path) -> None:
    target = directory / member.name.replace("\\", "/")
    try:
        (target if member.folder else target.parent).mkdir(parents=True, exist_ok=True)
        if member.folder:
            return
        target.unlink(missing_ok=True)  # of two members of one name, the later one counts
    except OSError as e:
        raise write_failure(target, e) from e
    source: IO[bytes]
    with member.opener() as source, member_file(target) as sink:
        shutil.copyfileobj(source, sink)
