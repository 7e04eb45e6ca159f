"""Fourier transforms by numpy.fft; complex tensors are pairs of real ones."""

from __future__ import annotations

from typing import Any

import numpy as np


def fourier(real: Any, imag: Any, rank: int, inverse: bool) -> Any:
    transform = np.fft.ifftn if inverse else np.fft.fftn
    out = transform(real + 1j * imag, axes=tuple(range(-rank, 0)))
    return out.real, out.imag


def rfft(x: Any, length: int | None) -> Any:
    out = np.fft.rfft(x, length)
    return out.real, out.imag


KERNELS: dict[str, Any] = {
    "_fourier": fourier,
    "_rfft": rfft,
    "_irfft": lambda real, imag, length: np.fft.irfft(real + 1j * imag, length),
}
