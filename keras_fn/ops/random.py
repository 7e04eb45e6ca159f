"""Random primitives. Each is a function of its seed: a uint32 tensor of shape (2,), the key of one draw.

The public functions, which take `seed=None`, an int or a SeedGenerator, are in `keras_fn.random`.
"""

from __future__ import annotations

from typing import Any

from keras_fn.core.op import DtypeRule, mixes, op
from keras_fn.core.spec import Spec


def _made(seed: Spec, *args: Any) -> Spec:
    """Shape rule of what is made from nothing: the last two arguments are the shape and the dtype."""
    return Spec(args[-2], args[-1])


@op(dtype=mixes("state"), shape=lambda state: (state.shape, state.shape))
def next_seed(state):
    """The seed to use now, and the state with its counter, the second number, one higher (2**32 - 1 becomes 0).

    The seed shares no memory with the state, which may be written in place.
    """


@op(
    dtype=DtypeRule(("seed", "stream"), lambda seed, stream: (None, "int32")),
    shape=lambda seed, stream, shape, bits: Spec(tuple(shape), "int32"),
)
def counter_bits(seed, stream, shape, bits):
    """Integers from 0 to `2**bits - 1` as int32: the upper bits of the words of a Philox4x32-10 stream.

    Source: Salmon et al. 2011, https://doi.org/10.1145/2063384.2063405. `keras_fn.core.philox` is the definition.

    Args:
        seed: uint32 tensor of shape `(2,)`, the key.
        stream: integer scalar; streams of one key are independent.
        shape: shape of the result, which is filled in the order of its last axis.
        bits: how many, up to 31.
    """


@op(dtype=mixes("seed"), shape=_made)
def random_uniform(seed, shape, dtype):
    """Uniformly distributed numbers in [0, 1)."""


@op(dtype=mixes("seed"), shape=_made)
def random_normal(seed, shape, dtype):
    """Normally distributed numbers of mean 0 and standard deviation 1."""


@op(dtype=mixes("seed"), shape=_made)
def random_truncated_normal(seed, shape, dtype):
    """Standard normal numbers given that they lie in [-2, 2]."""


@op(dtype=mixes("seed"), shape=_made)
def random_integers(seed, low, high, shape, dtype):
    """Uniformly distributed integers from `low` up to, without, `high` (Python ints)."""


@op(dtype=mixes("seed"), shape=lambda seed, n: Spec((n,), "int32"))
def random_permutation(seed, n):
    """The numbers 0 to n - 1 in random order."""


@op(dtype=mixes("seed", "alpha", out=lambda seed, alpha: alpha), shape=lambda seed, alpha: alpha.shape)
def random_gamma(seed, alpha):
    """Gamma distributed numbers of shape parameter `alpha` and scale 1, one for each element of `alpha`."""


_as_counts = DtypeRule(("seed", "counts", "probabilities"), lambda seed, counts, p: (None, counts))


@op(dtype=_as_counts, shape=lambda seed, counts, probabilities: counts.shape)
def random_binomial(seed, counts, probabilities):
    """How many of `counts` trials succeed with `probabilities`, element by element (floats of one shape)."""


@op(
    dtype=mixes("seed", "inputs", out=lambda seed, inputs: inputs),
    shape=lambda seed, inputs, rate, noise_shape: inputs.shape,
)
def random_dropout(seed, inputs, rate, noise_shape):
    """`inputs` with the share `rate` of elements set to 0 and the others divided by `1 - rate`.

    Elements along an axis where `noise_shape` is 1 share their fate.
    """
