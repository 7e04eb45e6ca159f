"""Diagonals, segments, scattering, counting and correlation."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from keras_fn.core.spec import REGISTRY
from keras_fn_tensorflow.kernels.ranges import at_once, indexed

raw = tf.raw_ops


def diagonal(x: Any, offset: int, axis1: int, axis2: int) -> Any:
    rank = x.shape.rank
    axis1, axis2 = axis1 % rank, axis2 % rank
    order = [i for i in range(rank) if i not in (axis1, axis2)] + [axis1, axis2]
    x = tf.transpose(x, order)
    rows, columns = tf.shape(x)[-2], tf.shape(x)[-1]
    length = tf.maximum(tf.minimum(rows, columns - offset) if offset >= 0 else tf.minimum(rows + offset, columns), 0)
    # by its places in the matrices laid out in a row, as diag_part takes no diagonal outside of them, and few dtypes
    place = tf.range(length) * (columns + 1) + (offset if offset >= 0 else -offset * columns)
    return tf.gather(tf.reshape(x, tf.concat([tf.shape(x)[:-2], [rows * columns]], 0)), place, axis=-1)


def nonzero(x: Any) -> Any:
    mask = x if x.dtype == tf.bool else tf.not_equal(x, tf.zeros((), x.dtype))
    return tuple(tf.unstack(tf.cast(tf.where(mask), tf.int32), x.shape.rank, axis=1))


def bincount(x: Any, weights: Any, minlength: int) -> Any:
    length = tf.maximum(tf.reduce_max(tf.concat([tf.reshape(x, [-1]), [-1]], 0)) + 1, minlength)
    amount = tf.ones_like(x) if weights is None else tf.broadcast_to(weights, tf.shape(x))
    if x.shape.rank == 1:
        return tf.math.unsorted_segment_sum(amount, x, length)
    rows = tf.shape(x)[0]
    places = x + tf.expand_dims(tf.range(rows) * length, 1)
    return tf.reshape(tf.math.unsorted_segment_sum(amount, places, rows * length), [rows, length])


def segment_reduce(values: Any, ids: Any, num: Any, how: str) -> Any:
    if values.dtype == tf.bool:
        return tf.cast(segment_reduce(tf.cast(values, tf.uint8), ids, num, how), tf.bool)
    if num is None:
        num = tf.reduce_max(tf.concat([ids, tf.constant([-1], ids.dtype)], 0)) + 1
    ids = tf.where((ids >= 0) & (ids < tf.cast(num, ids.dtype)), ids, -1)
    out = getattr(tf.math, f"unsorted_segment_{how}")(values, ids, num)
    if how in ("max", "min") and values.dtype.is_floating:
        # a segment without rows has the lowest finite number in TensorFlow
        empty = tf.math.unsorted_segment_sum(tf.ones_like(ids), ids, num) == 0
        empty = tf.reshape(empty, [-1] + [1] * (values.shape.rank - 1))
        out = tf.where(empty, tf.cast(float("-inf" if how == "max" else "inf"), values.dtype), out)
        out = _with_nan(out, values, lambda bad: tf.math.unsorted_segment_sum(bad, ids, num))
    return out


def _with_nan(out: Any, values: Any, add_up: Any) -> Any:
    """Extremes with NaN where there is one among their values: TensorFlow passes over it, unless it comes last."""
    bad = tf.math.is_nan(values)
    if at_once(values) and not bool(tf.reduce_any(bad)):
        return out
    return out + add_up(tf.where(bad, values, tf.zeros_like(values)))


def scatter(x: Any, indices: Any, updates: Any, reduction: str | None) -> Any:
    depth = indices.shape[-1]
    sizes = tf.cast(tf.shape(x)[:depth], indices.dtype)
    indices = tf.where(indices < 0, indices + sizes, indices)
    if updates.shape.as_list() != [*indices.shape[:-1], *x.shape[depth:]] or not updates.shape.is_fully_defined():
        updates = tf.broadcast_to(updates, tf.concat([tf.shape(indices)[:-1], tf.shape(x)[depth:]], 0))
    if reduction == "mul":
        return _multiplied(x, indices, updates)
    out = getattr(tf, f"tensor_scatter_nd_{reduction or 'update'}")(x, indices, updates)
    if reduction in ("max", "min") and x.dtype.is_floating:
        out = _with_nan(out, updates, lambda bad: tf.tensor_scatter_nd_add(tf.zeros_like(out), indices, bad))
        out = _with_nan(out, x, lambda bad: bad)
    return out


def _multiplied(x: Any, indices: Any, updates: Any) -> Any:
    """TensorFlow scatters no products: they are taken by segment, a segment for each place."""
    depth = indices.shape[-1]
    count = tf.reduce_prod(tf.shape(x)[:depth])
    strides = tf.math.cumprod(tf.shape(x)[:depth], exclusive=True, reverse=True)
    checked = tf.gather_nd(tf.reshape(tf.range(count), tf.shape(x)[:depth]), indices)  # raises where out of range
    rows = tf.reduce_sum(tf.cast(indices, tf.int32) * strides, -1) + 0 * checked
    rest = tf.shape(x)[depth:]
    factors = tf.math.unsorted_segment_prod(
        tf.reshape(updates, tf.concat([[-1], rest], 0)), tf.reshape(rows, [-1]), count
    )
    return x * tf.reshape(factors, tf.shape(x))


def correlate(x1: Any, x2: Any, mode: str) -> Any:
    if x1.dtype.is_complex:
        pairs = [(a, b) for a in (tf.math.real(x1), tf.math.imag(x1)) for b in (tf.math.real(x2), tf.math.imag(x2))]
        parts = [correlate(a, b, mode) for a, b in pairs]
        return tf.complex(parts[0] + parts[3], parts[2] - parts[1])
    if x1.shape[0] is not None and x2.shape[0] is not None and x1.shape[0] < x2.shape[0]:
        return tf.reverse(correlate(x2, x1, mode), [0])
    m = tf.shape(x2)[0]
    before, after = {"valid": (0, 0), "same": (m // 2, (m - 1) // 2), "full": (m - 1, m - 1)}[mode]
    # the second one is the kernel: of shape (length, 1, 1)
    signal = tf.pad(x1, [[before, after]])[None, :, None]
    return tf.nn.conv1d(signal, x2[:, None, None], 1, "VALID")[0, :, 0]


# dtypes that TensorFlow searches, by way of which others are searched
_SEARCHED = {
    tf.bool: tf.int32, tf.uint8: tf.int32, tf.int8: tf.int32, tf.int16: tf.int32, tf.uint16: tf.int32,
    tf.int32: tf.int32, tf.uint32: tf.int64, tf.int64: tf.int64, tf.float16: tf.float32, tf.bfloat16: tf.float32,
    tf.float32: tf.float32, tf.float64: tf.float64,
}  # fmt: skip


def _has_nan(row: Any) -> bool:
    return math.isnan(float(raw.Max(input=row, axis=0)))  # the largest is NaN if one is


def searchsorted(sequence: Any, values: Any, side: str) -> Any:
    """By halving, where the body compares each value with the whole sequence. NaN is behind all numbers."""
    if sequence.dtype not in _SEARCHED:
        return REGISTRY["_searchsorted"].fn(sequence, values, side)
    sequence, values = (tf.cast(x, _SEARCHED[sequence.dtype]) for x in (sequence, values))
    row = tf.reshape(values, [-1])
    if not sequence.dtype.is_floating:
        return tf.reshape(tf.searchsorted(sequence, row, side), tf.shape(values))
    if at_once(sequence) and at_once(row) and not _has_nan(sequence) and not _has_nan(row):
        return tf.reshape(tf.searchsorted(sequence, row, side), tf.shape(values))
    lost = tf.math.is_nan(sequence)
    numbers = tf.reduce_sum(tf.cast(tf.logical_not(lost), tf.int32))
    place = tf.searchsorted(tf.where(lost, tf.cast(float("inf"), sequence.dtype), sequence), row, side)
    last = numbers if side == "left" else tf.size(sequence)
    place = tf.where(tf.math.is_nan(row), last, tf.minimum(place, numbers))
    return tf.reshape(place, tf.shape(values))


def distinct(x: Any) -> Any:
    """By hashing, and then sorting what is left; it takes each NaN for another value."""
    if x.dtype not in (tf.int32, tf.int64):
        return REGISTRY["_distinct"].fn(x)
    return tf.sort(tf.unique(tf.reshape(x, [-1])).y)


KERNELS: dict[str, Any] = {
    "_diagonal": diagonal,
    "_nonzero": nonzero,
    "_bincount": bincount,
    "_segment_reduce": segment_reduce,
    "_scatter": indexed(scatter),
    "_correlate": correlate,
    "_distinct": distinct,
    "_searchsorted": searchsorted,
}
