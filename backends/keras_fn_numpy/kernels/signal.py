"""Fourier transforms by numpy.fft; complex tensors are pairs of real ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from keras_fn.ops import fourier as fourier_ops


def fourier(real: Any, imag: Any, rank: int, inverse: bool) -> Any:
    transform = np.fft.ifftn if inverse else np.fft.fftn
    out = transform(real + 1j * imag, axes=tuple(range(-rank, 0)))
    return out.real, out.imag


def rfft(x: Any, length: int | None) -> Any:
    out = np.fft.rfft(x, length)
    return out.real, out.imag


def extract_sequences(x: Any, length: int, stride: int) -> Any:
    """A copy of a view, where the body gathers."""
    if not (isinstance(length, int) and isinstance(stride, int) and stride > 0 and length > 0 and x.ndim):
        return fourier_ops.extract_sequences.fn(x, length, stride)
    if x.shape[-1] < length:
        return fourier_ops.extract_sequences.fn(x, length, stride)
    return sliding_window_view(x, length, -1)[..., ::stride, :].copy()


KERNELS: dict[str, Any] = {
    "extract_sequences": extract_sequences,
    "_fourier": fourier,
    "_rfft": rfft,
    "_irfft": lambda real, imag, length: np.fft.irfft(real + 1j * imag, length),
}
