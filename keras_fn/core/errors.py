"""Errors of keras_fn.

Each one subclasses the built-in that people expect, says what came and what was expected, and how to mend it.
`KerasFnError` marks the errors that were worded here, so that outer code adds its context once and never wraps twice.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class KerasFnError(Exception):
    """Base of the errors that keras_fn words itself."""


class ShapeError(KerasFnError, ValueError):
    """Shapes do not fit each other or the operation."""


class OutOfRangeError(ShapeError, IndexError):
    """An index names no element."""


class DtypeError(KerasFnError, TypeError):
    """A dtype is unknown, or not accepted by the operation."""


class ArgumentError(KerasFnError, ValueError):
    """An argument has a value that makes no sense."""


class ArgumentTypeError(KerasFnError, TypeError):
    """An argument has a type that makes no sense."""


class StructureError(KerasFnError, ValueError):
    """A nested structure or a set of names does not match what was expected."""


class BackendError(KerasFnError, RuntimeError):
    """A backend is missing, broken, or not the one an object belongs to."""


class NoKernelError(BackendError, NotImplementedError):
    """The backend has no kernel for an op."""


class GraphError(KerasFnError, ValueError):
    """A graph of layers is not connected as it was asked to be."""


class NotBuiltError(KerasFnError, AttributeError, ValueError):
    """Something was asked of a layer or model that exists only once it is built or called."""


class FileError(KerasFnError, ValueError):
    """A file is refused: it is damaged, malicious, too large, or not of the format that was expected.

    What stands in a file also stands in messages about it, so they are cut to a readable length, and characters that
    would change the terminal or hide text are escaped.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(printable(message))


# the name that this error had first
FileFormatError = FileError


class UnsafeFileError(FileError, ArgumentError):
    """A file asks for something that files may not reach: code, unknown classes, other files."""


class CorruptFileError(FileError):
    """A file is damaged, or contradicts itself."""


class FileLimitError(FileError):
    """A file asks for more memory, depth or time than files may take."""


class WeightMismatchError(FileError, ShapeError, StructureError):
    """The weights in a file do not fit the model."""


class FileMissingError(KerasFnError, FileNotFoundError):
    """A file to be read is not there."""


class FileThereError(KerasFnError, FileExistsError):
    """A file to be written is there already, and must not be replaced."""


class FileWriteError(KerasFnError, OSError):
    """A file could not be written; `errno` says why, as of any OSError."""


class FileWritePermissionError(FileWriteError, PermissionError):
    """A file may not be written by who tried it."""


class MissingPackageError(KerasFnError, ImportError):
    """A package that an optional feature needs is not installed."""


def printable(text: str, most: int = 1900) -> str:
    """Text of a file, or about one, for messages: no control characters, and no more than so many bytes in UTF-8.

    Line feeds stay. Of a text that is too long the ends are kept.

    Example:
        >>> printable("a" + chr(27) + "[2J") == "a" + chr(92) + "x1b[2J"
        True
        >>> printable("x" * 100, 40)
        'xxxxxxxxxxxxxxxxxx … xxxxxxxxxxxxxxxxxx'
    """
    text = str(text)
    if len(text) > 2 * most:
        text = f"{text[:most]}{text[-most:]}"
    if not text.isprintable():
        text = "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
    raw = text.encode()
    if len(raw) <= most:
        return text
    side = (most - 4) // 2
    return f"{raw[:side].decode(errors='ignore')} … {raw[-side:].decode(errors='ignore')}"


def closest(name: str, known: Iterable[str]) -> str:
    """A hint ` Did you mean 'x'?` for a misspelt name, or an empty string."""
    if len(str(name)) > 200:  # comparing takes the product of the lengths
        return ""
    match = difflib.get_close_matches(str(name), [str(k) for k in known], n=1)
    return f" Did you mean {match[0]!r}?" if match else ""
