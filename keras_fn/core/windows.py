"""Arithmetic of windows that slide along axes: convolution and pooling.

A window of k elements with dilation d spans `(k - 1) * d + 1` of them. Padding 'valid' adds nothing; 'same' adds so
many zeros that stride s takes a length n to `ceil(n / s)`, the odd one at the end. Source: the guide to convolution
arithmetic, https://arxiv.org/abs/1603.07285
"""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.core.reading import remembered
from keras_fn.core.shapes import Dim


def span(size: int, dilation: int) -> int:
    """The number of elements from the first to the last that a dilated window sees."""
    return (size - 1) * dilation + 1


def count(length: Dim, window: int, stride: int, padding: str) -> Dim:
    """How many windows fit; 0 or less where the length is too small, None where it is unknown."""
    if length is None:
        return None
    return -(-length // stride) if padding == "same" else (length - window) // stride + 1


def same_padding(length: Any, window: int, stride: int) -> tuple[Any, Any]:
    """The elements that padding 'same' adds before and after an axis."""
    total = max((-(-length // stride) - 1) * stride + window - length, 0)
    return total // 2, total - total // 2


@remembered(maxsize=256)
def covered(lengths: tuple[int, ...], window: tuple[int, ...], strides: tuple[int, ...]) -> np.ndarray:
    """How many elements of each window of a 'same' padded grid are not padding; shape: windows along each axis."""
    out = np.ones((), "float64")
    for n, k, s in zip(lengths, window, strides, strict=True):
        start = np.arange(-(-n // s)) * s - same_padding(n, k, s)[0]
        out = out[..., None] * (np.minimum(start + k, n) - np.maximum(start, 0))
    return out
