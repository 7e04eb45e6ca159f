"""Ops on complex numbers and their parts."""

from __future__ import annotations

from typing import Any

import keras_fn.ops.shape as s
from keras_fn.core import dtypes, shapes
from keras_fn.core.errors import DtypeError, ShapeError
from keras_fn.core.op import floats, gives, mixes, op, promotes, same
from keras_fn.core.spec import Spec
from keras_fn.ops import elementwise as e
from keras_fn.ops.known import dtype_of

__all__ = ["angle", "conj", "conjugate", "imag", "isreal", "real", "view_as_complex", "view_as_real"]

_WHOLE = {"float16": "complex64", "bfloat16": "complex64", "float32": "complex64", "float64": "complex128"}


def is_complex(x: Any) -> bool:
    """Whether the dtype of a tensor or spec is a complex one."""
    return dtype_of(x) in dtypes.COMPLEX


@op(dtype=mixes("x"), shape=lambda x: Spec(x.shape, dtypes.PART[x.dtype]))
def _real(x):
    """The real part of a complex tensor."""


@op(dtype=mixes("x"), shape=lambda x: Spec(x.shape, dtypes.PART[x.dtype]))
def _imag(x):
    """The imaginary part of a complex tensor."""


def _complex_spec(real: Spec, imag: Spec) -> Spec:
    return Spec(shapes.broadcast(real.shape, imag.shape), _WHOLE[real.dtype])


@op(dtype=promotes("real", "imag", at_least="float"), shape=_complex_spec)
def _complex(real, imag):
    """A complex tensor from its parts, of float32 or float64."""


def complex_of(real: Any, imag: Any) -> Any:
    """A complex tensor from a real and an imaginary part; halves become float32 first."""
    parts = [e.cast(x, "float32") if dtype_of(x) in ("float16", "bfloat16") else x for x in (real, imag)]
    return _complex(*parts)


@op(dtype=same("x"), oracle="numpy.real")
def real(x):
    """The real part, element by element; a real tensor is its own.

    Args:
        x: tensor.

    Returns:
        Tensor of the shape of x; float32 for complex64, float64 for complex128, else the dtype of x.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.real([1 + 2j, 3 - 1j])).tolist()
        [1.0, 3.0]
    """
    return _real(x) if is_complex(x) else x


@op(dtype=same("x"), oracle="numpy.imag")
def imag(x):
    """The imaginary part, element by element; 0 everywhere for a real tensor.

    Args:
        x: tensor.

    Returns:
        Tensor of the shape of x; float32 for complex64, float64 for complex128, else the dtype of x.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.imag([1 + 2j, 3 - 1j])).tolist()
        [2.0, -1.0]
    """
    return _imag(x) if is_complex(x) else s.zeros_like(x)


@op(dtype=same("x"), oracle="numpy.conj")
def conj(x):
    """The complex conjugate: the imaginary part with the other sign; a real tensor is its own.

    Args:
        x: tensor.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.conj([1 + 2j])).tolist()
        [(1-2j)]
    """
    return _complex(_real(x), e.negative(_imag(x))) if is_complex(x) else x


@op(dtype=same("x"), oracle="numpy.conjugate")
def conjugate(x):
    """The complex conjugate; another name of `conj`.

    Args:
        x: tensor.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.conjugate([1 + 2j])).tolist()
        [(1-2j)]
    """
    return conj(x)


@op(dtype=floats("x"), oracle="numpy.angle")
def angle(x):
    """The angle of a complex number with the positive real axis, in radians between -pi and pi.

    A real number has the angle 0, or pi where it is negative.

    Args:
        x: tensor.

    Returns:
        Tensor of a real float dtype, of the shape of x.

    Example:
        >>> from keras_fn import ops
        >>> [round(float(a), 4) for a in ops.convert_to_numpy(ops.angle([1 + 1j, -1 + 0j]))]
        [0.7854, 3.1416]
    """
    return e.arctan2(_imag(x), _real(x)) if is_complex(x) else e.arctan2(s.zeros_like(x), x)


@op(dtype=gives("bool", "x"), oracle="numpy.isreal")
def isreal(x):
    """Where the imaginary part is 0.

    Args:
        x: tensor.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.isreal([1 + 0j, 1 + 2j])).tolist()
        [True, False]
    """
    return e.equal(_imag(x), 0) if is_complex(x) else s.ones_like(x, "bool")


@op(dtype=mixes("x"))
def view_as_complex(x):
    """Pairs of a real and an imaginary part, along the last axis, as complex numbers.

    Args:
        x: tensor of floats, of shape `(..., 2)`.

    Returns:
        Complex tensor of shape `(...)`.

    Raises:
        ShapeError: where the last axis is not of length 2.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.view_as_complex([[1.0, 2.0], [3.0, -1.0]])).tolist()
        [(1+2j), (3-1j)]
    """
    dims = tuple(x.shape)
    if not dims or dims[-1] not in (2, None):
        raise ShapeError(f"ops.view_as_complex: the last axis must hold 2 parts, and the shape is {dims}.")
    if not dtypes.is_float(dtype_of(x)):
        raise DtypeError(f"ops.view_as_complex: the parts must be floats, not {dtype_of(x)}. Cast them first.")
    return complex_of(s.get_item(x, (..., 0)), s.get_item(x, (..., 1)))


@op(dtype=mixes("x"))
def view_as_real(x):
    """Complex numbers as pairs of their real and imaginary part, along a new last axis.

    Args:
        x: complex tensor of shape `(...)`; a real one has imaginary parts of 0.

    Returns:
        Tensor of shape `(..., 2)`.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.view_as_real([1 + 2j])).tolist()
        [[1.0, 2.0]]
    """
    return s.stack([real(x), imag(x)], axis=-1)
