"""Bits, complex numbers and special functions."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from keras_fn_jax.kernels.fused import compiled_if_eager

# ops that jax.numpy has under the same name, with the same arguments
SAME = "bitwise_and bitwise_or bitwise_xor bitwise_not hypot exp2 logaddexp2 fmax fmin nextafter"


def shift(fn: Any) -> Any:
    """A kernel in which places are not negative: XLA takes only those beyond the last bit for what they are."""

    def kernel(x: Any, y: Any) -> Any:
        bits = x.dtype.itemsize * 8
        return fn(x, jnp.where((y < 0) | (y >= bits), jnp.asarray(bits, x.dtype), y))

    return compiled_if_eager(kernel)


def isin(x1: Any, x2: Any, assume_unique: bool, invert: bool) -> Any:
    return jnp.isin(x1, x2, invert=invert)


KERNELS: dict[str, Any] = {
    **{name: getattr(jnp, name) for name in SAME.split()},
    "bitwise_left_shift": shift(jnp.left_shift),
    "bitwise_right_shift": shift(jnp.right_shift),
    "cbrt": lax.cbrt,
    "_real": lax.real,
    "_imag": lax.imag,
    "_complex": lambda real, imag: lax.complex(*jnp.broadcast_arrays(real, imag)),
    "conj": jnp.conjugate,
    "_view": lambda x, dtype: x.view(dtype),
    "i0": jnp.i0,
    "isin": isin,
}
