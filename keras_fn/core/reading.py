"""What a compiler that reads Python code takes some functions for.

Most compilers run the Python code of a step and see only what it does to tensors. torch.compile reads the code instead,
line by line. It cannot read all of it (NumPy's arithmetic, files), and it remembers every table that the code looks at,
to compile anew when one changes. So functions that keep or look up what they once worked out are marked here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

Function = Callable[..., Any]
_marked: list[tuple[Function, Function | None]] = []
_readers: list[Callable[[Function, Function | None], None]] = []


def constant(fn: Any) -> Any:
    """Marks a function of names, sizes and other plain values alone: its result is a constant of what is compiled."""
    return _mark(fn, None)


def read_as(plain: Function) -> Callable[[Any], Any]:
    """Marks a function that does what `plain` does, but by tables: whoever reads code is to read `plain`."""
    return lambda fn: _mark(fn, plain)


def inlined(fn: Any) -> Any:
    """Marks a function that is read as a part of its callers alone: where they cannot be read, it runs as it is."""
    return _mark(fn, fn)


def remembered(maxsize: int) -> Callable[[Function], Function]:
    """Keeps the last `maxsize` results of a function that is a `constant`."""
    return lambda fn: constant(_keeping(fn, maxsize))


def kept(maxsize: int) -> Callable[[Function], Function]:
    """As `remembered`, for a function that can be read, also of sizes that are not known while it is."""
    return lambda fn: _mark(_keeping(fn, maxsize), fn)


def _keeping(fn: Function, maxsize: int) -> Function:
    cache = functools.lru_cache(maxsize)(fn)

    @functools.wraps(fn)
    def call(*args: Any) -> Any:
        return cache(*args)

    return call


def _mark(fn: Any, plain: Function | None) -> Any:
    _marked.append((fn, plain))
    for tell in _readers:
        tell(fn, plain)
    return fn


def each_mark(tell: Callable[[Function, Function | None], None]) -> None:
    """Calls `tell(fn, plain)` with all that is marked, now and later. For backends.

    `plain` is None for constants, and `fn` itself for what is `inlined`.
    """
    _readers.append(tell)
    for fn, plain in _marked:
        tell(fn, plain)
