"""Constructors check their arguments against their own annotations.

A class that subclasses `Checked` says what it takes in its signature, `label_smoothing: Share = 0.0`, and that gives
the check and the message. Errors then come where a layer, loss, metric or optimizer is made, by a program or from a
file, and not where it first computes.

An annotation is checked where all of its parts (between `|`) are known here; another one, `Any` among them, is not.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, cast

import numpy as np

from keras_fn.core.errors import ArgumentError, printable

_OWN = "keras_fn."
F = TypeVar("F", bound=Callable[..., Any])

# --- what an argument can be; to type checkers these are plain numbers
Share: TypeAlias = float
ShareBelowOne: TypeAlias = float
NonNegative: TypeAlias = float
NonNegatives: TypeAlias = float | list[float]
Positive: TypeAlias = float
Finite: TypeAlias = float
Count: TypeAlias = int
Index: TypeAlias = int
Axes: TypeAlias = Any
Dims: TypeAlias = Any


def is_flag(value: Any) -> bool:
    """Whether a value is True or False, or the number that equals one of them."""
    return isinstance(value, (bool, np.bool_)) or (isinstance(value, int) and value in (0, 1))


def is_int(value: Any) -> bool:
    """Whether a value is an int (of Python or NumPy) and no bool."""
    return hasattr(value, "__index__") and not isinstance(value, (bool, np.bool_)) and not getattr(value, "shape", ())


def is_number(value: Any) -> bool:
    """Whether a value is a number and no NaN. Tensors without axes are: their value is not looked at."""
    if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__float__") or getattr(value, "shape", ()) != ():
        return False
    return not isinstance(value, (float, np.floating)) or value == value


def _within(test: Callable[[Any], bool], base: Callable[[Any], bool] = is_number) -> Callable[[Any], bool]:
    """A test of numbers that are known; tensors and variables pass."""
    return lambda value: base(value) and (not isinstance(value, (int, float, np.number)) or bool(test(value)))


def _is_axes(value: Any) -> bool:
    return is_int(value) or (isinstance(value, (list, tuple)) and bool(value) and all(map(is_int, value)))


def _is_dims(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(v is None or is_int(v) for v in value)


def _is_nonnegatives(value: Any) -> bool:
    values: Any = value if isinstance(value, (list, tuple)) and value else (value,)
    return all(is_number(v) and v >= 0 for v in values)


# part of an annotation -> (test, words for the message)
_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "None": (lambda value: value is None, "None"),
    "bool": (is_flag, "True or False"),
    "str": (lambda value: isinstance(value, str), "text"),
    "int": (is_int, "an int"),
    "float": (is_number, "a number"),
    "Finite": (_within(np.isfinite), "a finite number"),
    "Share": (_within(lambda v: 0 <= v <= 1), "a number from 0 to 1"),
    "ShareBelowOne": (_within(lambda v: 0 <= v < 1), "a number from 0 to 1 (1 not included)"),
    "NonNegative": (_within(lambda v: v >= 0), "a number of at least 0"),
    "NonNegatives": (_is_nonnegatives, "a number of at least 0, or a list of such"),
    "Positive": (_within(lambda v: v > 0), "a number above 0"),
    "Count": (_within(lambda v: v >= 1, is_int), "an int of at least 1"),
    "Index": (_within(lambda v: v >= 0, is_int), "an int of at least 0"),
    "Dims": (_is_dims, "a list of ints (or None, for lengths that are not known)"),
    "Axes": (_is_axes, "an int or a list of ints"),
}
Check = tuple[tuple[Callable[[Any], bool], ...], str]


def check_of(annotation: Any) -> Check | None:
    """The tests that an annotation stands for, one of which must hold, and words for them; None for no test."""
    parts = [part.strip() for part in annotation.split("|")] if isinstance(annotation, str) else []
    if not parts or any(part not in _KINDS for part in parts):
        return None
    tests, words = zip(*(_KINDS[part] for part in parts), strict=True)
    return tests, " or ".join(words)


class Checked:
    """Base of classes of this library whose constructors check their arguments by the annotations.

    Example:
        >>> import keras_fn
        >>> try:
        ...     keras_fn.losses.BinaryCrossentropy(from_logits="yes")
        ... except ValueError as error:
        ...     print(error)
        `from_logits` of BinaryCrossentropy must be True or False, not 'yes'.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        constructor = cls.__dict__.get("__init__")
        if constructor is not None and constructor.__module__.startswith(_OWN):
            setattr(cls, "__init__", checking(constructor))  # noqa: B010  # type checkers keep the signature


def checking(constructor: F) -> F:
    """A constructor, or another method, with a check of its arguments before it."""
    names: tuple[str, ...] = ()
    checks: dict[str, Check] | None = None  # worked out when the first object is made

    @functools.wraps(constructor)
    def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal names, checks
        if checks is None:
            params = list(inspect.signature(constructor).parameters.values())[1:]
            names = tuple(p.name for p in params if p.kind is p.POSITIONAL_OR_KEYWORD)
            checks = {p.name: check for p in params if (check := check_of(p.annotation)) is not None}
            if "name" in checks:  # None asks for the usual one
                checks["name"] = check_of("str | None")  # type: ignore[assignment]
        for name, value in (*zip(names, args, strict=False), *kwargs.items()):
            check = checks.get(name)
            if check is None:
                continue
            for test in check[0]:
                if test(value):
                    break
            else:
                raise ArgumentError(
                    f"`{name}` of {type(self).__name__} must be {check[1]}, not {printable(repr(value), 200)}."
                )
        return constructor(self, *args, **kwargs)

    return cast(F, checked)
