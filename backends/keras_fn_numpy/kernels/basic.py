"""Elementwise ops, reductions, shapes, products."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_fn_numpy.tables import numpy_dtype

# ops that NumPy has under the same name, with the same arguments
SAME = (
    "add subtract multiply floor_divide power maximum minimum arctan2 equal not_equal less less_equal greater "
    "greater_equal logical_and logical_or logical_xor logical_not isnan isinf isfinite negative absolute sign square "
    "floor ceil round exp expm1 log log1p sqrt sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh "
    "transpose expand_dims squeeze broadcast_to concatenate stack tile repeat take_along_axis "
    "true_divide mod sort"
).split()


def reduction(fn: Any, dtype: Any = None) -> Any:
    """A kernel from a NumPy reduction that would widen integers."""
    return lambda x, axis, keepdims: fn(x, axis=_axis(axis), keepdims=keepdims, dtype=dtype or x.dtype)


def _axis(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


def plain(fn: Any) -> Any:
    return lambda x, axis, keepdims: fn(x, axis=_axis(axis), keepdims=keepdims)


def arg(fn: Any) -> Any:
    return lambda x, axis, keepdims: np.asarray(fn(x, axis=axis, keepdims=keepdims)).astype("int32")


def cumulative(fn: Any) -> Any:
    return lambda x, axis: fn(x, axis=axis, dtype=x.dtype)


def sigmoid(x: Any) -> Any:
    z = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + z), z / (1 + z)).astype(x.dtype)


def erf(x: Any) -> Any:
    return np.vectorize(math.erf, otypes=[np.float64])(x).astype(x.dtype)


def softmax(x: Any, axis: int) -> Any:
    z = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return z / np.sum(z, axis=axis, keepdims=True)


def log_softmax(x: Any, axis: int) -> Any:
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def take(x: Any, indices: Any, axis: Any) -> Any:
    return np.take(x, indices, axis=axis)


def slice_(x: Any, start: Any, shape: Any) -> Any:
    return x[tuple(slice(int(a), int(a) + n) for a, n in zip(start, shape, strict=True))]


def slice_update(x: Any, start: Any, updates: Any) -> Any:
    out = x.copy()
    out[tuple(slice(int(a), int(a) + n) for a, n in zip(start, updates.shape, strict=True))] = updates
    return out


def segment_sum(values: Any, ids: Any, num: int) -> Any:
    out = np.zeros((num, *values.shape[1:]), values.dtype)
    inside = (ids >= 0) & (ids < num)
    np.add.at(out, ids[inside], values[inside])
    return out


def argsort(x: Any, axis: int) -> Any:
    return np.argsort(x, axis=axis, kind="stable").astype("int32")


def top_k(x: Any, k: int, sorted: bool) -> Any:
    # from behind, as the negative of an unsigned number or of the lowest one is another number
    order = x.shape[-1] - 1 - np.argsort(x[..., ::-1], axis=-1, kind="stable")[..., ::-1][..., :k]
    return np.take_along_axis(x, order, -1), order.astype("int32")


def one_hot(x: Any, num_classes: int, axis: int, dtype: str) -> Any:
    hot = (np.expand_dims(x, -1) == np.arange(num_classes)).astype(numpy_dtype(dtype))
    return np.moveaxis(hot, -1, axis)


def pad(x: Any, width: Any, mode: Any, value: Any) -> Any:
    if not width:
        return x
    return np.pad(x, width, mode, **({"constant_values": value} if mode == "constant" else {}))


def arange(start: Any, stop: Any, step: Any, dtype: str) -> Any:
    return np.arange(start, stop, step, dtype=numpy_dtype(dtype))


def einsum(operands: Any, subscripts: str) -> Any:
    kind = operands[0].dtype
    if kind.kind == "V":  # np.einsum does not know the dtypes of ml_dtypes
        return np.einsum(subscripts, *(x.astype("float32") for x in operands)).astype(kind)
    return np.einsum(subscripts, *operands)


def _is_extra(x: Any) -> bool:
    """Whether a tensor is of a dtype that NumPy itself lacks."""
    return getattr(getattr(x, "dtype", None), "kind", "") == "V"


def weak(fn: Any) -> Any:
    """A kernel that may get a Python number: NumPy makes a float32 of bfloat16 and a Python float."""

    def kernel(x1: Any, x2: Any) -> Any:
        if _is_extra(x1) and type(x2) is float:
            x2 = x1.dtype.type(x2)
        elif _is_extra(x2) and type(x1) is float:
            x1 = np.asarray(x1, x2.dtype)
        return fn(x1, x2)

    return kernel


KERNELS: dict[str, Any] = {
    **{name: getattr(np, name) for name in SAME},
    **{name: weak(getattr(np, name)) for name in ("add", "subtract", "multiply", "true_divide")},
    # NumPy multiplies bfloat16 matrices in float32 and leaves them there
    "matmul": lambda x1, x2: np.asarray(np.matmul(x1, x2)).astype(x1.dtype, copy=False),
    "_cast": lambda x, dtype: np.asarray(x).astype(numpy_dtype(dtype)),
    "stop_gradient": lambda x: x,
    "_select": np.where,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "erf": erf,
    "sigmoid": sigmoid,
    "relu": lambda x: np.maximum(x, x.dtype.type(0)),
    "_softmax": softmax,
    "_log_softmax": log_softmax,
    "sum": reduction(np.sum),
    "_prod": reduction(np.prod),
    "amax": plain(np.max),
    "amin": plain(np.min),
    "any": plain(np.any),
    "all": plain(np.all),
    "argmax": arg(np.argmax),
    "argmin": arg(np.argmin),
    "_cumsum": cumulative(np.cumsum),
    "_cumprod": cumulative(np.cumprod),
    "_reshape": np.reshape,
    "_flip": np.flip,
    "split": lambda x, sections, axis: np.split(x, sections, axis),
    "_pad": pad,
    "_get_item": lambda x, key: x[key],
    "_take_rows": lambda x, rows: x[rows],
    "take": take,
    "slice": slice_,
    "slice_update": slice_update,
    "_segment_sum": segment_sum,
    "argsort": argsort,
    "top_k": top_k,
    "_one_hot": one_hot,
    "_fill": lambda shape, value, dtype: np.full(shape, value, numpy_dtype(dtype)),
    "_fill_like": lambda x, value, dtype: np.full(x.shape, value, numpy_dtype(dtype)),
    "_arange": arange,
    "_einsum": einsum,
}
