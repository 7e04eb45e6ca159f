"""Opening files of which only the path is known: regular files, and nothing that blocks, talks back or leads away."""

from __future__ import annotations

import errno
import os
import pathlib
import stat
from typing import BinaryIO

from keras_fn.core.errors import FileLimitError, FileMissingError, UnsafeFileError

_MOST_FILES, _DEEPEST = 10_000, 20
_KINDS = (
    (stat.S_ISDIR, "a folder"), (stat.S_ISLNK, "a link"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a device"),
)  # fmt: skip


def open_regular(path: pathlib.Path, links: bool = True) -> BinaryIO:
    """A regular file, for reading. Opening never waits for a writer at the other end.

    Args:
        path: the path.
        links: whether the path itself may be a link, as one that a user typed may be.

    Raises:
        FileMissingError: where nothing is there.
        UnsafeFileError: where it is a folder, pipe, socket or device.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    flags |= 0 if links else getattr(os, "O_NOFOLLOW", 0)
    try:
        check_regular(path, os.stat(path) if links else os.lstat(path))  # opening a device may do something already
        handle = os.open(path, flags)
    except (FileNotFoundError, NotADirectoryError) as e:
        raise FileMissingError(f"There is no file {path}. Check the path.") from e
    except ValueError as e:
        raise UnsafeFileError(f"{str(path)!r} is no path: {e}") from e
    except OSError as e:
        if e.errno != errno.ELOOP:
            raise
        raise UnsafeFileError(f"{path} is a link that leads to itself, or may not be one.") from e
    try:
        check_regular(path, os.fstat(handle))
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def check_regular(path: pathlib.Path | str, facts: os.stat_result) -> None:
    """Raises where a path is not that of a regular file."""
    if stat.S_ISREG(facts.st_mode):
        return
    kind = next((text for test, text in _KINDS if test(facts.st_mode)), "no file")
    mend = " Copy what it leads to into its place." if stat.S_ISLNK(facts.st_mode) else ""
    raise UnsafeFileError(f"{path} is {kind}, and a regular file was expected.{mend}")


def files_in(folder: pathlib.Path) -> dict[str, int]:
    """The files in a folder and those inside it, by their paths from there, with their sizes.

    Raises:
        UnsafeFileError: where there is anything but files and folders.
        FileLimitError: where there is more than a saved model may have.
    """
    found: dict[str, int] = {}
    todo = [("", folder, 0)]
    while todo:
        prefix, place, depth = todo.pop()
        if depth > _DEEPEST:
            raise FileLimitError(f"{folder} holds folders more than {_DEEPEST} deep, at {prefix!r}.")
        with os.scandir(place) as entries:
            for entry in entries:
                name = prefix + entry.name
                facts = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(facts.st_mode):
                    todo.append((f"{name}/", pathlib.Path(entry.path), depth + 1))
                    continue
                if entry.is_symlink():
                    raise UnsafeFileError(f"{folder} holds the link {name!r}. Links are not followed: save it again.")
                check_regular(f"{name!r} in {folder}", facts)
                found[name] = facts.st_size
                if len(found) > _MOST_FILES:
                    raise FileLimitError(f"{folder} holds more than {_MOST_FILES} files.")
    return dict(sorted(found.items()))
