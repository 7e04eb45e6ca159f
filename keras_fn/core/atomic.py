"""Files and folders that are written whole or not at all, whoever is killed when.

A file is written under a temporary name beside its place, brought to the disk, and renamed: renaming within a folder
happens at once, so a reader finds the old file or the new one and never a part. The folder is brought to the disk too,
as the new name lies in it.

A folder cannot be put in the place of another one at once. The old one is set aside under a known name for the moment
between two renames, and `standing` finds it there if that moment was the writer's last.

Who writes holds a lock on the temporary file. The system lets go of it when the process dies, so the next one to write
to the same path can tell what was left behind from what is at work, and deletes it.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import pathlib
import platform
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

from keras_fn.core.errors import FileMissingError, FileThereError, FileWriteError, FileWritePermissionError

try:
    import fcntl
except ImportError:  # Windows: a file that is open cannot be deleted there, which serves as the lock
    fcntl = None

_BUFFER = 2**20
# names of files have 255 bytes; a temporary one needs room for what is put around the name
_LONGEST = 200
# files from which on the whole disk is written out rather than one after the other
_MANY = 1000
_TEMPORARY = re.compile(r"[0-9a-f]{8}\.[0-9a-f]{12}\.kf-tmp")
_LEFT = re.compile(rf"\.(.+)\.{_TEMPORARY.pattern}")
_FULL = (errno.ENOSPC, errno.EDQUOT) if hasattr(errno, "EDQUOT") else (errno.ENOSPC,)


def check_target(path: pathlib.Path, overwrite: bool) -> None:
    """Refuses, before any work is done, a target that cannot or must not be written.

    Raises:
        FileThereError: where something is there, and it must not be replaced.
        FileMissingError: where the folder that it is to be in is not there.
    """
    with failing_as(path):
        if not overwrite and standing(path).exists():
            raise FileThereError(f"{path} is there already. Pass `overwrite=True` to replace it, or take another name.")
        if not _target(path).parent.is_dir():
            raise FileMissingError(f"The folder {path.absolute().parent} is not there. Make it first.")


def write_failure(path: Any, cause: OSError) -> FileWriteError:
    """The error for a file that could not be written: why, and what to do."""
    path = pathlib.Path(path)
    reason = cause.strerror or str(cause)
    text = f"{path} could not be written: {reason}. "
    if cause.errno in _FULL:
        text += f"There are {_free(path)} bytes free in {path.absolute().parent}. Make room, or take another folder."
    elif cause.errno == errno.EROFS:
        text += f"{path.absolute().parent} lies on a disk that is read-only. Take another folder."
    elif isinstance(cause, PermissionError):
        text += f"Check who may write to {path.absolute().parent}, or take another folder."
    elif cause.errno == errno.EIO:
        text += "The disk failed. Take another one."
    else:
        text += "Try again, or take another folder."
    kind = FileWritePermissionError if isinstance(cause, PermissionError) else FileWriteError
    error = kind(f"{text} What was there before is still there, whole.")
    error.errno = cause.errno
    return error


@contextmanager
def failing_as(path: Any) -> Iterator[None]:
    """Errors of the system are told as what they are to the caller: `path` could not be written.

    Raises:
        FileWriteError: in the place of any other OSError.
    """
    try:
        yield
    except (FileThereError, FileMissingError, FileWriteError):
        raise
    except OSError as e:
        raise write_failure(path, e) from e


def _free(path: pathlib.Path) -> int | str:
    try:
        return shutil.disk_usage(path.absolute().parent).free
    except OSError:
        return "no longer countable"


# --- a file
@contextmanager
def new_file(path: Any) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of `path` when the with block ends well, and goes when it fails.

    What was there keeps its mode (who may read and write it). A link is followed: the file that it names is replaced.

    Raises:
        FileWriteError: where the system refuses; what was there before is still there.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "notes.txt"
        >>> with new_file(path) as file:
        ...     _ = file.write(b"all of it")
        >>> path.read_text()
        'all of it'
    """
    with failing_as(path):
        path = _target(path)
        sweep(path)
        temporary, handle, lock = _create(path)
    raw = _Raw(handle, path)
    renamed = False
    try:
        with io.BufferedRandom(raw, _BUFFER) as file:
            yield file  # type: ignore[misc]
            file.flush()
            with failing_as(path):
                _keep_mode(path, temporary)
                _to_disk(handle)
                raw.close_handle()
                if fcntl is None:
                    lock = _closed(lock)
                if path.is_dir():
                    raise FileThereError(f"{path} is a folder, and a file is to be written there. Take another name.")
                os.replace(temporary, path)
                renamed = True
                folder_to_disk(path.parent)
    except BaseException:
        raw.give_up()
        raise
    finally:
        _closed(lock)
        if not renamed:
            with suppress(OSError):
                os.unlink(temporary)


@contextmanager
def member_file(path: pathlib.Path) -> Iterator[BinaryIO]:
    """A file in a folder that `new_folder` made, which brings it to the disk with all others."""
    with failing_as(path):
        handle = _open_new(path)
    raw = _Raw(handle, path)
    try:
        with io.BufferedRandom(raw, _BUFFER) as file:
            yield file  # type: ignore[misc]
            file.flush()
            with failing_as(path):
                raw.close_handle()
    except BaseException:
        raw.give_up()
        raise


def name_again(path: pathlib.Path, other: pathlib.Path) -> None:
    """Gives a file a second name, at once, in the place of what has that name.

    Raises:
        FileWriteError: where the system refuses, or the disk knows no second names.
    """
    with failing_as(other):
        other = _target(other)
        sweep(other)
        temporary = _temporary(other)
        try:
            os.link(path, temporary)
            os.replace(temporary, other)
            folder_to_disk(other.parent)
        finally:
            with suppress(OSError):
                os.unlink(temporary)


def append(path: Any, data: bytes, at: int) -> int:
    """Puts data into a file at a place, drops what lay behind it, and brings it to the disk. Returns the new length.

    If it fails, the file is cut to its length before, as far as the disk lets it.
    """
    with failing_as(path):
        path = _target(path)
        handle = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        with failing_as(path):
            os.ftruncate(handle, at)
            os.lseek(handle, at, os.SEEK_SET)
            view = memoryview(data)
            try:
                while view:
                    view = view[os.write(handle, view) :]
                _to_disk(handle)
            except BaseException:
                with suppress(OSError):
                    os.ftruncate(handle, at)
                raise
    finally:
        with suppress(OSError):
            os.close(handle)
    return at + len(data)


class _Raw(io.RawIOBase):
    """An open file whose failures name its path. Once it is given up, what is still written to it is dropped.

    It has no `fileno`, so that nobody writes past it.
    """

    def __init__(self, handle: int, path: pathlib.Path) -> None:
        self._handle, self._path = handle, path
        self._given_up = False

    def give_up(self) -> None:
        """Drops what is still in buffers, and closes the file."""
        self._given_up = True
        with suppress(OSError):
            self.close_handle()
        self.close()

    def close_handle(self) -> None:
        """Closes the file, which is when some disks say that they are full."""
        handle, self._handle = self._handle, -1
        self._given_up = True
        if handle >= 0:
            os.close(handle)

    def write(self, data: Any) -> int:
        if self._given_up:
            return memoryview(data).nbytes
        with failing_as(self._path):
            return os.write(self._handle, data)

    def readinto(self, buffer: Any) -> int:
        with failing_as(self._path):
            data = os.read(self._handle, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if self._given_up:
            return 0
        with failing_as(self._path):
            return os.lseek(self._handle, offset, whence)

    def truncate(self, size: int | None = None) -> int:
        size = self.tell() if size is None else size
        if not self._given_up:
            with failing_as(self._path):
                os.ftruncate(self._handle, size)
        return size

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        if not self.closed:
            with suppress(OSError):  # what matters was closed, and looked at, before
                self.close_handle()
        super().close()


# --- a folder
@contextmanager
def new_folder(path: Any, replaceable: Callable[[pathlib.Path], bool]) -> Iterator[pathlib.Path]:
    """A folder to fill, which takes the place of `path` when the with block ends well, and goes when it fails.

    Args:
        path: where the folder is to be.
        replaceable: whether the folder that is there may be replaced.

    Raises:
        FileWriteError: where the system refuses; what was there before is still there, or `standing` finds it.
    """
    with failing_as(path):
        path = _target(path)
    with scratch_folder(path) as temporary:
        yield temporary
        with failing_as(path):
            _all_to_disk(temporary)
            _put_folder(temporary, path, replaceable)


@contextmanager
def scratch_folder(path: Any) -> Iterator[pathlib.Path]:
    """A folder beside `path`, that goes with the with block; or, if the process is killed, with the next save."""
    with failing_as(path):
        path = _target(path)
        sweep(path)
        temporary, lock = _create_folder(path)
    try:
        yield temporary
    finally:
        _closed(lock)
        _delete(temporary)


def _put_folder(new: pathlib.Path, path: pathlib.Path, replaceable: Callable[[pathlib.Path], bool]) -> None:
    aside = _aside(path)
    if not path.exists():
        os.replace(new, path)  # an old one that a killed save left aside stays until here
    elif not path.is_dir() or not replaceable(path):
        raise FileThereError(f"{path} is there and holds no saved model, so it is not replaced. Take another name.")
    else:
        if aside.exists():
            shutil.rmtree(aside)
        os.replace(path, aside)
        try:
            os.replace(new, path)
        except BaseException:
            with suppress(OSError):  # else `standing` finds it aside
                os.replace(aside, path)
            raise
    folder_to_disk(path.parent)
    if aside.exists():
        _delete(aside)


def _delete(folder: pathlib.Path) -> None:
    """Deletes what is of no use any more, as far as that goes; the next save tries again."""
    with suppress(OSError):
        shutil.rmtree(folder, ignore_errors=True)


def standing(path: Any) -> pathlib.Path:
    """Where a folder is to be read: at its path; or aside, if whoever replaced it was killed between two renames."""
    path = pathlib.Path(path)
    for _ in range(2):  # it may come back to its place while this looks
        if os.path.lexists(path):
            return path
        aside = _aside(_target(path))
        if aside.is_dir():
            return aside
    return path


def _aside(path: pathlib.Path) -> pathlib.Path:
    return path.with_name(f".{_stem(path)}.kf-old")


# --- temporary names
def _target(path: Any) -> pathlib.Path:
    """The absolute path; the end of a link where it is one, so that the link stays."""
    path = pathlib.Path(path)
    return pathlib.Path(os.path.realpath(path)) if path.is_symlink() else path.absolute()


def _stem(path: pathlib.Path) -> str:
    name = path.name
    return name if len(os.fsencode(name)) <= _LONGEST else hashlib.sha256(os.fsencode(name)).hexdigest()[:32]


def _host() -> str:
    """Locks may hold on one machine alone, so what another one left is not touched."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


def _temporary(path: pathlib.Path) -> pathlib.Path:
    return path.with_name(f".{_stem(path)}.{_host()}.{secrets.token_hex(6)}.kf-tmp")


def _open_new(path: pathlib.Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)


def _create(path: pathlib.Path) -> tuple[pathlib.Path, int, int]:
    """A new file beside `path`: its name, a handle to write with, and one that holds the lock."""
    while True:
        temporary = _temporary(path)
        handle = _open_new(temporary)
        try:
            lock = os.dup(handle)
            if _lock(handle, temporary):
                return temporary, handle, lock
            os.close(lock)
            os.close(handle)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            with suppress(OSError):
                os.close(handle)
            raise


def _create_folder(path: pathlib.Path) -> tuple[pathlib.Path, int]:
    while True:
        temporary = _temporary(path)
        os.mkdir(temporary)
        if fcntl is None:
            return temporary, -1
        try:
            lock = os.open(temporary, os.O_RDONLY)
            if _lock(lock, temporary):
                return temporary, lock
            os.close(lock)
        except BaseException:
            with suppress(OSError):
                os.rmdir(temporary)
            raise


def _lock(handle: int, path: pathlib.Path) -> bool:
    """Locks what was just made. False if somebody who swept up took it for a leftover in the moment before."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError:
        return True  # a disk without locks; nobody can lock, and so nobody deletes
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def sweep(path: Any) -> None:
    """Deletes what saves to `path` that were killed left behind: temporary names of ours that no process has locked."""
    path = _target(path)
    start = f".{_stem(path)}."
    if fcntl is None:
        return
    try:
        names = [n for n in os.listdir(path.parent) if n.startswith(start) and _TEMPORARY.fullmatch(n[len(start) :])]
    except OSError:  # a folder that may be written to and not be listed
        return
    for name in names:
        if name[len(start) :].startswith(_host()):
            with suppress(OSError):
                _delete_if_dead(path.with_name(name))
    aside = _aside(path)
    if aside.is_dir() and path.is_dir():
        _delete(aside)


def sweep_all(folder: pathlib.Path, names: re.Pattern[str]) -> None:
    """`sweep` for each file in a folder of a name that matches, also where only what was left behind is there."""
    with suppress(OSError):
        found = {m[1] for m in map(_LEFT.fullmatch, os.listdir(folder)) if m}
        for name in filter(names.fullmatch, found):
            sweep(folder / name)


def _delete_if_dead(path: pathlib.Path) -> None:
    assert fcntl is not None
    is_folder = stat.S_ISDIR(os.lstat(path).st_mode)
    handle = os.open(path, (os.O_RDONLY if is_folder else os.O_RDWR) | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if is_folder:
            shutil.rmtree(path)
        else:
            os.unlink(path)
    finally:
        os.close(handle)


# --- the disk
def _keep_mode(path: pathlib.Path, temporary: pathlib.Path) -> None:
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode)
    except OSError:  # there is none, and the new one has what the user's mask leaves
        return
    with suppress(PermissionError):
        os.chmod(temporary, mode)


def _to_disk(handle: int) -> None:
    full = getattr(fcntl, "F_FULLFSYNC", None)
    if full is not None:  # on macOS, fsync leaves data in the disk's own memory
        with suppress(OSError):
            fcntl.fcntl(handle, full)  # type: ignore[union-attr]
            return
    os.fsync(handle)


def path_to_disk(path: pathlib.Path) -> None:
    """Brings a file or folder to the disk."""
    if path.is_dir():
        folder_to_disk(path)
        return
    handle = os.open(path, os.O_RDWR)
    try:
        _to_disk(handle)
    finally:
        os.close(handle)


def _all_to_disk(folder: pathlib.Path) -> None:
    """Brings a folder and all that it holds to the disk."""
    inside = list(folder.rglob("*"))
    if len(inside) > _MANY and sys.platform == "linux":
        os.sync()  # waits, on Linux; one call for each of many thousand files would take minutes
        return
    for inner in inside:
        path_to_disk(inner)
    path_to_disk(folder)


def folder_to_disk(path: pathlib.Path) -> None:
    """Brings the names in a folder to the disk."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except PermissionError:  # on Windows, where entries are safe by themselves; or where it may be written and not read
        return
    try:
        os.fsync(handle)
    except OSError as e:
        if e.errno not in (errno.EINVAL, errno.EBADF):  # a disk that knows no such thing
            raise
    finally:
        os.close(handle)


def _closed(handle: int) -> int:
    if handle >= 0:
        with suppress(OSError):
            os.close(handle)
    return -1
