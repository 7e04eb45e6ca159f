"""Samples of activation functions. Formulas as published; see the docstrings of the ops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_fn.testing.samples.sample import INF, NAN, Call, Sample, array, call, empty, floats, row, special

GRID = array([-7.5, -3.2, -1.1, -0.4, 0.3, 0.6, 1.7, 3.4, 6.6, 8.0])


def activation(op: str, oracle: Any, *more: Call, edges: Any = (NAN, 90.0, -90.0), **facts: Any) -> Sample:
    """A function of one tensor that keeps its shape."""
    calls = [call(GRID), call(floats(2, 3)), empty(floats(0, 3)), empty(floats()), special(array(edges))]
    return row(op, *calls, *more, **{"oracle": oracle, "grad": (0,), "twice": True, **facts})


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _erf(x: Any) -> Any:
    return np.vectorize(math.erf, otypes=[np.float64])(x)


def _gelu(x: Any, approximate: bool = True) -> Any:
    if not approximate:
        return x * (1 + _erf(x / math.sqrt(2))) / 2
    return x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def _elu(x: Any, alpha: float = 1.0) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _celu(x: Any, alpha: float = 1.0) -> Any:
    return np.maximum(x, 0) + np.minimum(0, alpha * np.expm1(np.minimum(x, 0) / alpha))


def _glu(x: Any, axis: int = -1) -> Any:
    a, b = np.split(x, 2, axis)
    return a * _sigmoid(b)


def _sparse_plus(x: Any) -> Any:
    return np.where(x <= -1, 0.0, np.where(x < 1, (x + 1) ** 2 / 4, x))


def _softmax(x: Any, axis: Any = -1) -> Any:
    z = np.exp(x - np.max(x, axis, keepdims=True))
    return z / np.sum(z, axis, keepdims=True)


def _log_softmax(x: Any, axis: int = -1) -> Any:
    shifted = x - np.max(x, axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis, keepdims=True))


def _sparsemax(x: Any, axis: int = -1) -> Any:
    """The nearest point on the simplex. Source: https://arxiv.org/abs/1602.02068"""
    z = np.moveaxis(x, axis, -1)
    ordered = -np.sort(-z, -1)
    count = np.arange(1, z.shape[-1] + 1)
    total = np.cumsum(ordered, -1)
    support = np.sum(1 + count * ordered > total, -1, keepdims=True)
    tau = (np.take_along_axis(total, support - 1, -1) - 1) / support
    return np.moveaxis(np.maximum(z - tau, 0), -1, axis)


def along(op: str, oracle: Any, *more: Call, **facts: Any) -> Sample:
    """A function along an axis."""
    calls = [call(floats(2, 3)), call(floats(2, 4, 3), axis=1), call(floats(2, 3), axis=0), empty(floats(0, 3))]
    return row(op, *calls, *more, **{"oracle": oracle, "grad": (0,), "grid": "floats", **facts})


LARGE = special(array([[1000.0, 1000.0, -1000.0]]))
NEXT_TO_NOTHING = special(array([[-INF, 0.0, 1.0]]))

SAMPLES = [
    activation("relu", lambda x: np.maximum(x, 0), edges=(NAN, INF, -INF, 0.0), grid="numbers"),
    activation("relu6", lambda x: np.clip(x, 0, 6), edges=(NAN, INF, -INF)),
    activation(
        "leaky_relu",
        lambda x, negative_slope=0.2: np.where(x > 0, x, negative_slope * x),
        call(GRID, negative_slope=0.5),
    ),
    activation("elu", _elu, call(GRID, alpha=0.5)),
    activation("selu", lambda x: 1.0507009873554805 * _elu(x, 1.6732632423543772)),
    activation("celu", _celu, call(GRID, alpha=2.0)),
    activation("gelu", _gelu, call(GRID, approximate=False), edges=(NAN, 30.0, -30.0), tolerance=3.0),
    activation("silu", lambda x: x * _sigmoid(x)),
    activation("softplus", lambda x: np.logaddexp(x, 0.0), edges=(NAN, 90.0, -50.0, 0.0)),
    activation("log_sigmoid", lambda x: -np.logaddexp(-x, 0.0), edges=(NAN, 50.0, -90.0)),
    activation("softsign", lambda x: x / (1 + np.abs(x))),
    activation(
        "soft_shrink",
        lambda x, threshold=0.5: np.sign(x) * np.maximum(np.abs(x) - threshold, 0),
        call(GRID, threshold=1.0),
    ),
    activation("hard_shrink", lambda x, threshold=0.5: np.where(np.abs(x) > threshold, x, 0), edges=(90.0, -90.0)),
    activation("hard_sigmoid", lambda x: np.clip(x / 6 + 0.5, 0, 1)),
    activation("hard_silu", lambda x: x * np.clip(x / 6 + 0.5, 0, 1)),
    activation("hard_tanh", lambda x: np.clip(x, -1, 1)),
    activation("tanh_shrink", lambda x: x - np.tanh(x)),
    activation("mish", lambda x: x * np.tanh(np.logaddexp(x, 0.0)), tolerance=3.0),
    row("glu", call(floats(2, 4)), call(floats(4, 3), axis=0), empty(floats(0, 4)), oracle=_glu, grad=(0,), twice=True),
    activation(
        "squareplus", lambda x, b=4: (x + np.sqrt(x * x + b)) / 2, call(GRID, b=1.0), edges=(NAN, 90.0), tolerance=10.0
    ),
    activation("sparse_plus", _sparse_plus),
    activation("sparse_sigmoid", lambda x: np.clip((x + 1) / 2, 0, 1)),
    row(
        "threshold",
        call(GRID, 0.5, -1.0),
        call(floats(2, 3), 0.0, 7.0),
        empty(floats(0), 1.0, 0.0),
        empty(floats(), 0.1, 2.0),
        oracle=lambda x, t, d: np.where(x > t, x, d),
        grad=(0,),
    ),
    along("_softmax", _softmax, LARGE, NEXT_TO_NOTHING, twice=True),
    along("softmax", _softmax, LARGE, NEXT_TO_NOTHING, call(floats(2, 3, 2), axis=(0, 2)), twice=True),
    along("_log_softmax", _log_softmax, LARGE, NEXT_TO_NOTHING, twice=True),
    along("log_softmax", _log_softmax, LARGE, twice=True),
    along("sparsemax", _sparsemax, special(array([[1.0, 1.0, 1.0], [5.0, 0.0, 0.0]]))),
]
