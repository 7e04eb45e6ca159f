"""Which files a `ModelCheckpoint` has written to a path with fields, and in which order."""

from __future__ import annotations

import glob
import pathlib
import re
import string
from contextlib import suppress

from keras_fn.core.atomic import sweep_all

# how a number may be written so that it can be read back: in decimal, with blanks or zeros around it
_DECIMAL = re.compile(r"[<>^]?0?\d*d?")
_COUNTS = ("epoch", "batch")


def checkpoint_files(filepath: str) -> list[pathlib.Path]:
    """The files that are there, newest first.

    What counts is the epoch, and the batch, in their names, as times are lost when files are copied. Where the path has
    no field for the epoch, or two names have the same one, it is the time when they were written.

    Args:
        filepath: the path that the callback was given.

    Example:
        >>> import tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> for name in ("m-9-0.5.keras", "m-10-0.7.keras", "other.keras"):
        ...     (folder / name).touch()
        >>> [path.name for path in checkpoint_files(f"{folder}/m-{{epoch}}-{{loss:.1f}}.keras")]
        ['m-10-0.7.keras', 'm-9-0.5.keras']
    """
    shape, name = _patterns(pathlib.PurePath(filepath).as_posix())
    found = []
    for path in map(pathlib.Path, glob.glob(shape)):
        match = name.fullmatch(path.as_posix())
        with suppress(FileNotFoundError):  # deleted since, as there were too many
            if match:
                found.append((_numbers(match), path.stat().st_mtime_ns, path))
    return [path for *_, path in sorted(found, reverse=True)]


def sweep_checkpoints(filepath: str) -> None:
    """Deletes what was left behind by those who wrote such files and were killed."""
    path = pathlib.PurePath(filepath)
    folders, (_, name) = _patterns(path.parent.as_posix())[0], _patterns(path.name)
    for folder in glob.glob(folders):
        sweep_all(pathlib.Path(folder), name)


def _patterns(filepath: str) -> tuple[str, re.Pattern[str]]:
    """What `glob` finds files by, and what their names must match to the letter."""
    shape = name = ""
    for literal, field, spec, conversion in string.Formatter().parse(filepath):
        shape += glob.escape(literal)
        name += re.escape(literal)
        if field is None:
            continue
        shape += "*"
        counted = field in _COUNTS and not conversion and _DECIMAL.fullmatch(spec or "")
        if not counted:
            name += "[^/]+"
        elif f"(?P<{field}>" in name:
            name += f" *(?P={field}) *"
        else:
            name += rf" *(?P<{field}>\d+) *"
    return shape, re.compile(name)


def _numbers(match: re.Match[str]) -> tuple[int, ...]:
    """The epoch and the batch in a name; batches count within an epoch, and say nothing alone."""
    there = match.groupdict()
    return tuple(int(there[field]) for field in _COUNTS if field in there) if "epoch" in there else ()
