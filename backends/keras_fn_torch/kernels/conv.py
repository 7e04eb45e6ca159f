"""Convolutions and pooling.

torch wants the channels on axis 1. Tensors with channels on the last axis come in and go out as permuted views, which
are torch's memory format "channels last": its kernels take them as they are.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F

from keras_fn.core import windows

CONV = (F.conv1d, F.conv2d, F.conv3d)
TRANSPOSED = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)
MAX = (F.max_pool1d, F.max_pool2d, F.max_pool3d)
AVERAGE = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)


def channels_first(kernel: Any, format_at: int) -> Any:
    """A kernel for both data formats, from one that has the channels on axis 1 and is not told about formats."""

    def wrapped(x: Any, *rest: Any) -> Any:
        data_format, rest = rest[format_at], rest[:format_at] + rest[format_at + 1 :]
        if data_format == "channels_first":
            return kernel(x, *rest)
        return torch.movedim(kernel(torch.movedim(x, -1, 1), *rest), 1, -1)

    return wrapped


def _padded(x: Any, spans: Any, strides: Any, padding: str, fill: float = 0) -> tuple[Any, Any]:
    """The tensor and what is left for the framework to pad: all, where both ends of each axis get the same."""
    if padding == "valid":
        return x, 0
    pads = [windows.same_padding(*a) for a in zip(x.shape[2:], spans, strides, strict=True)]
    if all(low == high for low, high in pads):
        return x, [low for low, _ in pads]
    return F.pad(x, [p for pair in reversed(pads) for p in pair], value=fill), 0


def conv(x: Any, kernel: Any, strides: Any, padding: str, dilation: Any) -> Any:
    n = len(strides)
    weight = torch.movedim(kernel, (-1, -2), (0, 1))
    spans = [windows.span(k, d) for k, d in zip(kernel.shape, dilation, strict=False)]
    groups = x.shape[1] // kernel.shape[-2]
    x, pads = _padded(x, spans, strides, padding)
    return CONV[n - 1](x, weight, None, strides, pads, dilation, groups)


def conv_transpose(x: Any, kernel: Any, strides: Any, crops: Any, dilation: Any) -> Any:
    """torch cuts the same off both ends of an axis; the rest is sliced off, or added, here."""
    n = len(strides)
    both = [max(min(pair), 0) for pair in crops]
    weight = torch.movedim(kernel, (-1, -2), (0, 1))
    out = TRANSPOSED[n - 1](x, weight, None, strides, both, 0, 1, dilation)
    missing = [max(-high, 0) for _, high in crops]
    if any(missing):
        out = F.pad(out, [p for m in reversed(missing) for p in (0, m)])
    for axis, ((low, high), cut) in enumerate(zip(crops, both, strict=True), 2):
        if low != cut or high > cut:
            out = out.narrow(axis, low - cut, out.shape[axis] - (low - cut) - max(high - cut, 0))
    return out


def max_pool(x: Any, size: Any, strides: Any, padding: str) -> Any:
    if not x.is_floating_point():
        # torch pools floats; double holds all integers of 32 bits
        return max_pool(x.double(), size, strides, padding).to(x.dtype)
    x, pads = _padded(x, size, strides, padding, -math.inf)
    return MAX[len(size) - 1](x, size, strides, pads)


def average_pool(x: Any, size: Any, strides: Any, padding: str) -> Any:
    pool = AVERAGE[len(size) - 1]
    padded, pads = _padded(x, size, strides, padding)
    if padded is x:
        return pool(x, size, strides, pads, count_include_pad=False)
    share = math.prod(size) / windows.covered(tuple(x.shape[2:]), size, strides)
    return pool(padded, size, strides) * torch.as_tensor(share, dtype=x.dtype, device=x.device)


KERNELS: dict[str, Any] = {
    "_conv": channels_first(conv, 3),
    "_conv_transpose": channels_first(conv_transpose, 3),
    "_max_pool": channels_first(max_pool, 3),
    "_average_pool": channels_first(average_pool, 3),
}
