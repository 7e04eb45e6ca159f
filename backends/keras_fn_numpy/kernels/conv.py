"""Convolutions and pooling: views of sliding windows, then one matrix product or one reduction."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from keras_fn.core import windows


def channels_last(kernel: Any, format_at: int) -> Any:
    """A kernel for both data formats, from one that has the channels on the last axis and is not told about formats."""

    def wrapped(x: Any, *rest: Any) -> Any:
        data_format, rest = rest[format_at], rest[:format_at] + rest[format_at + 1 :]
        if data_format == "channels_last":
            return kernel(x, *rest)
        return np.ascontiguousarray(np.moveaxis(kernel(np.moveaxis(x, 1, -1), *rest), -1, 1))

    return wrapped


def patches(x: Any, size: Any, strides: Any, padding: str, dilation: Any = None, fill: Any = 0) -> Any:
    """A view `(batch, *places, *window, channels)` of the windows of `(batch, *spatial, channels)`."""
    n = len(size)
    dilation = dilation or (1,) * n
    spans = [windows.span(k, d) for k, d in zip(size, dilation, strict=True)]
    if padding == "same":
        pads = [windows.same_padding(*a) for a in zip(x.shape[1:-1], spans, strides, strict=True)]
        x = np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=fill)
    view = sliding_window_view(x, spans, tuple(range(1, n + 1)))
    steps = [slice(None, None, s) for s in (1, *strides, 1, *dilation)]
    return np.moveaxis(view[tuple(steps)], n + 1, -1)


def conv(x: Any, kernel: Any, strides: Any, padding: str, dilation: Any) -> Any:
    *size, depth, filters = kernel.shape
    found = patches(x, size, strides, padding, dilation)
    groups = x.shape[-1] // depth
    if groups == 1:
        return np.tensordot(found, kernel, len(size) + 1).astype(x.dtype, copy=False)
    if depth == 1 and filters == groups and x.dtype in (np.float32, np.float64):
        return _depthwise(found, kernel)
    places = found.shape[: len(size) + 1]
    left = np.moveaxis(found.reshape(*found.shape[:-1], groups, depth), -2, 0)
    left = left.reshape(groups, math.prod(places), math.prod(size) * depth)
    right = np.moveaxis(kernel.reshape(*size, depth, groups, -1), -2, 0).reshape(groups, left.shape[-1], -1)
    # NumPy multiplies bfloat16 in float32 and leaves it there
    return np.moveaxis(np.matmul(left, right), 0, 1).reshape(*places, filters).astype(x.dtype, copy=False)


def _depthwise(found: Any, kernel: Any) -> Any:
    """Each channel by itself: one product and one sum for each place in the window.

    The last two axes are one, as NumPy is slow where the last one is short.
    """
    *size, _, filters = kernel.shape
    *places, columns = found.shape[: len(size) + 1]
    lines = (*places, columns * filters)
    out, part = np.zeros(lines, found.dtype), np.empty(lines, found.dtype)
    for at in np.ndindex(*size):
        seen = found[(slice(None),) * (len(size) + 1) + at].reshape(lines)
        np.multiply(seen, np.tile(kernel[at][0], columns), out=part)
        out += part
    return out.reshape(*places, columns, filters)


def conv_transpose(x: Any, kernel: Any, strides: Any, crops: Any, dilation: Any) -> Any:
    """Each input element adds its multiple of the kernel to the output: one strided sum for each kernel element."""
    *size, filters, _ = kernel.shape
    n = len(size)
    spatial = x.shape[1:-1]
    full = [(a - 1) * s + windows.span(k, d) for a, s, k, d in zip(spatial, strides, size, dilation, strict=True)]
    ends = [f + max(-high, 0) for f, (_, high) in zip(full, crops, strict=True)]
    out = np.zeros((x.shape[0], *ends, filters), x.dtype)
    parts = np.tensordot(x, kernel, ((-1,), (-1,)))  # (batch, *spatial, *size, filters)
    for place in np.ndindex(*size):
        axes = zip(place, dilation, strides, spatial, strict=True)
        target = [slice(p * d, p * d + (a - 1) * s + 1, s) for p, d, s, a in axes]
        out[(slice(None), *target)] += parts[(slice(None),) * (n + 1) + place]
    keep = [slice(low, f - high) for f, (low, high) in zip(full, crops, strict=True)]
    return out[(slice(None), *keep)]


def max_pool(x: Any, size: Any, strides: Any, padding: str) -> Any:
    n = len(size)
    lowest = -np.inf if x.dtype.kind not in "iub" else False if x.dtype.kind == "b" else np.iinfo(x.dtype).min
    return patches(x, size, strides, padding, fill=lowest).max(axis=tuple(range(n + 1, 2 * n + 1)))


def average_pool(x: Any, size: Any, strides: Any, padding: str) -> Any:
    n = len(size)
    total = patches(x, size, strides, padding).sum(axis=tuple(range(n + 1, 2 * n + 1)), dtype=x.dtype)
    if padding == "same":
        counts = windows.covered(x.shape[1:-1], size, strides)[..., None]
    else:
        counts = math.prod(size)
    return (total / counts).astype(x.dtype)


KERNELS: dict[str, Any] = {
    "_conv": channels_last(conv, 3),
    "_conv_transpose": channels_last(conv_transpose, 3),
    "_max_pool": channels_last(max_pool, 3),
    "_average_pool": channels_last(average_pool, 3),
}
