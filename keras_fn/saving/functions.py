"""Functions of this library that a config names by a word: activations, losses, metrics."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

_MODULES = ("activations", "losses", "metrics")
_HELPERS = frozenset({"get", "serialize", "deserialize"})


def _public() -> Iterator[tuple[str, Any]]:
    for module_name in _MODULES:
        module = importlib.import_module(f"keras_fn.{module_name}")
        for name in dir(module):
            value = getattr(module, name)
            own = (getattr(value, "__module__", None) or "").startswith("keras_fn.")
            function = own and callable(value) and not isinstance(value, type)
            if function and not name.startswith("_") and name not in _HELPERS:
                yield name, value


def name_of(fn: Any) -> str | None:
    """The name of a function of this library, or None."""
    wanted = getattr(fn, "__name__", None)
    found = None
    for name, value in _public():
        if value is fn and (found is None or name == wanted):
            found = name
    return found


def by_name(name: str) -> Any:
    """The function of a name, or None."""
    return next((value for n, value in _public() if n == name), None)
