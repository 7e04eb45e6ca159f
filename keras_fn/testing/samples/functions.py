"""Samples of the rarer functions of numbers, of bits, of complex numbers, and of comparisons."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_fn.testing.samples.elementwise import binary, unary
from keras_fn.testing.samples.sample import INF, NAN, Sample, array, call, empty, floats, ints, row, special


def bits(op: str, oracle: Any = None) -> Sample:
    """A function of the bits of two integers."""
    a, b = ints(2, 3, low=-9, high=9), ints(2, 3, low=1, high=9, seed=1)
    calls = [
        call(a, b),
        call(ints(2, 1), ints(3, seed=1)),
        call(ints(4, dtype="uint8"), ints(4, dtype="uint8", seed=1)),
    ]
    return row(op, *calls, empty(ints(0, 3), ints(3)), empty(ints(), ints(seed=1)), oracle=oracle)


def one(op: str, oracle: Any = None) -> Sample:
    """A function of the bits of an integer."""
    return row(
        op, call(ints(2, 3, low=-9, high=9)), call(ints(4, dtype="uint8")), empty(ints(0)), empty(ints()), oracle=oracle
    )


def pair(op: str, **facts: Any) -> Sample:
    """A function of two tensors without promises about NaN and zeros."""
    return binary(op, edges=False, **{"scalars": False, "zeros": False, **facts})


def complexes(*shape: int, seed: int = 0) -> np.ndarray:
    """Complex numbers."""
    return np.asarray(floats(*shape, seed=seed) + 1j * floats(*shape, seed=seed + 9), "complex64")


def of_complex(op: str, oracle: Any = None, **facts: Any) -> Sample:
    """A function of complex numbers."""
    return row(
        op, call(complexes(2, 3)), empty(complexes(0, 2)), empty(complexes()), oracle=oracle, grid="none", **facts
    )


def _erfinv(y: Any) -> Any:
    """The inverse of math.erf by bisection."""

    def one(v: float) -> float:
        if not abs(v) < 1:
            return math.copysign(INF, v) if abs(v) == 1 else NAN
        low, high = -6.0, 6.0
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if math.erf(middle) < v else (low, middle)
        return (low + high) / 2

    return np.vectorize(one, otypes=[np.float64])(y)


FEW = {"grad": (), "twice": False}

SAMPLES = [
    unary("cbrt", 0.3, 3.0, special(array([-8.0, 27.0]))),
    unary("exp2"),
    unary("fabs", grid="numbers"),
    unary("deg2rad", -180, 180),
    unary("rad2deg"),
    unary("trunc"),
    unary("signbit", **FEW),
    unary("isposinf", **FEW),
    unary("isneginf", **FEW),
    unary("i0", edges=array([NAN, 0.0, 20.0]), twice=False, tolerance=3.0),
    unary("sinc", edges=array([NAN, 0.0, 1.0]), twice=False),
    unary("erfc", oracle=np.vectorize(math.erfc, otypes=[np.float64])),
    unary("erfinv", -0.9, 0.9, edges=array([0.0, 1.0, -1.0, 2.0, 0.999]), oracle=_erfinv, tolerance=3.0),
    pair("hypot"),
    pair("heaviside"),
    pair("logaddexp2"),
    pair("fmax"),
    pair("fmin"),
    binary(
        "fmod",
        0.6,
        3.0,
        special(array([7.5, -7.5, 7.5, -7.5]), array([2.0, 2.0, -2.0, -2.0])),
        edges=False,
        scalars=False,
        nonzero=True,
        grid="numbers",
    ),
    row(
        "nextafter",
        call(floats(3), floats(3, seed=1)),
        empty(floats(0), floats(0)),
        grid="none",
        oracle=lambda a, b: np.nextafter(a.astype("float32"), b.astype("float32")),
    ),
    row("ldexp", call(floats(2, 3), ints(2, 3, low=-2)), empty(floats(0), ints(0)), grad=(0,), grid="floats"),
    row(
        "isclose",
        call(floats(3), floats(3) + np.float32(1e-7)),
        call(floats(3), floats(3, seed=1), atol=1.0),
        special(array([NAN, INF, INF]), array([NAN, INF, -INF])),
        special(array([NAN]), array([NAN]), equal_nan=True),
        empty(floats(0), floats(0)),
        grid="floats",
    ),
    row(
        "allclose",
        call(floats(3), floats(3)),
        call(floats(3), floats(3, seed=1)),
        empty(floats(0), floats(0)),
        grid="floats",
    ),
    row(
        "isin",
        call(ints(2, 3), array([1, 3], "int32")),
        call(floats(4), array([7.0])),
        call(ints(5), ints(2), invert=True),
        empty(ints(0), ints(2)),
        empty(ints(3), ints(0)),
        special(array([NAN, 1.0]), array([NAN, 1.0])),
    ),
    *(bits(f"bitwise_{name}") for name in ("and", "or", "xor", "left_shift", "right_shift")),
    *(bits(name) for name in ("left_shift", "right_shift", "gcd", "lcm")),
    one("bitwise_not"),
    one("bitwise_invert"),
    row(
        "_view",
        call(floats(2, 4), "int32"),
        call(ints(3), "float32"),
        call(ints(2, 4), "uint8"),
        empty(floats(0), "int32"),
        oracle=lambda x, dtype: (x.astype("float32") if x.dtype.kind == "f" else x).view(dtype),
        grid="none",
    ),
    *(
        row(
            name,
            call(floats(2, 3), "int32"),
            special(array([300, -5, 7], "int32"), "uint8", expected=[255, 0, 7]),
            special(array([1e9, -1e9]), "int8", expected=[127, -128]),
            empty(floats(0), "uint8"),
            oracle=lambda x, dtype: x.astype(dtype),
            grid="none",
        )
        for name in ("saturate_cast", "_saturate_cast")
    ),
    *(of_complex(name, grad=(0,), twice=True) for name in ("real", "imag", "conj", "conjugate", "angle")),
    of_complex("isreal"),
    of_complex("_real", np.real, grad=(0,)),
    of_complex("_imag", np.imag, grad=(0,)),
    row(
        "_complex",
        call(floats(2, 3), floats(2, 3, seed=1)),
        empty(floats(0), floats(0)),
        oracle=lambda a, b: a + 1j * b,
        grad=(0, 1),
        grid="none",
    ),
    row(
        "view_as_complex",
        call(floats(3, 2)),
        empty(floats(0, 2)),
        oracle=lambda x: x[..., 0] + 1j * x[..., 1],
        grad=(0,),
        grid="none",
    ),
    row(
        "view_as_real",
        call(complexes(3)),
        empty(complexes(0)),
        oracle=lambda x: np.stack([x.real, x.imag], -1),
        grad=(0,),
        grid="none",
    ),
    row(
        "polar",
        call(floats(3, low=0), floats(3)),
        empty(floats(0), floats(0)),
        oracle=lambda r, t: r * np.exp(1j * t),
        grad=(0, 1),
        twice=True,
        grid="none",
    ),
]
