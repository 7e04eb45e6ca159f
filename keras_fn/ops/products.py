"""Products of vectors and matrices that are named."""

from __future__ import annotations

import itertools
from typing import Any

import keras_fn.ops.shape as s
from keras_fn.core import dtypes, shapes
from keras_fn.core.errors import ShapeError
from keras_fn.core.op import op, promotes, same
from keras_fn.ops import complexes, linalg
from keras_fn.ops import elementwise as e
from keras_fn.ops import reduction as r
from keras_fn.ops.known import dtype_of, numbered, times

__all__ = ["cross", "inner", "kron", "vander", "vdot"]


def _summed(products: Any) -> Any:
    """The sum over the last axis in the dtype of the products (bool: whether one is true)."""
    name = dtype_of(products)
    return r.any(products, -1) if name == "bool" else e.cast(r.sum(products, -1), name)


@op(dtype=promotes("x1", "x2"), oracle="numpy.inner")
def inner(x1, x2):
    """Sum products over the last axes of both.

    Args:
        x1: tensor of shape `(..., n)`, or a scalar, which multiplies.
        x2: tensor of shape `(…, n)`, or a scalar.

    Returns:
        Tensor of the axes of `x1` but the last, then those of `x2` but the last.

    Example:
        >>> from keras_fn import ops
        >>> float(ops.convert_to_numpy(ops.inner([1.0, 2.0], [3.0, 4.0])))
        11.0
    """
    if not s.ndim(x1) or not s.ndim(x2):
        return e.multiply(x1, x2)
    n, m = x1.shape[-1], x2.shape[-1]
    if n is not None and m is not None and n != m:
        raise ShapeError(f"ops.inner: the last axes of {tuple(x1.shape)} and {tuple(x2.shape)} differ in length.")
    if s.ndim(x1) == s.ndim(x2) == 1:
        return _summed(e.multiply(x1, x2))
    if dtypes.is_float(dtype_of(x1)) or dtype_of(x1) in dtypes.COMPLEX:
        return linalg.tensordot(x1, x2, axes=([-1], [-1]))
    # integers and bools: not every framework multiplies matrices of them
    places = tuple(range(s.ndim(x1) - 1, s.ndim(x1) + s.ndim(x2) - 2))
    return _summed(e.multiply(s.expand_dims(x1, places) if places else x1, x2))


@op(dtype=promotes("x1", "x2"), oracle="numpy.vdot")
def vdot(x1, x2):
    """The sum of the products of all elements; the first is conjugated where it is complex.

    Args:
        x1, x2: tensors of as many elements.

    Returns:
        Scalar tensor.

    Example:
        >>> from keras_fn import ops
        >>> float(ops.convert_to_numpy(ops.vdot([[1.0, 2.0]], [[3.0], [4.0]])))
        11.0
    """
    n, m = shapes.size(tuple(x1.shape)), shapes.size(tuple(x2.shape))
    if n is not None and m is not None and n != m:
        raise ShapeError(f"ops.vdot: {tuple(x1.shape)} and {tuple(x2.shape)} must hold as many elements.")
    return _summed(e.multiply(complexes.conj(s.ravel(x1)), s.ravel(x2)))


@op(dtype=promotes("x1", "x2"), oracle="numpy.kron")
def kron(x1, x2):
    """The Kronecker product: `x2` laid side by side, multiplied by each element of `x1`.

    Args:
        x1, x2: tensors; the one of fewer dimensions gets leading axes of length 1.

    Returns:
        Tensor whose lengths are the products of theirs.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.kron([1, 10], [1, 2])).tolist()
        [1, 2, 10, 20]
    """
    rank = max(s.ndim(x1), s.ndim(x2))
    if not rank:
        return e.multiply(x1, x2)
    lengths = []
    spread = []
    for x, place in ((x1, 1), (x2, 0)):
        dims = (1,) * (rank - s.ndim(x)) + tuple(s.shape(x))
        lengths.append(dims)
        pairs = [(1, d) if place == 0 else (d, 1) for d in dims]
        spread.append(s.reshape(x, tuple(itertools.chain(*pairs))))
    return s.reshape(e.multiply(*spread), tuple(times(a, b) for a, b in zip(*lengths, strict=True)))


@op(dtype=promotes("x1", "x2"), oracle="numpy.cross")
def cross(x1, x2, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """The cross product of vectors of three numbers; of two numbers (the third is 0), its third component.

    Args:
        x1, x2: tensors whose other axes broadcast.
        axisa, axisb: the axes of the vectors.
        axisc: the axis of the vectors of the result.
        axis: all three of them, where given.

    Returns:
        Tensor of vectors; of numbers where both have two.

    Raises:
        ShapeError: where the vectors are not of a known length of 2 or 3.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])).tolist()
        [0.0, 0.0, 1.0]
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = s.moveaxis(x1, axisa, -1), s.moveaxis(x2, axisb, -1)
    n, m = a.shape[-1], b.shape[-1]
    if n not in (2, 3) or m not in (2, 3):
        raise ShapeError(f"ops.cross takes vectors of length 2 or 3 along their axes, and got {n} and {m}.")
    a0, a1, a2 = _components(a)
    b0, b1, b2 = _components(b)
    third = e.subtract(e.multiply(a0, b1), e.multiply(a1, b0))
    if n == m == 2:
        return third
    first = e.subtract(e.multiply(a1, b2), e.multiply(a2, b1))
    second = e.subtract(e.multiply(a2, b0), e.multiply(a0, b2))
    return s.moveaxis(s.stack([first, second, third], -1), -1, axisc)


def _components(x: Any) -> tuple[Any, Any, Any]:
    parts = [s.get_item(x, (..., i)) for i in range(x.shape[-1])]
    return (*parts, s.zeros_like(parts[0])) if len(parts) == 2 else tuple(parts)  # type: ignore[return-value]


@op(dtype=same("x"), oracle="numpy.vander")
def vander(x, N=None, increasing=False):
    """The Vandermonde matrix: a row of powers for each element.

    Args:
        x: tensor of one dimension.
        N: number of columns; None for as many as x has elements.
        increasing: whether the powers increase from left to right, from 0; else they decrease to 0.

    Returns:
        Tensor of shape `(len(x), N)`.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.vander([1, 2, 3], 3)).tolist()
        [[1, 1, 1], [4, 2, 1], [9, 3, 1]]
    """
    if s.ndim(x) != 1:
        raise ShapeError(f"ops.vander takes a vector, and the shape is {tuple(x.shape)}.")
    exponents = numbered(s.shape(x)[0] if N is None else N)
    name = "int32" if dtype_of(x) == "bool" else dtype_of(x)
    powers = e.power(e.cast(s.expand_dims(x, 1), name), e.cast(s.expand_dims(exponents, 0), name))
    return e.cast(powers if increasing else s.flip(powers, 1), dtype_of(x))
