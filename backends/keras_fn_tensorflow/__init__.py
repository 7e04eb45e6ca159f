"""The TensorFlow backend of keras_fn."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf

from keras_fn.core import dtypes
from keras_fn.core.aligned import ROUND
from keras_fn.core.backend import Backend
from keras_fn.core.constants import Constants
from keras_fn_tensorflow import step
from keras_fn_tensorflow.kernels import KERNELS
from keras_fn_tensorflow.kernels.basic import cast
from keras_fn_tensorflow.kernels.numbers import constant
from keras_fn_tensorflow.module import TensorFlowLayer, TensorFlowVariable
from keras_fn_tensorflow.ragged import RaggedMethods
from keras_fn_tensorflow.sparse import SparseMethods


class TensorFlowBackend(SparseMethods, RaggedMethods, Backend):
    """Kernels over tf.Tensor; a cell is a tf.Variable; a compiled step is a tf.function."""

    name = "tensorflow"
    tensor_class = type(tf.constant(0.0))
    slices_cheaply = False  # each slice is a copy; a loop over gathered rows in the graph is faster
    variable_base = TensorFlowVariable
    layer_base = TensorFlowLayer
    kernels: dict[str, Callable[..., Any]] = KERNELS
    # a few of its kernels leave these out
    stand_ins = {"bool": "int32", "uint16": "int32", "uint32": "int64", "uint64": None, "float8_e4m3fn": "float32",
                 "float8_e5m2": "float32"}  # fmt: skip
    missing_kernel = (
        NotImplementedError, tf.errors.InvalidArgumentError, tf.errors.NotFoundError, tf.errors.UnimplementedError,
    )  # fmt: skip

    def __init__(self) -> None:
        self._constants = Constants(self.convert, self.tensor_class)

    def is_tensor(self, x: Any) -> bool:
        return isinstance(x, tf.Tensor)

    def dtype_of(self, x: Any) -> str:
        return _NAMES.get(x.dtype) or dtypes.standardize(x.dtype.name)

    def shape_of(self, x: Any) -> tuple[Any, ...]:
        static = x.shape.as_list()
        if x.__class__ in self.ragged_classes:
            return tuple(static)
        if None not in static:
            return tuple(static)
        dynamic = tf.cast(x.dense_shape, tf.int32) if x.__class__ in self.sparse_classes else tf.shape(x)
        return tuple(dynamic[i] if d is None else d for i, d in enumerate(static))

    def convert(self, x: Any, dtype: str | None) -> Any:
        if isinstance(x, tf.Variable):
            x = x.value()
        if isinstance(x, tf.Tensor):
            return x if dtype is None or x.dtype == dtype else cast(x, dtype)
        if x.__class__ in self.sparse_classes or x.__class__ in self.ragged_classes:
            return x if dtype is None or x.dtype == dtype else tf.cast(x, dtype)
        if dtype is None:
            dtype = _default_dtype(x)
        if isinstance(x, np.ndarray) and dtype is not None and x.dtype.kind in "biuf":
            return tf.convert_to_tensor(x.astype(tf.dtypes.as_dtype(dtype).as_numpy_dtype, copy=False))
        if isinstance(x, (float, int)) and dtype is not None and not isinstance(x, bool):
            return tf.cast(x, dtype) if dtype == "bool" else constant(x, dtype)
        return cast(tf.convert_to_tensor(x), dtype) if dtype is not None else tf.convert_to_tensor(x)

    def constant(self, number: Any, dtype: str) -> Any:
        return self._constants.get(number, dtype) if tf.executing_eagerly() else self.convert(number, dtype)

    def cast(self, x: Any, dtype: str) -> Any:
        return cast(x, dtype)

    def host_view(self, x: Any) -> Any:
        return x.numpy() if isinstance(x, self.tensor_class) and "CPU" in x.device else None

    def to_numpy(self, x: Any) -> Any:
        return np.asarray(x.numpy() if hasattr(x, "numpy") else x)

    def new_cell(self, value: Any, dtype: str, trainable: bool, name: str) -> Any:
        with tf.init_scope():
            return tf.Variable(self.convert(value, dtype), trainable=trainable, dtype=dtype)

    def adopt(self, array: Any) -> Any:
        if array.dtype.kind not in "biuf" or array.ctypes.data % ROUND:  # of which TensorFlow makes a copy
            return self.convert(array, array.dtype.name)
        return tf.experimental.dlpack.from_dlpack(array.__dlpack__())

    def read_cell(self, cell: Any) -> Any:
        return cell.value()

    def write_cell(self, cell: Any, value: Any) -> Any:
        cell.assign(value)
        return cell

    def set_cell_trainable(self, cell: Any, trainable: bool) -> None:
        cell._trainable = trainable

    def value_and_grad(self, fn: Callable[..., Any], variables: list[Any], has_aux: bool) -> Callable[..., Any]:
        return step.value_and_grad(fn, variables, has_aux)

    def compile_step(self, fn: Callable[..., Any], variables: Callable[[], list[Any]], jit: Any) -> Callable[..., Any]:
        return step.compile_step(fn, jit)

    def compile_loop(self, fn: Callable[..., Any], variables: Callable[[], list[Any]], jit: Any) -> Callable[..., Any]:
        return step.compile_loop(fn, jit)

    def loop_pays(self, seconds: float) -> bool:
        return seconds < 5e-3

    def seed_generator(self, seed: int) -> None:
        tf.random.set_seed(seed)

    def eager(self) -> bool:
        return tf.executing_eagerly()

    def abstract_call(self, fn: Callable[..., Any], specs: Any) -> Any:
        return step.abstract_call(fn, specs)


_NAMES = {tf.dtypes.as_dtype(n): n for n in ("float32", "float16", "bfloat16", "float64", "int32", "int64", "bool")}


def _default_dtype(x: Any) -> str | None:
    if hasattr(x, "dtype"):
        return None
    if isinstance(x, (list, tuple)) and any(isinstance(e, tf.Tensor) for e in x):
        return None
    kind = np.asarray(x).dtype.kind
    return dtypes.floatx() if kind == "f" else "int32" if kind == "i" else None


BACKEND = TensorFlowBackend()
