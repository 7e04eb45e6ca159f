"""Random numbers by jax.random: the seed is the key of the threefry generator."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp


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


KERNELS: dict[str, Any] = {
    "next_seed": next_seed,
    "random_uniform": lambda seed, shape, dtype: jax.random.uniform(key(seed), shape, dtype),
    "random_normal": lambda seed, shape, dtype: jax.random.normal(key(seed), shape, dtype),
    "random_truncated_normal": lambda seed, shape, dtype: jax.random.truncated_normal(key(seed), -2, 2, shape, dtype),
    "random_integers": integers,
    "random_permutation": permutation,
    "random_gamma": lambda seed, alpha: jax.random.gamma(key(seed), alpha, dtype=alpha.dtype),
    "random_binomial": lambda seed, n, p: jax.random.binomial(key(seed), n, p, dtype=n.dtype),
    "random_dropout": dropout,
}
