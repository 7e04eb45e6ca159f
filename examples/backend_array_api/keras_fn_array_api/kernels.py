"""Kernels by op name: the standard's functions, and NumPy's kernels on the host for what the standard lacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import array_api_strict as xp
import numpy as np

from keras_fn.core.backend import load
from keras_fn.core.errors import DtypeError

Array = type(xp.asarray(0.0))
Kernel = Callable[..., Any]

DTYPES = {
    name: getattr(xp, name)
    for name in (
        "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64",
        "complex64", "complex128",
    )
}  # fmt: skip


def xp_dtype(name: str) -> Any:
    """The standard's dtype of a name."""
    if name not in DTYPES:
        raise DtypeError(f"The array API standard has no dtype {name}. It has {', '.join(DTYPES)}.")
    return DTYPES[name]


# --- from and to the host
def to_host(x: Any) -> np.ndarray:
    """The values as a NumPy array that shares no memory with the tensor."""
    return np.array(np.from_dlpack(x)) if x.size else np.zeros(x.shape, str(x.dtype).rpartition(".")[2])


def from_host(x: Any) -> Any:
    """A tensor of a NumPy array's values."""
    return xp.asarray(np.ascontiguousarray(x) if np.ndim(x) else np.asarray(x))


def _mapped(x: Any, kind: Any, leaf: Kernel, function: Kernel) -> Any:
    """A structure with its leaves of a class, and its functions, replaced."""
    if isinstance(x, kind):
        return leaf(x)
    if isinstance(x, (list, tuple)):
        parts = [_mapped(v, kind, leaf, function) for v in x]
        return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)
    if isinstance(x, dict):
        return {k: _mapped(v, kind, leaf, function) for k, v in x.items()}
    return function(x) if callable(x) and not isinstance(x, type) else x


def _to_host(x: Any) -> Any:
    return _mapped(x, Array, to_host, lambda f: lambda *args: _to_host(f(*_from_host(args))))


def _from_host(x: Any) -> Any:
    return _mapped(x, (np.ndarray, np.generic), from_host, lambda f: f)


def hosted(kernel: Kernel) -> Kernel:
    """A kernel over tensors from one over NumPy arrays."""
    return lambda *args: _from_host(kernel(*_to_host(args)))


# --- what the standard has under the same name, with the same meaning
SAME = (
    "equal not_equal logical_not floor ceil exp expm1 log log1p sqrt sin cos tan sinh cosh tanh"
).split()
RENAMED = {
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh",
    "arctan2": "atan2", "logical_and": "logical_and", "logical_or": "logical_or", "logical_xor": "logical_xor",
    "_select": "where",
}  # fmt: skip


def _arithmetic(name: str, boolean: Kernel | None = None) -> Kernel:
    """Sums and products; the standard has none of bools, and takes Python numbers beside arrays."""
    fn = getattr(xp, name)

    def kernel(x1: Any, x2: Any) -> Any:
        dtype = x1.dtype if isinstance(x1, Array) else x2.dtype
        if dtype != xp.bool:
            return fn(x1, x2)
        if boolean is None:
            raise DtypeError(f"The array API standard has no {name} of bools.")
        return boolean(*(x if isinstance(x, Array) else xp.asarray(bool(x)) for x in (x1, x2)))

    return kernel


def _real(fn: Kernel, on_host: Kernel) -> Kernel:
    """A function that the standard declares for numbers; bools are computed on the host."""
    return lambda *xs: on_host(*xs) if xs[0].dtype == xp.bool else fn(*xs)


def _round(x: Any, decimals: int) -> Any:
    return HOST["round"](x, decimals) if decimals or x.dtype == xp.bool else xp.round(x)


def _reduction(name: str, fn: Kernel) -> Kernel:
    """A reduction; the standard leaves open what an axis of a scalar is, which has none."""

    def kernel(x: Any, axis: Any, keepdims: bool) -> Any:
        axis = tuple(axis) if isinstance(axis, list) else axis
        return fn(x, axis=axis, keepdims=keepdims) if x.ndim else HOST[name](x, axis, keepdims)

    return kernel


def _sum(x: Any, axis: Any, keepdims: bool) -> Any:
    return xp.sum(x, axis=axis, keepdims=keepdims, dtype=x.dtype)


def _prod(x: Any, axis: Any, keepdims: bool) -> Any:
    return xp.prod(x, axis=axis, keepdims=keepdims, dtype=x.dtype)


def _squeeze(x: Any, axis: Any) -> Any:
    if axis is None:
        axis = tuple(i for i, n in enumerate(x.shape) if n == 1)
    return xp.squeeze(x, axis=axis)


def _expand_dims(x: Any, axis: Any) -> Any:
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    rank = x.ndim + len(axes)
    for a in sorted(a % rank for a in axes):
        x = xp.expand_dims(x, axis=a)
    return x


def _transpose(x: Any, axes: Any) -> Any:
    return xp.permute_dims(x, tuple(range(x.ndim))[::-1] if axes is None else tuple(a % x.ndim for a in axes))


def _fill(shape: Any, value: Any, dtype: str) -> Any:
    kind = {"b": bool, "i": int, "u": int, "f": float, "c": complex}[np.dtype(dtype).kind]
    return xp.full(tuple(shape), kind(value), dtype=xp_dtype(dtype))


def _sigmoid(x: Any) -> Any:
    z = xp.exp(-xp.abs(x))
    return xp.where(x >= 0, 1.0 / (1.0 + z), z / (1.0 + z))


def _softmax(x: Any, axis: int) -> Any:
    if not x.size or not x.ndim:
        return HOST["_softmax"](x, axis)  # the standard has no largest element of none
    z = xp.exp(x - xp.max(x, axis=axis, keepdims=True))
    return z / xp.sum(z, axis=axis, keepdims=True)


def _tile(x: Any, repeats: Any) -> Any:
    return xp.tile(x, (repeats,) if isinstance(repeats, int) else tuple(repeats))


def _cast(x: Any, dtype: str) -> Any:
    target = xp_dtype(dtype)
    if xp.isdtype(x.dtype, "real floating") and xp.isdtype(target, "integral"):
        return HOST["_cast"](x, dtype)  # the standard leaves open what a number that the target cannot hold becomes
    return xp.astype(x, target)


# every op that keras_fn has a NumPy kernel for, on the host …
HOST: dict[str, Kernel] = {name: hosted(kernel) for name, kernel in load("numpy").kernels.items()}
# … and in front of it those that the standard has
KERNELS: dict[str, Kernel] = {
    **HOST,
    **{name: getattr(xp, name) for name in SAME},
    **{name: getattr(xp, standard) for name, standard in RENAMED.items()},
    **{
        name: _real(getattr(xp, name), HOST[name])
        for name in ("maximum", "minimum", "isnan", "isinf", "isfinite", "matmul")
    },
    **{name: _real(getattr(xp, name), HOST[name]) for name in ("less", "less_equal", "greater", "greater_equal")},
    "add": _arithmetic("add", xp.logical_or),
    "subtract": _arithmetic("subtract"),
    "multiply": _arithmetic("multiply", xp.logical_and),
    "true_divide": _arithmetic("divide"),
    "absolute": _real(xp.abs, lambda x: x),
    "square": _real(xp.square, HOST["square"]),
    "round": _round,
    "rsqrt": lambda x: 1.0 / xp.sqrt(x),
    "sigmoid": _sigmoid,
    "_softmax": _softmax,
    "sum": _reduction("sum", _sum),
    "_prod": _reduction("_prod", _prod),
    "any": _reduction("any", xp.any),
    "all": _reduction("all", xp.all),
    "transpose": _transpose,
    "expand_dims": _expand_dims,
    "squeeze": _squeeze,
    "broadcast_to": lambda x, shape: xp.broadcast_to(x, tuple(shape)),
    "_reshape": lambda x, shape: xp.reshape(x, tuple(shape)),
    "_flip": lambda x, axes: xp.flip(x, axis=tuple(axes)),
    "concatenate": lambda xs, axis: xp.concat(xs, axis=axis),
    "stack": lambda xs, axis: xp.stack(xs, axis=axis),
    "tile": _tile,
    "stop_gradient": lambda x: x,
    "_cast": _cast,
    "_fill": _fill,
    "_fill_like": lambda x, value, dtype: _fill(x.shape, value, dtype),
}
