"""Fourier transforms by torch.fft; complex tensors are pairs of real ones."""

from __future__ import annotations

from typing import Any

import torch


def fourier(real: Any, imag: Any, rank: int, inverse: bool) -> Any:
    if not real.numel():  # MKL refuses it
        return real.clone(), imag.clone()
    transform = torch.fft.ifftn if inverse else torch.fft.fftn
    out = transform(torch.complex(real, imag), dim=tuple(range(-rank, 0)))
    return out.real, out.imag


def rfft(x: Any, length: int | None) -> Any:
    out = torch.fft.rfft(x, length)
    return out.real, out.imag


KERNELS: dict[str, Any] = {
    "_fourier": fourier,
    "_rfft": rfft,
    "_irfft": lambda real, imag, length: torch.fft.irfft(torch.complex(real, imag), length),
}
