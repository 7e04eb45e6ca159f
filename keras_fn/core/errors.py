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


class FileFormatError(KerasFnError, ValueError):
    """A file is damaged, malicious, or not of the format that was expected."""


class FileMissingError(KerasFnError, FileNotFoundError):
    """A file to be read is not there."""


class FileThereError(KerasFnError, FileExistsError):
    """A file to be written is there already, and must not be replaced."""


class MissingPackageError(KerasFnError, ImportError):
    """A package that an optional feature needs is not installed."""


def closest(name: str, known: Iterable[str]) -> str:
    """A hint ` Did you mean 'x'?` for a misspelt name, or an empty string."""
    match = difflib.get_close_matches(str(name), [str(k) for k in known], n=1)
    return f" Did you mean {match[0]!r}?" if match else ""
