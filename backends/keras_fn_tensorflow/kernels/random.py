"""Random numbers by TensorFlow's stateless generators."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

# what the generators make; other dtypes are cast from these
_MADE = ("float16", "bfloat16", "float32", "float64")


# the number of Philox4x32-10 among the algorithms of tf.random
_PHILOX = 1


def _key(seed: Any) -> Any:
    return tf.bitcast(seed, tf.int32)


def next_seed(state: Any) -> Any:
    return state, tf.bitcast(tf.bitcast(state, tf.int32) + tf.constant([0, 1]), tf.uint32)


def floats(fn: Any) -> Any:
    """A kernel from a stateless function that makes floats."""

    def kernel(seed: Any, shape: Any, dtype: str) -> Any:
        drawn = fn(shape, _key(seed), dtype=dtype if dtype in _MADE else "float32")
        return drawn if dtype in _MADE else tf.cast(drawn, dtype)

    return kernel


def integers(seed: Any, low: int, high: int, shape: Any, dtype: str) -> Any:
    drawn = tf.random.stateless_uniform(shape, _key(seed), minval=low, maxval=high, dtype=_integer_of(low, high))
    return tf.cast(drawn, dtype)


def _integer_of(low: int, high: int) -> str:
    return "int32" if low >= -(2**31) and high < 2**31 else "int64"


def permutation(seed: Any, n: Any) -> Any:
    return tf.random.experimental.stateless_shuffle(tf.range(n), _key(seed))  # pyright: ignore[reportAttributeAccessIssue]


def gamma(seed: Any, alpha: Any) -> Any:
    # below 32 bits its rejection sampling rounds small draws to 0
    wide = alpha if alpha.dtype in (tf.float32, tf.float64) else tf.cast(alpha, tf.float32)
    return tf.cast(tf.random.stateless_gamma(tf.shape(wide), _key(seed), wide, dtype=wide.dtype), alpha.dtype)


def binomial(seed: Any, counts: Any, probabilities: Any) -> Any:
    shape = tf.shape(counts)
    return tf.random.stateless_binomial(shape, _key(seed), counts, probabilities, output_dtype=counts.dtype)


def dropout(seed: Any, inputs: Any, rate: float, noise_shape: Any) -> Any:
    kept = tf.random.stateless_uniform(noise_shape, _key(seed)) >= rate
    return tf.where(kept, inputs / tf.cast(1 - rate, inputs.dtype), tf.zeros((), inputs.dtype))


def counter_bits(seed: Any, stream: Any, shape: Any, bits: int) -> Any:
    counter = tf.stack([tf.zeros((), tf.uint64), tf.cast(stream, tf.uint64)])
    words = tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=shape, key=[tf.bitcast(seed, tf.uint64)], counter=counter, alg=_PHILOX, dtype=tf.uint32
    )
    return tf.bitcast(tf.bitwise.right_shift(words, tf.constant(32 - bits, tf.uint32)), tf.int32)


KERNELS: dict[str, Any] = {
    "next_seed": next_seed,
    "counter_bits": counter_bits,
    "random_uniform": floats(tf.random.stateless_uniform),
    "random_normal": floats(tf.random.stateless_normal),
    "random_truncated_normal": floats(tf.random.stateless_truncated_normal),
    "random_integers": integers,
    "random_permutation": permutation,
    "random_gamma": gamma,
    "random_binomial": binomial,
    "random_dropout": dropout,
}
