"""Which backend is active, and settings that Keras keeps under this name."""

from __future__ import annotations

from typing import Any

from keras_fn.core import dtypes, naming
from keras_fn.core.backend import active, available, use, using
from keras_fn.core.dtypes import floatx, set_floatx
from keras_fn.core.settings import epsilon, image_data_format, set_epsilon, set_image_data_format
from keras_fn.graph.symbol import is_keras_tensor


def backend() -> str:
    """The active backend's name."""
    return active.backend.name


def clear_session(free_memory: bool = True) -> None:
    """Starts the numbering of names anew (`dense`, `dense_1`, …)."""
    naming.reset()
    if free_memory:
        import gc

        gc.collect()


def get_uid(prefix: str = "") -> int:
    """A number from 1 on for a prefix."""
    return naming.uid(prefix)


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype."""
    return dtypes.standardize(dtype)


def is_float_dtype(dtype: Any) -> bool:
    """Whether the dtype is a floating point type."""
    return dtypes.is_float(dtypes.standardize(dtype))


def is_int_dtype(dtype: Any) -> bool:
    """Whether the dtype is an integer type."""
    return dtypes.is_integer(dtypes.standardize(dtype))


def result_type(*found: Any) -> str:
    """The dtype that values of the given dtypes promote to."""
    return dtypes.result_type(*found)


__all__ = [
    "available",
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "image_data_format",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "result_type",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
    "use",
    "using",
]
