"""Convolutions and pooling.

On a CPU, XLA's gradient of max-pooling is a scatter that takes 4 to 25 times as long as comparing the slices of the
window one after the other, and its convolutions of few channels, and those of one point, lose to a matrix product over
patches. The results are the same; where several numbers of a window are the largest, the gradient goes to the first of
them either way. docs/decisions/0008 has the figures.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from keras_fn.core import windows
from keras_fn_jax.kernels.fused import compiled_if_eager


def _layout(n: int, data_format: str) -> str:
    axes = "HWD"[:n]
    return f"NC{axes}" if data_format == "channels_first" else f"N{axes}C"


# numbers in a patch up to which a product over patches beats a convolution
_SMALL_PATCH = 32
# places in a window up to which comparing slices beats a reduction over windows
_SMALL_WINDOW = 16


def _on_cpu() -> bool:
    return jax.default_backend() == "cpu"


def conv(x: Any, kernel: Any, strides: Any, padding: str, data_format: str, dilation: Any) -> Any:
    n = kernel.ndim - 2
    layout = _layout(n, data_format)
    if data_format == "channels_last" and _patches_pay(x, kernel):
        return _conv_by_patches(x, kernel, strides, padding, dilation)
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


def _patches_pay(x: Any, kernel: Any) -> bool:
    small = math.prod(kernel.shape[:-2]) == 1 or math.prod(kernel.shape[:-1]) <= _SMALL_PATCH
    return small and x.shape[-1] == kernel.shape[-2] and jnp.issubdtype(x.dtype, jnp.floating) and _on_cpu()


def _by_patches(x: Any, kernel: Any, strides: Any, padding: str, dilation: Any) -> Any:
    filters = kernel.shape[-1]
    slices = _slices(x, kernel.shape[:-2], strides, padding, dilation, np.asarray(0, x.dtype))
    patches = slices[0] if len(slices) == 1 else jnp.concatenate(slices, -1)
    return patches @ kernel.reshape(-1, filters)


_conv_by_patches = compiled_if_eager(_by_patches, (2, 3, 4))


def _slices(x: Any, size: Any, strides: Any, padding: str, dilation: Any, fill: Any) -> list[Any]:
    """For each place in a window, the tensor of what lies there in all windows; channels last."""
    spans = [windows.span(k, d) for k, d in zip(size, dilation, strict=True)]
    pads = lax.padtype_to_pads(x.shape[1:-1], spans, strides, padding.upper())
    if any(low or high for low, high in pads):
        x = lax.pad(x, fill, [(0, 0, 0), *((low, high, 0) for low, high in pads), (0, 0, 0)])
    counts = [max(0, (d - k) // s + 1) for d, k, s in zip(x.shape[1:-1], spans, strides, strict=True)]
    found = []
    for place in itertools.product(*(range(k) for k in size)):
        start = [p * d for p, d in zip(place, dilation, strict=True)]
        stop = [b + (c - 1) * s + 1 if c else b for b, c, s in zip(start, counts, strides, strict=True)]
        limits = (x.shape[0], *stop, x.shape[-1])
        found.append(lax.slice(x, (0, *start, 0), limits, (1, *strides, 1)))
    return found


def _windows(size: Any, data_format: str) -> tuple[int, ...]:
    return (1, 1, *size) if data_format == "channels_first" else (1, *size, 1)


def max_pool(x: Any, size: Any, strides: Any, padding: str, data_format: str) -> Any:
    if jnp.issubdtype(x.dtype, jnp.floating) and math.prod(size) <= _SMALL_WINDOW and _on_cpu():
        return _max_by_slices(x, size, strides, padding, data_format)
    fn = lax.bitwise_or if x.dtype == bool else lax.max
    init = _lowest(x.dtype)
    return lax.reduce_window(x, init, fn, _windows(size, data_format), _windows(strides, data_format), padding.upper())


def _lowest(dtype: Any) -> Any:
    if jnp.issubdtype(dtype, jnp.floating):
        return np.asarray(-np.inf, dtype)
    return np.asarray(False if dtype.kind == "b" else np.iinfo(dtype).min, dtype)


def _largest_of_slices(x: Any, size: Any, strides: Any, padding: str, data_format: str) -> Any:
    first = data_format == "channels_first"
    x = jnp.moveaxis(x, 1, -1) if first else x
    largest, *rest = _slices(x, size, strides, padding, (1,) * len(size), _lowest(x.dtype))
    for other in rest:
        largest = jnp.where((other > largest) | jnp.isnan(other), other, largest)
    return jnp.moveaxis(largest, -1, 1) if first else largest


_max_by_slices = compiled_if_eager(_largest_of_slices, (1, 2, 3, 4))


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
