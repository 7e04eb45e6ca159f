"""Pooling.

On a CPU, XLA's gradient of max-pooling is a scatter that takes 4 to 25 times as long as comparing the slices of the
window one after the other. The results are the same; where several numbers of a window are the largest, the gradient
goes to the first of them either way. docs/decisions/0008 has the figures.
"""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from keras_fn.core import windows
from keras_fn_jax.kernels.fused import compiled_if_eager
from keras_fn_jax.kernels.slices import on_cpu, slices

# places in a window up to which comparing slices beats a reduction over windows
_SMALL_WINDOW = 16


def _windows(size: Any, data_format: str) -> tuple[int, ...]:
    return (1, 1, *size) if data_format == "channels_first" else (1, *size, 1)


def max_pool(x: Any, size: Any, strides: Any, padding: str, data_format: str) -> Any:
    if jnp.issubdtype(x.dtype, jnp.floating) and math.prod(size) <= _SMALL_WINDOW and on_cpu():
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
    largest, *rest = slices(x, size, strides, padding, (1,) * len(size), _lowest(x.dtype))
    for other in rest:
        largest = jnp.where((other > largest) | jnp.isnan(other), other, largest)
    return jnp.moveaxis(largest, -1, 1) if first else largest


_max_by_slices = compiled_if_eager(_largest_of_slices, (1, 2, 3, 4))


def _mean_of_windows(x: Any, size: Any, strides: Any, padding: str, data_format: str) -> Any:
    zero = np.asarray(0, x.dtype)
    dims, steps = _windows(size, data_format), _windows(strides, data_format)
    total = lax.reduce_window(x, zero, lax.add, dims, steps, padding.upper())
    if padding == "valid":
        return total / math.prod(size)
    first = data_format == "channels_first"
    counts = windows.covered(x.shape[2:] if first else x.shape[1:-1], size, strides)
    return total / np.asarray(counts if first else counts[..., None], x.dtype)


average_pool = compiled_if_eager(_mean_of_windows, (1, 2, 3, 4))

KERNELS: dict[str, Any] = {"_max_pool": max_pool, "_average_pool": average_pool}
