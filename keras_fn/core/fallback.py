"""The newest of several files that is whole, where a crash or a disk may have damaged the last one."""

from __future__ import annotations

import pathlib
import warnings
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from keras_fn.core.errors import FileError, FileMissingError

Read = TypeVar("Read")


def newest_whole(
    newest_first: Iterable[pathlib.Path], read: Callable[[pathlib.Path], Read]
) -> tuple[pathlib.Path, Read] | None:
    """The first file that can be read, and what was read; warns of damaged ones before it. None without files.

    Args:
        newest_first: the files. One that is deleted in the meantime is passed over.
        read: reads one; raises FileError or OSError where it is damaged.

    Raises:
        FileError: where all of them are damaged; of the kind that the newest one raised.
    """
    damage: list[tuple[type[FileError], str]] = []  # not the errors: these hold on to what was half read
    for path in newest_first:
        try:
            found = read(path)
        except FileMissingError:
            continue
        except FileError as e:
            damage.append((type(e), str(e)))
        except OSError as e:
            damage.append((FileError, f"{path} could not be read: {e.strerror or e}."))
        else:
            for _, text in damage:
                warnings.warn(f"{text}\n{path.name}, which is older, is taken instead.", stacklevel=3)
            return path, found
    if damage:
        kind, text = damage[0]
        raise kind(f"{text}\n{_no_other(damage[1:])}")
    return None


def _no_other(older: list[tuple[Any, str]]) -> str:
    if not older:
        return "There is no older one."
    return f"No older one is whole; of {len(older)}, the next: {older[0][1]}"
