"""The error function and its complement, which NumPy lacks: rational approximations, some thousand elements at a time.

In double precision after Cody (https://doi.org/10.1090/S0025-5718-1969-0247736-4), whose coefficients these are: three
ranges, relative errors of a few roundings. Narrower floats take one quotient for all numbers, computed in double
precision; it was fitted for the least relative error, 2e-8, less than half a rounding of float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

# what one block needs stays in the processor's cache
BLOCK = 16_384
# beyond it, erf in float32 is 1
EDGE = 3.9192059
# erf(x) / x as a quotient of polynomials in x * x, lowest power first
NARROW = (
    (1.12837915, 1.90370733e-01, 5.27446775e-02, 3.76426047e-03, 2.84883490e-04, 2.05078349e-06),
    (1.0, 5.02044414e-01, 1.14094957e-01, 1.49664880e-02, 1.16226390e-03, 3.80989368e-05),
)
# erf(x) / x up to SMALL, in x * x
SMALL = 0.46875
NEAR = (
    (3.20937758913846947e3, 3.77485237685302021e2, 1.13864154151050156e2, 3.16112374387056560, 1.85777706184603153e-1),
    (2.84423683343917062e3, 1.28261652607737228e3, 2.44024637934444173e2, 2.36012909523441209e1, 1.0),
)
# exp(y * y) * erfc(y) from SMALL to LARGE, in y
LARGE = 4.0
MIDDLE = (
    (
        1.23033935479799725e3, 2.05107837782607147e3, 1.71204761263407058e3, 8.81952221241769090e2,
        2.98635138197400131e2, 6.61191906371416295e1, 8.88314979438837594, 5.64188496988670089e-1,
        2.15311535474403846e-8,
    ),
    (
        1.23033935480374942e3, 3.43936767414372164e3, 4.36261909014324716e3, 3.29079923573345963e3,
        1.62138957456669019e3, 5.37181101862009858e2, 1.17693950891312499e2, 1.57449261107098347e1, 1.0,
    ),
)  # fmt: skip
# (1 / sqrt(pi) - y * exp(y * y) * erfc(y)) * y * y beyond LARGE, in 1 / (y * y)
FAR = (
    (
        6.58749161529837803e-4, 1.60837851487422766e-2, 1.25781726111229246e-1, 3.60344899949804439e-1,
        3.05326634961232344e-1, 1.63153871373020978e-2,
    ),
    (
        2.33520497626869185e-3, 6.05183413124413191e-2, 5.27905102951428412e-1, 1.87295284992346725,
        2.56852019228982242, 1.0,
    ),
)  # fmt: skip


def _polynomial(x: Any, coefficients: Sequence[float]) -> Any:
    out = x * coefficients[-1]
    for c in coefficients[-2:0:-1]:
        out += c
        out *= x
    out += coefficients[0]
    return out


def _quotient(x: Any, pair: tuple[Sequence[float], Sequence[float]]) -> Any:
    out = _polynomial(x, pair[0])
    out /= _polynomial(x, pair[1])
    return out


def _narrow_erf(x: Any) -> Any:
    x = np.clip(x, -EDGE, EDGE).astype("float64")
    out = _quotient(x * x, NARROW)
    out *= x
    return out


def _tail(y: Any) -> Any:
    """erfc(y) for y > SMALL."""
    y = np.minimum(y, 27.0)  # where it is 0 in double precision
    out = _quotient(y, MIDDLE)
    far = y > LARGE
    if far.any():
        large = y[far]
        z = 1 / (large * large)
        out[far] = (1 / math.sqrt(math.pi) - z * _quotient(z, FAR)) / large
    # exp(-y * y) in two factors: the square of the first one's number is exact
    short = np.trunc(y * 16) / 16
    out *= np.exp(-short * short) * np.exp((short - y) * (short + y))
    return out


def _precise(x: Any, complement: bool) -> Any:
    """erf(x) in double precision, or 1 - erf(x)."""
    y, out = np.abs(x), np.empty_like(x)
    near = y <= SMALL
    small = x[near]
    inner = small * _quotient(small * small, NEAR)
    out[near] = 1 - inner if complement else inner
    outer = np.logical_not(near, out=near)
    tail = _tail(y[outer])
    sides = x[outer]
    out[outer] = np.where(sides < 0, 2 - tail, tail) if complement else np.copysign(1 - tail, sides)
    return out


def by_blocks(fn: Callable[[Any], Any], x: Any) -> Any:
    """A function of vectors on any tensor, block by block."""
    flat = x.reshape(-1)
    out = np.empty(flat.size, x.dtype)
    for start in range(0, flat.size, BLOCK):
        out[start : start + BLOCK] = fn(flat[start : start + BLOCK])
    return out.reshape(x.shape)


def erf(x: Any) -> Any:
    if x.dtype == np.float64:
        return by_blocks(lambda v: _precise(v, False), x)
    if x.dtype == np.float32:
        return by_blocks(_narrow_erf, x)
    return np.asarray(by_blocks(_narrow_erf, x.astype("float32"))).astype(x.dtype)


def erfc(x: Any) -> Any:
    if x.dtype == np.float64:
        return by_blocks(lambda v: _precise(v, True), x)
    return np.asarray(erfc(x.astype("float64"))).astype(x.dtype)


KERNELS: dict[str, Any] = {"erf": erf, "erfc": erfc}
