"""Arrays that begin at round addresses: frameworks take their memory over as it is, and copy that of others."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

ROUND = 64  # bytes, as XLA and TensorFlow ask for


def fresh(size: int) -> Any:
    """Bytes without values."""
    return np.empty(size, "uint8")


def zeroed(size: int) -> Any:
    """Bytes of zero. Large ones take no memory until somebody writes to them."""
    return np.zeros(size, "uint8")


def aligned(shape: tuple[int, ...], dtype: Any, block: Callable[[int], Any] = fresh) -> np.ndarray:
    """An array at a round address.

    Args:
        shape: its shape.
        dtype: its dtype.
        block: gives as many bytes as it is asked for.
    """
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    raw = block(size + ROUND)
    start = -raw.ctypes.data % ROUND
    return raw[start : start + size].view(dtype).reshape(shape)
