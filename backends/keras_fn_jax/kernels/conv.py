"""Convolutions and pooling."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from keras_fn.core import windows


def _layout(n: int, data_format: str) -> str:
    axes = "HWD"[:n]
    return f"NC{axes}" if data_format == "channels_first" else f"N{axes}C"


def conv(x: Any, kernel: Any, strides: Any, padding: str, data_format: str, dilation: Any) -> Any:
    n = kernel.ndim - 2
    layout = _layout(n, data_format)
    return lax.conv_general_dilated(
        x,
        kernel,
        strides,
        padding.upper(),
        rhs_dilation=dilation,
        dimension_numbers=(layout, f"{'HWD'[:n]}IO", layout),
        feature_group_count=x.shape[layout.index("C")] // kernel.shape[-2],
    )


def conv_transpose(x: Any, kernel: Any, strides: Any, crops: Any, data_format: str, dilation: Any) -> Any:
    """A convolution of the inputs drawn apart, with the kernel turned round."""
    n = kernel.ndim - 2
    layout = _layout(n, data_format)
    spans = [windows.span(k, d) for k, d in zip(kernel.shape, dilation, strict=False)]
    pads = [(k - 1 - low, k - 1 - high) for k, (low, high) in zip(spans, crops, strict=True)]
    return lax.conv_general_dilated(
        x,
        jnp.flip(kernel, tuple(range(n))),
        (1,) * n,
        pads,
        lhs_dilation=strides,
        rhs_dilation=dilation,
        dimension_numbers=(layout, f"{'HWD'[:n]}OI", layout),
    )


def _windows(size: Any, data_format: str) -> tuple[int, ...]:
    return (1, 1, *size) if data_format == "channels_first" else (1, *size, 1)


def max_pool(x: Any, size: Any, strides: Any, padding: str, data_format: str) -> Any:
    if jnp.issubdtype(x.dtype, jnp.floating):
        lowest = -np.inf
    else:
        lowest = False if x.dtype == bool else np.iinfo(x.dtype).min
    fn = lax.bitwise_or if x.dtype == bool else lax.max
    init = np.asarray(lowest, x.dtype)
    return lax.reduce_window(x, init, fn, _windows(size, data_format), _windows(strides, data_format), padding.upper())


def average_pool(x: Any, size: Any, strides: Any, padding: str, data_format: str) -> Any:
    zero = np.asarray(0, x.dtype)
    dims, steps = _windows(size, data_format), _windows(strides, data_format)
    total = lax.reduce_window(x, zero, lax.add, dims, steps, padding.upper())
    if padding == "valid":
        return total / math.prod(size)
    first = data_format == "channels_first"
    counts = windows.covered(x.shape[2:] if first else x.shape[1:-1], size, strides)
    return total / np.asarray(counts if first else counts[..., None], x.dtype)


KERNELS: dict[str, Any] = {
    "_conv": conv,
    "_conv_transpose": conv_transpose,
    "_max_pool": max_pool,
    "_average_pool": average_pool,
}
