"""Activation functions, softmax and its kin."""

from __future__ import annotations

import math
from typing import Any

from keras_fn.core import dtypes, shapes
from keras_fn.core.op import floats, op, promotes
from keras_fn.core.spec import Spec
from keras_fn.ops import elementwise as e
from keras_fn.ops import reduction as r
from keras_fn.ops.elementwise import keeps
from keras_fn.ops.shape import concatenate, ones_like, zeros_like

__all__ = [
    "celu", "concat_relu", "elu", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish",
    "hard_tanh", "leaky_relu", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "silu", "soft_shrink",
    "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish",
    "tanh_shrink", "threshold",
]  # fmt: skip


@op(dtype=promotes("x", at_least="int"), shape=keeps)
def relu(x):
    """`max(x, 0)`; its slope at 0 is 0."""


@op(dtype=floats("x"))
def relu6(x):
    """`min(max(x, 0), 6)`."""
    return e.minimum(relu(x), 6.0)


@op(dtype=floats("x"))
def leaky_relu(x, negative_slope=0.2):
    """x where it is positive, `negative_slope * x` elsewhere."""
    return e.where(e.greater(x, 0), x, e.multiply(x, negative_slope))


@op(dtype=floats("x"))
def elu(x, alpha=1.0):
    """x where it is positive, `alpha * (exp(x) - 1)` elsewhere. Source: https://arxiv.org/abs/1511.07289"""
    positive = e.greater(x, 0)
    below = e.where(positive, 0, x)  # at 0, too, the gradient is that of the exponential
    return e.where(positive, x, e.multiply(e.expm1(below), alpha))


@op(dtype=floats("x"))
def selu(x):
    """A scaled `elu` that keeps mean 0 and variance 1 through layers. Source: https://arxiv.org/abs/1706.02515"""
    return e.multiply(elu(x, 1.6732632423543772), 1.0507009873554805)


@op(dtype=floats("x"))
def celu(x, alpha=1.0):
    """`max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))`. Source: https://arxiv.org/abs/1704.07483"""
    positive = e.greater(x, 0)
    below = e.where(positive, 0, x)
    return e.where(positive, x, e.multiply(e.expm1(e.true_divide(below, alpha)), alpha))


@op(dtype=floats("x"))
def gelu(x, approximate=True):
    """x times the probability that a standard normal number is below x. Source: https://arxiv.org/abs/1606.08415

    Args:
        x: tensor.
        approximate: take the tanh approximation of the paper instead of the error function.
    """
    if approximate:
        inner = e.multiply(e.add(x, e.multiply(e.multiply(x, e.square(x)), 0.044715)), math.sqrt(2 / math.pi))
        return e.multiply(e.multiply(x, 0.5), e.add(e.tanh(inner), 1.0))
    return e.multiply(e.multiply(x, 0.5), e.add(e.erf(e.multiply(x, math.sqrt(0.5))), 1.0))


@op(dtype=floats("x"))
def silu(x):
    """`x * sigmoid(x)`, also called swish. Source: https://arxiv.org/abs/1710.05941"""
    return e.multiply(x, e.sigmoid(x))


swish = silu


@op(dtype=floats("x"))
def softplus(x):
    """`log(1 + exp(x))`, without overflow."""
    return e.add(relu(x), softplus_tail(x))


def softplus_tail(x: Any) -> Any:
    """`log(1 + exp(-|x|))`, which is softplus without `max(x, 0)`; at 0 with the gradient that the latter lacks."""
    return e.log1p(e.exp(e.where(e.greater(x, 0), e.negative(x), x)))


@op(dtype=floats("x"))
def log_sigmoid(x):
    """`log(sigmoid(x))`, without overflow."""
    return e.negative(softplus(e.negative(x)))


@op(dtype=floats("x"))
def softsign(x):
    """`x / (1 + |x|)`."""
    return e.true_divide(x, e.add(e.absolute(x), 1.0))


@op(dtype=floats("x"))
def soft_shrink(x, threshold=0.5):
    """x moved towards 0 by `threshold`, and 0 where it was nearer."""
    return e.subtract(x, e.clip(x, -threshold, threshold))


@op(dtype=floats("x"))
def hard_shrink(x, threshold=0.5):
    """x, and 0 where it is nearer to 0 than `threshold`."""
    return e.where(e.greater(e.absolute(x), threshold), x, zeros_like(x))


@op(dtype=floats("x"))
def hard_sigmoid(x):
    """`relu6(x + 3) / 6`, a straight line in the place of the sigmoid."""
    return e.true_divide(relu6(e.add(x, 3.0)), 6.0)


@op(dtype=floats("x"))
def hard_silu(x):
    """`x * hard_sigmoid(x)`. Source: https://arxiv.org/abs/1905.02244"""
    return e.multiply(x, hard_sigmoid(x))


hard_swish = hard_silu


@op(dtype=floats("x"))
def hard_tanh(x):
    """x, held between -1 and 1."""
    return e.clip(x, -1.0, 1.0)


@op(dtype=floats("x"))
def tanh_shrink(x):
    """`x - tanh(x)`."""
    return e.subtract(x, e.tanh(x))


@op(dtype=floats("x"))
def mish(x):
    """`x * tanh(softplus(x))`. Source: https://arxiv.org/abs/1908.08681"""
    return e.multiply(x, e.tanh(softplus(x)))


@op(dtype=floats("x"))
def glu(x, axis=-1):
    """The first half along an axis times the sigmoid of the second. Source: https://arxiv.org/abs/1612.08083"""
    from keras_fn.ops.shape import split

    first, second = split(x, 2, axis)
    return e.multiply(first, e.sigmoid(second))


@op(dtype=floats("x"))
def threshold(x, threshold, default_value):
    """x where it is above `threshold`, `default_value` elsewhere."""
    return e.where(e.greater(x, threshold), x, e.multiply(ones_like(x), default_value))


@op(dtype=floats("x"))
def squareplus(x, b=4):
    """`(x + sqrt(x**2 + b)) / 2`. Source: https://arxiv.org/abs/2112.11687"""
    return e.multiply(e.add(x, e.sqrt(e.add(e.square(x), b))), 0.5)


@op(dtype=floats("x"))
def sparse_plus(x):
    """0 below -1, x above 1, and a parabola between them."""
    middle = e.multiply(e.square(e.add(x, 1.0)), 0.25)
    return e.where(e.less_equal(x, -1.0), zeros_like(x), e.where(e.less(x, 1.0), middle, x))


@op(dtype=floats("x"))
def sparse_sigmoid(x):
    """0 below -1, 1 above 1, and a straight line between them: the slope of `sparse_plus`."""
    return e.clip(e.multiply(e.add(x, 1.0), 0.5), 0.0, 1.0)


def _along(x: Spec, axis: int = -1) -> shapes.Shape:
    shapes.canonical_axis(axis, len(x.shape))
    return x.shape


@op(dtype=floats("x"), shape=_along)
def _softmax(x, axis=-1):
    """`softmax` along one axis."""


@op(dtype=floats("x"))
def softmax(x, axis=-1):
    """`exp(x) / sum(exp(x))` along an axis (or several): positive numbers that sum to 1."""
    if axis is None or isinstance(axis, (tuple, list)):
        shifted = e.exp(e.subtract(x, e.stop_gradient(r.amax(x, axis, True))))
        return e.true_divide(shifted, r.sum(shifted, axis, True))
    return _softmax(x, axis)


@op(dtype=floats("x"), shape=_along)
def _log_softmax(x, axis=-1):
    """`log_softmax` along one axis."""


@op(dtype=floats("x"))
def log_softmax(x, axis=-1):
    """`log(softmax(x))` along an axis, without overflow."""
    if axis is None or isinstance(axis, (tuple, list)):
        return e.subtract(x, r.logsumexp(x, axis, True))
    return _log_softmax(x, axis)


@op(dtype=floats("x"))
def sparsemax(x, axis=-1):
    """The projection of x onto the probability simplex along an axis. Source: https://arxiv.org/abs/1602.02068"""
    from keras_fn.ops.shape import arange, flip, moveaxis, shape, sort

    if isinstance(x, Spec):
        return x  # the classes may not be counted yet
    x = moveaxis(x, axis, -1)
    ordered = flip(sort(x, -1), -1)
    name = dtypes.standardize(x.dtype)
    rank = e.cast(e.add(arange(shape(x)[-1]), 1), name)
    totals = r.cumsum(ordered, -1)
    support = e.cast(e.greater(e.add(e.multiply(rank, ordered), 1.0), totals), name)
    count = r.sum(support, -1, True)
    tau = e.true_divide(e.subtract(r.sum(e.multiply(ordered, support), -1, True), 1.0), count)
    return moveaxis(relu(e.subtract(x, tau)), -1, axis)


def concat_relu(x, axis=-1):
    """`relu` of x and of -x, joined along an axis."""
    return concatenate([relu(x), relu(e.negative(x))], axis)
