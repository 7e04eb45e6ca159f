"""The NumPy backend of keras_fn: inference and evaluation, and the oracle of the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_fn.core import dtypes
from keras_fn.core.backend import Backend
from keras_fn.core.errors import BackendError
from keras_fn_numpy.tables import numpy_dtype


class MaskedArray(np.ndarray):
    """A view that can carry `_keras_mask`, which a plain array cannot."""


_SCALARS = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64".split()


class NumpyBackend(Backend):
    """Kernels over NumPy arrays."""

    name = "numpy"
    tensor_class = np.ndarray
    # a reduction to one number gives one of NumPy's scalars
    tensor_classes = frozenset([np.ndarray, *(np.dtype(name).type for name in _SCALARS)])
    differentiable = False

    def __init__(self) -> None:
        from keras_fn_numpy.kernels import KERNELS

        self.kernels: dict[str, Callable[..., Any]] = KERNELS

    def is_tensor(self, x: Any) -> bool:
        return isinstance(x, (np.ndarray, np.generic))

    def dtype_of(self, x: Any) -> str:
        return dtypes.standardize(x.dtype)

    def convert(self, x: Any, dtype: str | None) -> Any:
        if isinstance(x, np.ndarray):
            return x if dtype is None else x.astype(numpy_dtype(dtype), copy=False)
        if dtype is None:
            dtype = default_dtype(x)
        return np.asarray(x, dtype=None if dtype is None else numpy_dtype(dtype))

    def constant(self, number: Any, dtype: str) -> Any:
        return np.asarray(number, numpy_dtype(dtype))

    def cast(self, x: Any, dtype: str) -> Any:
        return x.astype(numpy_dtype(dtype))

    def host_view(self, x: Any) -> Any:
        return np.asarray(x)

    def to_numpy(self, x: Any) -> Any:
        return np.asarray(x)

    def set_mask(self, x: Any, mask: Any) -> Any:
        view = x.view(MaskedArray)
        view._keras_mask = mask
        return view

    def new_cell(self, value: Any, dtype: str, trainable: bool, name: str) -> Any:
        return np.array(value, dtype=numpy_dtype(dtype))

    def fill(self, variable: Any, values: Any) -> None:
        variable._cell = values.astype(numpy_dtype(variable._dtype), copy=False)

    def write_cell(self, cell: Any, value: Any) -> Any:
        return np.array(value)

    def cell_memory(self, cell: Any) -> Any:
        return cell if cell.flags.c_contiguous and cell.flags.writeable else None

    def value_and_grad(self, fn: Any, variables: Any, has_aux: bool) -> Any:
        raise BackendError(
            "The numpy backend has no gradients: it is for inference and evaluation. To train, pick another backend "
            "before keras_fn is imported: KERAS_BACKEND=jax, torch or tensorflow."
        )

    def abstract_call(self, fn: Any, specs: Any) -> Any:
        raise BackendError("NumPy code cannot be evaluated on shapes alone: write it with keras_fn.ops.")


def default_dtype(x: Any) -> str | None:
    """The dtype that Python numbers and lists of them take: int32, or the default float. None for other things."""
    if hasattr(x, "dtype"):
        return None
    found = np.asarray(x).dtype
    if found.kind == "f":
        return dtypes.floatx()
    return "int32" if found.kind == "i" else None


BACKEND = NumpyBackend()
