"""Kin of the error function."""

from __future__ import annotations

import math

from keras_fn.core.op import floats, op
from keras_fn.ops import elementwise as e

__all__ = ["erfc", "erfinv"]


@op(dtype=floats("x"))
def erfc(x):
    """`1 - erf(x)`, which backends compute without cancellation for large x.

    Args:
        x: tensor.

    Example:
        >>> from keras_fn import ops
        >>> float(ops.erfc(0.0))
        1.0
    """
    return e.subtract(1.0, e.erf(x))


@op(dtype=floats("x"))
def erfinv(x):
    """The number whose `erf` is x; infinite at -1 and 1, NaN beyond.

    Starts from Winitzki's approximation and takes steps of Halley's method.

    Args:
        x: tensor.

    Example:
        >>> from keras_fn import ops
        >>> round(float(ops.erfinv(0.5)), 4)
        0.4769
    """
    inside = e.less(e.absolute(x), 1.0)
    safe = e.where(inside, x, 0.0)
    a = 0.147
    log = e.log1p(e.negative(e.square(safe)))
    half = e.add(e.multiply(log, 0.5), 2 / (math.pi * a))
    y = e.sqrt(e.maximum(e.subtract(e.sqrt(e.subtract(e.square(half), e.true_divide(log, a))), half), 0.0))
    y = e.multiply(y, e.sign(safe))
    for _ in range(3):
        # the complement is exact where erf is close to 1
        gap = e.multiply(e.sign(y), e.subtract(e.subtract(1.0, e.absolute(safe)), erfc(e.absolute(y))))
        step = e.true_divide(gap, e.multiply(e.exp(e.negative(e.square(y))), 2 / math.sqrt(math.pi)))
        y = e.subtract(y, e.true_divide(step, e.add(1.0, e.multiply(y, step))))
    beyond = e.where(e.greater(e.absolute(x), 1.0), math.nan, e.multiply(e.sign(x), math.inf))
    return e.where(inside, y, e.where(e.isnan(x), x, beyond))
