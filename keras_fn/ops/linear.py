"""Products with a bias: what dense layers compute."""

from __future__ import annotations

from keras_fn.core.op import DtypeRule, op
from keras_fn.ops.contractions import _sums, einsum, matmul
from keras_fn.ops.elementwise import add

__all__: list[str] = []  # a part of layers, and no public function


@op(dtype=DtypeRule(("x", "weights", "bias"), _sums))
def _linear(x, weights, bias):
    """`x @ weights + bias`, for weights of shape (features, units) and a bias of shape (units,)."""
    return add(matmul(x, weights), bias)


@op(dtype=DtypeRule(("x", "weights", "bias"), _sums))
def _linear_along(x, weights, bias, equation):
    """`einsum(equation, x, weights) + bias`: `_linear` along any axes."""
    return add(einsum(equation, x, weights), bias)
