"""Quotients, remainders and powers where TensorFlow raises, or rounds: by 0, to negative powers, of infinities."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import tensorflow as tf

from keras_fn_tensorflow.kernels.ranges import accelerated, at_once

raw = tf.raw_ops


def power(x1: Any, x2: Any) -> Any:
    if x1.dtype == tf.uint8:
        return tf.cast(tf.pow(tf.cast(x1, tf.int32), tf.cast(x2, tf.int32)), tf.uint8)
    if not x1.dtype.is_integer or _all_known(x2, lambda n: n >= 0):
        return tf.pow(x1, x2)
    if at_once(x1) and not accelerated():
        try:
            return tf.pow(x1, x2)
        except tf.errors.InvalidArgumentError as error:
            if "negative" not in str(error):
                raise
    low = x2 < 0  # TensorFlow raises; it is 1 divided by more than 1, rounded to 0
    one = tf.ones((), x1.dtype)
    odd = tf.where((x2 & 1) == 1, x1, one)
    few = tf.where(tf.abs(x1) == 1, odd, tf.zeros((), x1.dtype))
    return tf.where(low, few, tf.pow(x1, tf.where(low, tf.zeros((), x2.dtype), x2)))


def whole(fn: Any, floats: Any) -> Any:
    """A quotient or remainder of integers, which is 0 where TensorFlow raises: by 0. Floats go another way."""

    def kernel(x1: Any, x2: Any) -> Any:
        if x1.dtype.is_floating:
            return floats(x1, x2)
        if at_once(x1) and not accelerated():
            try:
                return fn(x1, x2)
            except tf.errors.InvalidArgumentError as error:
                if "division by zero" not in str(error):
                    raise
        elif _all_known(x2, lambda n: n != 0):
            return fn(x1, x2)
        zero = tf.cast(tf.equal(x2, tf.zeros((), x2.dtype)), x2.dtype)  # sums take a tenth of what tf.where does
        return fn(x1, x2 + zero) * (tf.ones((), x2.dtype) - zero)

    return kernel


def _all_known(x: Any, is_good: Any) -> bool:
    """Whether a graph knows the values, and all are good: mostly it is one number."""
    values = None if at_once(x) else tf.get_static_value(x)
    return values is not None and bool(np.all(is_good(values)))


def floor_quotient(x1: Any, x2: Any) -> Any:
    """In 64 bits, as the floor of a quotient that was rounded may be one too many: that of 1 / 0.1 is 9."""
    if x1.dtype == tf.float64:
        return raw.StopGradient(input=_by_remainder(x1, x2))
    x1, x2 = raw.StopGradient(input=x1), raw.StopGradient(input=x2)
    wide = raw.ClipByValue(  # -1 // inf is -1
        t=raw.Cast(x=x2, DstT=tf.float64), clip_value_min=_constant(-_HUGE), clip_value_max=_constant(_HUGE)
    )
    out = raw.Cast(x=raw.FloorDiv(x=raw.Cast(x=x1, DstT=tf.float64), y=wide), DstT=x1.dtype)
    return raw.AddV2(x=out, y=raw.Sub(x=x1, y=x1))  # NaN of infinities


def _constant(number: float) -> Any:
    return _kept(number) if tf.executing_eagerly() else tf.constant(number, tf.float64)


@functools.cache
def _kept(number: float) -> Any:
    return tf.constant(number, tf.float64)


_HUGE = 1e200  # more than any float32, and a quotient by it is no zero


def _by_remainder(x1: Any, x2: Any) -> Any:
    rest = tf.truncatemod(x1, x2)
    out = (x1 - rest) / x2
    out = tf.where(tf.not_equal(rest, 0) & tf.not_equal(rest < 0, x2 < 0), out - 1, out)
    return tf.where(tf.equal(x2, 0), x1 / x2, tf.round(out))
