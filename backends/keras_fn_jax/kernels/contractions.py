"""Products with weights, in the form whose gradients XLA's CPU compiler computes fast.

The gradient of weights sums over all rows of the inputs. Where these are several axes, XLA turns both operands of that
product round, computes it three to five times as slowly, and makes the turned gradient anew from all that comes after
it in the model. Where they are one axis it does not (docs/profiles/jax.md).
"""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
from jax.core import Tracer

from keras_fn.ops import linear


def matmul(x1: Any, x2: Any) -> Any:
    """`jnp.matmul`; with a matrix of weights, the rows are one axis inside of a program."""
    if x2.ndim == 2 and x1.ndim > 2 and _is_traced(x1, x2) and x1.shape[-1] == x2.shape[0]:
        return _by_rows(x1, x2, 1)
    return jnp.matmul(x1, x2)


def einsum(operands: list[Any], subscripts: str) -> Any:
    """`jnp.einsum`; a projection (weights of any axes) is a product of two matrices inside of a program."""
    if len(operands) == 2:
        x, weights = operands
        inner = _inner(x, weights, subscripts)
        if inner:
            return _by_rows(x, weights, inner)
    return jnp.einsum(subscripts, *operands)


def linear_along(x: Any, weights: Any, bias: Any, equation: str) -> Any:
    """`einsum(equation, x, weights) + bias`; the gradient of a bias of each column is a sum over rows, too."""
    inner = _inner(x, weights, equation)
    if inner and bias.shape == weights.shape[inner:]:
        return _by_rows(x, weights, inner, bias)
    return linear._linear_along.fn(x, weights, bias, equation)


def _inner(x: Any, weights: Any, subscripts: str) -> int:
    """How many axes are summed over by `_by_rows`; 0 where it does not do."""
    inner = linear._joined_axes(subscripts) if _is_traced(x, weights) else 0
    return inner if x.shape[x.ndim - inner :] == weights.shape[:inner] else 0


def _is_traced(x1: Any, x2: Any) -> bool:
    """Called eagerly, nothing is differentiated, and a reshape would be a dispatch of its own."""
    return isinstance(x1, Tracer) or isinstance(x2, Tracer)


def _by_rows(x: Any, weights: Any, inner: int, bias: Any = None) -> Any:
    """The sum product over the last `inner` axes of x and the first ones of the weights, as a product of matrices.

    Args:
        x, weights: tensors whose axes match.
        inner: how many axes.
        bias: added to each row; None for nothing.
    """
    rows, columns = x.shape[: x.ndim - inner], weights.shape[inner:]
    length = math.prod(weights.shape[:inner])
    product = jnp.matmul(x.reshape(math.prod(rows), length), weights.reshape(length, math.prod(columns)))
    if bias is not None:
        product = product + bias.reshape(-1)
    return product.reshape(*rows, *columns)


KERNELS: dict[str, Any] = {"matmul": matmul, "_einsum": einsum, "_linear_along": linear_along}
