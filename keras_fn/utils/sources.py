"""From what a symbol of a graph was worked out."""

from __future__ import annotations

from typing import Any

from keras_fn.core.errors import ArgumentTypeError
from keras_fn.graph.symbol import KerasTensor


def get_source_inputs(tensor: KerasTensor) -> list[KerasTensor]:
    """The inputs of a graph that a symbol depends on, each once, in the order in which calls name them.

    Args:
        tensor: a symbol: `Input`, or what a layer or op made of one.

    Example:
        >>> import keras_fn
        >>> a, b = keras_fn.Input((2,), name="a"), keras_fn.Input((2,), name="b")
        >>> [x.name for x in keras_fn.utils.get_source_inputs(keras_fn.layers.add([a, b]))]
        ['a', 'b']
    """
    if not isinstance(tensor, KerasTensor):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ArgumentTypeError(f"`tensor` must be a KerasTensor, and {type(tensor).__name__} came.")
    found: dict[int, KerasTensor] = {}
    seen: set[int] = set()
    todo: list[Any] = [tensor]
    while todo:
        symbol = todo.pop()
        if id(symbol) in seen:
            continue
        seen.add(id(symbol))
        node = symbol._node
        before = [] if node is None else list(node.inputs)
        if not before:
            found[id(symbol)] = symbol
        todo.extend(reversed(before))
    return list(found.values())
