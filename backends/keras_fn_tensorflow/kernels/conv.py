"""Convolutions and pooling.

TensorFlow's kernels for CPUs want the channels on the last axis, know no groups but those of a depthwise convolution,
and no dilation together with strides or in a transposed convolution. What lacks is made of what there is.
"""

from __future__ import annotations

import functools
import itertools
from typing import Any

import tensorflow as tf

from keras_fn.core import windows


def channels_last(kernel: Any, format_at: int) -> Any:
    """A kernel for both data formats, from one that has the channels on the last axis."""

    def wrapped(x: Any, *rest: Any) -> Any:
        data_format, rest = rest[format_at], rest[:format_at] + rest[format_at + 1 :]
        if data_format == "channels_last":
            return kernel(x, *rest)
        n = x.shape.rank - 2
        out = kernel(tf.transpose(x, [0, *range(2, n + 2), 1]), *rest)
        return tf.transpose(out, [0, n + 1, *range(1, n + 1)])

    return wrapped


def _spread(kernel: Any, dilation: Any) -> Any:
    """The kernel with zeros between its elements: without dilation it does what the kernel does with it."""
    for axis, (k, d) in enumerate(zip(kernel.shape.as_list(), dilation, strict=False)):
        if d > 1:
            dims = kernel.shape.as_list()
            apart = tf.expand_dims(kernel, axis + 1)
            pads = [[0, 0]] * (axis + 1) + [[0, d - 1]] + [[0, 0]] * (len(dims) - axis - 1)
            flat = tf.reshape(tf.pad(apart, pads), [*dims[:axis], k * d, *dims[axis + 1 :]])
            kernel = flat[(slice(None),) * axis + (slice(0, windows.span(k, d)),)]
    return kernel


def conv(x: Any, kernel: Any, strides: Any, padding: Any, dilation: Any) -> Any:
    if x.shape[0] == 0:  # TensorFlow gives the inputs back
        return conv(tf.zeros([1, *x.shape[1:]], x.dtype), kernel, strides, padding, dilation)[:0]
    if max(dilation) > 1 and max(strides) > 1:
        kernel, dilation = _spread(kernel, dilation), (1,) * len(dilation)
    groups = x.shape[-1] // kernel.shape[-2]
    if groups == 1:
        return _convolution(x, kernel, strides, padding, dilation)
    if kernel.shape[-2] == 1 and len(strides) < 3 and len(set(strides)) == 1:
        return _depthwise(x, kernel, strides, padding, dilation)
    parts = zip(tf.split(x, groups, -1), tf.split(kernel, groups, -1), strict=True)
    return tf.concat([_convolution(a, b, strides, padding, dilation) for a, b in parts], -1)


def _convolution(x: Any, kernel: Any, strides: Any, padding: Any, dilation: Any) -> Any:
    # the layout is named, as gradients in eager code ask the forward op for it
    layout = ("NWC", "NHWC", "NDHWC")[len(strides) - 1]
    return tf.nn.convolution(x, kernel, strides, padding.upper(), data_format=layout, dilations=dilation)


def _depthwise(x: Any, kernel: Any, strides: Any, padding: Any, dilation: Any) -> Any:
    *size, _, filters = kernel.shape.as_list()
    kernel = tf.reshape(kernel, [*size, x.shape[-1], filters // x.shape[-1]])
    if len(size) == 2:
        steps = (1, *strides, 1)
        return tf.nn.depthwise_conv2d(x, kernel, steps, padding.upper(), dilations=dilation)
    steps = (1, strides[0], strides[0], 1)
    x, kernel = tf.expand_dims(x, 1), tf.expand_dims(kernel, 0)
    return tf.squeeze(tf.nn.depthwise_conv2d(x, kernel, steps, padding.upper(), dilations=(1, *dilation)), 1)


def conv_transpose(x: Any, kernel: Any, strides: Any, crops: Any, dilation: Any) -> Any:
    n = len(strides)
    if max(dilation) > 1:
        kernel = _spread(kernel, dilation)
    size = kernel.shape.as_list()[:n]
    dims, static = tf.shape(x), x.shape.as_list()
    spatial = [dims[i + 1] if static[i + 1] is None else static[i + 1] for i in range(n)]
    batch = dims[0] if static[0] is None else static[0]
    is_same = all(
        k - low - high == s and low == max(k - s, 0) // 2
        for k, s, (low, high) in zip(size, strides, crops, strict=True)
    )
    if is_same:
        target = [a * s for a, s in zip(spatial, strides, strict=True)]
        return tf.nn.conv_transpose(x, kernel, [batch, *target, kernel.shape[-2]], strides, "SAME")  # pyright: ignore[reportArgumentType]
    full = [(a - 1) * s + k for a, s, k in zip(spatial, strides, size, strict=True)]
    out = tf.nn.conv_transpose(x, kernel, [batch, *full, kernel.shape[-2]], strides, "VALID")  # pyright: ignore[reportArgumentType]
    out = tf.pad(out, [[0, 0], *([0, max(-high, 0)] for _, high in crops), [0, 0]])
    cuts = [slice(low, -high if high > 0 else None) for low, high in crops]
    return out[(slice(None), *cuts)]


def max_pool(x: Any, size: Any, strides: Any, padding: Any) -> Any:
    if x.dtype == tf.bool:
        return tf.cast(max_pool(tf.cast(x, tf.int32), size, strides, padding), x.dtype)
    if len(size) == 3 and (x.dtype == tf.float64 or not x.dtype.is_floating):  # TensorFlow has no kernel
        lowest = -float("inf") if x.dtype.is_floating else x.dtype.min
        return functools.reduce(tf.maximum, _taps(x, size, strides, padding, lowest))
    return tf.nn.max_pool(x, size, strides, padding.upper())


def average_pool(x: Any, size: Any, strides: Any, padding: Any) -> Any:
    if len(size) == 3 and x.dtype == tf.float64:  # TensorFlow has no kernel on a CPU
        total, count = (tf.add_n(_taps(v, size, strides, padding, 0)) for v in (x, tf.ones_like(x)))
        return total / count
    return tf.nn.avg_pool(x, size, strides, padding.upper())


def _taps(x: Any, size: Any, strides: Any, padding: Any, fill: Any) -> list[Any]:
    """For each place in a window: the element that lies there in every window."""
    lengths = [tf.shape(x)[a + 1] if x.shape[a + 1] is None else x.shape[a + 1] for a in range(len(size))]
    axes = list(zip(lengths, size, strides, strict=True))
    if padding == "same":
        lack = [tf.maximum((-(-n // s) - 1) * s + k - n, 0) for n, k, s in axes]
        x = tf.pad(x, [[0, 0], *([a // 2, a - a // 2] for a in lack), [0, 0]], constant_values=tf.cast(fill, x.dtype))
        axes = [(n + a, k, s) for (n, k, s), a in zip(axes, lack, strict=True)]
    spans = [(n - k) // s * s + 1 for n, k, s in axes]
    found = []
    for at in itertools.product(*map(range, size)):
        cuts = [slice(t, t + span, s) for t, span, s in zip(at, spans, strides, strict=True)]
        found.append(x[(slice(None), *cuts)])
    return found


KERNELS: dict[str, Any] = {
    "_conv": channels_last(conv, 3),
    "_conv_transpose": channels_last(conv_transpose, 3),
    "_max_pool": channels_last(max_pool, 3),
    "_average_pool": channels_last(average_pool, 3),
}
