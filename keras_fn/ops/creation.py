"""Tensors from values, copies, and rows of evenly spaced numbers."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

import keras_fn.ops.shape as s
from keras_fn.core import dtypes, shapes
from keras_fn.core.errors import ArgumentError
from keras_fn.core.op import floats, op, same
from keras_fn.ops import elementwise as e
from keras_fn.ops.known import dtype_of

__all__ = ["array", "copy", "dtype", "empty", "empty_like", "geomspace", "linspace", "logspace"]


def dtype(x: Any) -> str:
    """The name of the dtype of a tensor.

    Args:
        x: tensor, Variable, array or number.

    Example:
        >>> from keras_fn import ops
        >>> ops.dtype(ops.zeros((2,), "int8"))
        'int8'
    """
    return dtype_of(x)


@op(dtype=same("x"), oracle="numpy.copy")
def copy(x):
    """A tensor of the same values that shares no memory with x.

    Args:
        x: tensor.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.copy([1.0, 2.0])).tolist()
        [1.0, 2.0]
    """
    return x  # where tensors never change; backends whose tensors can be written to bring a kernel


def array(x: Any, dtype: Any = None) -> Any:
    """A new tensor of the active backend, from a tensor, array, number or nested list.

    Args:
        x: the values.
        dtype: dtype name; None for that of the values.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.array([1, 2], "float32")).tolist()
        [1.0, 2.0]
    """
    return copy(s.convert_to_tensor(x, dtype))


def empty(shape: Any, dtype: Any = None) -> Any:
    """A tensor whose values do not matter (zeros, so that results can be repeated).

    Args:
        shape: tuple of ints.
        dtype: dtype name; None for the default float.

    Example:
        >>> from keras_fn import ops
        >>> tuple(ops.empty((2, 3)).shape)
        (2, 3)
    """
    return s.zeros(shape, dtype)


def empty_like(x: Any, dtype: Any = None) -> Any:
    """A tensor in the shape and dtype of x whose values do not matter (zeros).

    Args:
        x: tensor.
        dtype: dtype name; None for that of x.

    Example:
        >>> from keras_fn import ops
        >>> tuple(ops.empty_like(ops.ones((2, 3))).shape)
        (2, 3)
    """
    return s.zeros_like(x, dtype)


# --- evenly spaced
def _wide(name: str) -> str:
    return name if name in ("float64", *dtypes.COMPLEX) else "float32"


def _divisions(num: Any, endpoint: bool) -> tuple[int, int]:
    try:
        count = operator.index(num)
    except TypeError:
        raise ArgumentError(f"`num` must be an int: how many numbers are wanted. It is {num!r}.") from None
    if count < 0:
        raise ArgumentError(f"`num` must not be negative, and is {count}.")
    return count, count - 1 if endpoint else count


def _between(start: Any, stop: Any, num: int, endpoint: bool, axis: int, wide: str) -> tuple[Any, Any, Any]:
    """Start and stop with a new axis in `wide`, and the way gone from one to the other, from 0 to 1, along it."""
    count, divisions = _divisions(num, endpoint)
    rank = max(s.ndim(start), s.ndim(stop))
    axis = shapes.canonical_axis(axis, rank + 1)
    gone = (np.arange(count) / max(divisions, 1)).astype(np.dtype(wide))
    ends = []
    for x in (start, stop):
        x = e.cast(x, wide)
        missing = rank - s.ndim(x)
        x = s.expand_dims(x, tuple(range(missing))) if missing else x
        ends.append(s.expand_dims(x, axis))
    return (*ends, gone.reshape((-1,) + (1,) * (rank - axis)))


def _delivered(x: Any, dtype: Any, default: str) -> Any:
    dtype = default if dtype is None else dtypes.standardize(dtype)
    return e.cast(e.floor(x) if dtypes.is_integer(dtype) else x, dtype)


@op(dtype=floats("start", "stop"), oracle="numpy.linspace")
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    """Evenly spaced numbers from `start` to `stop`.

    Args:
        start: scalar or tensor: the first number.
        stop: scalar or tensor: the last number, or the first one left out where `endpoint` is false.
        num: how many numbers.
        endpoint: whether `stop` is among them.
        retstep: whether the distance between them comes back too.
        dtype: dtype name; None for the float dtype of `start` and `stop`. Rounded down for integers.
        axis: the axis of the result along which they lie.

    Returns:
        Tensor of the shape that `start` and `stop` broadcast to, with an axis of length `num` more; with `retstep`,
        a pair of it and the distance.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.linspace(0.0, 1.0, 5)).tolist()
        [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    name = dtype_of(start)
    first, last, gone = _between(start, stop, num, endpoint, axis, _wide(name))
    # both ends come out exactly: 1 * start + 0 * stop, and the other way round
    spread = e.add(e.multiply(e.subtract(1.0, gone), first), e.multiply(gone, last))
    out = _delivered(spread, dtype, name)
    if not retstep:
        return out
    divisions = _divisions(num, endpoint)[1]
    return out, e.true_divide(e.subtract(stop, start), divisions if divisions > 0 else float("nan"))


@op(dtype=floats("start", "stop"), oracle="numpy.logspace")
def logspace(start, stop, num=50, endpoint=True, base=10, dtype=None, axis=0):
    """Numbers from `base**start` to `base**stop` whose logarithms are evenly spaced.

    Args:
        start: scalar or tensor: the first exponent.
        stop: scalar or tensor: the last exponent.
        num: how many numbers.
        endpoint: whether the last exponent is among them.
        base: what the exponents belong to.
        dtype: dtype name; None for the float dtype of `start` and `stop`.
        axis: the axis of the result along which they lie.

    Returns:
        Tensor of the shape that `start` and `stop` broadcast to, with an axis of length `num` more.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.logspace(0.0, 3.0, 4, base=2)).tolist()
        [1.0, 2.0, 4.0, 8.0]
    """
    name = dtype_of(start)
    exponents = linspace(e.cast(start, _wide(name)), e.cast(stop, _wide(name)), num, endpoint, axis=axis)
    return _delivered(e.power(base, exponents), dtype, name)


@op(dtype=floats("start", "stop"), oracle="numpy.geomspace")
def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    """Numbers from `start` to `stop`, each the same multiple of the one before.

    Args:
        start: scalar or tensor, not 0: the first number.
        stop: scalar or tensor of the same sign: the last number.
        num: how many numbers.
        endpoint: whether `stop` is among them.
        dtype: dtype name; None for the float dtype of `start` and `stop`.
        axis: the axis of the result along which they lie.

    Returns:
        Tensor of the shape that `start` and `stop` broadcast to, with an axis of length `num` more. NaN between ends
        of different signs.

    Example:
        >>> from keras_fn import ops
        >>> [round(float(v), 3) for v in ops.convert_to_numpy(ops.geomspace(1.0, 1000.0, 4))]
        [1.0, 10.0, 100.0, 1000.0]
    """
    name = dtype_of(start)
    first, last, gone = _between(start, stop, num, endpoint, axis, _wide(name))
    ratio = e.true_divide(last, first)
    logs = e.add(
        e.multiply(e.subtract(1.0, gone), e.log(e.absolute(first))), e.multiply(gone, e.log(e.absolute(last)))
    )
    inner = e.where(e.greater(ratio, 0), e.multiply(e.sign(first), e.exp(logs)), float("nan"))
    inner = e.where(e.equal(gone, 0), first, inner)
    return _delivered(e.where(e.equal(gone, 1), last, inner), dtype, name)
