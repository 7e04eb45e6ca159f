"""Convolutions.

On a CPU, XLA computes some convolutions many times slower than others of as many products, and the derivatives of a
fast one may be among them. Where that was measured, another form of the same sum takes their place: of the value, or of
one derivative alone. Results agree to rounding. docs/decisions/0008 has the figures.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from keras_fn.core import windows
from keras_fn_jax.kernels.bilinear import bilinear
from keras_fn_jax.kernels.slices import on_cpu, slices

# numbers in a patch up to which products of single channels beat a convolution
_SMALL_PATCH = 32
# places in a window up to which a depthwise convolution is a sum over them
_FEW_PLACES = 64


def _layout(n: int, data_format: str) -> str:
    axes = "HWD"[:n]
    return f"NC{axes}" if data_format == "channels_first" else f"N{axes}C"


def conv(x: Any, kernel: Any, strides: Any, padding: str, data_format: str, dilation: Any) -> Any:
    if on_cpu() and jnp.issubdtype(x.dtype, jnp.floating) and x.size:
        return _conv_on_cpu(x, kernel, strides, padding, data_format, dilation)
    return _library(x, kernel, strides, padding.upper(), data_format, dilation)


def _library(x: Any, kernel: Any, strides: Any, padding: Any, data_format: str, dilation: Any) -> Any:
    """XLA's own convolution; the padding by name or as pairs."""
    n = kernel.ndim - 2
    layout = _layout(n, data_format)
    return lax.conv_general_dilated(
        x,
        kernel,
        strides,
        padding,
        rhs_dilation=dilation,
        dimension_numbers=(layout, f"{'HWD'[:n]}IO", layout),
        feature_group_count=x.shape[layout.index("C")] // kernel.shape[-2],
    )


# --- on a CPU, channels last
@functools.partial(jax.jit, static_argnums=(2, 3, 4, 5))
def _conv_on_cpu(x: Any, kernel: Any, strides: Any, padding: str, data_format: str, dilation: Any) -> Any:
    if data_format == "channels_first":
        y = _conv_on_cpu(jnp.moveaxis(x, 1, -1), kernel, strides, padding, "channels_last", dilation)
        return jnp.moveaxis(y, -1, 1)
    places, channels = math.prod(kernel.shape[:-2]), x.shape[-1]
    options = strides, padding, dilation
    if kernel.shape[-2] != channels:
        each = kernel.shape[-2] == 1 and places <= _FEW_PLACES
        return _each_channel(x, kernel, *options) if each else _padded(x, kernel, *options)
    if places == 1:
        return _patches(x, kernel, *options)
    if places * channels <= _SMALL_PATCH:
        value, by_x, by_kernel = (_with(form, options) for form in (_products, _patches, _padded))
        return bilinear(value, by_x, by_kernel)(x, kernel)
    return _padded(x, kernel, *options)


def _with(form: Any, options: Any) -> Any:
    return lambda x, kernel: form(x, kernel, *options)


def _padded(x: Any, kernel: Any, strides: Any, padding: str, dilation: Any) -> Any:
    """XLA's convolution with one row of padding, cut off again: without any it takes a slower way."""
    spans = [windows.span(k, d) for k, d in zip(kernel.shape, dilation, strict=False)]
    pads = lax.padtype_to_pads(x.shape[1:-1], spans, strides, padding.upper())
    if len(pads) != 2 or any(low or high for low, high in pads):
        return _library(x, kernel, strides, pads, "channels_last", dilation)
    rows = (x.shape[1] - spans[0]) // strides[0] + 1
    y = _library(x, kernel, strides, [(0, 1), (0, 0)], "channels_last", dilation)
    return y[:, :rows]


def _patches(x: Any, kernel: Any, strides: Any, padding: str, dilation: Any) -> Any:
    """A matrix product of the patches with the kernel."""
    found = slices(x, kernel.shape[:-2], strides, padding, dilation, np.asarray(0, x.dtype))
    patches = found[0] if len(found) == 1 else jnp.concatenate(found, -1)
    return patches @ kernel.reshape(-1, kernel.shape[-1])


def _wide(dtype: Any) -> Any:
    """The dtype in which sums over a window are made."""
    return jnp.promote_types(dtype, jnp.float32)


@functools.partial(jax.jit, static_argnums=(2, 3, 4))
def _products(x: Any, kernel: Any, strides: Any, padding: str, dilation: Any) -> Any:
    """The sum of products of one channel with its filters, over the places and channels: one pass over memory."""
    wide, size = _wide(x.dtype), kernel.shape[:-2]
    found = slices(x, size, strides, padding, dilation, np.asarray(0, x.dtype))
    channels = [part[..., c, None].astype(wide) for part in found for c in range(x.shape[-1])]
    filters = kernel.reshape(-1, kernel.shape[-1]).astype(wide)
    return functools.reduce(operator.add, map(operator.mul, channels, filters)).astype(x.dtype)


@functools.partial(jax.jit, static_argnums=(2, 3, 4))
def _each_channel(x: Any, kernel: Any, strides: Any, padding: str, dilation: Any) -> Any:
    """A depthwise convolution as a sum over the places in the window: one pass over memory."""
    wide, size, channels = _wide(x.dtype), kernel.shape[:-2], x.shape[-1]
    found = slices(x, size, strides, padding, dilation, np.asarray(0, x.dtype))
    filters = kernel.reshape(-1, channels, kernel.shape[-1] // channels).astype(wide)
    parts = [part[..., None].astype(wide) * f for part, f in zip(found, filters, strict=True)]
    y = functools.reduce(operator.add, parts).astype(x.dtype)
    return y.reshape(*y.shape[:-2], -1)


# --- transposed
def conv_transpose(x: Any, kernel: Any, strides: Any, crops: Any, data_format: str, dilation: Any) -> Any:
    if on_cpu() and jnp.issubdtype(x.dtype, jnp.floating) and x.size:
        return _transposed_on_cpu(x, kernel, strides, crops, data_format, dilation)
    return _transposed(x, kernel, strides, crops, data_format, dilation)


def _transposed(x: Any, kernel: Any, strides: Any, crops: Any, data_format: str, dilation: Any) -> Any:
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


@functools.partial(jax.jit, static_argnums=(2, 3, 4, 5))
def _transposed_on_cpu(x: Any, kernel: Any, strides: Any, crops: Any, data_format: str, dilation: Any) -> Any:
    """With the kernel's gradient place by place: XLA's takes 5 to 50 times as long where the outputs are larger."""
    if data_format == "channels_first":
        y = _transposed_on_cpu(jnp.moveaxis(x, 1, -1), kernel, strides, crops, "channels_last", dilation)
        return jnp.moveaxis(y, -1, 1)
    places = _with(_place_by_place, (strides, crops, dilation))
    apart = set(strides) != {1}
    if apart and math.prod(kernel.shape[:-1]) >= math.prod(x.shape[:-1]):
        # here XLA makes the inputs the kernel, and for some shapes ends the process (a check fails while it compiles)
        return places(x, kernel)
    whole = _with(_transposed, (strides, crops, "channels_last", dilation))
    spans = [windows.span(k, d) for k, d in zip(kernel.shape, dilation, strict=False)]
    length = [(n - 1) * t + k - sum(c) for n, t, k, c in zip(x.shape[1:], strides, spans, crops, strict=False)]
    if not apart and math.prod(length) <= math.prod(x.shape[1:-1]):
        return whole(x, kernel)
    return bilinear(whole, by_kernel=places)(x, kernel)


def _place_by_place(x: Any, kernel: Any, strides: Any, crops: Any, dilation: Any) -> Any:
    """The sum over places in the window of the inputs times its kernel, drawn apart and moved to where they belong."""
    size = kernel.shape[:-2]
    zero, parts = np.asarray(0, x.dtype), []
    for place in itertools.product(*(range(k) for k in size)):
        moved = []
        for p, k, d, t, (low, high) in zip(place, size, dilation, strides, crops, strict=True):
            moved.append((p * d - low, (k - 1 - p) * d - high, t - 1))
        parts.append(lax.pad(x @ kernel[place].T, zero, [(0, 0, 0), *moved, (0, 0, 0)]))
    return functools.reduce(operator.add, parts)


KERNELS: dict[str, Any] = {"_conv": conv, "_conv_transpose": conv_transpose}
