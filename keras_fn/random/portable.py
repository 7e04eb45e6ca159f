"""The random functions of portable mode: equal numbers for equal seeds on every backend.

They have the names and arguments of the primitives in `keras_fn.ops.random`, and are written in ops over one primitive,
`counter_bits`, whose integers are equal to the last bit. What follows from them by exact arithmetic is equal too:
uniform numbers, integers, orders and dropout masks. What needs a logarithm is equal up to the rounding of the
backend's: some 1e-6 for normal numbers. Gamma and binomial numbers are found by rejection, where a draw within 1e-7 of
the border may fall to either side. Why it is so: docs/decisions/0006-portable-random.md.
"""

from __future__ import annotations

import math
from typing import Any

from keras_fn import ops
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError
from keras_fn.ops.random import counter_bits

# the bits of a number in [0, 1) that each dtype holds exactly
_BITS = {"float8_e4m3fn": 4, "float8_e5m2": 3, "bfloat16": 8, "float16": 11, "float32": 24}
_SINGLE = 24


def random_uniform(seed: Any, shape: Any, dtype: str, stream: Any = 0) -> Any:
    """Uniformly distributed multiples of `2**-bits` in [0, 1), for the bits that the dtype holds exactly."""
    if dtype == "float64":
        return _double(seed, shape, stream)
    bits = _BITS[dtype]
    exact = ops.multiply(ops.cast(counter_bits(seed, stream, shape, bits), "float32"), 2.0**-bits)
    return exact if dtype == "float32" else ops.cast(exact, dtype)


def _double(seed: Any, shape: Any, stream: Any) -> Any:
    """53 bits out of two words; a backend that computes in 32 bits gives what it gives for float32."""
    high, low = ops.unstack(counter_bits(seed, stream, (2, *shape), 27))
    high = ops.cast(high, "float64")
    if active.backend.dtype_of(high) != "float64":
        return random_uniform(seed, shape, "float32", stream)
    low = ops.floor(ops.multiply(ops.cast(low, "float64"), 0.5))
    return ops.add(ops.multiply(high, 2.0**-27), ops.multiply(low, 2.0**-53))


def random_normal(seed: Any, shape: Any, dtype: str, stream: Any = 0) -> Any:
    """Standard normal numbers, by the inverse of the distribution function."""
    return _from_symmetric(_symmetric(seed, shape, stream), dtype)


def random_truncated_normal(seed: Any, shape: Any, dtype: str) -> Any:
    """Standard normal numbers in [-2, 2]: the inverse of the distribution function on that part of its range."""
    inside = ops.multiply(_symmetric(seed, shape, 0), math.erf(2 / math.sqrt(2)))
    return ops.clip(_from_symmetric(inside, dtype), -2.0, 2.0)


def _symmetric(seed: Any, shape: Any, stream: Any) -> Any:
    """Odd multiples of 2**-24 in (-1, 1): never an end, and as often above 0 as below."""
    twice = ops.multiply(counter_bits(seed, stream, shape, _SINGLE), 2)
    return ops.multiply(ops.cast(ops.subtract(twice, 2**_SINGLE - 1), "float32"), 2.0**-_SINGLE)


def _from_symmetric(x: Any, dtype: str) -> Any:
    return ops.cast(ops.multiply(inverse_error_function(x), math.sqrt(2)), dtype)


_CENTRE = (
    2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503, -0.00417768164,
    0.246640727, 1.50140941,
)  # fmt: skip
_TAIL = (
    -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
    1.00167406, 2.83297682,
)  # fmt: skip


def inverse_error_function(x: Any) -> Any:
    """The inverse of erf in single precision.

    Source: M. Giles, "Approximating the erfinv function", GPU Computing Gems Jade, 2012.
    """
    w = ops.negative(ops.log(ops.multiply(ops.subtract(1.0, x), ops.add(1.0, x))))
    centre = _polynomial(_CENTRE, ops.subtract(w, 2.5))
    tail = _polynomial(_TAIL, ops.subtract(ops.sqrt(w), 3.0))
    return ops.multiply(ops.where(ops.less(w, 5.0), centre, tail), x)


def _polynomial(coefficients: tuple[float, ...], x: Any) -> Any:
    total: Any = coefficients[0]
    for c in coefficients[1:]:
        total = ops.add(ops.multiply(x, total), c)
    return total


def random_dropout(seed: Any, inputs: Any, rate: float, noise_shape: Any) -> Any:
    """`inputs` with a share of `rate` set to 0 and the others divided by `1 - rate`; the mask is exact."""
    kept = ops.greater_equal(counter_bits(seed, 0, noise_shape, _SINGLE), math.ceil(rate * 2**_SINGLE))
    return ops.where(kept, ops.multiply(inputs, 1 / (1 - rate)), 0.0)


def random_permutation(seed: Any, n: Any) -> Any:
    """The numbers 0 to n - 1 in the order of random integers."""
    return ops.argsort(counter_bits(seed, 0, (n,), 31), 0)


def random_integers(seed: Any, low: int, high: int, shape: Any, dtype: str) -> Any:
    """Uniformly distributed integers from `low` up to, without, `high`."""
    span = high - low
    if span > 1 << 31:
        below = _wide_below(seed, span, shape)
    elif span & (span - 1) == 0:
        below = counter_bits(seed, 0, shape, span.bit_length() - 1) if span > 1 else ops.zeros(shape, "int32")
    elif span <= 1 << 16:
        below = _small_below(seed, span, shape)
    else:
        below = _large_below(seed, span, shape)
    # in the dtype asked for, where sums that pass the ends of int32 come out right
    return ops.add(ops.cast(below, dtype), low) if low else ops.cast(below, dtype)


def _small_below(seed: Any, span: int, shape: Any) -> Any:
    """46 random bits modulo the span, in arithmetic of 31: no number is more likely than another by over 2**-30."""
    high, low = ops.unstack(counter_bits(seed, 0, (2, *shape), 31))
    shifted = ops.multiply(ops.mod(high, span), 1 << 15)
    return ops.mod(ops.add(shifted, ops.floor_divide(low, 1 << 16)), span)


def _large_below(seed: Any, span: int, shape: Any) -> Any:
    """31 random bits modulo the span, drawn again where they lie above its last multiple."""
    limit = (1 << 31) // span * span
    outside = 1 - limit / (1 << 31)
    attempts = math.ceil(31 / -math.log2(outside))
    drawn = counter_bits(seed, 0, (attempts, *shape), 31)
    return ops.mod(_first(ops.less(drawn, limit), drawn), span)


def _wide_below(seed: Any, span: int, shape: Any) -> Any:
    """62 random bits modulo the span."""
    high, low = ops.unstack(ops.cast(counter_bits(seed, 0, (2, *shape), 31), "int64"))
    if active.backend.dtype_of(high) != "int64":
        raise ArgumentError(
            f"random.randint over {span} numbers needs integers of 64 bits, which the backend {active.backend.name!r} "
            "does not compute in as it is set up. Take maxval - minval up to 2**31."
        )
    if span > 1 << 62:
        raise ArgumentError(f"In portable mode random.randint takes maxval - minval up to 2**62, and {span} came.")
    return ops.mod(ops.add(ops.multiply(high, 1 << 31), low), span)


def _first(accepted: Any, values: Any) -> Any:
    """Along the first axis, the first value that is accepted, or the last one."""
    accepted, values = ops.unstack(accepted), ops.unstack(values)
    found = values[-1]
    for ok, value in zip(reversed(accepted[:-1]), reversed(values[:-1]), strict=True):
        found = ops.where(ok, value, found)
    return found


# an attempt fails with a chance of at most 0.049 (at alpha = 1): eight in a row with 3e-11
_ATTEMPTS = 8


def random_gamma(seed: Any, alpha: Any, stream: Any = 0) -> Any:
    """Gamma distributed numbers of scale 1, by rejection from the cube of a normal number.

    Source: Marsaglia and Tsang 2000, https://doi.org/10.1145/358407.358414

    Args:
        seed: the key.
        alpha: tensor of floats, the parameter of each number.
        stream: the first of three streams that are used.
    """
    kind = active.backend.dtype_of(alpha)
    wide = "float64" if kind == "float64" else "float32"
    alpha, shape = ops.cast(alpha, wide), ops.shape(alpha)
    small = ops.less(alpha, 1.0)
    d = ops.subtract(ops.where(small, ops.add(alpha, 1.0), alpha), 1 / 3)
    x = ops.cast(random_normal(seed, (_ATTEMPTS, *shape), "float32", stream), wide)
    v = ops.add(1.0, ops.true_divide(x, ops.sqrt(ops.multiply(d, 9.0))))
    positive = ops.greater(v, 0.0)
    v = ops.where(positive, ops.multiply(v, ops.multiply(v, v)), 1.0)
    bound = ops.add(ops.multiply(ops.square(x), 0.5), ops.multiply(d, ops.add(ops.subtract(1.0, v), ops.log(v))))
    chance = ops.log(_above_zero(seed, (_ATTEMPTS, *shape), ops.add(stream, 1), wide))
    drawn = ops.multiply(d, _first(ops.logical_and(positive, ops.less(chance, bound)), v))
    # below 1: Gamma(alpha + 1) times a uniform number to the power of 1 / alpha
    share = ops.exp(ops.true_divide(ops.log(_above_zero(seed, shape, ops.add(stream, 2), wide)), alpha))
    return ops.cast(ops.where(small, ops.multiply(drawn, share), drawn), kind)


def _above_zero(seed: Any, shape: Any, stream: Any, dtype: str) -> Any:
    """Uniformly distributed numbers in (0, 1]."""
    return ops.multiply(ops.cast(ops.add(counter_bits(seed, stream, shape, _SINGLE), 1), dtype), 2.0**-_SINGLE)


# so many trials are drawn one by one
_TRIALS = 16


def random_binomial(seed: Any, counts: Any, probabilities: Any) -> Any:
    """How many of `counts` trials succeed: halved by the median of uniform numbers until few trials are left.

    Of n uniform numbers the k-th smallest is Beta(k, n + 1 - k) distributed. Where it lies below the probability, k
    trials are known to succeed, else n + 1 - k to fail, and the others are uniform on what is left of the interval.
    Source: Devroye, "Non-Uniform Random Variate Generation", 1986, X.4.4, https://luc.devroye.org/rnbookindex.html
    """
    shape = ops.shape(counts)

    def halve(i: Any, left: Any, p: Any, hits: Any) -> tuple[Any, ...]:
        many = ops.greater(left, _TRIALS)
        n = ops.where(many, left, 1.0)
        k = ops.floor(ops.multiply(ops.add(n, 1.0), 0.5))
        parameters = ops.stack([k, ops.subtract(ops.add(n, 1.0), k)], 0)
        a, b = ops.unstack(random_gamma(seed, parameters, ops.multiply(i, 3)))
        total = ops.add(a, b)
        share = ops.multiply(p, total)
        below = ops.less_equal(a, share)
        rest = ops.where(below, ops.true_divide(ops.subtract(share, a), b), ops.true_divide(share, a))
        new_left = ops.where(below, ops.subtract(n, k), ops.subtract(k, 1.0))
        return (
            ops.add(i, 1),
            ops.where(many, new_left, left),
            ops.where(many, ops.clip(rest, 0.0, 1.0), p),
            ops.where(ops.logical_and(many, below), ops.add(hits, k), hits),
        )

    start = (1, counts, probabilities, ops.zeros_like(counts))
    _, left, p, hits = ops.while_loop(
        lambda i, left, p, hits: ops.any(ops.greater(left, _TRIALS)), halve, start, maximum_iterations=64
    )
    drawn = random_uniform(seed, (_TRIALS, *shape), "float32")
    trial = ops.reshape(ops.arange(_TRIALS, dtype=counts.dtype), (_TRIALS, *(1 for _ in shape)))
    won = ops.logical_and(ops.less(drawn, p), ops.less(trial, left))
    return ops.add(hits, ops.sum(ops.cast(won, counts.dtype), 0))
