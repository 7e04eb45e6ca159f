"""Random values that are drawn late: a file gives a model its weights, so drawing others first would be in vain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from keras_fn.core.context import context
from keras_fn.core.variable import Variable


class _Undrawn(dict[int, Any]):
    """Variables by their ids, each with what draws its values.

    Attributes:
        all_layers: whether those of the user's layers wait too, whose code may look at them.
    """

    all_layers = True


@contextmanager
def drawn_late(all_layers: bool = True) -> Iterator[None]:
    """Variables with random initial values that are made in a with block get them at its end, or others before.

    Args:
        all_layers: false where they get no others: layers of the user's, whose code may look, have them at once.
    """
    before, context.undrawn = context.undrawn, _Undrawn()
    context.undrawn.all_layers = all_layers
    try:
        yield
        for variable, draw in context.undrawn.values():
            variable.assign(draw(variable._shape, dtype=variable._dtype))
    finally:
        context.undrawn = before


def have_values(variables: Iterable[Variable]) -> None:
    """Notes that variables were read from a file."""
    if context.undrawn:
        for v in variables:
            context.undrawn.pop(id(v), None)
