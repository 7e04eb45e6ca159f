"""Elementwise ops, reductions, shapes, products."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

# ops that jax.numpy has under the same name, with the same arguments
SAME = (
    "add subtract multiply floor_divide power maximum minimum arctan2 equal not_equal less less_equal greater "
    "greater_equal logical_and logical_or logical_xor logical_not isnan isinf isfinite negative absolute sign square "
    "floor ceil round exp expm1 log log1p sqrt sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh "
    "transpose expand_dims squeeze broadcast_to concatenate stack tile repeat matmul true_divide mod sort"
).split()


def _axis(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


def reduction(fn: Any) -> Any:
    return lambda x, axis, keepdims: fn(x, axis=_axis(axis), keepdims=keepdims)


def typed(fn: Any) -> Any:
    return lambda x, axis, keepdims: fn(x, axis=_axis(axis), keepdims=keepdims, dtype=x.dtype)


def slice_update(x: Any, start: Any, updates: Any) -> Any:
    return lax.dynamic_update_slice(x, updates.astype(x.dtype), tuple(jnp.asarray(i, "int32") for i in start))


def one_hot(x: Any, num_classes: int, axis: int, dtype: str) -> Any:
    return jax.nn.one_hot(x, num_classes, axis=axis, dtype=dtype)


def pad(x: Any, width: Any, mode: str, value: Any) -> Any:
    if not width:
        return x
    return jnp.pad(x, width, mode, **({"constant_values": value} if mode == "constant" else {}))


def take(x: Any, indices: Any, axis: Any) -> Any:
    # out of range: the nearest index, as a gather inside compiled code cannot raise; below 0: from the end
    length = x.size if axis is None else x.shape[axis]
    indices = jnp.where(indices < 0, indices + length, indices)
    return jnp.take(x, indices, axis=axis, mode="clip")


def repeat(x: Any, repeats: Any, axis: Any) -> Any:
    return jnp.repeat(x, repeats if isinstance(repeats, int) else np.asarray(repeats), axis)


def split(x: Any, sections: Any, axis: int) -> Any:
    if not isinstance(sections, int):
        sections = [min(int(i), x.shape[axis]) for i in sections]
    return jnp.split(x, sections, axis)


def round_(x: Any, decimals: int) -> Any:
    if decimals < 0 and jnp.issubdtype(x.dtype, jnp.integer):
        # the multiple of a power of ten; half of one goes to the even multiple, as for floats
        step = 10**-decimals
        low = jnp.floor_divide(x, step)
        twice = 2 * (x - low * step)
        up = (twice > step) | ((twice == step) & (low % 2 != 0))
        return ((low + up.astype(x.dtype)) * step).astype(x.dtype)
    return jnp.round(x, decimals)


def top_k(x: Any, k: int, sorted: bool) -> Any:
    return tuple(lax.top_k(x, k))


KERNELS: dict[str, Any] = {
    **{name: getattr(jnp, name) for name in SAME},
    "round": round_,
    "repeat": repeat,
    "_cast": lambda x, dtype: x.astype(dtype),
    "stop_gradient": lax.stop_gradient,
    "_select": jnp.where,
    "rsqrt": lax.rsqrt,
    "erf": lax.erf,
    "sigmoid": jax.nn.sigmoid,
    "relu": jax.nn.relu,
    "_softmax": lambda x, axis: jax.nn.softmax(x, axis=axis),
    "_log_softmax": lambda x, axis: jax.nn.log_softmax(x, axis=axis),
    "logsumexp": lambda x, axis, keepdims: jax.nn.logsumexp(x, axis=_axis(axis), keepdims=keepdims),
    "sum": typed(jnp.sum),
    "_prod": typed(jnp.prod),
    "amax": reduction(jnp.max),
    "amin": reduction(jnp.min),
    "any": reduction(jnp.any),
    "all": reduction(jnp.all),
    "argmax": lambda x, axis, keepdims: jnp.argmax(x, axis=axis, keepdims=keepdims).astype("int32"),
    "argmin": lambda x, axis, keepdims: jnp.argmin(x, axis=axis, keepdims=keepdims).astype("int32"),
    "_cumsum": lambda x, axis: jnp.cumsum(x, axis=axis, dtype=x.dtype),
    "_cumprod": lambda x, axis: jnp.cumprod(x, axis=axis, dtype=x.dtype),
    "_reshape": jnp.reshape,
    "_flip": jnp.flip,
    "split": split,
    "_pad": pad,
    "_get_item": lambda x, key: x[key],
    "_take_rows": lambda x, rows: x.at[rows].get(mode="promise_in_bounds"),
    "take": take,
    "take_along_axis": lambda x, indices, axis: jnp.take_along_axis(x, indices, axis=axis, mode="clip"),
    "slice": lambda x, start, shape: lax.dynamic_slice(x, tuple(jnp.asarray(i, "int32") for i in start), shape),
    "slice_update": slice_update,
    "_segment_sum": lambda values, ids, num: jax.ops.segment_sum(values, ids, num),
    "argsort": lambda x, axis: jnp.argsort(x, axis=axis, stable=True).astype("int32"),
    "top_k": top_k,
    "_one_hot": one_hot,
    "_fill": lambda shape, value, dtype: jnp.full(shape, value, dtype),
    "_fill_like": lambda x, value, dtype: jnp.full(x.shape, value, dtype),
    "_arange": lambda start, stop, step, dtype: jnp.arange(start, stop, step, dtype=dtype),
    "_einsum": lambda operands, subscripts: jnp.einsum(subscripts, *operands),
}
