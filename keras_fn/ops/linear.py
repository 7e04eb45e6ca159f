"""Products with a bias: what dense layers compute."""

from __future__ import annotations

from typing import Any

from keras_fn.core import shapes
from keras_fn.core.op import DtypeRule, op
from keras_fn.core.reading import remembered
from keras_fn.ops.contractions import _sums, einsum, matmul
from keras_fn.ops.elementwise import add

__all__: list[str] = []  # a part of layers, and no public function


def _linear_shape(x: Any, weights: Any, bias: Any) -> shapes.Shape:
    return shapes.broadcast(shapes.matmul(x.shape, weights.shape), bias.shape)


@op(dtype=DtypeRule(("x", "weights", "bias"), _sums), closed=_linear_shape)
def _linear(x, weights, bias):
    """`x @ weights + bias`, for weights of shape (features, units) and a bias of shape (units,)."""
    return add(matmul(x, weights), bias)


@op(dtype=DtypeRule(("x", "weights", "bias"), _sums))
def _linear_along(x, weights, bias, equation):
    """`einsum(equation, x, weights) + bias`: `_linear` along any axes."""
    return add(einsum(equation, x, weights), bias)


@remembered(maxsize=256)
def _joined_axes(equation: str) -> int:
    """How many axes are summed over, where they are the last of x and the first of the weights; else 0.

    Where it is not 0, the equation is a product of two matrices: rows and features of x, features and columns.
    """
    inputs, _, output = equation.replace(" ", "").partition("->")
    x, _, weights = inputs.partition(",")
    if any(len(set(term)) < len(term) for term in (x.replace("...", ""), weights, output.replace("...", ""))):
        return 0
    for count in range(1, len(weights)):
        summed, new = weights[:count], weights[count:]
        if x.endswith(summed) and output.endswith(new) and x[:-count] == output[: -len(new)]:
            return count
    return 0
