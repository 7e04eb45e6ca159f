"""More functions of numbers, element by element."""

from __future__ import annotations

import math

import keras_fn.ops.shape as s
from keras_fn.core import dtypes
from keras_fn.core.errors import DtypeError
from keras_fn.core.op import floats, gives, mixes, op, promotes, same
from keras_fn.ops import bits
from keras_fn.ops import elementwise as e
from keras_fn.ops import reduction as r
from keras_fn.ops.known import dtype_of

__all__ = [
    "allclose", "cbrt", "deg2rad", "exp2", "fabs", "fmax", "fmin", "fmod", "heaviside", "hypot", "i0", "isclose",
    "isin", "isneginf", "isposinf", "ldexp", "logaddexp2", "nextafter", "rad2deg", "signbit", "sinc", "trunc",
]  # fmt: skip


@op(dtype=floats("x"), oracle="numpy.cbrt")
def cbrt(x):
    """Cube root; that of a negative number is negative.

    Args:
        x: tensor.

    Example:
        >>> from keras_fn import ops
        >>> [round(float(v), 5) for v in ops.convert_to_numpy(ops.cbrt([-8.0, 0.0, 27.0]))]
        [-2.0, 0.0, 3.0]
    """
    ordinary = e.logical_and(e.isfinite(x), e.not_equal(x, 0))
    safe = e.where(ordinary, x, 1)
    root = e.multiply(e.sign(safe), e.power(e.absolute(safe), 1.0 / 3.0))
    # one step of Newton's method, as 1/3 is no floating point number
    root = e.subtract(root, e.true_divide(e.subtract(root, e.true_divide(safe, e.square(root))), 3.0))
    return e.where(ordinary, root, x)


@op(dtype=floats("x"), oracle="numpy.exp2")
def exp2(x):
    """2 to the power of x.

    Args:
        x: tensor.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.exp2([-1.0, 0.0, 3.0])).tolist()
        [0.5, 1.0, 8.0]
    """
    return e.power(2.0, x)


@op(dtype=floats("x"), oracle="numpy.fabs")
def fabs(x):
    """The distance from 0, as a float.

    Args:
        x: tensor.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.fabs([-2, 3])).tolist()
        [2.0, 3.0]
    """
    return e.absolute(x)


@op(dtype=floats("x"), oracle="numpy.deg2rad")
def deg2rad(x):
    """Degrees as radians: `x * pi / 180`.

    Args:
        x: tensor: angles in degrees.

    Example:
        >>> from keras_fn import ops
        >>> round(float(ops.convert_to_numpy(ops.deg2rad(180.0))), 5)
        3.14159
    """
    return e.multiply(x, math.pi / 180.0)


@op(dtype=floats("x"), oracle="numpy.rad2deg")
def rad2deg(x):
    """Radians as degrees: `x * 180 / pi`.

    Args:
        x: tensor: angles in radians.

    Example:
        >>> from keras_fn import ops
        >>> round(float(ops.convert_to_numpy(ops.rad2deg(3.14159265))), 3)
        180.0
    """
    return e.multiply(x, 180.0 / math.pi)


@op(dtype=floats("x"), shape=lambda x: x.shape, oracle="numpy.i0")
def i0(x):
    """The modified Bessel function of the first kind, of order 0.

    Args:
        x: tensor.

    Example:
        >>> from keras_fn import ops
        >>> [round(float(v), 4) for v in ops.convert_to_numpy(ops.i0([0.0, 1.0]))]
        [1.0, 1.2661]
    """


@op(dtype=floats("x"), oracle="numpy.sinc")
def sinc(x):
    """`sin(pi * x) / (pi * x)`, and 1 at 0.

    Args:
        x: tensor.

    Example:
        >>> from keras_fn import ops
        >>> [round(float(v), 4) for v in ops.convert_to_numpy(ops.sinc([0.0, 0.5]))]
        [1.0, 0.6366]
    """
    zero = e.equal(x, 0)
    scaled = e.multiply(e.where(zero, 1, x), math.pi)
    return e.where(zero, 1, e.true_divide(e.sin(scaled), scaled))


@op(dtype=floats("x1", "x2"), oracle="numpy.hypot")
def hypot(x1, x2):
    """The long side of a right triangle: `sqrt(x1**2 + x2**2)`, without overflow on the way.

    Infinite where either is infinite, also where the other is NaN.

    Args:
        x1, x2: tensors whose shapes broadcast: the short sides.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.hypot([3.0, 5.0], [4.0, 12.0])).round(4).tolist()
        [5.0, 13.0]
    """
    a, b = e.absolute(x1), e.absolute(x2)
    high, low = e.maximum(a, b), e.minimum(a, b)
    ratio = e.true_divide(low, e.where(e.equal(high, 0), 1, high))
    length = e.multiply(high, e.sqrt(e.add(e.square(ratio), 1)))
    return e.where(e.logical_or(e.isinf(a), e.isinf(b)), math.inf, length)


@op(dtype=floats("x1", "x2"), oracle="numpy.heaviside")
def heaviside(x1, x2):
    """The step function: 0 below 0, 1 above, and `x2` at 0; NaN stays.

    Args:
        x1: tensor.
        x2: tensor: the values where `x1` is 0.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.heaviside([-2.0, 0.0, 3.0], 0.5)).tolist()
        [0.0, 0.5, 1.0]
    """
    step = e.where(e.less(x1, 0), 0, e.where(e.greater(x1, 0), 1, x1))
    return e.where(e.equal(x1, 0), x2, step)


@op(dtype=floats("x1", "x2"), oracle="numpy.logaddexp2")
def logaddexp2(x1, x2):
    """`log2(2**x1 + 2**x2)` without overflow.

    Args:
        x1, x2: tensors whose shapes broadcast.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.logaddexp2([3.0], [3.0])).tolist()
        [4.0]
    """
    same = e.equal(x1, x2)
    # equal ones share the gradient, and infinite ones have no difference
    high = e.where(same, e.add(e.multiply(x1, 0.5), e.multiply(x2, 0.5)), e.maximum(x1, x2))
    apart = e.where(same, 0.0, e.subtract(e.minimum(x1, x2), high))
    return e.add(high, e.true_divide(e.log1p(exp2(apart)), math.log(2.0)))


@op(dtype=promotes("x1", "x2"), oracle="numpy.fmax")
def fmax(x1, x2):
    """The larger of two, element by element; where one is NaN, the other.

    Args:
        x1, x2: tensors whose shapes broadcast.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.fmax([1.0, float("nan")], [3.0, 2.0])).tolist()
        [3.0, 2.0]
    """
    return e.where(e.isnan(x1), x2, e.where(e.isnan(x2), x1, e.maximum(x1, x2)))


@op(dtype=promotes("x1", "x2"), oracle="numpy.fmin")
def fmin(x1, x2):
    """The smaller of two, element by element; where one is NaN, the other.

    Args:
        x1, x2: tensors whose shapes broadcast.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.fmin([1.0, float("nan")], [3.0, 2.0])).tolist()
        [1.0, 2.0]
    """
    return e.where(e.isnan(x1), x2, e.where(e.isnan(x2), x1, e.minimum(x1, x2)))


@op(dtype=promotes("x1", "x2", at_least="int"), oracle="numpy.fmod")
def fmod(x1, x2):
    """Remainder of the division rounded towards 0; it has the sign of `x1` (that of `mod` has the sign of `x2`).

    By 0 it is NaN, and 0 for integers.

    Args:
        x1, x2: tensors whose shapes broadcast.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.fmod([-7.0, 7.0], [3.0, -3.0])).tolist()
        [-1.0, 1.0]
    """
    if dtypes.is_float(dtype_of(x1)):
        rest = e.mod(e.absolute(x1), e.absolute(x2))  # of two that are not negative, both remainders agree
        rest = e.where(e.less(x1, 0), e.negative(rest), rest)
        return e.where(e.logical_and(e.equal(x1, 0), e.equal(rest, 0)), x1, rest)  # -0.0 stays
    x2 = e.where(e.equal(x2, 0), 1, x2)
    rest = e.mod(x1, x2)
    turned = e.logical_and(e.not_equal(rest, 0), e.not_equal(e.less(x1, 0), e.less(x2, 0)))
    return e.where(turned, e.subtract(rest, x2), rest)


@op(dtype=same("x"), oracle="numpy.trunc")
def trunc(x):
    """The number without its fraction: rounded towards 0.

    Args:
        x: tensor; integers and bools stay as they are.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.trunc([-1.7, 1.7])).tolist()
        [-1.0, 1.0]
    """
    if not dtypes.is_float(dtype_of(x)):
        return x
    return e.where(e.less(x, 0), e.ceil(x), e.floor(x))


# --- the form of floating point numbers
# dtype -> the integer of the same size, the number of bits of the fraction, the exponent that stands for 0
_FORM = {
    "float16": ("int16", 10, 15), "bfloat16": ("int16", 7, 127), "float32": ("int32", 23, 127),
    "float64": ("int64", 52, 1023),
}  # fmt: skip


@op(dtype=gives("bool", "x"), oracle="numpy.signbit")
def signbit(x):
    """Where the sign is minus: also of -0.0, and of a NaN whose sign bit is set.

    Args:
        x: tensor.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.signbit([-1.0, -0.0, 0.0, 2.0])).tolist()
        [True, True, False, False]
    """
    name = dtype_of(x)
    return e.less(bits.view(x, _FORM[name][0]) if name in _FORM else x, 0)


@op(dtype=floats("x1", "x2"), oracle="numpy.nextafter")
def nextafter(x1, x2):
    """The next floating point number after `x1` in the direction of `x2`.

    Args:
        x1: tensor: where to start.
        x2: tensor: where to go; where it equals `x1`, it is the result.

    Returns:
        Tensor of a float dtype.

    Example:
        >>> from keras_fn import ops
        >>> float(ops.convert_to_numpy(ops.nextafter(1.0, 2.0))) - 1.0
        1.1920928955078125e-07
    """
    name = dtype_of(x1)
    integer, _, _ = _FORM[name]
    sign = -(1 << (int(integer[3:]) - 1))
    # floats of one sign lie in the order of their bits; all comparisons are on bits, as some devices take the
    # smallest floats for 0
    a, b = bits.view(x1, integer), bits.view(x2, integer)
    size_a, size_b = bits.bitwise_and(a, -1 - sign), bits.bitwise_and(b, -1 - sign)
    away = e.logical_and(e.equal(e.less(a, 0), e.less(b, 0)), e.greater(size_b, size_a))
    moved = e.where(away, e.add(a, 1), e.subtract(a, 1))
    first = e.add(bits.bitwise_and(b, sign), 1)  # the smallest number there is, of the sign of x2
    moved = e.where(e.equal(size_a, 0), first, moved)
    stays = e.logical_or(e.equal(a, b), e.logical_and(e.equal(size_a, 0), e.equal(size_b, 0)))
    found = bits.view(e.where(stays, b, moved), name)
    return e.where(e.logical_or(e.isnan(x1), e.isnan(x2)), math.nan, found)


@op(dtype=mixes("x1", "x2"), oracle="numpy.ldexp")
def ldexp(x1, x2):
    """`x1 * 2**x2`, without overflow on the way.

    Args:
        x1: tensor.
        x2: tensor of integers: exponents.

    Returns:
        Tensor of the dtype of `x1` (the default float where that is no float).

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.ldexp([0.75, 5.0], [2, -1])).tolist()
        [3.0, 2.5]
    """
    if not dtypes.is_integer(dtype_of(x2)):
        raise DtypeError(f"ops.ldexp: the exponents `x2` must be integers, not {dtype_of(x2)}. Cast them first.")
    name = dtypes.at_least_float(dtype_of(x1))
    integer, fraction, zero = _FORM[name]
    x = e.cast(x1, name)
    # three factors reach from the smallest float to past the largest, while each of them is a plain float itself
    reach = 3 * (zero - 1)
    exponent = e.cast(e.clip(e.cast(x2, _signed(dtype_of(x2))), -reach, reach), "int32")
    parts = [e.floor_divide(e.add(exponent, i), 3) for i in range(3)]
    for part in parts:
        power = bits.view(e.multiply(e.cast(e.add(part, zero), integer), 1 << fraction), name)
        x = e.multiply(x, power)
    return x


def _signed(name: str) -> str:
    """A signed integer dtype that holds the dtype's values, or as many of them as any exponent needs."""
    return {"uint32": "int64", "uint64": "int64"}.get(name, "int32" if name != "int64" else name)


# --- closeness and membership
@op(dtype=gives("bool", "x"), oracle="numpy.isposinf")
def isposinf(x):
    """Where x is plus infinity.

    Args:
        x: tensor.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.isposinf([1.0, float("inf"), -float("inf")])).tolist()
        [False, True, False]
    """
    return e.logical_and(e.isinf(x), e.greater(x, 0))


@op(dtype=gives("bool", "x"), oracle="numpy.isneginf")
def isneginf(x):
    """Where x is minus infinity.

    Args:
        x: tensor.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.isneginf([1.0, float("inf"), -float("inf")])).tolist()
        [False, False, True]
    """
    return e.logical_and(e.isinf(x), e.less(x, 0))


@op(dtype=floats("x1", "x2"), oracle="numpy.isclose")
def isclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Where two are equal up to a tolerance: `abs(x1 - x2) <= atol + rtol * abs(x2)`.

    Args:
        x1, x2: tensors whose shapes broadcast. Infinities are close to themselves alone.
        rtol: tolerance relative to `x2`.
        atol: absolute tolerance.
        equal_nan: whether NaN is close to NaN.

    Returns:
        Tensor of bools.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.isclose([1.0, 2.0], [1.000001, 2.1])).tolist()
        [True, False]
    """
    finite = e.logical_and(e.isfinite(x1), e.isfinite(x2))
    near = e.less_equal(e.absolute(e.subtract(x1, x2)), e.add(atol, e.multiply(rtol, e.absolute(x2))))
    close = e.logical_or(e.equal(x1, x2), e.logical_and(finite, near))
    return e.logical_or(close, e.logical_and(e.isnan(x1), e.isnan(x2))) if equal_nan else close


@op(dtype=floats("x1", "x2"), oracle="numpy.allclose")
def allclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether all elements are equal up to a tolerance, see `isclose`.

    Args:
        x1, x2: tensors whose shapes broadcast.
        rtol: tolerance relative to `x2`.
        atol: absolute tolerance.
        equal_nan: whether NaN is close to NaN.

    Returns:
        Scalar tensor of bool.

    Example:
        >>> from keras_fn import ops
        >>> bool(ops.convert_to_numpy(ops.allclose([1.0, 2.0], [1.0, 2.0000001])))
        True
    """
    return r.all(isclose(x1, x2, rtol, atol, equal_nan))


@op(dtype=promotes("x1", "x2"), oracle="numpy.isin")
def isin(x1, x2, assume_unique=False, invert=False):
    """Where elements of `x1` are among those of `x2`. NaN is among nothing.

    Args:
        x1: tensor.
        x2: tensor of any shape: what to look for.
        assume_unique: whether both hold every value once (a hint).
        invert: True for where they are not among them.

    Returns:
        Tensor of bools, of the shape of `x1`.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.isin([1, 2, 3], [3, 1])).tolist()
        [True, False, True]
    """
    found = r.any(e.equal(s.expand_dims(x1, -1), s.ravel(x2)), axis=-1)
    return e.logical_not(found) if invert else found
