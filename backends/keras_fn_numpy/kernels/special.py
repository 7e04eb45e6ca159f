"""Kin of the error function, in double precision."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_fn.core.backend import using
from keras_fn.ops import error_functions


def erfc(x: Any) -> Any:
    return np.vectorize(math.erfc, otypes=[np.float64])(x).astype(x.dtype)


def erfinv(x: Any) -> Any:
    with using("numpy"):  # also where another backend computes with this kernel
        return np.asarray(error_functions.erfinv.fn(x.astype("float64"))).astype(x.dtype)


KERNELS: dict[str, Any] = {"erfc": erfc, "erfinv": erfinv}
