"""dtype names as NumPy dtypes."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np


@functools.cache
def numpy_dtype(name: str) -> Any:
    """The NumPy dtype of a name; bfloat16 and float8 come from ml_dtypes."""
    if name.startswith(("bfloat", "float8", "int4", "uint4")):
        import ml_dtypes

        return np.dtype(getattr(ml_dtypes, name))
    return np.dtype("O" if name == "string" else name)
