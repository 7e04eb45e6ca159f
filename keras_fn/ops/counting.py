"""Ops that count: how often a number is there, how many lie in each bin, where a value belongs."""

from __future__ import annotations

from typing import Any

import numpy as np

import keras_fn.ops.segments as segments
import keras_fn.ops.shape as s
from keras_fn.core import dtypes, shapes
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, ArgumentTypeError, DtypeError, ShapeError
from keras_fn.core.op import DtypeRule, floats, mixes, op
from keras_fn.core.sparse import is_sparse
from keras_fn.core.spec import Spec
from keras_fn.ops import creation
from keras_fn.ops import elementwise as e
from keras_fn.ops import reduction as r
from keras_fn.ops.known import dtype_of, host_values, known_shape
from keras_fn.ops.sparse_making import sparse_bincount

__all__ = ["bincount", "digitize", "histogram", "searchsorted"]


def _counted(x: Spec, weights: Spec | None = None, minlength: int = 0) -> Spec:
    if len(x.shape) not in (1, 2):
        raise ShapeError(f"ops.bincount takes a vector or a matrix of numbers, and the shape is {x.shape}.")
    if weights is not None:
        shapes.broadcast(x.shape, weights.shape)
    return Spec((*x.shape[:-1], None), "int32" if weights is None else weights.dtype)


@op(dtype=mixes("x", "weights"), shape=_counted)
def _bincount(x, weights, minlength):
    """`bincount` of int32 numbers, with weights that are no bools."""


@op(dtype=mixes("x", "weights"), name="bincount", oracle="numpy.bincount")
def _checked_bincount(x, weights=None, minlength=0):
    """`bincount` whose numbers are known not to be negative."""
    name = dtype_of(x)
    if name != "bool" and not dtypes.is_integer(name):
        raise DtypeError(f"ops.bincount counts whole numbers, not {name}. Cast with `ops.cast(x, 'int32')` first.")
    if weights is not None and dtype_of(weights) == "bool":
        weights = e.cast(weights, "int32")
    return _bincount(e.cast(x, "int32"), weights, minlength)


def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Any:
    """How often each of the numbers 0, 1, 2 … is there.

    The length of the result depends on values, so JAX cannot compile it; `ops.segment_sum` can be.

    Args:
        x: tensor of whole numbers that are not negative, of shape `(n,)`, or `(batch, n)` to count in each row. Of a
            sparse tensor, the numbers that are stored are counted.
        weights: tensor of the shape of x: what each counts for; None for 1. Beside a sparse x, a sparse tensor that
            stores its elements at the same places.
        minlength: the least length of the result.
        sparse: whether the result is a sparse tensor; that of a sparse x always is one.

    Returns:
        Tensor of int32, or of the dtype of the weights, of shape `(max(x) + 1,)` or `(batch, max(x) + 1)`.

    Raises:
        ArgumentError: for negative numbers, where their values can be read.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.bincount([1, 3, 1])).tolist()
        [0, 2, 0, 1]
    """
    if minlength < 0:
        raise ArgumentError(f"ops.bincount: `minlength` must not be negative, and is {minlength}.")
    stored = is_sparse(x, active.backend)
    values = host_values(active.backend.coordinates(x)[1] if stored and not isinstance(x, Spec) else x)
    if values is not None and values.size and values.dtype.kind == "i" and values.min() < 0:
        raise ArgumentError(f"ops.bincount counts numbers from 0, and {values.min()} is negative.")
    if not isinstance(x, Spec):
        x = s.convert_to_tensor(x)
        _counted(Spec(known_shape(x), "int32"))
    if sparse or stored:
        return sparse_bincount(x, weights, minlength)
    return _checked_bincount(x, weights, minlength)


# --- bins
def _agree(*found: Any) -> tuple[str, str]:
    return dtypes.result_type(*found), "int32"


@op(dtype=DtypeRule(("sorted_sequence", "values"), _agree), oracle="numpy.searchsorted")
def _searchsorted(sorted_sequence, values, side="left"):
    """`searchsorted` of arguments that were checked."""
    values = s.expand_dims(values, -1)
    compare = e.less if side == "left" else e.less_equal
    # NaN belongs behind all numbers, and counts as equal to NaN
    nan = e.logical_and(e.isnan(values), e.logical_not(e.isnan(sorted_sequence)))
    if side != "left":
        nan = e.isnan(values)
    return r.sum(e.cast(e.logical_or(compare(sorted_sequence, values), nan), "int32"), -1)


def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Any:
    """Where values belong in a sorted sequence.

    Args:
        sorted_sequence: tensor of one dimension, in ascending order, NaN last.
        values: tensor of any shape.
        side: "left" for the place before elements that are equal, "right" for the one behind them.

    Returns:
        Tensor of int32 in the shape of `values`: how many elements stand before each.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.searchsorted([1, 3, 5], [0, 3, 9])).tolist()
        [0, 1, 3]
    """
    if side not in ("left", "right"):
        raise ArgumentError(f"ops.searchsorted: `side` must be 'left' or 'right', not {side!r}.")
    if s.ndim(sorted_sequence) != 1:
        raise ShapeError(
            f"ops.searchsorted: the sorted sequence must have one dimension, and has {s.ndim(sorted_sequence)}."
        )
    return _searchsorted(sorted_sequence, values, side)


def digitize(x: Any, bins: Any) -> Any:
    """The bin that each element lies in: i where `bins[i - 1] <= x < bins[i]`.

    Args:
        x: tensor.
        bins: vector of the borders, in ascending order.

    Returns:
        Tensor of int32 in the shape of x: 0 below all borders, `len(bins)` above them, and for NaN.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.digitize([0.5, 1.0, 7.0], [1.0, 2.0, 3.0])).tolist()
        [0, 1, 3]
    """
    if s.ndim(bins) != 1:
        raise ShapeError(f"ops.digitize: `bins` must be a vector, and has {s.ndim(bins)} dimensions.")
    return _digitize(x, bins)


@op(dtype=DtypeRule(("x", "bins"), _agree), name="digitize", oracle="numpy.digitize")
def _digitize(x, bins):
    """`digitize` of arguments that were checked."""
    return _searchsorted(bins, x, "right")


def _ends(x: Any, range: Any) -> tuple[Any, Any]:
    """The lowest and the highest border; half of one to each side where both are the same."""
    if range is not None:
        low, high = range
    elif x.shape[0] == 0:
        low, high = 0.0, 1.0
    else:
        low, high = r.amin(x), r.amax(x)
    flat = e.equal(low, high)
    return e.where(flat, e.subtract(low, 0.5), low), e.where(flat, e.add(high, 0.5), high)


@op(dtype=floats("x"), name="histogram", oracle="numpy.histogram")
def _histogram(x, bins=10, range=None):
    """`histogram` of arguments that were checked."""
    name = dtype_of(x)
    if isinstance(x, Spec):  # borders of a given range are made of numbers alone, so they would be no specs
        return Spec((bins,), "int32"), Spec((bins + 1,), name)
    x = s.ravel(x)
    low, high = _ends(x, range)
    edges = e.cast(creation.linspace(low, high, bins + 1), name)
    place = e.subtract(_searchsorted(edges, x, "right"), 1)
    place = e.where(e.equal(x, s.get_item(edges, -1)), bins - 1, place)  # the last bin has both its borders
    return segments.segment_sum(s.ones_like(place), place, bins), edges


def histogram(x: Any, bins: int = 10, range: Any = None) -> tuple[Any, Any]:
    """How many elements lie in each of some bins of equal width.

    Args:
        x: tensor; its shape does not matter. NaN, and what lies outside of the range, is left out.
        bins: number of bins.
        range: pair of the lowest and the highest border; None for the smallest and the largest element.

    Returns:
        A pair: the counts, int32, of shape `(bins,)`, and the borders, of shape `(bins + 1,)`. Each bin has its lower
        border, the last one its upper too.

    Raises:
        ArgumentError: where there is no bin, or the range runs backwards.

    Example:
        >>> from keras_fn import ops
        >>> counts, borders = ops.histogram([1.0, 2.0, 2.0, 5.0], bins=2)
        >>> ops.convert_to_numpy(counts).tolist(), ops.convert_to_numpy(borders).tolist()
        ([3, 1], [1.0, 3.0, 5.0])
    """
    if isinstance(bins, bool) or not isinstance(bins, (int, np.integer)):
        raise ArgumentTypeError(f"ops.histogram: `bins` must be an int, not {bins!r}.")
    if bins < 1:
        raise ArgumentError(f"ops.histogram: `bins` must be 1 or more, and is {bins}.")
    if range is not None and (len(range) != 2 or range[0] > range[1]):
        raise ArgumentError(f"ops.histogram: `range` must be a pair (low, high) with low <= high, not {range!r}.")
    return _histogram(x, int(bins), None if range is None else tuple(float(v) for v in range))
