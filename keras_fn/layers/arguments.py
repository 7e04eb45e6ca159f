"""Checks of constructor arguments that many layers share. Each returns the checked value."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from keras_fn.core.arguments import is_int
from keras_fn.core.errors import ArgumentError, closest


def positive_int(layer: Any, name: str, value: Any) -> int:
    """A positive int.

    Raises:
        ArgumentError: for anything else.
    """
    if not is_int(value) or value < 1:
        raise ArgumentError(f"`{name}` of {type(layer).__name__} must be a positive int, not {value!r}.")
    return operator.index(value)


def number(layer: Any, name: str, value: Any, least: float | None = None) -> Any:
    """A number, not below `least`.

    Raises:
        ArgumentError: for anything else.
    """
    if isinstance(value, bool) or not hasattr(value, "__float__") or (least is not None and not value >= least):
        bound = "" if least is None else f" of at least {least}"
        raise ArgumentError(f"`{name}` of {type(layer).__name__} must be a number{bound}, not {value!r}.")
    return value


def share(layer: Any, name: str, value: Any, *, with_one: bool = True) -> Any:
    """A number from 0 to 1; `with_one` tells whether 1 itself is allowed.

    Raises:
        ArgumentError: for anything else.
    """
    number(layer, name, value)
    if not 0 <= value <= 1 or (value == 1 and not with_one):
        raise ArgumentError(
            f"`{name}` of {type(layer).__name__} must lie between 0 and 1{'' if with_one else ' (1 not included)'}, "
            f"not {value!r}."
        )
    return value


def choice(layer: Any, name: str, value: Any, allowed: Sequence[str]) -> str:
    """One of several names, in lower case.

    Raises:
        ArgumentError: for anything else.
    """
    found = value.lower() if isinstance(value, str) else value
    if found not in allowed:
        known = ", ".join(map(repr, allowed))
        raise ArgumentError(
            f"`{name}` of {type(layer).__name__} must be one of {known}, not {value!r}.{closest(str(value), allowed)}"
        )
    return found


def axes(layer: Any, name: str, value: Any) -> Any:
    """An int, or a list of ints from a list or tuple.

    Raises:
        ArgumentError: for anything else.
    """
    if is_int(value):
        return operator.index(value)
    if isinstance(value, (list, tuple)) and value and all(is_int(v) for v in value):
        return [operator.index(v) for v in value]
    raise ArgumentError(f"`{name}` of {type(layer).__name__} must be an int or a list of ints, not {value!r}.")


def pairs(layer: Any, name: str, value: Any, rank: int) -> tuple[tuple[int, int], ...]:
    """What to add or cut before and after each of `rank` axes: from one int, an int an axis, or a pair an axis.

    Raises:
        ArgumentError: for anything else, or where a number is negative.
    """
    found = (value,) * rank if is_int(value) else value
    if rank == 1 and isinstance(found, (list, tuple)) and len(found) == 2:
        found = (found,)  # over one axis the pair itself may be given
    if isinstance(found, (list, tuple)) and len(found) == rank:
        found = [(p, p) if is_int(p) else p for p in found]
        if all(isinstance(p, (list, tuple)) and len(p) == 2 and all(is_int(n) and n >= 0 for n in p) for p in found):
            return tuple((operator.index(a), operator.index(b)) for a, b in found)
    forms = "an int or a pair of ints" if rank == 1 else f"an int, {rank} ints, or {rank} pairs of ints"
    raise ArgumentError(f"`{name}` of {type(layer).__name__} must be {forms}, each at least 0, not {value!r}.")


def unsupported(layer: Any, **values: Any) -> None:
    """Refuses arguments that Keras has and that have no effect here, where they are given.

    Raises:
        ArgumentError: naming the first that is not None.
    """
    for name, value in values.items():
        if value is not None:
            raise ArgumentError(f"`{name}` of {type(layer).__name__} is not supported: leave it None, not {value!r}.")
