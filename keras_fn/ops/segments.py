"""Rows gathered by the number of their segment, and values put at indices."""

from __future__ import annotations

from typing import Any

import keras_fn.ops.shape as s
from keras_fn.core import dtypes, shapes
from keras_fn.core.errors import ArgumentError, DtypeError, ShapeError, closest
from keras_fn.core.op import mixes, op
from keras_fn.core.spec import Spec
from keras_fn.ops import elementwise as e
from keras_fn.ops.known import dtype_of, known_shape

__all__ = ["scatter", "scatter_update", "segment_max", "segment_min", "segment_prod", "segment_sum"]


# --- segments
def _segments(values: Spec, segment_ids: Spec, num: int | None, how: str) -> shapes.Shape:
    if len(segment_ids.shape) != 1 or not values.shape:
        raise ShapeError(
            f"Segment ids must be a vector, one for each row of the data; their shape is {segment_ids.shape}, "
            f"that of the data {values.shape}."
        )
    shapes.broadcast(values.shape[:1], segment_ids.shape)
    return (num, *values.shape[1:])


@op(dtype=mixes("values", "segment_ids"), shape=_segments)
def _segment_reduce(values, segment_ids, num, how):
    """Rows of each segment taken together: how is "sum", "prod", "max" or "min"; num is None for the highest id + 1."""


def _reduced(data: Any, segment_ids: Any, num_segments: int | None, how: str) -> Any:
    ids = segment_ids if isinstance(segment_ids, Spec) else s.convert_to_tensor(segment_ids)
    data = data if isinstance(data, Spec) else s.convert_to_tensor(data)
    if not dtypes.is_integer(dtype_of(ids)):
        raise DtypeError(f"ops.segment_{how}: segment ids must be integers, not {dtype_of(ids)}. Cast them first.")
    _segments(Spec(known_shape(data), "int32"), Spec(known_shape(ids), "int32"), num_segments, how)
    return _segment_reduce(data, ids, num_segments, how)


def segment_sum(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """Sums of the rows that share a segment id; 0 for a segment without rows.

    Args:
        data: tensor of rows.
        segment_ids: vector of integers: the segment of each row. Rows whose id is out of range are left out.
        num_segments: number of segments, the length of the result; None for the highest id + 1 (JAX compiles it only
            with a number).
        sorted: whether the ids are sorted (a hint).

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.segment_sum([1.0, 2.0, 5.0], [0, 0, 2], 3)).tolist()
        [3.0, 0.0, 5.0]
    """
    if dtype_of(data) == "bool":  # whether any is true; not every framework adds bools
        return segment_max(data, segment_ids, num_segments)
    if num_segments is not None:
        return s._segment_sum(data, segment_ids, num_segments)
    return _reduced(data, segment_ids, None, "sum")


def segment_prod(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """Products of the rows that share a segment id; 1 for a segment without rows.

    Args:
        data: tensor of rows.
        segment_ids: vector of integers: the segment of each row. Rows whose id is out of range are left out.
        num_segments: number of segments, the length of the result; None for the highest id + 1.
        sorted: whether the ids are sorted (a hint).

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.segment_prod([2.0, 3.0, 5.0], [0, 0, 2], 3)).tolist()
        [6.0, 1.0, 5.0]
    """
    return _reduced(data, segment_ids, num_segments, "prod")


def segment_max(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """The largest elements of the rows that share a segment id.

    Args:
        data: tensor of rows.
        segment_ids: vector of integers: the segment of each row. Rows whose id is out of range are left out.
        num_segments: number of segments, the length of the result; None for the highest id + 1.
        sorted: whether the ids are sorted (a hint).

    Returns:
        Tensor of shape `(num_segments, …)`. A segment without rows has minus infinity, or the smallest integer.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.segment_max([1.0, 2.0, 5.0], [0, 0, 1], 2)).tolist()
        [2.0, 5.0]
    """
    return _reduced(data, segment_ids, num_segments, "max")


def segment_min(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """The smallest elements of the rows that share a segment id.

    Args:
        data: tensor of rows.
        segment_ids: vector of integers: the segment of each row. Rows whose id is out of range are left out.
        num_segments: number of segments, the length of the result; None for the highest id + 1.
        sorted: whether the ids are sorted (a hint).

    Returns:
        Tensor of shape `(num_segments, …)`. A segment without rows has infinity, or the largest integer.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.segment_min([1.0, 2.0, 5.0], [0, 0, 1], 2)).tolist()
        [1.0, 5.0]
    """
    return _reduced(data, segment_ids, num_segments, "min")


# --- scattering
_REDUCTIONS = (None, "add", "max", "min", "mul")


def _scattered(inputs: Spec, indices: Spec, updates: Spec, reduction: str | None = None) -> shapes.Shape:
    if not indices.shape or indices.shape[-1] is None or indices.shape[-1] > len(inputs.shape):
        raise ShapeError(
            f"The last axis of `indices`, of the shape {indices.shape}, must hold an index for each of the first axes "
            f"of the shape {inputs.shape}."
        )
    wanted = (*indices.shape[:-1], *inputs.shape[indices.shape[-1] :])
    if len(updates.shape) > len(wanted) or shapes.broadcast(updates.shape, wanted) != wanted:
        raise ShapeError(f"`updates` of the shape {updates.shape} do not fit the {wanted} that is written.")
    return inputs.shape


@op(dtype=mixes("inputs", "indices", "updates"), shape=_scattered)
def _scatter(inputs, indices, updates, reduction):
    """`scatter_update` of updates of the dtype of the inputs."""


@op(dtype=mixes("inputs", "indices", "updates"))
def scatter_update(inputs, indices, updates, reduction=None):
    """A copy of a tensor in which the elements at some indices are written.

    Args:
        inputs: tensor of rank r.
        indices: tensor of integers of shape `(…, k)`: each row is the place of an element (k = r), or of a slice
            (k < r). Negative ones count from the end.
        updates: tensor of shape `(…, *inputs.shape[k:])`: what is written.
        reduction: how it meets what stands there: None replaces it; "add", "max", "min" and "mul". With them, all
            updates of one place count; without, which one stays is not defined.

    Returns:
        Tensor of the shape and dtype of `inputs`.

    Raises:
        IndexError: where an index is out of range and its value can be read.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.scatter_update([1, 2, 3], [[0], [2]], [7, 9])).tolist()
        [7, 2, 9]
        >>> ops.convert_to_numpy(ops.scatter_update([1, 2, 3], [[0], [0]], [7, 9], "add")).tolist()
        [17, 2, 3]
    """
    if reduction not in _REDUCTIONS:
        raise ArgumentError(
            f"ops.scatter_update: `reduction` must be None, 'add', 'max', 'min' or 'mul', not {reduction!r}."
            f"{closest(str(reduction), _REDUCTIONS[1:])}"  # type: ignore[arg-type]
        )
    return _scatter(inputs, indices, e.cast(updates, dtype_of(inputs)), reduction)


def scatter(indices: Any, values: Any, shape: Any) -> Any:
    """Zeros with values added at some indices.

    Args:
        indices: tensor of integers of shape `(…, k)`: each row is the place of an element, or of a slice.
        values: tensor of shape `(…, *shape[k:])`. Values of one place are added up.
        shape: tuple of ints: the shape of the result.

    Returns:
        Tensor of the dtype of the values.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.scatter([[0], [2], [0]], [1.0, 2.0, 3.0], (3,))).tolist()
        [4.0, 0.0, 2.0]
    """
    return _scatter_op(indices, values, shapes.standardize(shape))


@op(dtype=mixes("indices", "values", out=lambda indices, values: values), name="scatter")
def _scatter_op(indices, values, shape):
    """`scatter` to a standard shape."""
    return scatter_update(s.zeros(shape, dtype_of(values)), indices, values, "add")
