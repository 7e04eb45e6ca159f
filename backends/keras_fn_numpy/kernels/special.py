"""The inverse of the error function, in double precision."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.core.backend import using
from keras_fn.ops import error_functions


def erfinv(x: Any) -> Any:
    with using("numpy"):  # also where another backend computes with this kernel
        return np.asarray(error_functions.erfinv.fn(x.astype("float64"))).astype(x.dtype)


KERNELS: dict[str, Any] = {"erfinv": erfinv}
