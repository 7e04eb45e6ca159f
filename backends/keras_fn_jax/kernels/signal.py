"""Fourier transforms by jax.numpy.fft; complex tensors are pairs of real ones."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax


def fourier(real: Any, imag: Any, rank: int, inverse: bool) -> Any:
    transform = jnp.fft.ifftn if inverse else jnp.fft.fftn
    out = transform(lax.complex(real, imag), axes=tuple(range(-rank, 0)))
    return out.real, out.imag


def rfft(x: Any, length: int | None) -> Any:
    out = jnp.fft.rfft(x, length)
    return out.real, out.imag


KERNELS: dict[str, Any] = {
    "_fourier": fourier,
    "_rfft": rfft,
    "_irfft": lambda real, imag, length: jnp.fft.irfft(lax.complex(real, imag), length),
}
