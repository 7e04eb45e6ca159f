"""Places in an order, of NumPy arrays: for the backends whose tensors lie where NumPy can see them.

Of equal numbers the first come first. For that, a number and its place are made one integer: NumPy sorts integers of 64
bits far faster than it finds places in a stable order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_fn.core import limits, shapes

# dtypes of which a number and its place fit into 64 bits -> the integers of the same size
_BITS = {
    np.dtype(name): np.dtype(bits)
    for name, bits in {
        "float32": "int32", "float16": "int16", "int32": "int32", "int16": "int16", "int8": "int8", "uint8": "uint8",
    }.items()
}  # fmt: skip
# what stands for the bits of any NaN: one more than those of infinity
_LOST = {np.dtype("float32"): 0x7F800001, np.dtype("float16"): 0x7C01}
# dtypes for which NumPy's own stable way is slow, and the size from which on it is slower
_SLOW, _MANY = (np.dtype("float32"), np.dtype("float16"), np.dtype("int32")), 512
# elements at a time: what stays in the caches, and comes from memory that the process has already
_BLOCK = 16384


def argsort(x: Any, axis: int | None) -> Any:
    """The places of the elements in ascending order along an axis; of all elements in a row where it is None."""
    if not x.ndim:
        shapes.canonical_axes(axis, 0)  # NumPy lets axes of scalars pass
    if x.dtype not in _SLOW or x.size < _MANY:
        return np.argsort(x, axis=axis, kind="stable").astype("int32")
    rows = x.reshape(-1) if axis is None else np.moveaxis(x, axis, -1)
    order = np.empty(rows.shape, "int32")
    flat, at = order.reshape(-1, rows.shape[-1]), 0
    for keys in _keys(rows, np.arange(rows.shape[-1])):
        keys.sort(-1)
        flat[at : at + len(keys)] = keys  # their lower halves
        at += len(keys)
    return order if axis in (None, -1, x.ndim - 1) else np.ascontiguousarray(np.moveaxis(order, -1, axis))


def top_k(x: Any, k: int) -> tuple[Any, Any]:
    """The k largest elements along the last axis, in descending order, and their places."""
    limits.check_top(k, x.shape)
    count = x.shape[-1]
    if x.dtype not in _BITS or not 0 < k < count or x.size < _MANY:
        # from behind, as the negative of an unsigned number or of the lowest one is another number
        order = count - 1 - np.argsort(x[..., ::-1], axis=-1, kind="stable")[..., : -k - 1 : -1]
        return x[order] if x.ndim == 1 else np.take_along_axis(x, order, -1), order.astype("int32")
    order = np.empty((*x.shape[:-1], k), "int32")
    flat, at = order.reshape(-1, k), 0
    # places counted from behind, as the largest come last; only k of them are sorted
    for keys in _keys(x, np.arange(count - 1, -1, -1)):
        keys.partition(count - k, -1)
        best = np.sort(keys[:, count - k :], -1)
        flat[at : at + len(keys)] = best[:, ::-1]
        at += len(keys)
    np.subtract(count - 1, order, out=order)
    return np.take_along_axis(x, order, -1), order


def _keys(x: Any, places: Any) -> Iterator[Any]:
    """Different int64 in the order of the numbers, some rows at a time: a number above its place. NaN is last."""
    count = x.shape[-1]
    rows = x.reshape(math.prod(x.shape[:-1]), count)
    step = max(1, _BLOCK // count)
    buffer = np.empty((min(step, len(rows)), count), "int64")
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        keys = buffer[: len(part)]
        keys[...] = _ordered_bits(part) if part.dtype.kind == "f" else part
        keys <<= 32
        keys += places
        yield keys


def _ordered_bits(x: Any) -> Any:
    """Integers in the order of floats: without their sign, floats lie in the order of their bits."""
    kind = _BITS[x.dtype]
    bits = x.view(kind) & np.iinfo(kind).max
    np.minimum(bits, _LOST[x.dtype], out=bits)
    sign = (x < 0).view("int8")
    sign *= -2
    sign += 1
    bits *= sign
    return bits
