"""Ops on ragged tensors, whose rows differ in length: reached where an operand is of a backend's ragged classes.

A ragged tensor is a tensor of all elements in a row, the *flat values*, and where its rows end. What an op does to one
is a rule, found by the op's name in `keras_fn.ops.ragged`, which is imported when the first ragged tensor meets an op.
An op that works element by element runs on the flat values; one without a rule is tried by its body, whose ops have
rules of their own; a primitive without one refuses. While a model is built, ragged axes are unknown dimensions.
"""

from __future__ import annotations

import importlib
from typing import Any

from keras_fn.core.context import context
from keras_fn.core.errors import ArgumentTypeError
from keras_fn.core.sparse import agreed


def run(op: Any, backend: Any, values: list[Any], operands: list[Any]) -> Any:
    """The result of an op for tensors, ragged ones among them."""
    if context.tape is not None and not context.tape.hidden:
        context.tape.fail("a ragged tensor")  # what is done to one is not noted: the layer stays one step
    rules = importlib.import_module("keras_fn.ops.ragged")
    body = rules.RULES.get(op.name)
    tensors = agreed(op, backend, operands)
    if body is not None or op.shape is None:
        op._replace(values, iter(tensors))
        return (body or op.fn)(*values)
    if op.shape in rules.ELEMENTWISE or op.name in rules.FLAT:
        return backend.map_flat(lambda *flat: _with(op, values, flat), tensors)
    raise refusal(op.name, next(x for x in operands if x.__class__ in backend.ragged_classes))


def refusal(name: str, x: Any) -> ArgumentTypeError:
    """What is raised where an op has nothing to do with a ragged tensor."""
    return ArgumentTypeError(
        f"ops.{name.strip('_')} takes no ragged tensor, and one of shape {tuple(x.shape)} came. Fill its rows "
        "up first: `ops.convert_to_tensor(x, ragged=False)`."
    )


def _with(op: Any, values: list[Any], tensors: Any) -> Any:
    """The op on other tensors in the place of its operands."""
    values = list(values)
    op._replace(values, iter(tensors))
    return op(*values)
