"""Arrays whose memory a framework can take over as it is, where it wants large ones to begin at round addresses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_fn.core.variable import Variable

# what XLA and TensorFlow ask for; small arrays are copied as fast as they are taken over
_ROUND, _LARGE = 64, 2**16


def empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An array without values, at a round address where it is large."""
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    if size < _LARGE:
        return np.empty(shape, dtype)
    raw = np.empty(size + _ROUND, "uint8")
    start = -raw.ctypes.data % _ROUND
    return raw[start : start + size].view(dtype).reshape(shape)


def give(variable: Variable, array: np.ndarray) -> None:
    """Writes an array into a variable, which may keep its memory: nobody else holds it."""
    variable.assign(variable.backend.adopt(array) if array.dtype.name == variable._dtype else array)
