"""Samples of the ops that work element by element."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_fn.testing.samples.sample import (
    EDGES,
    INF,
    NAN,
    Call,
    Sample,
    array,
    bools,
    call,
    empty,
    floats,
    ints,
    row,
    special,
)


def unary(op: str, low: float = -2.0, high: float = 2.0, *more: Call, edges: Any = None, **facts: Any) -> Sample:
    """A function of one tensor: ordinary values between two ends, no elements, no axes, and the edges."""
    calls = [call(floats(2, 3, low=low, high=high)), empty(floats(0, 3)), empty(floats(low=low, high=high))]
    calls.append(special(EDGES) if edges is None else special(edges))
    return row(op, *calls, *more, **{"grad": (0,), "twice": True, **facts})


def binary(op: str, low: float = -2.0, high: float = 2.0, *more: Call, edges: bool = True, **facts: Any) -> Sample:
    """A function of two tensors that broadcast."""
    a, b = floats(2, 3, low=low, high=high), floats(2, 3, low=low, high=high, seed=1)
    column, line = floats(2, 1, low=low, high=high), floats(3, low=low, high=high, seed=1)
    calls = [call(a, b), call(column, line), empty(floats(0, 3), floats(3)), empty(floats(2, 1), floats(1, 0))]
    calls.append(empty(floats(low=low, high=high), floats(low=low, high=high, seed=1)))
    if edges:
        calls.append(special(np.repeat(EDGES, 7), np.tile(EDGES, 7)))
    return row(op, *calls, *more, **{"grad": (0, 1), "twice": True, "scalars": True, **facts})


def _integer_pairs(dtype: str = "int32") -> tuple[np.ndarray, np.ndarray]:
    return array([7, -7, 7, -7, 6, -6, 0, 1], dtype), array([2, 2, -2, -2, 3, 3, 5, -3], dtype)


WRAPS = special(array([2**31 - 1, -(2**31), 65536], "int32"), array([2**31 - 1, -1, 65536], "int32"))
SIGNS = special(*_integer_pairs())
BITS = special(array([0.0, -0.0, NAN, INF, 2.0]), array([0.0, 1.0, 0.0, NAN, -0.0]))


def _erf(x: Any) -> Any:
    return np.vectorize(math.erf, otypes=[np.float64])(x)


def _nan_to_num(x: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    big = float(np.finfo("float32").max)
    return np.nan_to_num(
        x, nan=nan, posinf=big if posinf is None else posinf, neginf=-big if neginf is None else neginf
    )


EIGHT_BITS = [1.3, 300.0, 464.0, 1e6, -1e6, NAN, INF, 1e-4]
COMPARISONS = "equal not_equal less less_equal greater greater_equal logical_and logical_or logical_xor".split()
TIES = special(array([1.0, 1.0, 2.0, NAN, NAN, 1.0]), array([1.0, 2.0, 1.0, NAN, 1.0, NAN]))

SAMPLES = [
    binary("add", -2.0, 2.0, WRAPS, special(array([200], "uint8"), array([100], "uint8"))),
    binary(
        "subtract", -2.0, 2.0, special(array([1], "uint8"), array([2], "uint8")), oracle=np.subtract, grid="numbers"
    ),
    binary("multiply", -2.0, 2.0, WRAPS),
    binary("true_divide", 0.5, 2.0, SIGNS, special(array([1, 0, -1], "int32"), array([0, 0, 0], "int32"))),
    binary("divide", 0.5, 2.0, SIGNS),
    binary(
        "divide_no_nan",
        0.5,
        2.0,
        special(array([1.0, 0.0, NAN, INF, -2.0]), array([0.0, 0.0, 0.0, -0.0, 4.0]), expected=[0.0, 0, 0, 0, -0.5]),
        edges=False,
        oracle=np.true_divide,
    ),
    binary(
        "floor_divide",
        0.6,
        3.0,
        SIGNS,
        special(array([7.5, -7.5, 7.5, -7.5]), array([2.0, 2.0, -2.0, -2.0])),
        edges=False,
        nonzero=True,
    ),
    binary(
        "mod",
        0.6,
        3.0,
        SIGNS,
        special(array([7.5, -7.5, 7.5, -7.5]), array([2.0, 2.0, -2.0, -2.0])),
        edges=False,
        nonzero=True,
    ),
    binary(
        "power",
        0.5,
        2.0,
        special(array([2, -2, 0, 3], "int32"), array([3, 3, 0, 4], "int32")),
        special(array([0.0, -2.0, -8.0, NAN, 1.0, INF]), array([0.0, 2.0, 3.0, 0.0, NAN, -1.0])),
        edges=False,
    ),
    binary("maximum", -2.0, 2.0, TIES, edges=False),
    binary("minimum", -2.0, 2.0, TIES, edges=False),
    binary("arctan2", -2.0, 2.0, grid="all"),
    binary(
        "logaddexp",
        -2.0,
        2.0,
        special(array([1000.0, -1000.0, -INF, INF]), array([1000.0, 0.0, -INF, 1.0])),
        edges=False,
    ),
    binary("squared_difference", oracle=lambda a, b: (a - b) ** 2, grid="numbers"),
    *(binary(name, -2.0, 2.0, TIES, BITS, grad=()) for name in COMPARISONS),
    unary("logical_not", grad=()),
    *(unary(name, grad=()) for name in ("isnan", "isinf", "isfinite")),
    row(
        "_select",
        call(bools(2, 3), floats(2, 3), floats(2, 3, seed=1)),
        call(bools(2, 1), floats(3), floats(2, 3, seed=1)),
        empty(bools(0, 1), floats(3), floats(0, 3)),
        empty(bools(), floats(), floats(seed=1)),
        special(array([True, False], "bool"), array([NAN, 1.0]), array([0.0, -INF])),
        oracle=np.where,
        grad=(1, 2),
        twice=True,
        grid="none",
    ),
    row(
        "where",
        call(bools(2, 3), floats(2, 3), floats(2, 3, seed=1)),
        call(ints(2, 1, high=2), floats(3), floats(2, 3, seed=1)),
        empty(bools(0, 1), floats(3), floats(0, 3)),
        empty(bools(), floats(), floats(seed=1)),
        oracle=lambda c, a, b: np.where(c.astype(bool), a, b),
        grad=(1, 2),
        twice=True,
    ),
    unary("negative", -2, 2, special(array([-(2**31), 5], "int32")), special(array([1, 0], "uint8"))),
    unary("absolute", -2, 2, special(array([-(2**31), -5], "int32"))),
    unary("abs", oracle=np.abs),
    unary("sign", -2, 2, special(array([-7, 0, 9], "int32")), grid="numbers", zeros=False),
    unary("square", -2, 2, special(array([65536, -3], "int32"))),
    row(
        "clip",
        call(floats(2, 3), -0.7, 0.9),
        call(floats(2, 3), None, 0.5),
        call(floats(2, 3), floats(3) - 2, 1.0),
        call(ints(4, low=-5), -1, 2),
        empty(floats(0), 0.0, 1.0),
        empty(floats(), -0.1, 0.1),
        special(array([NAN, INF, -INF]), -1.0, 1.0),
        special(array([0.0, 2.0, -5.0]), 1.0, -1.0),
        grad=(0, 1),
        at=(0, 2),
        twice=True,
        grid="numbers",
    ),
    *(unary(name, -2, 2, special(array([-7, 0, 9], "int32"))) for name in ("floor", "ceil")),
    unary(
        "round",
        -2,
        2,
        special(array([0.5, 1.5, 2.5, -0.5, -1.5])),
        call(floats(5, low=-20, high=20), decimals=1),
        special(array([14, 15, 25, -15, -25], "int32"), decimals=-1),
        call(array([1234.0, 1251.0]), decimals=-2),
        grad=(0,),
        grid="numbers",
    ),
    unary("exp", -2, 2, special(array([1000.0, -1000.0]))),
    unary("expm1", -2, 2, special(array([1e-10, -1e-10, 20.0]))),
    unary("log", 0.2, 3.0),
    unary("log1p", 0.2, 3.0, special(array([1e-10, -1.0, -2.0]))),
    unary("log2", 0.2, 3.0),
    unary("log10", 0.2, 3.0),
    unary("sqrt", 0.2, 3.0),
    unary("rsqrt", 0.2, 3.0, oracle=lambda x: 1 / np.sqrt(x)),
    unary("reciprocal", 0.5, 3.0, oracle=lambda x: 1 / np.asarray(x, "float64")),
    *(unary(name) for name in "sin cos arctan sinh cosh tanh arcsinh".split()),
    unary("tan", -1.0, 1.0),
    unary("arcsin", -0.9, 0.9),
    unary("arccos", -0.9, 0.9),
    unary("arccosh", 1.2, 3.0),
    unary("arctanh", -0.8, 0.8),
    unary("erf", oracle=_erf),
    unary("sigmoid", oracle=lambda x: 1 / (1 + np.exp(-x)), edges=array([NAN, INF, -INF, 0.0, 200.0, -80.0])),
    row(
        "_cast",
        call(floats(2, 3), "int32"),
        call(ints(2, 3), "float32"),
        call(bools(3), "float32"),
        call(floats(3), "float16"),
        call(ints(3, low=-1), "bool"),
        empty(floats(0, 2), "int32"),
        empty(floats(), "bool"),
        special(array([NAN, 0.0, -0.0, INF]), "bool", expected=[True, False, False, True]),
        special(array([300, -1], "int32"), "uint8", expected=[44, 255]),
        special(array([1.9, -1.9]), "int32", expected=[1, -1]),
        # what 8 bits cannot hold is NaN in the one, infinite in the other; in between, the nearest, halves to even
        special(array(EIGHT_BITS), "float8_e4m3fn", expected=[1.25, 288.0, 448.0, NAN, NAN, NAN, NAN, 0.0]),
        special(array(EIGHT_BITS), "float8_e5m2", expected=[1.25, 320.0, 448.0, INF, -INF, NAN, INF, 7 / 65536]),
        special(array([1, -100], "int32"), "float8_e4m3fn", expected=[1.0, -96.0]),
        special(array([True, False], "bool"), "float8_e5m2", expected=[1.0, 0.0]),
        oracle=lambda x, dtype: x.astype(dtype),
        grid="all",
        tolerance=200.0,
    ),
    unary("stop_gradient", oracle=lambda variable: variable, grad=()),
    unary(
        "nan_to_num",
        -2,
        2,
        call(array([NAN, INF, -INF, 1.0]), nan=7.0, posinf=8.0, neginf=-9.0),
        oracle=_nan_to_num,
        grid="floats",
    ),
]
