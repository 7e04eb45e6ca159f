"""Random numbers by jax.random: the seed is the key of the threefry generator."""

from __future__ import annotations

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from keras_fn.core import philox


def key(seed: Any) -> Any:
    return jax.random.wrap_key_data(seed.astype("uint32"), impl="threefry2x32")


def next_seed(state: Any) -> Any:
    return state, state + jnp.array([0, 1], "uint32")


def integers(seed: Any, low: int, high: int, shape: Any, dtype: str) -> Any:
    return jax.random.randint(key(seed), shape, low, high, dtype)


def permutation(seed: Any, n: int) -> Any:
    return jax.random.permutation(key(seed), n).astype("int32")


def dropout(seed: Any, inputs: Any, rate: float, noise_shape: Any) -> Any:
    kept = jax.random.bernoulli(key(seed), 1 - rate, noise_shape)
    return jnp.where(kept, inputs / (1 - rate), 0).astype(inputs.dtype)


def counter_bits(seed: Any, stream: Any, shape: Any, bits: int) -> Any:
    return _counter_bits(seed, stream, tuple(shape), bits)


@functools.partial(jax.jit, static_argnums=(2, 3))
def _counter_bits(seed: Any, stream: Any, shape: Any, bits: int) -> Any:
    """Each element works out its whole block and takes one word of it.

    On a CPU that is 14 to 20 times faster than to work out blocks and interleave their words, as it stays one loop.
    """
    position = jax.lax.iota(jnp.uint32, math.prod(shape))
    nothing = jnp.zeros_like(position)
    c0, c1, c2, c3 = position >> 2, nothing, nothing + stream.astype("uint32"), nothing
    k0, k1 = seed[0], seed[1]
    for _ in range(philox.ROUNDS):
        high0, low0 = _product(c0, philox.MULTIPLIERS[0])
        high1, low1 = _product(c2, philox.MULTIPLIERS[1])
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = k0 + np.uint32(philox.KEY_STEPS[0]), k1 + np.uint32(philox.KEY_STEPS[1])
    lane = position & 3
    words = jnp.where(lane < 2, jnp.where(lane < 1, c0, c1), jnp.where(lane < 3, c2, c3))
    return (words >> (32 - bits)).astype("int32").reshape(shape)


def _product(x: Any, factor: int) -> tuple[Any, Any]:
    """The upper and the lower 32 bits of a product, without 64-bit integers: JAX has them only where it is told to."""
    low, high = np.uint32(factor & 0xFFFF), np.uint32(factor >> 16)
    x_low, x_high = x & np.uint32(0xFFFF), x >> 16
    crossed = x_low * high
    middle = (x_low * low >> 16) + (crossed & np.uint32(0xFFFF)) + x_high * low
    return x_high * high + (crossed >> 16) + (middle >> 16), x * np.uint32(factor)


KERNELS: dict[str, Any] = {
    "next_seed": next_seed,
    "counter_bits": counter_bits,
    "random_uniform": lambda seed, shape, dtype: jax.random.uniform(key(seed), shape, dtype),
    "random_normal": lambda seed, shape, dtype: jax.random.normal(key(seed), shape, dtype),
    "random_truncated_normal": lambda seed, shape, dtype: jax.random.truncated_normal(key(seed), -2, 2, shape, dtype),
    "random_integers": integers,
    "random_permutation": permutation,
    "random_gamma": lambda seed, alpha: jax.random.gamma(key(seed), alpha, dtype=alpha.dtype),
    "random_binomial": lambda seed, n, p: jax.random.binomial(key(seed), n, p, dtype=n.dtype),
    "random_dropout": dropout,
}
