"""Ops that work element by element."""

from __future__ import annotations

import math
from typing import Any

from keras_fn.core import dtypes, shapes
from keras_fn.core.errors import DtypeError
from keras_fn.core.op import DtypeRule, casts, compares, floats, gives, mixes, op, promotes, same
from keras_fn.core.spec import Spec

__all__ = [
    "abs", "absolute", "add", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "cast",
    "ceil", "clip", "cos", "cosh", "divide", "divide_no_nan", "equal", "erf", "exp", "expm1", "floor",
    "floor_divide", "greater", "greater_equal", "isfinite", "isinf", "isnan", "less", "less_equal", "log",
    "log1p", "log2", "log10", "logaddexp", "logical_and", "logical_not", "logical_or", "logical_xor", "maximum",
    "minimum", "mod", "multiply", "nan_to_num", "negative", "not_equal", "power", "reciprocal", "round", "rsqrt",
    "sigmoid", "sign", "sin", "sinh", "sqrt", "square", "squared_difference", "stop_gradient", "subtract", "tan",
    "tanh", "true_divide", "where",
]  # fmt: skip


# --- shape rules
def broadcasts(x1: Spec, x2: Spec) -> shapes.Shape:
    """Two operands that broadcast."""
    return shapes.broadcast(x1.shape, x2.shape)


def keeps(x: Spec, *rest: Any) -> shapes.Shape:
    """The shape of the first operand."""
    return x.shape


def differences(*params: str, scalars: bool = False) -> DtypeRule:
    """All tensors to their common dtype, which also comes out, and must not be bool: what is false less true?"""

    def agree(*found: Any) -> tuple[str, str]:
        out = dtypes.result_type(*found)
        if out == "bool":
            raise DtypeError(
                "Bools have no difference. Cast one with `ops.cast(x, 'int32')`, or take `ops.logical_xor` for where "
                "they differ."
            )
        return out, out

    return DtypeRule(params, agree, scalars)


# --- arithmetic
@op(dtype=promotes("x1", "x2", scalars=True), shape=broadcasts, oracle="numpy.add")
def add(x1, x2):
    """Sum, element by element: `x1 + x2`.

    Args:
        x1, x2: tensors whose shapes broadcast.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.add([1.0, 2.0], 1)).tolist()
        [2.0, 3.0]
    """


@op(dtype=differences("x1", "x2", scalars=True), shape=broadcasts, oracle="numpy.subtract")
def subtract(x1, x2):
    """Difference, element by element: `x1 - x2`."""


@op(dtype=promotes("x1", "x2", scalars=True), shape=broadcasts, oracle="numpy.multiply")
def multiply(x1, x2):
    """Product, element by element: `x1 * x2`."""


@op(dtype=promotes("x1", "x2", at_least="float", scalars=True), shape=broadcasts, oracle="numpy.true_divide")
def true_divide(x1, x2):
    """Quotient, element by element; integers become the default float."""


@op(dtype=promotes("x1", "x2", at_least="float"), oracle="numpy.divide")
def divide(x1, x2):
    """Quotient, element by element; integers become the default float."""
    return true_divide(x1, x2)


@op(dtype=promotes("x1", "x2", at_least="float"))
def divide_no_nan(x1, x2):
    """Quotient, element by element, and 0 wherever `x2` is 0."""
    zero = equal(x2, 0)
    return where(zero, 0, true_divide(x1, where(zero, 1, x2)))


@op(dtype=promotes("x1", "x2", at_least="int"), shape=broadcasts, oracle="numpy.floor_divide")
def floor_divide(x1, x2):
    """The largest integer not above the quotient."""


@op(dtype=promotes("x1", "x2", at_least="int"), shape=broadcasts, oracle="numpy.mod")
def mod(x1, x2):
    """Remainder of the floor division; it has the sign of `x2`."""


@op(dtype=promotes("x1", "x2", at_least="int"), shape=broadcasts, oracle="numpy.power")
def power(x1, x2):
    """`x1` to the power of `x2`, element by element."""


@op(dtype=promotes("x1", "x2"), shape=broadcasts, oracle="numpy.maximum")
def maximum(x1, x2):
    """The larger of two, element by element; NaN where either is NaN."""


@op(dtype=promotes("x1", "x2"), shape=broadcasts, oracle="numpy.minimum")
def minimum(x1, x2):
    """The smaller of two, element by element; NaN where either is NaN."""


@op(dtype=floats("x1", "x2"), shape=broadcasts, oracle="numpy.arctan2")
def arctan2(x1, x2):
    """Angle, in radians, of the point `(x2, x1)` as seen from the origin."""


@op(dtype=floats("x1", "x2"), oracle="numpy.logaddexp")
def logaddexp(x1, x2):
    """`log(exp(x1) + exp(x2))` without overflow."""
    tie = equal(x1, x2)
    # equal ones share the gradient, and infinite ones have no difference
    high = where(tie, add(multiply(x1, 0.5), multiply(x2, 0.5)), maximum(x1, x2))
    return add(high, log1p(exp(where(tie, 0.0, subtract(minimum(x1, x2), high)))))


@op(dtype=promotes("x1", "x2"))
def squared_difference(x1, x2):
    """`(x1 - x2) ** 2`."""
    return square(subtract(x1, x2))


# --- comparison and logic
@op(dtype=compares("x1", "x2"), shape=broadcasts, oracle="numpy.equal")
def equal(x1, x2):
    """Where two are equal."""


@op(dtype=compares("x1", "x2"), shape=broadcasts, oracle="numpy.not_equal")
def not_equal(x1, x2):
    """Where two differ."""


@op(dtype=compares("x1", "x2"), shape=broadcasts, oracle="numpy.less")
def less(x1, x2):
    """Where `x1 < x2`."""


@op(dtype=compares("x1", "x2"), shape=broadcasts, oracle="numpy.less_equal")
def less_equal(x1, x2):
    """Where `x1 <= x2`."""


@op(dtype=compares("x1", "x2"), shape=broadcasts, oracle="numpy.greater")
def greater(x1, x2):
    """Where `x1 > x2`."""


@op(dtype=compares("x1", "x2"), shape=broadcasts, oracle="numpy.greater_equal")
def greater_equal(x1, x2):
    """Where `x1 >= x2`."""


@op(dtype=casts("bool", "x1", "x2"), shape=broadcasts, oracle="numpy.logical_and")
def logical_and(x1, x2):
    """Where both are true (not zero)."""


@op(dtype=casts("bool", "x1", "x2"), shape=broadcasts, oracle="numpy.logical_or")
def logical_or(x1, x2):
    """Where either is true (not zero)."""


@op(dtype=casts("bool", "x1", "x2"), shape=broadcasts, oracle="numpy.logical_xor")
def logical_xor(x1, x2):
    """Where exactly one is true (not zero)."""


@op(dtype=casts("bool", "x"), shape=keeps, oracle="numpy.logical_not")
def logical_not(x):
    """Where x is false (zero)."""


@op(dtype=gives("bool", "x"), shape=keeps, oracle="numpy.isnan")
def isnan(x):
    """Where x is not a number."""


@op(dtype=gives("bool", "x"), shape=keeps, oracle="numpy.isinf")
def isinf(x):
    """Where x is plus or minus infinity."""


@op(dtype=gives("bool", "x"), shape=keeps, oracle="numpy.isfinite")
def isfinite(x):
    """Where x is neither NaN nor infinite."""


def _where_shape(condition: Spec, x1: Spec, x2: Spec) -> shapes.Shape:
    return shapes.broadcast(condition.shape, x1.shape, x2.shape)


@op(dtype=mixes("condition", "x1", "x2", out=lambda c, a, b: dtypes.result_type(a, b)), shape=_where_shape)
def _select(condition, x1, x2):
    """`where` over operands that agree already."""


@op(dtype=promotes("x1", "x2"))
def where(condition, x1, x2):
    """Elements of `x1` where the condition is true, of `x2` elsewhere; the three broadcast."""
    if getattr(condition, "dtype", None) is None or dtypes.standardize(condition.dtype) != "bool":
        condition = cast(condition, "bool")
    return _select(condition, x1, x2)


# --- one operand, any number
@op(dtype=promotes("x", at_least="int"), shape=keeps, oracle="numpy.negative")
def negative(x):
    """`-x`."""


def _size_of(x: Any) -> tuple[str, str]:
    """What has a real and an imaginary part has a size of their dtype."""
    found = dtypes.result_type(x)
    return found, dtypes.PART.get(found, found)


@op(dtype=DtypeRule(("x",), _size_of), shape=keeps, oracle="numpy.absolute")
def absolute(x):
    """The distance from 0."""


@op(dtype=same("x"))
def abs(x):
    """The distance from 0."""
    return absolute(x)


@op(dtype=promotes("x", at_least="int"), shape=keeps, oracle="numpy.sign")
def sign(x):
    """-1, 0 or 1."""


@op(dtype=promotes("x", at_least="int"), shape=keeps, oracle="numpy.square")
def square(x):
    """`x * x`."""


def _within(x: Any, *limits: Any) -> tuple[str, str]:
    """A bool between limits is a number, 0 or 1."""
    out = dtypes.result_type("int32" if x == "bool" else x, *limits)
    return out, out


@op(dtype=DtypeRule(("x", "x_min", "x_max"), _within, keeps_scalars=True), oracle="numpy.clip")
def clip(x, x_min, x_max):
    """Values below `x_min` become `x_min`, values above `x_max` become `x_max`."""
    if x_min is not None:
        x = maximum(x, x_min)
    return x if x_max is None else minimum(x, x_max)


@op(dtype=promotes("x", at_least="float"), shape=keeps, oracle="numpy.floor")
def floor(x):
    """The largest integer not above x."""


@op(dtype=promotes("x", at_least="float"), shape=keeps, oracle="numpy.ceil")
def ceil(x):
    """The smallest integer not below x."""


@op(dtype=promotes("x", at_least="int"), shape=keeps, oracle="numpy.round")
def round(x, decimals=0):
    """The nearest number with `decimals` decimals; halves go to the even neighbour."""


# --- one operand, floats
@op(dtype=floats("x"), shape=keeps, oracle="numpy.exp")
def exp(x):
    """e to the power of x."""


@op(dtype=floats("x"), shape=keeps, oracle="numpy.expm1")
def expm1(x):
    """`exp(x) - 1`, exact for small x."""


@op(dtype=floats("x"), shape=keeps, oracle="numpy.log")
def log(x):
    """Natural logarithm."""


@op(dtype=floats("x"), shape=keeps, oracle="numpy.log1p")
def log1p(x):
    """`log(1 + x)`, exact for small x."""


@op(dtype=floats("x"), oracle="numpy.log2")
def log2(x):
    """Logarithm to base 2."""
    return true_divide(log(x), math.log(2.0))


@op(dtype=floats("x"), oracle="numpy.log10")
def log10(x):
    """Logarithm to base 10."""
    return true_divide(log(x), math.log(10.0))


@op(dtype=floats("x"), shape=keeps, oracle="numpy.sqrt")
def sqrt(x):
    """Square root."""


@op(dtype=floats("x"), shape=keeps)
def rsqrt(x):
    """`1 / sqrt(x)`."""


@op(dtype=floats("x"), oracle="numpy.reciprocal")
def reciprocal(x):
    """`1 / x`."""
    return true_divide(1.0, x)


@op(dtype=floats("x"), shape=keeps, oracle="numpy.sin")
def sin(x):
    """Sine; x in radians."""


@op(dtype=floats("x"), shape=keeps, oracle="numpy.cos")
def cos(x):
    """Cosine; x in radians."""


@op(dtype=floats("x"), shape=keeps, oracle="numpy.tan")
def tan(x):
    """Tangent; x in radians."""


@op(dtype=floats("x"), shape=keeps, oracle="numpy.arcsin")
def arcsin(x):
    """Angle in radians whose sine is x."""


@op(dtype=floats("x"), shape=keeps, oracle="numpy.arccos")
def arccos(x):
    """Angle in radians whose cosine is x."""


@op(dtype=floats("x"), shape=keeps, oracle="numpy.arctan")
def arctan(x):
    """Angle in radians whose tangent is x."""


@op(dtype=floats("x"), shape=keeps, oracle="numpy.sinh")
def sinh(x):
    """Hyperbolic sine."""


@op(dtype=floats("x"), shape=keeps, oracle="numpy.cosh")
def cosh(x):
    """Hyperbolic cosine."""


@op(dtype=floats("x"), shape=keeps, oracle="numpy.tanh")
def tanh(x):
    """Hyperbolic tangent."""


@op(dtype=floats("x"), shape=keeps, oracle="numpy.arcsinh")
def arcsinh(x):
    """Inverse hyperbolic sine."""


@op(dtype=floats("x"), shape=keeps, oracle="numpy.arccosh")
def arccosh(x):
    """Inverse hyperbolic cosine."""


@op(dtype=floats("x"), shape=keeps, oracle="numpy.arctanh")
def arctanh(x):
    """Inverse hyperbolic tangent."""


@op(dtype=floats("x"), shape=keeps)
def erf(x):
    """Error function: `2 / sqrt(pi)` times the integral of `exp(-t**2)` from 0 to x."""


@op(dtype=floats("x"), shape=keeps)
def sigmoid(x):
    """`1 / (1 + exp(-x))`."""


# --- dtype and gradient
@op(dtype=mixes("x"), shape=lambda x, dtype: Spec(x.shape, dtype))
def _cast(x, dtype):
    """`cast` to a dtype given by its standard name."""


def cast(x: Any, dtype: Any) -> Any:
    """The tensor in another dtype.

    Args:
        x: tensor.
        dtype: dtype name, or a NumPy or framework dtype.
    """
    dtype = dtypes.standardize(dtype)
    return x if isinstance(x, Spec) and x.dtype == dtype else _cast(x, dtype)


@op(dtype=same("variable"), shape=keeps)
def stop_gradient(variable):
    """The value itself, as a constant in the eyes of differentiation."""


@op(dtype=same("x"))
def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """NaN becomes `nan`; infinities become `posinf` and `neginf`, by default the largest finite numbers.

    Integers and bools, which are always finite, stay as they are.
    """
    import numpy as np

    name = x.dtype if isinstance(x, Spec) else dtypes.standardize(x.dtype)
    if name in dtypes.INTEGERS or name == "bool":
        return x
    largest = float(np.finfo(name).max) if name in ("float16", "float32", "float64") else 3.3895313892515355e38
    x = where(isnan(x), nan, x)
    x = where(equal(x, math.inf), largest if posinf is None else posinf, x)
    return where(equal(x, -math.inf), -largest if neginf is None else neginf, x)
