"""Arithmetic, comparisons, and functions of single elements.

They call generated ops: what `tf.add` and the operators do before those (looking for another implementation, naming,
converting) takes as long as the op itself, and has been done by then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_fn.core.ways import ByDtype
from keras_fn_tensorflow.kernels.division import floor_quotient, power, whole
from keras_fn_tensorflow.kernels.numbers import constant

raw = tf.raw_ops
Function = Callable[..., Any]

_UNSIGNED = (tf.uint8, tf.uint16, tf.uint32, tf.uint64)
_COMPLEX = (tf.complex64, tf.complex128)
_FLOATS = (tf.float16, tf.bfloat16, tf.float32, tf.float64, tf.dtypes.as_dtype("float8_e4m3fn"),
           tf.dtypes.as_dtype("float8_e5m2"))  # fmt: skip


def binary(fn: Function) -> Function:
    """A kernel of two tensors of one dtype."""
    return lambda x1, x2: fn(x=x1, y=x2)


def arithmetic(fn: Function, boolean: Function | None = None) -> ByDtype:
    """A kernel of two operands, one of which may be a number; a graph makes it a tensor only on the right.

    Args:
        fn: the generated op.
        boolean: another one for bools, where that does not take them.
    """

    def with_number(x1: Any, x2: Any) -> Any:
        kind = x1.__class__
        if kind is int or kind is float:
            x1 = constant(x1, x2.dtype)
        elif x2.__class__ is float and not x2:
            x2 = constant(x2, x1.dtype)
        return fn(x=x1, y=x2)

    return ByDtype(binary(fn), {tf.bool: binary(boolean)} if boolean else {}, with_number)


def unary(fn: Function) -> Function:
    """A kernel of one tensor."""
    return lambda x: fn(x=x)


def bools(usual: Function, boolean: Function) -> ByDtype:
    """A kernel that also takes bools, which TensorFlow's does not."""
    return ByDtype(usual, {tf.bool: boolean})


def unsigned(usual: Function, other: Function, *more: Any) -> ByDtype:
    """A kernel that also takes unsigned integers (and more dtypes), which TensorFlow's does not."""
    return ByDtype(usual, dict.fromkeys((*_UNSIGNED, *more), other))


def of_floats(fn: Function, other: Function) -> ByDtype:
    """A question about floats, whose answer is known for all else."""
    return ByDtype(other, dict.fromkeys(_FLOATS, unary(fn)))


def extreme(fn: Function) -> ByDtype:
    def of_bools(x1: Any, x2: Any) -> Any:
        return tf.cast(fn(x=tf.cast(x1, tf.uint8), y=tf.cast(x2, tf.uint8)), tf.bool)

    return bools(binary(fn), of_bools)


def order(fn: Function) -> ByDtype:
    """A comparison; false is less than true."""
    return bools(binary(fn), lambda x1, x2: fn(x=tf.cast(x1, tf.uint8), y=tf.cast(x2, tf.uint8)))


# TensorFlow's names of functions of one tensor
_UNARY = {
    "square": raw.Square, "floor": raw.Floor, "ceil": raw.Ceil, "exp": raw.Exp, "expm1": raw.Expm1, "log": raw.Log,
    "log1p": raw.Log1p, "sqrt": raw.Sqrt, "rsqrt": raw.Rsqrt, "sin": raw.Sin, "cos": raw.Cos, "tan": raw.Tan,
    "arcsin": raw.Asin, "arccos": raw.Acos, "arctan": raw.Atan, "sinh": raw.Sinh, "cosh": raw.Cosh, "tanh": raw.Tanh,
    "arcsinh": raw.Asinh, "arccosh": raw.Acosh, "arctanh": raw.Atanh, "erf": raw.Erf, "sigmoid": raw.Sigmoid,
    "logical_not": raw.LogicalNot,
}  # fmt: skip

KERNELS: dict[str, Any] = {
    **{name: unary(fn) for name, fn in _UNARY.items()},
    "add": arithmetic(raw.AddV2, raw.LogicalOr),
    "subtract": arithmetic(raw.Sub),
    "multiply": arithmetic(raw.Mul, raw.LogicalAnd),
    "true_divide": arithmetic(raw.RealDiv),
    "floor_divide": whole(tf.math.floordiv, floor_quotient),
    "mod": whole(tf.math.floormod, tf.math.floormod),
    "power": power,
    "maximum": extreme(raw.Maximum),
    "minimum": extreme(raw.Minimum),
    "arctan2": lambda x1, x2: raw.Atan2(y=x1, x=x2),
    "equal": binary(raw.Equal),
    "not_equal": binary(raw.NotEqual),
    "less": order(raw.Less),
    "less_equal": order(raw.LessEqual),
    "greater": order(raw.Greater),
    "greater_equal": order(raw.GreaterEqual),
    "logical_and": binary(raw.LogicalAnd),
    "logical_or": binary(raw.LogicalOr),
    "logical_xor": binary(raw.NotEqual),
    "isnan": of_floats(raw.IsNan, lambda x: tf.zeros_like(x, tf.bool)),
    "isinf": of_floats(raw.IsInf, lambda x: tf.zeros_like(x, tf.bool)),
    "isfinite": of_floats(raw.IsFinite, lambda x: tf.ones_like(x, tf.bool)),
    "_select": lambda condition, x1, x2: raw.SelectV2(condition=condition, t=x1, e=x2),
    # TensorFlow makes 0 - x into its own negation when it compiles, which it lacks for unsigned integers
    "negative": unsigned(unary(raw.Neg), lambda x: tf.bitwise.invert(x) + tf.ones_like(x)),
    "absolute": ByDtype(unary(raw.Abs), {**dict.fromkeys((*_UNSIGNED, tf.bool), lambda x: x),
                                         **dict.fromkeys(_COMPLEX, tf.abs)}),
    "sign": unsigned(unary(raw.Sign), lambda x: tf.cast(tf.sign(tf.cast(x, tf.int32)), x.dtype)),
    "relu": lambda x: raw.Relu(features=x),
}  # fmt: skip
