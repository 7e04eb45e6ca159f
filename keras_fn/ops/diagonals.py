"""Diagonals of matrices."""

from __future__ import annotations

from typing import Any

import keras_fn.ops.shape as s
from keras_fn.core import shapes
from keras_fn.core.errors import ShapeError
from keras_fn.core.op import op, same
from keras_fn.core.spec import Spec
from keras_fn.ops import elementwise as e
from keras_fn.ops import reduction as r
from keras_fn.ops.known import known_shape, numbered

__all__ = ["diag", "diagflat", "diagonal", "trace", "tri"]


def _diagonal_shape(x: Spec, offset: int = 0, axis1: int = 0, axis2: int = 1) -> shapes.Shape:
    if len(x.shape) < 2:
        raise ShapeError(f"A diagonal needs two dimensions or more, and the shape is {x.shape}.")
    first, second = shapes.canonical_axes((axis1, axis2), len(x.shape))
    rows, columns = x.shape[first], x.shape[second]
    rest = tuple(d for i, d in enumerate(x.shape) if i not in (first, second))
    if rows is None or columns is None:
        return (*rest, None)
    return (*rest, max(0, min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns)))


@op(dtype=same("x"), shape=_diagonal_shape)
def _diagonal(x, offset, axis1, axis2):
    """`diagonal` of a tensor that has the axes."""


@op(dtype=same("x"), oracle="numpy.diagonal")
def diagonal(x, offset=0, axis1=0, axis2=1):
    """A diagonal of matrices: the elements `[i, i + offset]`.

    Args:
        x: tensor of two dimensions or more.
        offset: which one: 0 the main diagonal, above 0 those above it, below 0 those below.
        axis1, axis2: the axes of the matrices.

    Returns:
        Tensor without these two axes, and with the diagonal along a new last one.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.diagonal([[1, 2], [3, 4]])).tolist()
        [1, 4]
    """
    _diagonal_shape(Spec(known_shape(x), "int32"), offset, axis1, axis2)  # the same errors on every backend
    return _diagonal(x, offset, axis1, axis2)


def _matrix(x: Any, k: int) -> Any:
    """The matrix whose k-th diagonal is the vector x, and 0 elsewhere."""
    length = s.shape(x)[0]
    side = None if length is None else length + abs(k)
    padded = s.pad(x, ((0, abs(k)),))
    # element i goes to [i, i + k], or to [i - k, i] below the main diagonal
    spread = s.expand_dims(padded, 1 if k >= 0 else 0)
    rows, columns = s.expand_dims(numbered(side), 1), s.expand_dims(numbered(side), 0)
    return e.where(e.equal(e.add(rows, k), columns), spread, s.zeros_like(spread))


@op(dtype=same("x"), oracle="numpy.diag")
def diag(x, k=0):
    """The matrix with a vector as its k-th diagonal; or the k-th diagonal of a matrix.

    Args:
        x: tensor of one or two dimensions.
        k: which diagonal: 0 the main one, above 0 those above it, below 0 those below.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.diag([1, 2])).tolist()
        [[1, 0], [0, 2]]
        >>> ops.convert_to_numpy(ops.diag([[1, 2], [3, 4]], 1)).tolist()
        [2]
    """
    if s.ndim(x) == 2:
        return diagonal(x, k)
    if s.ndim(x) == 1:
        return _matrix(x, k)
    raise ShapeError(f"ops.diag takes a vector or a matrix, and the shape is {tuple(x.shape)}.")


@op(dtype=same("x"), oracle="numpy.diagflat")
def diagflat(x, k=0):
    """The matrix with all elements of a tensor, in a row, as its k-th diagonal.

    Args:
        x: tensor.
        k: which diagonal.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.diagflat([[1], [2]])).tolist()
        [[1, 0], [0, 2]]
    """
    return _matrix(s.ravel(x), k)


@op(dtype=same("x"), oracle="numpy.trace")
def trace(x, offset=0, axis1=0, axis2=1):
    """The sum along a diagonal of matrices.

    Args:
        x: tensor of two dimensions or more.
        offset: which diagonal.
        axis1, axis2: the axes of the matrices.

    Returns:
        Tensor without these two axes; small integers are summed in 32 bits.

    Example:
        >>> from keras_fn import ops
        >>> int(ops.convert_to_numpy(ops.trace([[1, 2], [3, 4]])))
        5
    """
    return r.sum(diagonal(x, offset, axis1, axis2), -1)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """Ones on and below the k-th diagonal of an N by M matrix, zeros above.

    Args:
        N: number of rows.
        M: number of columns; None for as many.
        k: which diagonal.
        dtype: dtype name; None for the default float.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.tri(2, 3)).tolist()
        [[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]
    """
    rows, columns = s.expand_dims(s.arange(N), 1), s.expand_dims(s.arange(N if M is None else M), 0)
    return e.cast(e.greater_equal(e.add(rows, k), columns), dtype)
