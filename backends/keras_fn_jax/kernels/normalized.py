"""Softmax and layer normalization, with derivatives written in terms of the result.

What JAX derives by itself reads numerators and divisors again, spread to the shape of the whole tensor, so that they
are kept from the forward to the backward pass. Memory that is touched for the first time costs a program on a CPU more
than the arithmetic (docs/profiles/jax.md). These derivatives are forward ones, which JAX turns round: both modes, and
derivatives of any order, remain.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from keras_fn.ops.nn import _along
from keras_fn_jax.kernels.fused import compiled_if_eager


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def _softmax(x: Any, axis: int) -> Any:
    return jax.nn.softmax(x, axis=axis)


@_softmax.defjvp
def _softmax_jvp(axis: int, primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    y = _softmax(x, axis)
    scaled = y * t
    return y, scaled - y * jnp.sum(scaled, axis, keepdims=True)


@functools.partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def _standardized(x: Any, axes: tuple[int, ...], epsilon: float) -> Any:
    """Mean 0 and variance 1 along the axes."""
    return _and_factor(x, axes, epsilon)[0]


def _and_factor(x: Any, axes: tuple[int, ...], epsilon: float) -> Any:
    """The standardized x, and what it was multiplied by."""
    centred = x - jnp.mean(x, axes, keepdims=True)
    factor = lax.rsqrt(jnp.mean(jnp.square(centred), axes, keepdims=True) + epsilon)
    return centred * factor, factor


@_standardized.defjvp
def _standardized_jvp(axes: tuple[int, ...], epsilon: float, primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    y, factor = _and_factor(x, axes, epsilon)
    shifted = t - jnp.mean(t, axes, keepdims=True) - y * jnp.mean(t * y, axes, keepdims=True)
    return y, shifted * factor


def layer_normalization(x: Any, gamma: Any, beta: Any, axes: tuple[int, ...], epsilon: float) -> Any:
    wide = jnp.promote_types(x.dtype, "float32")
    out = _standardized(x.astype(wide), axes, epsilon)
    if gamma is not None:
        out = out * _along(gamma.astype(wide), axes, x.ndim)
    if beta is not None:
        out = out + _along(beta.astype(wide), axes, x.ndim)
    return out.astype(x.dtype)


KERNELS: dict[str, Any] = {
    "_softmax": compiled_if_eager(_softmax, (1,)),
    "_layer_normalization": compiled_if_eager(layer_normalization, (3, 4)),
}
