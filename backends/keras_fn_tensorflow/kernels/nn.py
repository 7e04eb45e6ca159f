"""TensorFlow's kernels for composites."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from keras_fn.core.spec import REGISTRY


def resize(images: Any, size: Any, interpolation: str, antialias: bool, data_format: str) -> Any:
    if data_format == "channels_first":
        to_last = [1, 2, 0] if images.shape.rank == 3 else [0, 2, 3, 1]
        to_first = [2, 0, 1] if images.shape.rank == 3 else [0, 3, 1, 2]
        x = resize(tf.transpose(images, to_last), size, interpolation, antialias, "channels_last")
        return tf.transpose(x, to_first)
    if images.dtype == tf.float64 and interpolation != "nearest":  # TensorFlow gives float32
        return REGISTRY["_resize"].fn(images, size, interpolation, antialias, data_format)
    x = tf.image.resize(images, size, interpolation, antialias=antialias)
    if x.dtype == images.dtype:
        return x
    if images.dtype.is_integer:
        x = tf.clip_by_value(tf.round(x), float(images.dtype.min), float(images.dtype.max))
    return tf.cast(x, images.dtype)


def rgb_to_hsv(images: Any, axis: int) -> Any:
    """One pass; the way back has no gradient in TensorFlow, so that it stays with its body."""
    if axis not in (-1, images.shape.rank - 1) or images.dtype not in (tf.float32, tf.float64):
        return REGISTRY["_rgb_to_hsv"].fn(images, axis)
    return tf.image.rgb_to_hsv(images)


KERNELS: dict[str, Any] = {"_resize": resize, "_rgb_to_hsv": rgb_to_hsv}
