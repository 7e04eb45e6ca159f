"""A backend of keras_fn over array-api-strict: inference and evaluation on arrays of the Python array API standard."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.core import dtypes
from keras_fn.core.backend import Backend
from keras_fn.core.errors import BackendError
from keras_fn_array_api.kernels import KERNELS, Array, from_host, to_host, xp_dtype


class ArrayApiBackend(Backend):
    """Kernels over arrays of the standard."""

    name = "array_api"
    tensor_class = Array
    differentiable = False
    kernels = KERNELS

    def is_tensor(self, x: Any) -> bool:
        return isinstance(x, Array)

    def dtype_of(self, x: Any) -> str:
        return dtypes.standardize(str(x.dtype).rpartition(".")[2])

    def convert(self, x: Any, dtype: str | None) -> Any:
        if isinstance(x, Array):
            return x if dtype is None else self.cast(x, dtype)
        array = np.asarray(x)
        if dtype is None and not hasattr(x, "dtype"):
            # Python's numbers, and lists of them: int32 and the default float
            dtype = {"f": dtypes.floatx(), "i": "int32"}.get(array.dtype.kind)
        name = dtypes.standardize(array.dtype) if dtype is None else dtype
        xp_dtype(name)
        return from_host(array.astype(name))

    def cast(self, x: Any, dtype: str) -> Any:
        return KERNELS["_cast"](x, dtype)

    def to_numpy(self, x: Any) -> Any:
        return to_host(x) if isinstance(x, Array) else np.asarray(x)

    def set_mask(self, x: Any, mask: Any) -> Any:
        copy = from_host(to_host(x))
        copy._keras_mask = mask
        return copy

    def new_cell(self, value: Any, dtype: str, trainable: bool, name: str) -> Any:
        # a copy, as the values may be an array that its owner writes later
        return from_host(np.array(to_host(self.convert(value, dtype))))

    def value_and_grad(self, fn: Any, variables: Any, has_aux: bool) -> Any:
        raise BackendError("The array API standard has no gradients. Take KERAS_BACKEND=jax, torch or tensorflow.")

    def abstract_call(self, fn: Any, specs: Any) -> Any:
        raise BackendError("Code of the array API cannot be evaluated on shapes alone: write it with keras_fn.ops.")


BACKEND = ArrayApiBackend()
