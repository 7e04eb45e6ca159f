"""Functions of this library that a config names by a word: activations, losses, metrics.

As with classes, the list is fixed before any file is read: plain functions of tensors among the public names of three
packages. Nothing in it touches files, the network or settings.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from typing import Any

_MODULES = ("activations", "losses", "metrics")
_HELPERS = frozenset({"get", "serialize", "deserialize"})


@cache
def _listed() -> tuple[tuple[str, Callable[..., Any]], ...]:
    found: list[tuple[str, Callable[..., Any]]] = []
    for package in _MODULES:
        module = importlib.import_module(f"keras_fn.{package}")
        names = {n: getattr(module, n) for n in module.__all__ if n not in _HELPERS} | getattr(module, "_SHORT", {})
        for name, value in names.items():
            own = (getattr(value, "__module__", None) or "").startswith("keras_fn.")
            if own and callable(value) and not isinstance(value, type) and hasattr(value, "__name__"):
                found.append((name, value))
    return tuple(found)


@cache
def known() -> dict[str, Callable[..., Any]]:
    """Name -> function, for all that files may name. Of two with one name the first package's counts."""
    return dict(reversed(_listed()))


def name_of(fn: Any) -> str | None:
    """The name of a function of this library, or None."""
    wanted = getattr(fn, "__name__", None)
    names = [name for name, value in _listed() if value is fn]
    return wanted if wanted in names else (names[-1] if names else None)


def by_name(name: str) -> Any:
    """The function of a name, or None."""
    return known().get(name)
