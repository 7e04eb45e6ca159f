"""Random numbers by NumPy's Philox generator, keyed by the seed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_fn.core import philox
from keras_fn_numpy.tables import numpy_dtype


def generator(seed: Any) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=np.asarray(seed).astype("uint64")))


def _precise(dtype: str) -> Any:
    return np.dtype("float64" if dtype == "float64" else "float32")


def next_seed(state: Any) -> Any:
    return state, state + np.array([0, 1], state.dtype)


def uniform(seed: Any, shape: Any, dtype: str) -> Any:
    drawn = generator(seed).random(shape, _precise(dtype))
    if dtype in ("float32", "float64"):
        return np.asarray(drawn)
    # a number just below 1 must not be rounded up to 1
    return np.minimum(np.asarray(drawn).astype(numpy_dtype(dtype)), below_one(dtype))


def below_one(dtype: str) -> Any:
    import ml_dtypes

    kind = numpy_dtype(dtype)
    return np.asarray(1 - ml_dtypes.finfo(kind).epsneg).astype(kind)


def normal(seed: Any, shape: Any, dtype: str) -> Any:
    return np.asarray(generator(seed).standard_normal(shape, _precise(dtype))).astype(numpy_dtype(dtype), copy=False)


def truncated_normal(seed: Any, shape: Any, dtype: str) -> Any:
    rng = generator(seed)
    flat = rng.standard_normal(math.prod(shape), _precise(dtype))
    outside = np.flatnonzero(np.abs(flat) > 2)
    while outside.size:
        flat[outside] = rng.standard_normal(outside.size, flat.dtype)
        outside = outside[np.abs(flat[outside]) > 2]
    return flat.reshape(shape).astype(numpy_dtype(dtype), copy=False)


def integers(seed: Any, low: int, high: int, shape: Any, dtype: str) -> Any:
    return np.asarray(generator(seed).integers(low, high, shape, numpy_dtype(dtype)))


def permutation(seed: Any, n: int) -> Any:
    return generator(seed).permutation(n).astype("int32")


def gamma(seed: Any, alpha: Any) -> Any:
    return np.asarray(generator(seed).standard_gamma(alpha.astype("float64"))).astype(alpha.dtype)


def binomial(seed: Any, counts: Any, probabilities: Any) -> Any:
    return np.asarray(generator(seed).binomial(counts.astype("int64"), probabilities)).astype(counts.dtype)


def dropout(seed: Any, inputs: Any, rate: float, noise_shape: Any) -> Any:
    kept = generator(seed).random(noise_shape, np.float32) >= np.float32(rate)
    return np.where(kept, inputs / inputs.dtype.type(1 - rate), inputs.dtype.type(0))


def counter_bits(seed: Any, stream: Any, shape: Any, bits: int) -> Any:
    words = philox.words(seed, int(stream), math.prod(shape))
    return (words >> np.uint32(32 - bits)).view("int32").reshape(shape)


KERNELS: dict[str, Any] = {
    "next_seed": next_seed,
    "counter_bits": counter_bits,
    "random_uniform": uniform,
    "random_normal": normal,
    "random_truncated_normal": truncated_normal,
    "random_integers": integers,
    "random_permutation": permutation,
    "random_gamma": gamma,
    "random_binomial": binomial,
    "random_dropout": dropout,
}
