"""Finding the variables and layers that an object holds, by looking at its attributes when asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keras_fn.core.variable import Variable

_NESTING = (dict, list, tuple, set, frozenset)


class Carried:
    """Holds variables that a layer carries from call to call and that are no weights: the states of a recurrent layer.

    They are among the layer's `variables`, so that compiled steps carry them, but neither among its `weights` nor in
    files.
    """

    variables: list[Variable]


def held(owner: Any, kinds: tuple[type, ...]) -> Iterator[tuple[str, Any]]:
    """The objects of some kinds in the attributes of `owner`, also inside lists, tuples, sets and dicts.

    Looking when asked, instead of wrapping every list that is assigned, costs nothing while a model runs, leaves the
    user's lists as they are, and sees what was appended to them later.
    """
    seen: set[int] = set()
    for name, value in owner.__dict__.items():
        # most attributes are settings
        if not isinstance(value, kinds) and not (isinstance(value, _NESTING) and value):
            continue
        if not name.startswith("_kf_") and name != "_modules":
            yield from _inside(name, value, kinds, seen)


def _inside(name: str, value: Any, kinds: tuple[type, ...], seen: set[int]) -> Iterator[tuple[str, Any]]:
    todo = [(name, value)]
    while todo:
        name, value = todo.pop()
        if isinstance(value, kinds):
            if id(value) not in seen:
                seen.add(id(value))
                yield name, value
        elif isinstance(value, dict):
            if id(value) not in seen:
                seen.add(id(value))
                todo.extend((f"{name}.{k}", v) for k, v in reversed(value.items()))
        elif isinstance(value, _NESTING) and value and id(value) not in seen:
            seen.add(id(value))
            todo.extend((f"{name}.{i}", v) for i, v in reversed(list(enumerate(value))))


def unique_by_id(items: Any) -> list[Any]:
    """The items, each once, in order."""
    return list({id(i): i for i in items}.values())


__all__ = ["Carried", "Variable", "held", "unique_by_id"]
