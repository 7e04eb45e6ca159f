"""Bits, complex numbers and special functions."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

bitwise, raw = tf.bitwise, tf.raw_ops


def bits(fn: Any, boolean: Any) -> Any:
    """A kernel that also takes bools, which have no bits in TensorFlow."""
    return lambda x, *rest: boolean(x, *rest) if x.dtype == tf.bool else fn(x, *rest)


def shift(fn: Any, gone: Any) -> Any:
    """A kernel in which bits that leave are gone: TensorFlow leaves it open what too many places do."""

    def kernel(x: Any, y: Any) -> Any:
        places = tf.cast(y, tf.int64) if x.dtype.is_unsigned else y
        outside = raw.LogicalOr(x=raw.Less(x=places, y=0), y=raw.GreaterEqual(x=places, y=x.dtype.size * 8))
        return raw.SelectV2(condition=outside, t=gone(x), e=fn(x, y))

    return kernel


def sign_only(x: Any) -> Any:
    return raw.ZerosLike(x=x) if x.dtype.is_unsigned else raw.Neg(x=raw.Cast(x=raw.Less(x=x, y=0), DstT=x.dtype))


def view(x: Any, dtype: str) -> Any:
    target = tf.dtypes.as_dtype(dtype)
    if target.size > x.dtype.size:
        times = target.size // x.dtype.size
        x = tf.reshape(x, tf.concat([tf.shape(x)[:-1], [-1, times]], 0))
        return tf.bitcast(x, target)
    out = tf.bitcast(x, target)
    if target.size < x.dtype.size:
        out = tf.reshape(out, tf.concat([tf.shape(x)[:-1], [-1]], 0))
    return out


def complex_(real: Any, imag: Any) -> Any:
    shape = tf.broadcast_dynamic_shape(tf.shape(real), tf.shape(imag))
    return tf.complex(tf.broadcast_to(real, shape), tf.broadcast_to(imag, shape))


def i0(x: Any) -> Any:
    return tf.cast(tf.math.bessel_i0(tf.cast(x, tf.float32)), x.dtype) if x.dtype.size < 4 else tf.math.bessel_i0(x)


left_shift = shift(bitwise.left_shift, tf.zeros_like)
right_shift = shift(bitwise.right_shift, sign_only)

KERNELS: dict[str, Any] = {
    "bitwise_and": bits(bitwise.bitwise_and, tf.logical_and),
    "bitwise_or": bits(bitwise.bitwise_or, tf.logical_or),
    "bitwise_xor": bits(bitwise.bitwise_xor, tf.math.logical_xor),
    "bitwise_not": bits(bitwise.invert, tf.logical_not),
    "bitwise_left_shift": left_shift,
    "bitwise_right_shift": right_shift,
    "left_shift": left_shift,
    "right_shift": right_shift,
    "_real": tf.math.real,
    "_imag": tf.math.imag,
    "_complex": complex_,
    "conj": lambda x: tf.math.conj(x) if x.dtype.is_complex else x,  # it takes no bools
    "_view": view,
    "i0": i0,
    "copy": tf.identity,
}
