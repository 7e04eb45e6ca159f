"""Reductions that leave NaN out."""

from __future__ import annotations

import math
from typing import Any

from keras_fn.core import dtypes
from keras_fn.core.op import floats, gives, op, same
from keras_fn.ops import elementwise as e
from keras_fn.ops import reduction as r
from keras_fn.ops.known import dtype_of

__all__ = [
    "nanargmax", "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmin", "nanprod", "nanstd", "nansum",
    "nanvar",
]  # fmt: skip


def filled(x: Any, value: Any) -> Any:
    """The tensor with `value` in the place of NaN."""
    return e.where(e.isnan(x), value, x) if dtypes.is_float(dtype_of(x)) else x


@op(dtype=same("x"), oracle="numpy.nansum")
def nansum(x, axis=None, keepdims=False):
    """Sum over axes, NaN left out; 0 where there is nothing else.

    Args:
        x: tensor. Small integers are summed in 32 bits.
        axis: int or tuple of ints; None for all axes.
        keepdims: whether the axes stay, with length 1.

    Example:
        >>> from keras_fn import ops
        >>> float(ops.convert_to_numpy(ops.nansum([1.0, float("nan"), 2.0])))
        3.0
    """
    return r.sum(filled(x, 0), axis, keepdims)


@op(dtype=same("x"), oracle="numpy.nanprod")
def nanprod(x, axis=None, keepdims=False):
    """Product over axes, NaN left out; 1 where there is nothing else.

    Args:
        x: tensor. Small integers are multiplied in 32 bits.
        axis: int or tuple of ints; None for all axes.
        keepdims: whether the axes stay, with length 1.

    Example:
        >>> from keras_fn import ops
        >>> float(ops.convert_to_numpy(ops.nanprod([3.0, float("nan"), 2.0])))
        6.0
    """
    return r.prod(filled(x, 1), axis, keepdims)


def nancumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Running sum along an axis, in which NaN counts as 0.

    Args:
        x: tensor.
        axis: the axis; None for all elements in a row.
        dtype: dtype name of the sums; None for that of x.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.nancumsum([1.0, float("nan"), 2.0])).tolist()
        [1.0, 1.0, 3.0]
    """
    return _nancumsum(x, axis, None if dtype is None else dtypes.standardize(dtype))


@op(dtype=same("x"), name="nancumsum")
def _nancumsum(x, axis=None, dtype=None):
    """`nancumsum` with a standard dtype name."""
    return r.cumsum(filled(x, 0), axis, dtype)


def nancumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Running product along an axis, in which NaN counts as 1.

    Args:
        x: tensor.
        axis: the axis; None for all elements in a row.
        dtype: dtype name of the products; None for that of x.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.nancumprod([3.0, float("nan"), 2.0])).tolist()
        [3.0, 3.0, 6.0]
    """
    return _nancumprod(x, axis, None if dtype is None else dtypes.standardize(dtype))


@op(dtype=same("x"), name="nancumprod")
def _nancumprod(x, axis=None, dtype=None):
    """`nancumprod` with a standard dtype name."""
    return r.cumprod(filled(x, 1), axis, dtype)


def _or_nan(out: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """The result, and NaN where there was nothing but NaN."""
    return e.where(r.all(e.isnan(x), axis, keepdims), math.nan, out)


@op(dtype=same("x"), oracle="numpy.nanmax")
def nanmax(x, axis=None, keepdims=False):
    """Largest element over axes, NaN left out; NaN where there is nothing else.

    Args:
        x: tensor.
        axis: int or tuple of ints; None for all axes.
        keepdims: whether the axes stay, with length 1.

    Example:
        >>> from keras_fn import ops
        >>> float(ops.convert_to_numpy(ops.nanmax([1.0, float("nan"), 2.0])))
        2.0
    """
    if not dtypes.is_float(dtype_of(x)):
        return r.amax(x, axis, keepdims)
    return _or_nan(r.amax(filled(x, -math.inf), axis, keepdims), x, axis, keepdims)


@op(dtype=same("x"), oracle="numpy.nanmin")
def nanmin(x, axis=None, keepdims=False):
    """Smallest element over axes, NaN left out; NaN where there is nothing else.

    Args:
        x: tensor.
        axis: int or tuple of ints; None for all axes.
        keepdims: whether the axes stay, with length 1.

    Example:
        >>> from keras_fn import ops
        >>> float(ops.convert_to_numpy(ops.nanmin([1.0, float("nan"), 2.0])))
        1.0
    """
    if not dtypes.is_float(dtype_of(x)):
        return r.amin(x, axis, keepdims)
    return _or_nan(r.amin(filled(x, math.inf), axis, keepdims), x, axis, keepdims)


def _arg(fn: Any, extreme: Any, x: Any, last: float, axis: Any, keepdims: bool) -> Any:
    """Index of the best element, where `last` is the worst that an element can be."""
    if not dtypes.is_float(dtype_of(x)):
        return fn(x, axis, keepdims)
    numbers = filled(x, last)
    # where nothing is better than what NaN was filled with, it is the first that was no NaN
    first = r.argmin(e.cast(e.isnan(x), "int32"), axis, keepdims)
    found = e.where(e.equal(extreme(numbers, axis, keepdims), last), first, fn(numbers, axis, keepdims))
    return e.where(r.all(e.isnan(x), axis, keepdims), -1, found)


@op(dtype=gives("int32", "x"), oracle="numpy.nanargmax")
def nanargmax(x, axis=None, keepdims=False):
    """Index of the largest element, NaN left out; -1 where there is nothing else.

    Args:
        x: tensor.
        axis: int; None for the index among all elements in a row.
        keepdims: whether the axis stays, with length 1.

    Returns:
        Tensor of int32.

    Example:
        >>> from keras_fn import ops
        >>> int(ops.convert_to_numpy(ops.nanargmax([1.0, float("nan"), 2.0])))
        2
    """
    return _arg(r.argmax, r.amax, x, -math.inf, axis, keepdims)


@op(dtype=gives("int32", "x"), oracle="numpy.nanargmin")
def nanargmin(x, axis=None, keepdims=False):
    """Index of the smallest element, NaN left out; -1 where there is nothing else.

    Args:
        x: tensor.
        axis: int; None for the index among all elements in a row.
        keepdims: whether the axis stays, with length 1.

    Returns:
        Tensor of int32.

    Example:
        >>> from keras_fn import ops
        >>> int(ops.convert_to_numpy(ops.nanargmin([2.0, float("nan"), 1.0])))
        2
    """
    return _arg(r.argmin, r.amin, x, math.inf, axis, keepdims)


# --- moments
def _numbers(x: Any, axis: Any, keepdims: bool) -> Any:
    """How many elements over the axes are no NaN, in the dtype of x."""
    return e.cast(r.sum(e.cast(e.logical_not(e.isnan(x)), "int32"), axis, keepdims), dtype_of(x))


@op(dtype=floats("x"), oracle="numpy.nanmean")
def nanmean(x, axis=None, keepdims=False):
    """Arithmetic mean over axes, NaN left out; NaN where there is nothing else.

    Args:
        x: tensor.
        axis: int or tuple of ints; None for all axes.
        keepdims: whether the axes stay, with length 1.

    Example:
        >>> from keras_fn import ops
        >>> float(ops.convert_to_numpy(ops.nanmean([1.0, float("nan"), 2.0])))
        1.5
    """
    return e.true_divide(r.sum(filled(x, 0), axis, keepdims), _numbers(x, axis, keepdims))


@op(dtype=floats("x"), oracle="numpy.nanvar")
def nanvar(x, axis=None, keepdims=False):
    """Variance over axes, NaN left out: the mean squared distance from the mean of the others.

    Args:
        x: tensor.
        axis: int or tuple of ints; None for all axes.
        keepdims: whether the axes stay, with length 1.

    Example:
        >>> from keras_fn import ops
        >>> float(ops.convert_to_numpy(ops.nanvar([1.0, float("nan"), 3.0])))
        1.0
    """
    return nanmean(e.square(e.subtract(x, nanmean(x, axis, True))), axis, keepdims)


@op(dtype=floats("x"), oracle="numpy.nanstd")
def nanstd(x, axis=None, keepdims=False):
    """Standard deviation over axes, NaN left out: the root of the variance of the others.

    Args:
        x: tensor.
        axis: int or tuple of ints; None for all axes.
        keepdims: whether the axes stay, with length 1.

    Example:
        >>> from keras_fn import ops
        >>> float(ops.convert_to_numpy(ops.nanstd([1.0, float("nan"), 3.0])))
        1.0
    """
    return e.sqrt(nanvar(x, axis, keepdims))
