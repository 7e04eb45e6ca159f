"""Group `random`: what is promised of numbers that nobody knows before."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_fn import ops
from keras_fn.core.spec import REGISTRY
from keras_fn.testing.conformance.calls import Mismatch, facts, numpy_of

N = 20_000
Draw = Callable[[Any], Any]


def _seed(n: int) -> Any:
    return ops.convert_to_tensor(np.array([n, 11], "uint32"))


def _filled(value: float, dtype: str = "float32") -> Any:
    return ops.full((N,), value, dtype)


def _op(name: str) -> Any:
    return REGISTRY[name]


DRAWS: dict[str, Draw] = {
    "uniform": lambda s: _op("random_uniform")(s, (N,), "float32"),
    "normal": lambda s: _op("random_normal")(s, (N,), "float32"),
    "truncated_normal": lambda s: _op("random_truncated_normal")(s, (N,), "float32"),
    "integers": lambda s: _op("random_integers")(s, -2, 4, (N,), "int32"),
    "permutation": lambda s: _op("random_permutation")(s, N),
    "gamma": lambda s: _op("random_gamma")(s, _filled(2.5)),
    "binomial": lambda s: _op("random_binomial")(s, _filled(8.0), _filled(0.25)),
    "dropout": lambda s: _op("random_dropout")(s, _filled(1.0), 0.25, (N,)),
}
# mean, variance, lowest and highest possible number; a sum of N of them is normal
MOMENTS: dict[str, tuple[float, float, float, float]] = {
    "uniform": (0.5, 1 / 12, 0.0, float(np.nextafter(np.float32(1), np.float32(0)))),
    "normal": (0.0, 1.0, -7.0, 7.0),
    "truncated_normal": (0.0, 0.7737413, -2.0, 2.0),
    "integers": (0.5, 35 / 12, -2.0, 3.0),
    "permutation": ((N - 1) / 2, (N * N - 1) / 12, 0.0, N - 1.0),
    "gamma": (2.5, 2.5, 0.0, 60.0),
    "binomial": (2.0, 1.5, 0.0, 8.0),
    "dropout": (1.0, 1 / 3, 0.0, 4 / 3 + 1e-6),
}


def check_repeats(name: str) -> None:
    """One seed gives the same numbers again, another seed others."""
    first, again, other = (numpy_of(DRAWS[name](_seed(n))) for n in (1, 1, 2))
    if not np.array_equal(first, again):
        raise Mismatch("The same seed gave other numbers.")
    if np.array_equal(first, other):
        raise Mismatch("Another seed gave the same numbers.")


def check_moments(name: str) -> None:
    """Mean and variance lie within five standard errors, and all numbers in their range."""
    mean, variance, low, high = MOMENTS[name]
    x = numpy_of(DRAWS[name](_seed(5))).astype("float64")
    off = abs(x.mean() - mean) / np.sqrt(variance / N)
    fourth = ((x - x.mean()) ** 4).mean()
    spread = abs(x.var() - variance) / np.sqrt(max(fourth - variance**2, 1e-12) / N)
    if off > 5 or spread > 5:
        raise Mismatch(
            f"The mean {x.mean():.5f} and variance {x.var():.5f} are too far from {mean:.5f}, {variance:.5f}."
        )
    if x.min() < low or x.max() > high:
        raise Mismatch(f"Numbers from {x.min()} to {x.max()} came, and they must lie from {low} to {high}.")


def check_independence(name: str) -> None:
    """Neighbours, and the numbers of two seeds, do not go together."""
    x, y = (numpy_of(DRAWS[name](_seed(n))).astype("float64") for n in (5, 6))
    for a, b, what in ((x[:-1], x[1:], "Neighbours"), (x, y, "The numbers of two seeds")):
        r = np.corrcoef(a, b)[0, 1]
        if abs(r) > 5 / np.sqrt(N):
            raise Mismatch(f"{what} are correlated: {r:.4f}.")


def check_dtype(name: str, dtype: str) -> None:
    """The dtype and shape are those that were asked for, and the range holds in a narrow dtype too."""
    x = _op(f"random_{name}")(_seed(3), (50, 40), dtype)
    if facts(x) != ((50, 40), dtype):
        raise Mismatch(f"{facts(x)} came, and a tensor (50, 40) of {dtype} was asked for.")
    values = numpy_of(x)
    if not np.isfinite(values).all() or (name == "uniform" and (values.min() < 0 or values.max() >= 1)):
        raise Mismatch(f"Numbers from {values.min()} to {values.max()} came.")
    if name == "truncated_normal" and np.abs(values).max() > 2:
        raise Mismatch(f"Numbers up to {np.abs(values).max()} came, and 2 is the border.")


def check_all_drawn() -> None:
    """All integers of a range come, each about as often as the others."""
    x = numpy_of(DRAWS["integers"](_seed(8)))
    counts = np.array([(x == i).sum() for i in range(-2, 4)])
    expected = N / 6
    if ((counts - expected) ** 2 / expected).sum() > 30:  # chi-squared with 5 degrees of freedom: one in 70 000
        raise Mismatch(f"The integers -2 to 3 came {counts.tolist()} times.")


def check_shuffled() -> None:
    """A permutation holds each number once."""
    if sorted(numpy_of(DRAWS["permutation"](_seed(8))).tolist()) != list(range(N)):
        raise Mismatch("A permutation lacks numbers, or holds some twice.")


def items(have: list[str], quick: bool) -> dict[str, Callable[[], None]]:
    """The checks by name."""
    found: dict[str, Callable[[], None]] = {"integers/even": check_all_drawn, "permutation/once": check_shuffled}
    for name in DRAWS:
        found[f"{name}/repeats"] = functools.partial(check_repeats, name)
        found[f"{name}/moments"] = functools.partial(check_moments, name)
        if not quick and name != "permutation":
            found[f"{name}/independence"] = functools.partial(check_independence, name)
    for name in ("uniform", "normal", "truncated_normal"):
        for dtype in have:
            if "float" in dtype and (not quick or dtype != "float64"):
                found[f"{name}/{dtype}"] = functools.partial(check_dtype, name, dtype)
    return found
