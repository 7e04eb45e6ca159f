"""Random values that are drawn late: a file gives a model its weights, so drawing others first would be in vain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from keras_fn.core.context import context
from keras_fn.core.variable import Variable


@contextmanager
def drawn_late() -> Iterator[None]:
    """Variables with random initial values that are made in a with block get them at its end, or others before."""
    before, context.undrawn = context.undrawn, {}
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
