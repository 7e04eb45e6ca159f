"""Settings of the library."""

from __future__ import annotations

from keras_fn.backend import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
    use,
)
from keras_fn.dtype_policies import dtype_policy, set_dtype_policy


def set_backend(backend: str) -> None:
    """Makes the backend of that name the active one, for what is created from now on: `keras_fn.backend.use`."""
    use(backend)


__all__ = [
    "backend",
    "dtype_policy",
    "epsilon",
    "floatx",
    "image_data_format",
    "set_backend",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
]
