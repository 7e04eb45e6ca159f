"""Shapes, axes and orders of axes as tensors: TensorFlow takes 20 µs to make one of a tuple, so they are kept."""

from __future__ import annotations

import functools
from typing import Any

import tensorflow as tf

from keras_fn_tensorflow.kernels.ranges import at_once

_INT32 = range(-(2**31), 2**31)


def vector(x: Any, numbers: Any) -> Any:
    """The tensor of a tuple of ints that is an argument of an eager call on x; anything else comes back as it is."""
    if numbers.__class__ is not tuple or not at_once(x) or not all(n.__class__ is int for n in numbers):
        return numbers
    return _kept(numbers)


@functools.lru_cache(4096)
def _kept(numbers: tuple[int, ...]) -> Any:
    return tf.constant(numbers, tf.int32 if all(n in _INT32 for n in numbers) else tf.int64)


def axes(x: Any, axis: Any) -> Any:
    """The axes of a reduction of an eager tensor, for a generated op; None where they are given in another way."""
    if axis.__class__ is int:
        return axis
    if axis is None:
        axis = tuple(range(x.shape.rank))
    found = vector(x, tuple(axis) if axis.__class__ is list else axis)
    return found if isinstance(found, tf.Tensor) else None
