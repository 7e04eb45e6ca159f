"""TensorFlow's fused kernels for images; a case that they do not cover runs the composite's body."""

from __future__ import annotations

import functools
from typing import Any

import tensorflow as tf

from keras_fn.core.spec import REGISTRY
from keras_fn.ops.image_color import BRIGHTNESS
from keras_fn_tensorflow.kernels.gradients import with_gradient_of
from keras_fn_tensorflow.kernels.ranges import at_once

_FLOATS = (tf.float32, tf.float64)


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


def rgb_to_grayscale(images: Any, axis: int) -> Any:
    """One product of matrices."""
    if axis not in (-1, images.shape.rank - 1) or images.dtype not in _FLOATS:
        return REGISTRY["_rgb_to_grayscale"].fn(images, axis)
    gray = tf.matmul(tf.reshape(images, (-1, 3)), tf.constant([[share] for share in BRIGHTNESS], images.dtype))
    shape = images.shape[:-1]
    return tf.reshape(gray, [*(shape if shape.is_fully_defined() else tf.unstack(tf.shape(images)[:-1])), 1])


def rgb_to_hsv(images: Any, axis: int) -> Any:
    """One pass."""
    if axis not in (-1, images.shape.rank - 1) or images.dtype not in _FLOATS:
        return REGISTRY["_rgb_to_hsv"].fn(images, axis)
    return tf.image.rgb_to_hsv(images)


def _from_0_to_1(x: Any) -> bool:
    return bool(tf.reduce_min(x) >= 0) and bool(tf.reduce_max(x) <= 1)


def hsv_to_rgb(images: Any, axis: int) -> Any:
    """One pass. TensorFlow goes once round the circle of hues, and knows no gradient."""
    body = REGISTRY["_hsv_to_rgb"].fn
    if axis not in (-1, images.shape.rank - 1) or images.dtype not in _FLOATS:
        return body(images, axis)

    def kernel(images: Any) -> Any:
        if not at_once(images) or not _from_0_to_1(images):
            images = images - tf.floor(images) * tf.constant([1, 0, 0], images.dtype)
        return tf.image.hsv_to_rgb(images)

    return with_gradient_of(functools.partial(body, axis=axis), kernel, images)


def affine(images: Any, transform: Any, order: int, fill_mode: str, fill_value: Any, data_format: str) -> Any:
    """One pass. The gradient that TensorFlow has for it is that of the inverse map, and none of the transform's."""
    options = {"order": order, "fill_mode": fill_mode, "fill_value": fill_value, "data_format": data_format}
    body = functools.partial(REGISTRY["_affine"].fn, **options)
    plain = data_format == "channels_last" and fill_mode == "constant" and isinstance(fill_value, (int, float))
    if not plain or images.dtype != tf.float32 or transform.dtype != tf.float32:
        return body(images, transform)

    def kernel(images: Any, transform: Any) -> Any:
        x = images if images.shape.rank == 4 else images[None]
        out = tf.raw_ops.ImageProjectiveTransformV3(
            images=x,
            transforms=transform if transform.shape.rank == 2 else transform[None],
            output_shape=x.shape[1:3] if x.shape[1:3].is_fully_defined() else tf.shape(x)[1:3],
            fill_value=float(fill_value),
            interpolation="BILINEAR" if order else "NEAREST",
            fill_mode="CONSTANT",
        )
        return out if images.shape.rank == 4 else out[0]

    return with_gradient_of(body, kernel, images, transform)


KERNELS: dict[str, Any] = {
    "_affine": affine,
    "_hsv_to_rgb": hsv_to_rgb,
    "_resize": resize,
    "_rgb_to_hsv": rgb_to_hsv,
    "_rgb_to_grayscale": rgb_to_grayscale,
}
