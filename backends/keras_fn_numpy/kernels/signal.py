"""Fourier transforms by numpy.fft; complex tensors are pairs of real ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from keras_fn.ops import fourier as fourier_ops


def _joined(real: Any, imag: Any) -> Any:
    """A complex tensor of two real ones."""
    z = np.empty(np.broadcast_shapes(real.shape, imag.shape), np.result_type(real.dtype, "complex64"))
    z.real, z.imag = real, imag
    return z


def fourier(real: Any, imag: Any, rank: int, inverse: bool) -> Any:
    """In place, and always along the last axis: other axes are brought there, as a transform across memory is slow."""
    z, transform = _joined(real, imag), np.fft.ifft if inverse else np.fft.fft
    transform(z, out=z)
    for axis in range(-2, -rank - 1, -1):
        turned = np.ascontiguousarray(z.swapaxes(axis, -1))
        z = transform(turned, out=turned).swapaxes(axis, -1)
    return z.real, z.imag


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
    "_irfft": lambda real, imag, length: np.fft.irfft(_joined(real, imag), length),
}
