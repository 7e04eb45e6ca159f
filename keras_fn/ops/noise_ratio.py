"""How far a signal is from what became of it."""

from __future__ import annotations

import math
from typing import Any

from keras_fn.core.errors import ShapeError
from keras_fn.core.op import floats, op
from keras_fn.ops import elementwise as e
from keras_fn.ops import reduction as r

__all__ = ["psnr"]


def one_shape(a: Any, b: Any) -> None:
    """Refuses two tensors whose shapes differ."""
    first, second = tuple(a.shape), tuple(b.shape)
    if len(first) != len(second) or any(m != n and None not in (m, n) for m, n in zip(first, second, strict=True)):
        raise ShapeError(f"The two must have one shape, and have {first} and {second}.")


@op(dtype=floats("x1", "x2"))
def psnr(x1, x2, max_val):
    """Peak signal-to-noise ratio in decibels: `20 * log10(max_val) - 10 * log10(mean((x1 - x2) ** 2))`.

    Args:
        x1, x2: tensors of one shape, a signal and what became of it.
        max_val: the largest value that the signal can have (255 for bytes).

    Returns:
        A scalar; infinity for equal tensors.

    Raises:
        ShapeError: where the shapes differ.

    Example:
        >>> from keras_fn import ops
        >>> round(float(ops.psnr([0.0, 0.0], [1.0, 1.0], max_val=10.0)), 4)
        20.0
    """
    one_shape(x1, x2)
    error = r.mean(e.square(e.subtract(x1, x2)))
    return e.subtract(20 * math.log10(max_val), e.multiply(e.log10(error), 10.0))
