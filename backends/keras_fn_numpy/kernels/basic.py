"""Elementwise ops, reductions, shapes, products."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from keras_fn.core import limits, ranking, shapes
from keras_fn.ops import reduction as reduction_ops
from keras_fn_numpy.tables import numpy_dtype

# ops that NumPy has under the same name, with the same arguments
SAME = (
    "add subtract multiply maximum minimum arctan2 equal not_equal less less_equal greater "
    "greater_equal logical_and logical_or logical_xor logical_not isnan isinf isfinite negative absolute sign square "
    "floor ceil round exp expm1 log log1p sqrt sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh "
    "transpose expand_dims squeeze broadcast_to concatenate stack tile repeat take_along_axis "
    "true_divide sort"
).split()


def reduction(fn: Any, dtype: Any = None) -> Any:
    """A kernel from a NumPy reduction that would widen integers."""
    return lambda x, axis, keepdims: fn(x, axis=_axis(x, axis), keepdims=keepdims, dtype=dtype or x.dtype)


def _axis(x: Any, axis: Any) -> Any:
    if not x.ndim:
        shapes.canonical_axes(axis, 0)  # NumPy lets axes of scalars pass
    return tuple(axis) if isinstance(axis, list) else axis


def plain(fn: Any) -> Any:
    return lambda x, axis, keepdims: fn(x, axis=_axis(x, axis), keepdims=keepdims)


def extreme(fn: Any) -> Any:
    def kernel(x: Any, axis: Any, keepdims: bool) -> Any:
        if not x.size:
            limits.check_some(x.shape, axis)
        return fn(x, axis=_axis(x, axis), keepdims=keepdims)

    return kernel


def clip(x: Any, low: Any, high: Any) -> Any:
    # a plain number beside it would widen bfloat16
    low, high = (x.dtype.type(n) if isinstance(n, (int, float)) else n for n in (low, high))
    x = x if low is None else np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


def arg(fn: Any) -> Any:
    found = extreme(fn)
    return lambda x, axis, keepdims: np.asarray(found(x, axis, keepdims)).astype("int32")


def cumulative(fn: Any) -> Any:
    return lambda x, axis: fn(x, axis=_axis(x, axis), dtype=x.dtype)


def whole(fn: Any) -> Any:
    """A quotient or remainder: of integers by 0 it is 0, of which NumPy would warn."""

    def kernel(x1: Any, x2: Any) -> Any:
        if x1.dtype.kind == "f":
            return fn(x1, x2)
        with np.errstate(divide="ignore"):
            return fn(x1, x2)

    return kernel


def power(x1: Any, x2: Any) -> Any:
    """Integers to powers below 0 are rounded to 0; NumPy raises."""
    try:
        return np.power(x1, x2)
    except ValueError:
        low = x2 < 0
        ones = np.where((x1 == -1) & (x2 % 2 != 0), -1, np.abs(x1) == 1)
        return np.where(low, ones, np.power(x1, np.where(low, 0, x2))).astype(x1.dtype)


def sigmoid(x: Any) -> Any:
    wide = x if x.dtype in (np.float32, np.float64) else x.astype("float32")
    with np.errstate(over="ignore"):  # 1 / (1 + inf) is 0, as it should be
        z = np.asarray(np.negative(wide))
        np.exp(z, out=z)
        z += 1
        return np.reciprocal(z, out=z).astype(x.dtype, copy=False)


def softmax(x: Any, axis: int) -> Any:
    _axis(x, axis)
    if not x.size:
        return x.copy()
    # ufuncs themselves: the functions around them take longer than the work on small arrays
    return softened(np.asarray(x - np.maximum.reduce(x, axis, keepdims=True)), axis)


def softened(z: Any, axis: int) -> Any:
    """The softmax of numbers of which none is large, in their place."""
    np.exp(z, out=z)
    z /= np.add.reduce(z, axis, keepdims=True)
    return z


def log_softmax(x: Any, axis: int) -> Any:
    _axis(x, axis)
    if not x.size:
        return x.copy()
    shifted = np.asarray(x - np.maximum.reduce(x, axis, keepdims=True))
    shifted -= np.log(np.add.reduce(np.exp(shifted), axis, keepdims=True))
    return shifted


def mean(x: Any, axis: Any, keepdims: bool) -> Any:
    axis = _axis(x, axis)
    if x.dtype.itemsize == 2:  # their sum could be more than they can hold
        return np.asarray(mean(x.astype("float32"), axis, keepdims)).astype(x.dtype)
    if x.dtype not in (np.float32, np.float64) or axis == ():
        return reduction_ops.mean.fn(x, axis, keepdims)
    return np.mean(x, axis=axis, keepdims=keepdims)


def take(x: Any, indices: Any, axis: Any) -> Any:
    return np.take(x, indices, axis=axis)


def slice_(x: Any, start: Any, shape: Any) -> Any:
    return x[_block(x, start, shape)]


def slice_update(x: Any, start: Any, updates: Any) -> Any:
    out = x.copy()
    out[_block(x, start, updates.shape)] = updates
    return out


def _block(x: Any, start: Any, shape: Any) -> tuple[slice, ...]:
    return tuple(slice(a, a + n) for a, n in zip(limits.corner(start, x.shape, shape), shape, strict=True))


def segment_sum(values: Any, ids: Any, num: int) -> Any:
    out = np.zeros((num, *values.shape[1:]), values.dtype)
    inside = (ids >= 0) & (ids < num)
    if not inside.all():
        ids, values = ids[inside], values[inside]
    np.add.at(out, ids, values)
    return out


def one_hot(x: Any, num_classes: int, axis: int, dtype: str) -> Any:
    ids = x.reshape(-1)
    hot = np.zeros((ids.size, num_classes), numpy_dtype(dtype))
    (rows,) = np.nonzero((ids >= 0) & (ids < num_classes))
    hot[rows, ids[rows].astype("int64")] = 1
    return np.moveaxis(hot.reshape(*x.shape, num_classes), -1, axis)


def pad(x: Any, width: Any, mode: Any, value: Any) -> Any:
    if not width:
        return x
    return np.pad(x, width, mode, **({"constant_values": value} if mode == "constant" else {}))


def flip(x: Any, axes: tuple[int, ...]) -> Any:
    return x[tuple([_BACKWARDS if axis in axes else _ALL for axis in range(x.ndim)])]


_ALL, _BACKWARDS = slice(None), slice(None, None, -1)


def arange(start: Any, stop: Any, step: Any, dtype: str) -> Any:
    return np.arange(start, stop, step, dtype=numpy_dtype(dtype))


def einsum(operands: Any, subscripts: str) -> Any:
    kind = operands[0].dtype
    if kind.kind == "V":  # np.einsum does not know the dtypes of ml_dtypes
        return np.einsum(subscripts, *(x.astype("float32") for x in operands)).astype(kind)
    if len(operands) == 2 and kind in (np.float32, np.float64) and (plan := pair_plan(subscripts)) is not None:
        lengths = [dict(zip(p, x.shape, strict=True)) for p, x in zip(plan[-1], operands, strict=True)]
        if all(lengths[1].get(c, n) == n for c, n in lengths[0].items()):  # none of 1 that is to be repeated
            return _by_matmul(plan, *operands)
    return np.einsum(subscripts, *operands)


@functools.lru_cache(maxsize=256)
def pair_plan(subscripts: str) -> tuple[Any, ...] | None:
    """How a sum of products of two tensors is a product of matrices; None where it is not.

    The letters are those of a batch (in both and in the result), of what is summed over (in both), and of what one of
    them has alone. NumPy's own einsum multiplies element by element, or builds matrices only where there is no batch.
    """
    left, arrow, out = subscripts.replace(" ", "").partition("->")
    a, comma, b = left.partition(",")
    if not arrow or not comma or not all(p.isalpha() and len(set(p)) == len(p) for p in (a, b, out)):
        return None
    if any(c not in b + out for c in a) or any(c not in a + out for c in b):
        return None
    batch, summed = [c for c in out if c in a and c in b], [c for c in a if c in b and c not in out]
    alone_a, alone_b = [c for c in out if c not in b], [c for c in out if c not in a]
    if not summed:
        return None
    orders = [a.index(c) for c in (*batch, *alone_a, *summed)], [b.index(c) for c in (*batch, *summed, *alone_b)]
    made = [*batch, *alone_a, *alone_b]
    return *orders, len(batch), len(alone_a), len(summed), [made.index(c) for c in out], (a, b)


def _by_matmul(plan: tuple[Any, ...], a: Any, b: Any) -> Any:
    order_a, order_b, batch, alone, summed, out, _ = plan
    a, b = a.transpose(order_a), b.transpose(order_b)
    dims, rows, inner, columns = (
        a.shape[:batch], a.shape[batch : batch + alone], a.shape[batch + alone :], b.shape[batch + summed :],
    )  # fmt: skip
    left = a.reshape(*dims, math.prod(rows), math.prod(inner))
    right = b.reshape(*dims, math.prod(inner), math.prod(columns))
    return np.matmul(left, right).reshape(*dims, *rows, *columns).transpose(out)


def _is_extra(x: Any) -> bool:
    """Whether a tensor is of a dtype that NumPy itself lacks."""
    return getattr(getattr(x, "dtype", None), "kind", "") == "V"


def cast(x: Any, dtype: str) -> Any:
    """The tensor in another dtype. A number that an integer dtype cannot hold becomes the nearest that it can."""
    x, target = np.asarray(x), numpy_dtype(dtype)
    if target.kind not in "iu" or x.dtype.kind not in "fV":
        return x.astype(target, copy=False)
    x = x.astype("float32") if x.dtype.kind == "V" else x
    if target != np.uint64:
        try:  # the processor notes whether there was a number that did not fit: no look at them is needed
            with np.errstate(invalid="raise"):
                wide = x.astype("int32" if target.itemsize < 4 or target == np.int32 else "int64")
        except FloatingPointError:
            pass
        else:
            return wide if wide.dtype == target else wide.clip(*_limits(target)).astype(target)
    low, high = _limits(target)
    wide = x.astype("float64")
    inside = np.where((wide > low - 1) & (wide < high + 1), wide, 0).astype(target)
    return np.where(wide <= low, target.type(low), np.where(wide >= high, target.type(high), inside))


@functools.cache
def _limits(dtype: Any) -> tuple[int, int]:
    """The lowest and the highest integer of a dtype."""
    info = np.iinfo(dtype)
    return int(info.min), int(info.max)


def weak(fn: Any) -> Any:
    """A kernel that may get a Python number: NumPy makes a float32 of bfloat16 and a Python float."""

    def kernel(x1: Any, x2: Any) -> Any:
        if type(x2) is float:  # asked first, as it takes less time than a look at the dtype
            x2 = x1.dtype.type(x2) if _is_extra(x1) else x2
        elif type(x1) is float and _is_extra(x2):
            x1 = np.asarray(x1, x2.dtype)
        return fn(x1, x2)

    return kernel


KERNELS: dict[str, Any] = {
    **{name: getattr(np, name) for name in SAME},
    **{name: weak(getattr(np, name)) for name in ("add", "subtract", "multiply", "true_divide")},
    # NumPy multiplies bfloat16 matrices in float32 and leaves them there
    "matmul": lambda x1, x2: np.asarray(np.matmul(x1, x2)).astype(x1.dtype, copy=False),
    "_cast": cast,
    "floor_divide": whole(np.floor_divide),
    "mod": whole(np.mod),
    "power": power,
    "stop_gradient": lambda x: x,
    "_select": np.where,
    "reciprocal": np.reciprocal,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "sigmoid": sigmoid,
    "relu": lambda x: np.maximum(x, x.dtype.type(0)),
    "clip": clip,
    "_softmax": softmax,
    "_log_softmax": log_softmax,
    "mean": mean,
    "sum": reduction(np.sum),
    "_prod": reduction(np.prod),
    "amax": extreme(np.max),
    "amin": extreme(np.min),
    "any": plain(np.any),
    "all": plain(np.all),
    "argmax": arg(np.argmax),
    "argmin": arg(np.argmin),
    "_cumsum": cumulative(np.cumsum),
    "_cumprod": cumulative(np.cumprod),
    "_reshape": np.reshape,
    "_flip": flip,
    "split": lambda x, sections, axis: np.split(x, sections, axis),
    "_pad": pad,
    "_get_item": lambda x, key: x[key],
    "_take_rows": lambda x, rows: x[rows],
    "take": take,
    "slice": slice_,
    "slice_update": slice_update,
    "_segment_sum": segment_sum,
    "argsort": ranking.argsort,
    "top_k": lambda x, k, sorted: ranking.top_k(x, k),
    "_one_hot": one_hot,
    "_fill": lambda shape, value, dtype: np.full(shape, value, numpy_dtype(dtype)),
    "_fill_like": lambda x, value, dtype: np.full(x.shape, value, numpy_dtype(dtype)),
    "_arange": arange,
    "_einsum": einsum,
}
