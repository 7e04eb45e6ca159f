"""`Sample`: what the conformance suite knows of one op, as data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keras_fn.core.spec import REGISTRY

Function = Callable[..., Any]


class _Open:
    """In the place of a result: what the oracle says."""

    def __repr__(self) -> str:
        return "OPEN"


OPEN = _Open()


@dataclass(frozen=True)
class Call:
    """One call of an op.

    Attributes:
        args: arguments by position. NumPy arrays, also those in a list, become tensors; all else stays as it is.
        kwargs: arguments by name, none of them a tensor.
        group: the group that the call belongs to: "value", "empty" or "special".
        expected: the result, where no oracle is to be asked.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    group: str = "value"
    expected: Any = OPEN


@dataclass(frozen=True)
class Sample:
    """A row of the tables: calls of one op, and the truth about it.

    Attributes:
        op: the op's name in the registry.
        calls: calls; the first one is the base of the groups that need only one.
        oracle: function of the same arguments as NumPy arrays (floats in 64 bits) that gives the result. None: the op
            itself on the NumPy backend, for ops that are defined by their body.
        run: what is called instead of the op, with the same arguments: for ops that take functions.
        grad: which tensors are differentiated, counted in the order of the arguments.
        at: which calls are differentiated, as far as they have these tensors.
        twice: whether the second derivative is checked too.
        grid: which dtypes the float tensors are tried in: "all", "numbers" (no bool), "floats", or "none".
        scalars: whether the grid puts Python numbers in the place of the second tensor.
        nonzero: whether integers of the grid must not be 0 (divisors).
        zeros: whether the sign of a zero is promised, where special values are at work.
        batched: which tensors have a batch axis, whose length may be unknown; None for all.
        dynamic: whether shapes of results depend on values, so that they are inferred as unknown.
        differentiates: whether the op itself needs a backend that has gradients.
        tolerance: factor on the tolerances, for ops that add up many rounding errors.
    """

    op: str
    calls: tuple[Call, ...]
    oracle: Function | None = None
    run: Function | None = None
    grad: tuple[int, ...] = ()
    at: tuple[int, ...] = (0,)
    twice: bool = False
    grid: str = "all"
    scalars: bool = False
    nonzero: bool = False
    zeros: bool = True
    batched: tuple[int, ...] | None = None
    dynamic: bool = False
    differentiates: bool = False
    tolerance: float = 1.0

    @property
    def function(self) -> Function:
        """What is called."""
        return self.run or REGISTRY[self.op]


def call(*args: Any, expected: Any = OPEN, **kwargs: Any) -> Call:
    """A call on ordinary values."""
    return Call(args, kwargs, "value", expected)


def empty(*args: Any, expected: Any = OPEN, **kwargs: Any) -> Call:
    """A call on tensors without elements, or without axes."""
    return Call(args, kwargs, "empty", expected)


def special(*args: Any, expected: Any = OPEN, **kwargs: Any) -> Call:
    """A call at the border of what is defined: NaN, infinity, -0.0, ties, overflow."""
    return Call(args, kwargs, "special", expected)


def row(op: str, *calls: Call, **facts: Any) -> Sample:
    """A sample from its calls."""
    return Sample(op, calls, **facts)


# --- inputs
def floats(*shape: int, low: float = -2.0, high: float = 2.0, seed: int = 0) -> np.ndarray:
    """Different float32 numbers between two ends, in no order, with three decimals."""
    rng = np.random.default_rng([seed, *shape])
    return np.asarray(np.round(rng.uniform(low, high, shape), 3), "float32")


def apart(*shape: int) -> np.ndarray:
    """Numbers from -2 to 2 in no order, no two of them close together: small moves leave the largest the largest."""
    size = int(np.prod(shape))
    return np.asarray(np.random.default_rng(size).permutation(np.linspace(-2, 2, size)).reshape(shape), "float32")


def ints(*shape: int, low: int = 0, high: int = 5, seed: int = 0, dtype: str = "int32") -> np.ndarray:
    """Integers from `low` up to, without, `high`."""
    return np.asarray(np.random.default_rng([seed, *shape]).integers(low, high, shape), dtype)


def bools(*shape: int, seed: int = 0) -> np.ndarray:
    """True and false in no order."""
    return np.asarray(np.random.default_rng([seed, *shape]).random(shape) < 0.5)


def array(values: Any, dtype: str = "float32") -> np.ndarray:
    """An array of given values."""
    return np.array(values, dtype)


NAN, INF = float("nan"), float("inf")
EDGES = array([NAN, INF, -INF, -0.0, 0.0, 1.0, -1.0])
