"""Settings of the library."""

from __future__ import annotations

from keras_fn.backend import backend, epsilon, floatx, image_data_format, set_epsilon, set_floatx, set_image_data_format
from keras_fn.dtype_policies import dtype_policy, set_dtype_policy

__all__ = [
    "backend",
    "dtype_policy",
    "epsilon",
    "floatx",
    "image_data_format",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
]
