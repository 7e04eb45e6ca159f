"""Quantiles, percentiles and medians."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import keras_fn.ops.shape as s
from keras_fn.core import shapes
from keras_fn.core.errors import ArgumentError, closest
from keras_fn.core.op import floats, op
from keras_fn.ops import elementwise as e
from keras_fn.ops import reduction as r
from keras_fn.ops.known import dtype_of, host_values, times

__all__ = ["median", "nanmedian", "nanpercentile", "nanquantile", "percentile", "quantile"]

METHODS = ("linear", "lower", "higher", "midpoint", "nearest")
KNOWN = (float, tuple, list, np.ndarray)  # what fractions are whose values are known


def _checked(q: Any, method: str, whole: float, name: str) -> Any:
    """The fractions `q / whole`: a number or a tuple of them where the values are known, else a tensor."""
    if method not in METHODS:
        raise ArgumentError(
            f"ops.{name}: `method` must be one of {', '.join(METHODS)}, not {method!r}.{closest(method, METHODS)}"
        )
    if isinstance(q, (int, float)) and 0 <= q <= whole:
        return float(q / whole)
    values = host_values(q)
    if values is None:
        if s.ndim(q) > 1:
            raise ArgumentError(f"ops.{name}: `q` must be a number or a vector, and its shape is {tuple(s.shape(q))}.")
        return e.true_divide(q, whole)
    values = np.asarray(values, "float64")
    if values.ndim > 1 or not np.all((values >= 0) & (values <= whole)):
        raise ArgumentError(f"ops.{name}: `q` must be a number or a vector from 0 to {whole:g}, not {q!r}.")
    return (values / whole).tolist() if values.ndim == 0 else tuple((values / whole).tolist())


def _in_a_row(x: Any, axis: Any) -> tuple[Any, tuple[int, ...]]:
    """The tensor with the axes that are reduced made one, which comes last; and these axes."""
    rank = s.ndim(x)
    axes = shapes.canonical_axes(axis, rank)
    if not axes:
        return s.expand_dims(x, -1), ()
    rest = tuple(i for i in range(rank) if i not in axes)
    dims = s.shape(x)
    x = s.transpose(x, (*rest, *axes)) if (*rest, *axes) != tuple(range(rank)) else x
    if len(axes) > 1:
        x = s.reshape(x, (*(dims[i] for i in rest), times(*(dims[i] for i in axes))))
    return x, axes


def _neighbours(position: Any, method: str, xp: Any) -> tuple[Any, Any, Any]:
    """The places below and above a position between 0 and n - 1, and the weight of the upper one."""
    low, high = xp.floor(position), xp.ceil(position)
    if method == "lower":
        return low, low, 0.0
    if method == "higher":
        return high, high, 0.0
    if method == "midpoint":
        return low, high, 0.5
    if method == "nearest":
        return xp.round(position), xp.round(position), 0.0  # halves to the even place
    return low, high, xp.subtract(position, low)


def _mixed(low: Any, high: Any, weight: Any) -> Any:
    """The point between two values; where they are equal, infinities too, it is that value."""
    weight = weight if isinstance(weight, float) else e.cast(weight, dtype_of(low))
    apart = e.subtract(high, low)
    return e.where(e.equal(low, high), low, e.add(low, e.multiply(apart, weight)))


def _quantile(x: Any, q: Any, axis: Any, method: str, keepdims: bool, skip_nan: bool) -> Any:
    rank, name = s.ndim(x), dtype_of(x)
    q = np.asarray(q, "float64") if isinstance(q, KNOWN) else q
    row, axes = _in_a_row(x, axis)
    scalar = (q.ndim if isinstance(q, np.ndarray) else s.ndim(q)) == 0
    q = q.reshape(-1) if isinstance(q, np.ndarray) else s.reshape(s.convert_to_tensor(q), (-1,))
    length = s.shape(row)[-1]
    if length == 0:  # there is nothing to take: one NaN stands for it
        row, length = s.pad(row, ((0, 0),) * (s.ndim(row) - 1) + ((0, 1),), constant_values=math.nan), 1
    row = s.sort(row, -1)  # NaN comes last
    if isinstance(length, int) and isinstance(q, np.ndarray) and not skip_nan:
        low, high, weight = _neighbours(q * (length - 1), method, np)
        ends = [s.take(row, places.astype("int32"), -1) for places in (low, high)]
    else:
        number = r.sum(e.cast(e.logical_not(e.isnan(row)), "int32"), -1, True) if skip_nan else _length(row)
        fraction = q.astype("float32") if isinstance(q, np.ndarray) else e.cast(q, "float32")
        position = e.multiply(e.cast(e.maximum(e.subtract(number, 1), 0), "float32"), fraction)
        low, high, weight = _neighbours(position, method, e)
        ends = [s.take_along_axis(row, e.cast(places, "int32"), -1) for places in (low, high)]
    found = _mixed(ends[0], ends[1], weight)
    if not skip_nan:
        found = e.where(e.isnan(s.get_item(row, (..., slice(-1, None)))), math.nan, found)
    found = e.cast(found, name)
    found = s.get_item(found, (..., 0)) if scalar else s.moveaxis(found, -1, 0)
    if keepdims and axes:
        found = s.expand_dims(found, tuple(a + (not scalar) for a in axes))
    return found if rank or scalar else s.reshape(found, s.shape(q))


def of_array(x: np.ndarray, q: Any, axis: Any, method: str, keepdims: bool) -> np.ndarray:
    """`quantile` of an array of NumPy's, for known fractions: a kernel for tensors that lie where NumPy sees them."""
    q = np.asarray(q, "float64")
    axes = shapes.canonical_axes(axis, x.ndim)
    rest = [i for i in range(x.ndim) if i not in axes]
    row = x.transpose(*rest, *axes).reshape((*[x.shape[i] for i in rest], math.prod([x.shape[i] for i in axes])))
    left = [1 if i in axes else n for i, n in enumerate(x.shape)] if keepdims else row.shape[:-1]
    if not row.size:
        return np.full((*q.shape, *left), math.nan, x.dtype)
    row = np.sort(row, -1)  # NaN comes last
    low, high, weight = _neighbours(q.reshape(-1) * (row.shape[-1] - 1), method, np)
    low, high = (row[..., places.astype("int32")] for places in (low, high))
    with np.errstate(invalid="ignore"):  # of infinities
        found = low + (high - low) * np.asarray(weight, x.dtype)
    found = np.where(low == high, low, found)
    lost = np.isnan(row[..., -1])
    if lost.any():
        found[lost] = math.nan
    return np.moveaxis(found, -1, 0).reshape((*q.shape, *left))


def _length(row: Any) -> Any:
    """How many elements each row has, as a tensor of shape `(..., 1)`."""
    return r.sum(s.ones_like(row, "int32"), -1, True)


@op(dtype=floats("x"), name="quantile", oracle="numpy.quantile")
def _plain_quantile(x, q, axis=None, method="linear", keepdims=False):
    """`quantile` with checked fractions."""
    return _quantile(x, q, axis, method, keepdims, False)


@op(dtype=floats("x"), name="nanquantile", oracle="numpy.nanquantile")
def _nan_quantile(x, q, axis=None, method="linear", keepdims=False):
    """`nanquantile` with checked fractions."""
    return _quantile(x, q, axis, method, keepdims, True)


def quantile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """The value below which the fraction `q` of the elements lies.

    Args:
        x: tensor. NaN wherever there is one among the elements.
        q: number or vector, from 0 to 1.
        axis: int or tuple of ints; None for all axes.
        method: what to take between two elements: "linear" (interpolate), "lower", "higher", "midpoint", "nearest".
        keepdims: whether the axes stay, with length 1.

    Returns:
        Tensor of a float dtype; where `q` is a vector, its axis comes first.

    Raises:
        ArgumentError: where `q` is out of range, or the method unknown.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.quantile([1.0, 2.0, 3.0, 4.0], [0.0, 0.5])).tolist()
        [1.0, 2.5]
    """
    return _plain_quantile(x, _checked(q, method, 1.0, "quantile"), axis, method, keepdims)


def percentile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """The value below which `q` per cent of the elements lie: `quantile` of `q / 100`.

    Args:
        x: tensor. NaN wherever there is one among the elements.
        q: number or vector, from 0 to 100.
        axis: int or tuple of ints; None for all axes.
        method: what to take between two elements: "linear" (interpolate), "lower", "higher", "midpoint", "nearest".
        keepdims: whether the axes stay, with length 1.

    Returns:
        Tensor of a float dtype; where `q` is a vector, its axis comes first.

    Example:
        >>> from keras_fn import ops
        >>> float(ops.convert_to_numpy(ops.percentile([1.0, 2.0, 3.0], 50)))
        2.0
    """
    return _plain_quantile(x, _checked(q, method, 100.0, "percentile"), axis, method, keepdims)


def nanquantile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """`quantile` with NaN left out; NaN where there is nothing else.

    Args:
        x: tensor.
        q: number or vector, from 0 to 1.
        axis: int or tuple of ints; None for all axes.
        method: what to take between two elements, as in `quantile`.
        keepdims: whether the axes stay, with length 1.

    Returns:
        Tensor of a float dtype; where `q` is a vector, its axis comes first.

    Example:
        >>> from keras_fn import ops
        >>> float(ops.convert_to_numpy(ops.nanquantile([1.0, float("nan"), 3.0], 0.5)))
        2.0
    """
    return _nan_quantile(x, _checked(q, method, 1.0, "nanquantile"), axis, method, keepdims)


def nanpercentile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """`percentile` with NaN left out; NaN where there is nothing else.

    Args:
        x: tensor.
        q: number or vector, from 0 to 100.
        axis: int or tuple of ints; None for all axes.
        method: what to take between two elements, as in `quantile`.
        keepdims: whether the axes stay, with length 1.

    Returns:
        Tensor of a float dtype; where `q` is a vector, its axis comes first.

    Example:
        >>> from keras_fn import ops
        >>> float(ops.convert_to_numpy(ops.nanpercentile([1.0, float("nan"), 3.0], 50)))
        2.0
    """
    return _nan_quantile(x, _checked(q, method, 100.0, "nanpercentile"), axis, method, keepdims)


@op(dtype=floats("x"), oracle="numpy.median")
def median(x, axis=None, keepdims=False):
    """The element in the middle, or the mean of the two; NaN where there is one among them.

    Args:
        x: tensor.
        axis: int or tuple of ints; None for all axes.
        keepdims: whether the axes stay, with length 1.

    Returns:
        Tensor of a float dtype.

    Example:
        >>> from keras_fn import ops
        >>> float(ops.convert_to_numpy(ops.median([3.0, 1.0, 2.0, 10.0])))
        2.5
    """
    return _quantile(x, 0.5, axis, "linear", keepdims, False)


@op(dtype=floats("x"), oracle="numpy.nanmedian")
def nanmedian(x, axis=None, keepdims=False):
    """The element in the middle, or the mean of the two, NaN left out; NaN where there is nothing else.

    Args:
        x: tensor.
        axis: int or tuple of ints; None for all axes.
        keepdims: whether the axes stay, with length 1.

    Returns:
        Tensor of a float dtype.

    Example:
        >>> from keras_fn import ops
        >>> float(ops.convert_to_numpy(ops.nanmedian([3.0, float("nan"), 1.0])))
        2.0
    """
    return _quantile(x, 0.5, axis, "linear", keepdims, True)
