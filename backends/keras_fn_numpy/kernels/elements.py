"""Bits, complex numbers and special functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.core.spec import REGISTRY
from keras_fn.ops import elementwise, functions
from keras_fn_numpy.tables import numpy_dtype

# ops that NumPy has under the same name, with the same arguments
SAME = "bitwise_and bitwise_or bitwise_xor bitwise_not gcd lcm hypot cbrt exp2 logaddexp2 fmax fmin trunc signbit"


def typed(fn: Any) -> Any:
    """A kernel from a function that leaves the dtype of small floats."""
    return lambda x, *rest: np.asarray(fn(x, *rest)).astype(x.dtype, copy=False)


def view(x: Any, dtype: str) -> Any:
    return np.ascontiguousarray(x).reshape(x.shape).view(numpy_dtype(dtype))


def nextafter(x1: Any, x2: Any) -> Any:
    return np.nextafter(x1, x2)


def isin(x1: Any, x2: Any, assume_unique: bool, invert: bool) -> Any:
    return np.isin(x1, x2, invert=invert)


def where(condition: Any, x1: Any, x2: Any) -> Any:
    is_bool = isinstance(condition, np.ndarray) and condition.dtype == bool
    return (np.where if is_bool else elementwise.where.fn)(condition, x1, x2)


def ldexp(x1: Any, x2: Any) -> Any:
    if x1.dtype not in _FLOATS or x2.dtype not in _EXPONENTS:
        return functions.ldexp.fn(x1, x2)
    return np.ldexp(x1, x2)


_FLOATS = frozenset(map(np.dtype, ("float16", "float32", "float64")))
_EXPONENTS = frozenset(map(np.dtype, ("int8", "uint8", "int16", "uint16", "int32")))


def nan_extreme(name: str, meet: Any) -> Any:
    """A reduction that leaves NaN out, from a function of two numbers that does."""

    def kernel(x: Any, axis: Any, keepdims: bool) -> Any:
        if not x.size or not x.ndim or x.dtype not in _FLOATS:
            return REGISTRY[name].fn(x, axis, keepdims)
        return meet.reduce(x, axis=tuple(axis) if isinstance(axis, list) else axis, keepdims=keepdims)

    return kernel


KERNELS: dict[str, Any] = {
    "where": where,
    **{name: getattr(np, name) for name in SAME.split()},
    "bitwise_left_shift": np.left_shift,
    "bitwise_right_shift": np.right_shift,
    "_real": lambda x: x.real.copy(),
    "_imag": lambda x: x.imag.copy(),
    "_complex": lambda real, imag: np.asarray(real + imag * np.asarray(1j, np.result_type(real.dtype, "complex64"))),
    "conj": lambda x: np.conjugate(x) if x.dtype.kind == "c" else x,  # of bools it would be int8
    "_view": view,
    "i0": typed(np.i0),
    "nextafter": nextafter,
    "isin": isin,
    "copy": np.array,
    "ldexp": ldexp,
    "nanmax": nan_extreme("nanmax", np.fmax),
    "nanmin": nan_extreme("nanmin", np.fmin),
}
