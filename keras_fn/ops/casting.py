"""Values in dtypes that may not hold them."""

from __future__ import annotations

from typing import Any

import numpy as np

import keras_fn.ops.shape as s
from keras_fn.core import dtypes
from keras_fn.core.op import mixes, op
from keras_fn.core.spec import Spec
from keras_fn.ops import elementwise as e

__all__ = ["saturate_cast"]

# the largest finite number of dtypes that NumPy does not know
_LARGEST = {"bfloat16": 3.3895313892515355e38, "float8_e4m3fn": 448.0, "float8_e5m2": 57344.0}


def _limit(dtype: str) -> float:
    return _LARGEST[dtype] if dtype in _LARGEST else float(np.finfo(dtype).max)


def _float_to_int(x: Any, dtype: str) -> Any:
    """Floats, cut to whole numbers that the dtype holds; NaN becomes 0."""
    x = x if s._dtype(x) in ("float32", "float64") else e.cast(x, "float32")
    limits = np.iinfo(dtype)
    # one above the largest number is a power of two, which a float holds exactly
    high, low = e.greater_equal(x, float(limits.max) + 1.0), e.less(x, float(limits.min))
    fits = e.logical_not(e.logical_or(e.logical_or(high, low), e.isnan(x)))
    inner = e.cast(e.where(fits, x, 0.0), dtype)
    edge = e.cast(e.where(high, 1, 0), "bool")
    top, bottom = (s.full_like(inner, int(v)) for v in (limits.max, limits.min))
    return e.where(edge, top, e.where(low, bottom, inner))


@op(dtype=mixes("x"))
def _saturate_cast(x, dtype):
    """`saturate_cast` to a dtype given by its standard name."""
    old = s._dtype(x)
    if isinstance(x, Spec):
        return Spec(x.shape, dtype)
    if old == "bool" or dtype == "bool" or dtype in dtypes.COMPLEX or old in dtypes.COMPLEX:
        return e.cast(x, dtype)
    if dtypes.is_integer(dtype) and dtypes.is_float(old):
        return _float_to_int(x, dtype)
    if dtypes.is_integer(dtype):
        have, want = np.iinfo(old), np.iinfo(dtype)
        low, high = (int(want.min) if want.min > have.min else None), (int(want.max) if want.max < have.max else None)
        return e.cast(x if low is None and high is None else e.clip(x, low, high), dtype)
    if dtypes.is_float(old) and _limit(dtype) < _limit(old):
        return e.cast(e.clip(x, -_limit(dtype), _limit(dtype)), dtype)
    return e.cast(x, dtype)


def saturate_cast(x: Any, dtype: Any) -> Any:
    """The tensor in another dtype; what that cannot hold becomes the nearest value that it can.

    Floats are cut towards 0 to become integers, and NaN becomes 0.

    Args:
        x: tensor.
        dtype: dtype name, or a NumPy or framework dtype.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.saturate_cast([-5.0, 1.7, 300.0], "uint8")).tolist()
        [0, 1, 255]
    """
    return _saturate_cast(x, dtypes.standardize(dtype))
