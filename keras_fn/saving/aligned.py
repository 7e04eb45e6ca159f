"""Arrays whose memory a framework can take over as it is, where it wants large ones to begin at round addresses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_fn.core.aligned import aligned
from keras_fn.core.variable import Variable

# bytes from which on; small arrays are copied as fast as they are taken over
_LARGE = 2**16


def empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An array without values, at a round address where it is large."""
    small = math.prod(shape) * np.dtype(dtype).itemsize < _LARGE
    return np.empty(shape, dtype) if small else aligned(shape, dtype)


def give(variable: Variable, array: np.ndarray) -> None:
    """Writes an array into a variable, which may keep its memory: nobody else holds it."""
    variable.assign(variable.backend.adopt(array) if array.dtype.name == variable._dtype else array)
