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
    wide = x.dtype in (np.float32, np.float64)
    if groups == 1 and wide and math.prod(size) > 1:
        return _by_blocks(found, kernel)
    if groups == 1:
        return np.tensordot(found, kernel, len(size) + 1).astype(x.dtype, copy=False)
    if depth == 1 and filters == groups and wide:
        return _depthwise(found, kernel)
    places = found.shape[: len(size) + 1]
    left = np.moveaxis(found.reshape(*found.shape[:-1], groups, depth), -2, 0)
    left = left.reshape(groups, math.prod(places), math.prod(size) * depth)
    right = np.moveaxis(kernel.reshape(*size, depth, groups, -1), -2, 0).reshape(groups, left.shape[-1], -1)
    # NumPy multiplies bfloat16 in float32 and leaves it there
    return np.moveaxis(np.matmul(left, right), 0, 1).reshape(*places, filters).astype(x.dtype, copy=False)


# numbers of windows that are copied at a time: what stays in the caches
_BLOCK = 1 << 18


def _by_blocks(found: Any, kernel: Any) -> Any:
    """Windows as rows of matrices, some at a time: all of them would be many times the input."""
    *size, depth, filters = kernel.shape
    inner, right = math.prod(size) * depth, kernel.reshape(-1, filters)
    samples, rows, *lines = found.shape[: len(size) + 1]
    out = np.empty((samples, rows, *lines, filters), found.dtype)
    row = max(1, math.prod(lines) * inner)
    high = max(1, min(rows, _BLOCK // row))
    many = max(1, min(samples, _BLOCK // (row * rows))) if high == rows else 1
    buffer = np.empty((many, high, *found.shape[2:]), found.dtype)
    for i in range(0, samples, many):
        for j in range(0, rows, high):
            part = found[i : i + many, j : j + high]
            columns = buffer[: part.shape[0], : part.shape[1]]
            columns[...] = part
            to = out[i : i + many, j : j + high].reshape(-1, filters)  # a view: whole samples, or rows of one
            np.matmul(columns.reshape(-1, inner), right, out=to)
    return out


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


def _pooled(x: Any, size: Any, strides: Any, padding: str, fill: Any, meet: Any) -> Any:
    """The elements of each window met by `meet`, an axis after the other: each is a few steps over whole tensors."""
    if padding == "same":
        pads = [windows.same_padding(*a) for a in zip(x.shape[1:-1], size, strides, strict=True)]
        if any(map(any, pads)):
            x = np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=fill)
    for axis, (k, step) in enumerate(zip(size, strides, strict=True), 1):
        reach = max(0, (x.shape[axis] - k) // step * step + 1)
        each = [x[(slice(None),) * axis + (slice(at, at + reach, step),)] for at in range(k)]
        x = each[0].copy() if k == 1 else meet(each[0], each[1])
        for other in each[2:]:
            meet(x, other, out=x)
    return x


def max_pool(x: Any, size: Any, strides: Any, padding: str) -> Any:
    lowest = -np.inf if x.dtype.kind not in "iub" else False if x.dtype.kind == "b" else np.iinfo(x.dtype).min
    return _pooled(x, size, strides, padding, lowest, np.maximum)


def average_pool(x: Any, size: Any, strides: Any, padding: str) -> Any:
    wide = x.astype("float32") if x.dtype.itemsize == 2 and x.dtype.kind in "fV" else x
    total = _pooled(wide, size, strides, padding, 0, np.add)
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
