"""Tensors of Python numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf


def constant(number: Any, dtype: Any) -> Any:
    """The tensor of a number.

    TensorFlow keeps those that it makes of Python's numbers, by their values, so that it gives 0.0 for -0.0, or the
    other way round, whichever came first. It keeps none of NumPy's.
    """
    dtype = tf.dtypes.as_dtype(dtype)
    if not number and dtype.is_floating and isinstance(number, float):
        return tf.constant(np.array(number, dtype.as_numpy_dtype))
    return tf.constant(number, dtype)
