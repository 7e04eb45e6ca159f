"""Lengths of vectors and matrices, and distances of points."""

from __future__ import annotations

import math
from typing import Any

import keras_fn.ops.shape as s
from keras_fn.core import shapes
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.op import floats, op
from keras_fn.ops import elementwise as e
from keras_fn.ops import reduction as r
from keras_fn.ops.decompositions import svd

__all__ = ["cdist", "norm", "normalize"]

_VECTOR = "a number, infinity or -infinity"
_MATRIX = "'fro', 'nuc', 1, -1, 2, -2, infinity or -infinity"


def _vector_norm(x: Any, order: Any, axis: Any, keepdims: bool) -> Any:
    if order in (None, 2):
        return e.sqrt(r.sum(e.square(x), axis, keepdims))
    size = e.absolute(x)
    if order == 0:
        return r.sum(e.cast(e.not_equal(x, 0), s._dtype(size)), axis, keepdims)
    if order == 1:
        return r.sum(size, axis, keepdims)
    if order == math.inf:
        return r.amax(size, axis, keepdims)
    if order == -math.inf:
        return r.amin(size, axis, keepdims)
    if isinstance(order, (int, float)):
        return e.power(r.sum(e.power(size, order), axis, keepdims), 1.0 / order)
    raise ArgumentError(f"`ord` must be None, {_VECTOR} for vectors, not {order!r}.")


def _matrix_norm(x: Any, order: Any, axes: tuple[int, int], keepdims: bool) -> Any:
    rows, columns = axes
    if order in (1, -1, math.inf, -math.inf):
        # the largest (or smallest) sum over a column, or over a row
        across, along = (rows, columns) if order in (1, -1) else (columns, rows)
        most = r.amax if order > 0 else r.amin
        out = most(r.sum(e.absolute(x), across, True), along, True)
    elif order in (2, -2, "nuc"):
        values = svd(s.moveaxis(x, axes, (-2, -1)), compute_uv=False)
        out = {2: r.amax, -2: r.amin, "nuc": r.sum}[order](values, -1)
        out = s.expand_dims(out, tuple(sorted(axes)))
    else:
        raise ArgumentError(f"`ord` must be None, {_MATRIX} for matrices, not {order!r}.")
    return out if keepdims else s.squeeze(out, axes)


@op(dtype=floats("x"))
def norm(x, ord=None, axis=None, keepdims=False):
    """The length of vectors or matrices.

    Of vectors, `sum(abs(x) ** ord) ** (1 / ord)`: 2 is the Euclidean length (also None), infinity the largest
    absolute value, -infinity the smallest, 0 the number of elements that are not 0. Of matrices: 'fro' (also None) is
    the Euclidean length of all elements, 'nuc' the sum of the singular values, 2 the largest and -2 the smallest of
    these, 1 and -1 the largest and smallest sum of a column's absolute values, infinity and -infinity of a row's.

    Args:
        x: tensor.
        ord: which norm.
        axis: an int for vectors along that axis; two ints for matrices; None for the whole tensor, which must then be
            a vector or a matrix unless `ord` is None.
        keepdims: whether the axes that are taken together stay, with length 1.

    Raises:
        ArgumentError: where there is no such norm.

    Example:
        >>> from keras_fn import ops
        >>> float(ops.norm([3.0, 4.0])), float(ops.norm([3.0, 4.0], ord=1))
        (5.0, 7.0)
    """
    if ord is None:
        return _vector_norm(x, None, axis, keepdims)
    axes = shapes.canonical_axes(axis, s.ndim(x))
    if len(axes) == 1:
        return _vector_norm(x, ord, axes[0], keepdims)
    if len(axes) != 2:
        raise ArgumentError(f"`ord` {ord!r} is for one axis (vectors) or two (matrices), and the axes are {axes}.")
    if ord == "fro":
        return _vector_norm(x, None, axes, keepdims)
    return e.cast(_matrix_norm(x, ord, axes, keepdims), s._dtype(x))


@op(dtype=floats("x"))
def normalize(x, axis=-1, order=2, epsilon=1e-12):
    """x divided by its norm along an axis (or by `epsilon`, where the norm is below that)."""
    if order == 2:
        squares = r.sum(e.square(x), axis, True)
        return e.multiply(x, e.rsqrt(e.maximum(squares, epsilon * epsilon)))
    if order in (1, math.inf) or isinstance(axis, int):
        return e.true_divide(x, e.maximum(_vector_norm(x, order, axis, True), epsilon))
    raise ArgumentError(f"`order` must be 1, 2 or infinity over the axes {axis!r}, not {order!r}.")


@op(dtype=floats("x", "y"))
def cdist(x, y):
    """Euclidean distances between the points of two sets.

    Args:
        x: tensor `(..., m, d)`: m points with d coordinates.
        y: tensor `(..., n, d)`.

    Returns:
        Tensor `(..., m, n)`.

    Raises:
        ShapeError: where the points have not as many coordinates.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.cdist([[0.0, 0.0]], [[3.0, 4.0], [0.0, 1.0]])).tolist()
        [[5.0, 1.0]]
    """
    if s.ndim(x) < 2 or s.ndim(y) < 2 or not _equal(x.shape[-1], y.shape[-1]):
        raise ShapeError(
            "Points with as many coordinates on the last axis are needed, in tensors of 2 dimensions or more, and the "
            f"shapes are {tuple(x.shape)} and {tuple(y.shape)}."
        )
    gaps = e.subtract(s.expand_dims(x, -2), s.expand_dims(y, -3))
    squares = r.sum(e.square(gaps), -1)
    # the root has no slope at 0, where two points are one
    apart = e.greater(squares, 0)
    return e.where(apart, e.sqrt(e.where(apart, squares, 1.0)), 0.0)


def _equal(a: Any, b: Any) -> bool:
    return a == b or None in (a, b) or not (isinstance(a, int) and isinstance(b, int))
