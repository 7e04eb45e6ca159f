"""Indices out of range: TensorFlow raises on a CPU, also inside of a graph; elsewhere the nearest one is taken."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_fn.core import limits
from keras_fn.core.errors import OutOfRangeError

_EAGER = type(tf.constant(0))
_UNSIGNED = {tf.int32: tf.uint32, tf.int64: tf.uint64}
# how TensorFlow says that an index is out of range: gathers, scatters, slices
_NO_INDEX = re.compile(
    r"indices.* (is not in \[|does not index into)|slice index .* out of bounds|Expected (begin|size)\[|"
    r"segment_ids.* is out of range"
)


@functools.cache
def accelerated() -> bool:
    """Whether there is a device on which TensorFlow does not see that an index is out of range."""
    return bool(tf.config.list_physical_devices("GPU"))


def at_once(x: Any) -> bool:
    """Whether values that are computed from x can be read: x may also be a constant that a graph meets."""
    return isinstance(x, _EAGER) and tf.executing_eagerly()


def refused(error: Exception) -> Exception | None:
    """The error of all backends, where TensorFlow's says that an index is out of range."""
    text = str(error)
    return OutOfRangeError(text.partition("[Op:")[0].strip()) if _NO_INDEX.search(text) else None


def indexed(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel whose error, where an index is out of range, is that of all backends."""

    @functools.wraps(fn)
    def kernel(*args: Any) -> Any:
        try:
            return fn(*args)
        except (tf.errors.InvalidArgumentError, ValueError) as error:
            if found := refused(error):
                raise found from error
            raise

    return kernel


def from_front(indices: Any, length: Any, unseen: bool = False) -> Any:
    """Indices counted from the front of an axis of the given length.

    Args:
        indices: tensor of int32 or int64.
        length: an int, or a scalar tensor of the dtype of the indices.
        unseen: whether TensorFlow would not see one that is out of range where these are used.
    """
    if at_once(indices) and not accelerated():
        # those below 0 are large without a sign: one look is enough for both ends
        if int(tf.reduce_max(tf.bitcast(indices, _UNSIGNED[indices.dtype]))) < int(length):
            return indices
        if unseen:
            wrong = tf.boolean_mask(indices, (indices < -length) | (indices >= length))
            if wrong.shape[0]:
                raise limits.out_of_range(int(wrong[0]), int(length))
    indices = tf.where(indices < 0, indices + length, indices)
    unseen = unseen and not at_once(indices)
    return tf.clip_by_value(indices, 0, length - 1) if unseen or accelerated() else indices


def corner(start: Any, x: Any, block: Sequence[Any]) -> Any:
    """Where a block of x begins, as a vector of int32 counted from the front; an error where it is seen not to fit."""
    known = [_value(i) for i in (start if isinstance(start, (tuple, list)) else [start])]
    sizes = [*x.shape.as_list(), *block]
    if all(v is not None for v in known) and all(isinstance(n, int) for n in sizes):
        flat = np.concatenate([np.atleast_1d(v) for v in known]).tolist() if known else ()
        return tf.constant(limits.corner(flat, x.shape.as_list(), block), tf.int32)
    limits.check_block(x.shape.as_list(), block)
    if not isinstance(start, tf.Tensor):
        start = tf.stack([tf.cast(s, tf.int32) for s in start])
    start = tf.cast(start, tf.int32)
    return tf.where(start < 0, start + tf.shape(x), start)


def _value(x: Any) -> Any:
    """The value of what stands for an index, where it can be read."""
    if isinstance(x, (int, np.ndarray, np.integer)):
        return x
    return x.numpy() if isinstance(x, _EAGER) else None
