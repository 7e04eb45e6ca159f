"""Products of vectors, matrices and tensors."""

from __future__ import annotations

import re
from typing import Any

import keras_fn.ops.shape as s
from keras_fn.core import dtypes, shapes
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.op import DtypeRule, op, promotes
from keras_fn.core.spec import Spec
from keras_fn.ops import elementwise as e
from keras_fn.ops.known import dtype_of

__all__ = ["dot", "einsum", "matmul", "outer", "tensordot"]


def _sums(*found: Any) -> tuple[str, str]:
    """The common dtype; products of int8 with int8, as quantized layers have them, are summed in 32 bits."""
    out = dtypes.result_type(*found)
    out = "int32" if out == "int8" and all(f == "int8" for f in found) else out
    return out, out


@op(dtype=DtypeRule(("x1", "x2"), _sums), shape=lambda x1, x2: shapes.matmul(x1.shape, x2.shape),
    oracle="numpy.matmul")  # fmt: skip
def matmul(x1, x2):
    """Matrix product over the last two axes; leading axes broadcast. Of int8 matrices it is an int32 matrix.

    Args:
        x1: tensor of shape `(..., n, k)`, or `(k,)`.
        x2: tensor of shape `(..., k, m)`, or `(k,)`.

    Returns:
        Tensor of shape `(..., n, m)`.
    """


def _as_operands(product: Any, *operands: Any) -> Any:
    """A product that stays in 8 bits where its operands have no more, unlike that of `matmul`."""
    return e.cast(product, "int8") if all(dtype_of(x) == "int8" for x in operands) else product


@op(dtype=promotes("x1", "x2"))
def dot(x1, x2):
    """Sum product over the last axis of `x1` and the next to last of `x2` (the last, of a vector)."""
    if not s.ndim(x1) or not s.ndim(x2):
        return e.multiply(x1, x2)
    if s.ndim(x2) <= 2:
        return _as_operands(matmul(x1, x2), x1)
    return tensordot(x1, x2, axes=[[-1], [-2]])


@op(dtype=promotes("x1", "x2"))
def outer(x1, x2):
    """Products of each element of the first with each of the second, as a matrix."""
    return e.multiply(s.reshape(x1, (-1, 1)), s.reshape(x2, (1, -1)))


def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    """Sum product over several axes.

    Args:
        x1, x2: tensors.
        axes: how many last axes of `x1` meet first axes of `x2`; or a pair of lists of axes.
    """
    n1, n2 = s.ndim(x1), s.ndim(x2)
    if isinstance(axes, int):
        left, right = tuple(range(n1 - axes, n1)), tuple(range(axes))
    else:
        left, right = (shapes.canonical_axes(a, n) for a, n in zip(axes, (n1, n2), strict=True))
    letters = "abcdefghijklmnopqrstuvwxyz"
    first = list(letters[:n1])
    second = list(letters[n1 : n1 + n2])
    for a, b in zip(left, right, strict=True):
        second[b] = first[a]
    out = [c for i, c in enumerate(first) if i not in left] + [c for i, c in enumerate(second) if i not in right]
    return _as_operands(_einsum([x1, x2], f"{''.join(first)},{''.join(second)}->{''.join(out)}"), x1, x2)


def _einsum_shape(operands: list[Spec], subscripts: str) -> shapes.Shape:
    inputs, output = subscripts.split("->")
    terms = inputs.split(",")
    if len(terms) != len(operands):
        raise ArgumentError(f"einsum {subscripts!r} names {len(terms)} operands, and {len(operands)} came.")
    sizes: dict[str, Any] = {}
    ellipsis: shapes.Shape = ()
    for term, x in zip(terms, operands, strict=True):
        dims = list(x.shape)
        head, dots, tail = term.partition("...")
        if dots:
            cut = len(dims) - len(tail)
            ellipsis = shapes.broadcast(ellipsis, tuple(dims[len(head) : cut]))
            dims[len(head) : cut] = []
        if len(head) + len(tail) != len(dims):
            raise ShapeError(f"einsum {subscripts!r}: {term!r} does not describe a tensor of the shape {x.shape}.")
        for letter, d in zip(head + tail, dims, strict=True):
            known = sizes.get(letter)
            if None not in (known, d) and known != d and 1 not in (known, d):
                raise ShapeError(f"einsum {subscripts!r}: {letter!r} is both {known} and {d}.")
            sizes[letter] = d if known in (None, 1) else known
    head, dots, tail = output.partition("...")
    return (*(sizes[c] for c in head), *(ellipsis if dots else ()), *(sizes[c] for c in tail))


@op(dtype=DtypeRule(("*operands",), _sums), shape=_einsum_shape)
def _einsum(operands, subscripts):
    """`einsum` with an explicit output."""


def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    """Sum of products by Einstein's convention, `einsum("ij,jk->ik", a, b)`.

    Args:
        subscripts: letters that name the axes of each operand, and `->` those of the result; `...` for the rest.
        operands: tensors.
    """
    subscripts = subscripts.replace(" ", "")
    if "->" not in subscripts:
        letters = sorted(re.sub(r"[^A-Za-z]", "", subscripts))
        free = "".join(c for c in dict.fromkeys(letters) if letters.count(c) == 1)
        subscripts += "->" + ("..." if "..." in subscripts else "") + free
    return _einsum(list(operands), subscripts)
