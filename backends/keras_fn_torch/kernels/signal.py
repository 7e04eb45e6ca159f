"""Fourier transforms by torch.fft; complex tensors are pairs of real ones."""

from __future__ import annotations

from typing import Any

import torch

from keras_fn.ops import fourier as ops


def fourier(real: Any, imag: Any, rank: int, inverse: bool) -> Any:
    if not real.numel():  # MKL refuses it
        return real.clone(), imag.clone()
    transform = torch.fft.ifftn if inverse else torch.fft.fftn
    out = transform(torch.complex(real, imag), dim=tuple(range(-rank, 0)))
    return out.real, out.imag


def rfft(x: Any, length: int | None) -> Any:
    out = torch.fft.rfft(x, length)
    return out.real, out.imag


def extract_sequences(x: Any, length: int, stride: int) -> Any:
    """A view, where the body gathers."""
    if not (isinstance(length, int) and isinstance(stride, int) and length > 0 and stride > 0):
        return ops.extract_sequences.fn(x, length, stride)
    if not x.ndim or x.shape[-1] < length:
        return ops.extract_sequences.fn(x, length, stride)
    return x.unfold(-1, length, stride)


KERNELS: dict[str, Any] = {
    "_fourier": fourier,
    "_rfft": rfft,
    "extract_sequences": extract_sequences,
    "_irfft": lambda real, imag, length: torch.fft.irfft(torch.complex(real, imag), length),
}
