"""Ops that tell where elements are, and choose among tensors."""

from __future__ import annotations

import math
from typing import Any

import keras_fn.ops.shape as s
from keras_fn.core import shapes
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.op import DtypeRule, gives, op, promotes, same
from keras_fn.core.spec import Spec
from keras_fn.ops import bits, counting
from keras_fn.ops import elementwise as e
from keras_fn.ops import reduction as r
from keras_fn.ops.known import dtype_of, host_values, numbered, times

__all__ = ["argpartition", "nonzero", "select", "unique", "unravel_index"]


def _places(x: Spec) -> tuple[Spec, ...]:
    if not x.shape:
        raise ShapeError("ops.nonzero needs one dimension or more. Use `ops.reshape(x, (1,))` for a scalar.")
    return tuple(Spec((None,), "int32") for _ in x.shape)


@op(dtype=gives("int32", "x"), shape=_places)
def _nonzero(x):
    """`nonzero` of a tensor that has dimensions."""


@op(dtype=same("x"), oracle="numpy.nonzero")
def nonzero(x):
    """The indices of the elements that are not 0, in order.

    How many there are depends on values, so JAX cannot compile it; `ops.where` with three arguments can be.

    Args:
        x: tensor of one dimension or more.

    Returns:
        A tuple with a vector of int32 for each axis.

    Raises:
        ShapeError: for a scalar.

    Example:
        >>> from keras_fn import ops
        >>> [v.tolist() for v in map(ops.convert_to_numpy, ops.nonzero([[0, 5], [7, 0]]))]
        [[0, 1], [1, 0]]
    """
    if not s.ndim(x):
        _places(Spec((), "int32"))
    return _nonzero(x)


@op(dtype=gives("int32", "x"), oracle="numpy.argpartition")
def argpartition(x, kth, axis=-1):
    """Indices that bring the k-th smallest element to its place, smaller ones before it, larger ones behind.

    Here they are those that sort x, which fulfils it and is the same on every backend.

    Args:
        x: tensor of one dimension or more.
        kth: index along the axis, or several; negative counts from the end.
        axis: the axis; None for all elements in a row.

    Returns:
        Tensor of int32 in the shape of x.

    Raises:
        ArgumentError: where `kth` is out of range.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.argpartition([30, 10, 20], 1)).tolist()
        [1, 2, 0]
    """
    if axis is None:
        x, axis = s.ravel(x), -1
    length = x.shape[shapes.canonical_axis(axis, s.ndim(x))]
    for k in kth if isinstance(kth, (tuple, list)) else (kth,):
        if length is not None and not -length <= k < length:
            raise ArgumentError(f"ops.argpartition: `kth` {k} is out of range for an axis of length {length}.")
    order = e.cast(x, "int32") if dtype_of(x) == "bool" else x
    return s.argsort(order, axis)


@op(dtype=DtypeRule(("indices",), bits.integers("indices").agree), oracle="numpy.unravel_index")
def _unravel_index(indices, shape):
    """`unravel_index` of indices that are known to be in range."""
    found = []
    for length in reversed(shape):
        found.append(e.mod(indices, length))
        indices = e.floor_divide(indices, length)
    return tuple(reversed(found))


def unravel_index(indices: Any, shape: Any) -> tuple[Any, ...]:
    """Places of a tensor counted in a row, as an index for each axis.

    Args:
        indices: tensor of integers; negative ones count from the end.
        shape: tuple of ints: the shape of the tensor.

    Returns:
        A tuple with a tensor in the shape of `indices` for each axis.

    Raises:
        ArgumentError: where an index is out of range and its value can be read; else it is taken modulo the size.

    Example:
        >>> from keras_fn import ops
        >>> [v.tolist() for v in map(ops.convert_to_numpy, ops.unravel_index([5, 2], (2, 3)))]
        [[1, 0], [2, 2]]
    """
    dims = (shape,) if isinstance(shape, int) else tuple(shape)
    size = math.prod(dims)
    values = host_values(indices)
    if values is not None and values.dtype.kind in "iu" and values.size:
        low, high = int(values.min()), int(values.max())
        if low < -size or high >= size:
            bad = high if high >= size else low
            raise ArgumentError(f"ops.unravel_index: {bad} is out of range for the shape {dims} ({size} elements).")
    return _unravel_index(indices, dims)


@op(dtype=promotes("*choicelist", "default"), oracle="numpy.select")
def select(condlist, choicelist, default=0):
    """Elements of the first choice whose condition is true, element by element.

    Args:
        condlist: list of tensors of bools.
        choicelist: list of as many tensors; all of them broadcast.
        default: what stands where no condition is true.

    Example:
        >>> from keras_fn import ops
        >>> x = ops.arange(5)
        >>> ops.convert_to_numpy(ops.select([x < 2, x > 3], [x, x * 10], -1)).tolist()
        [0, 1, -1, -1, 40]
    """
    if len(condlist) != len(choicelist) or not choicelist:
        raise ArgumentError(
            f"ops.select needs a condition for each choice, one or more, and got {len(condlist)} conditions and "
            f"{len(choicelist)} choices."
        )
    out = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        out = e.where(condition, choice, out)
    return out


# --- distinct values
def _order(rows: Any) -> Any:
    """The indices that sort the rows of a matrix by their first element, then by the second, and so on."""
    order = numbered(s.shape(rows)[0])
    for column in reversed(range(rows.shape[1])):
        order = s.take(order, s.argsort(s.take(s.get_item(rows, (slice(None), column)), order, 0), 0), 0)
    return order


def _begins(rows: Any) -> Any:
    """Where a row of a sorted matrix differs from the one before; NaN is no other than NaN."""
    before, here = s.get_item(rows, slice(None, -1)), s.get_item(rows, slice(1, None))
    other = e.logical_and(e.not_equal(before, here), e.logical_not(e.logical_and(e.isnan(before), e.isnan(here))))
    first = s.ones_like(s.get_item(rows, (slice(0, 1), 0)), "bool")
    return s.concatenate([first, r.any(other, 1)], 0)


def _unique_specs(x: Any, axis: Any, size: Any) -> tuple[Any, ...]:
    n = shapes.size(tuple(x.shape)) if axis is None else x.shape[axis]
    rest = () if axis is None else tuple(d for i, d in enumerate(x.shape) if i != axis)
    values = [size, *rest] if axis is None else [*x.shape[:axis], size, *x.shape[axis + 1 :]]
    every = tuple(x.shape) if axis is None else (n,)
    return Spec(values, dtype_of(x)), Spec((size,), "int32"), Spec(every, "int32"), Spec((size,), "int32")


@op(dtype=same("x"))
def _distinct(x):
    """`unique` of which nothing but the elements is asked: they need not be followed to where they came from."""
    if isinstance(x, Spec):
        return Spec((None,), dtype_of(x))
    row = s.sort(s.ravel(x), 0)
    if s.shape(row)[0] == 0:
        return row
    (starts,) = _nonzero(_begins(s.expand_dims(row, 1)))
    return s._take_rows(row, starts)


@op(dtype=same("x"))
def _unique(x, axis, size, fill_value):
    """Distinct slices; the first index of each; which of them each slice of x is; and how often each is there."""
    if isinstance(x, Spec):
        return _unique_specs(x, axis, size)
    moved = s.ravel(x) if axis is None else s.moveaxis(x, axis, 0)
    dims = s.shape(moved)
    rows = s.reshape(moved, (dims[0], times(*dims[1:])))
    if not rows.shape[1]:
        raise ShapeError(f"ops.unique: slices of the shape {tuple(dims[1:])} hold nothing that could differ.")
    order = _order(e.cast(rows, "int32") if dtype_of(x) == "bool" else rows)
    begins = _begins(s.take(rows, order, 0)) if dims[0] != 0 else s.zeros((0,), "bool")
    number = e.subtract(r.cumsum(e.cast(begins, "int32"), 0), 1)  # which of the distinct slices each sorted one is
    inverse = s.take(number, s.argsort(order, 0), 0)
    if size is None:
        (starts,) = _nonzero(begins)
    else:
        starts = counting.searchsorted(number, s.arange(size, dtype="int32"))
    end = e.add(s.zeros((1,), "int32"), s.shape(order)[0])
    counts = e.subtract(s.concatenate([s.get_item(starts, slice(1, None)), end], 0), starts)
    starts = e.minimum(starts, e.maximum(e.subtract(s.shape(order)[0], 1), 0))
    index = s.take(order, starts, 0)
    values = s.take(moved, index, 0)
    if size is not None:
        there = e.less(s.arange(size, dtype="int32"), e.add(r.amax(number), 1))
        value = s.get_item(values, slice(0, 1)) if fill_value is None else e.cast(fill_value, dtype_of(x))
        shown = s.reshape(there, (-1,) + (1,) * (s.ndim(values) - 1))
        values = e.where(shown, values, value)
        counts = e.where(there, counts, 0)
        index = e.where(there, index, s.get_item(index, slice(0, 1)))
    inverse = s.reshape(inverse, s.shape(x)) if axis is None else inverse
    return (values if axis is None else s.moveaxis(values, 0, axis)), index, inverse, counts


def unique(
    x: Any,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The distinct elements, or slices along an axis, in ascending order. NaN counts as equal to NaN.

    How many there are depends on values, so JAX can compile it only with a fixed `size`.

    Args:
        x: tensor.
        sorted: whether they must be in order (they always are).
        return_index: whether the index of the first of each comes back too.
        return_inverse: whether, for each element of x, its index among the distinct ones comes back too.
        return_counts: whether it comes back too how often each is there.
        axis: the axis whose slices are compared; None for single elements.
        size: how many to give: the first ones, or with `fill_value` behind them.
        fill_value: what fills up; None for the smallest element. The index that belongs to it is the smallest one's,
            the count 0.

    Returns:
        Tensor, or a tuple of it and what else was asked for, all of int32: index, inverse, counts.

    Example:
        >>> from keras_fn import ops
        >>> values, counts = ops.unique([3, 1, 3, 2], return_counts=True)
        >>> ops.convert_to_numpy(values).tolist(), ops.convert_to_numpy(counts).tolist()
        ([1, 2, 3], [1, 1, 2])
    """
    if size is not None and size < 0:
        raise ArgumentError(f"ops.unique: `size` must not be negative, and is {size}.")
    x = x if isinstance(x, Spec) else s.convert_to_tensor(x)
    if axis is None and size is None and not (return_index or return_inverse or return_counts):
        return _distinct(x)
    axis = None if axis is None else shapes.canonical_axis(axis, s.ndim(x))
    values, *rest = _unique(x, axis, size, fill_value)
    asked = [v for v, wanted in zip(rest, (return_index, return_inverse, return_counts), strict=True) if wanted]
    return (values, *asked) if asked else values
