"""Elementwise ops, reductions, shapes, products."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.core import Tracer

from keras_fn.core import limits
from keras_fn_jax.kernels.fused import compiled_if_eager
from keras_fn_jax.kernels.ranges import check_keys, corner, from_front

# those of one and two tensors that work element by element
ELEMENTWISE = (
    "add subtract multiply power maximum minimum arctan2 equal not_equal less less_equal greater greater_equal "
    "logical_and logical_or logical_xor logical_not negative sign square floor ceil exp expm1 log log1p sqrt sin cos "
    "tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh true_divide mod"
).split()
# ops whose kernel may be part of a larger program: they look at no values
JOINED = frozenset((*ELEMENTWISE, "floor_divide", "matmul", "divide", "rsqrt", "erf", "sigmoid", "relu", "_select"))
# ops that jax.numpy has under the same name, with the same arguments
SAME = [
    *ELEMENTWISE,
    *"isnan isinf isfinite absolute transpose expand_dims squeeze broadcast_to concatenate stack tile".split(),
    "sort",
]


def _axis(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


def reduction(fn: Any) -> Any:
    """A kernel from a function of an array, axes and `keepdims`: compiled as it is, past what jax.numpy does before."""
    program = jax.jit(lambda x, axis, keepdims: fn(x, axis=axis, keepdims=keepdims), static_argnums=(1, 2), inline=True)
    return lambda x, axis, keepdims: program(x, _axis(axis), keepdims)


def typed(fn: Any) -> Any:
    return reduction(lambda x, axis, keepdims: fn(x, axis=axis, keepdims=keepdims, dtype=x.dtype))


def arg(fn: Any) -> Any:
    return reduction(lambda x, axis, keepdims: fn(x, axis=axis, keepdims=keepdims).astype("int32"))


def slice_update(x: Any, start: Any, updates: Any) -> Any:
    return lax.dynamic_update_slice(x, updates.astype(x.dtype), corner(start, x.shape, updates.shape))


def slice_(x: Any, start: Any, shape: Any) -> Any:
    return lax.dynamic_slice(x, corner(start, x.shape, shape), shape)


def get_item(x: Any, key: Any) -> Any:
    check_keys(x, key)
    return x[key]


@jax.jit
def floor_divide(x1: Any, x2: Any) -> Any:
    """Of integers by 0 it is 0; XLA says something else on each device."""
    if jnp.issubdtype(x1.dtype, jnp.floating):
        return jnp.floor_divide(x1, x2)
    return jnp.where(x2 == 0, 0, jnp.floor_divide(x1, jnp.where(x2 == 0, 1, x2)))


@reduction
def mean(x: Any, axis: Any, keepdims: bool) -> Any:
    if x.dtype.itemsize > 2:
        return jnp.mean(x, axis=axis, keepdims=keepdims)
    # their sum could be more than they can hold
    return jnp.mean(x, axis=axis, keepdims=keepdims, dtype="float32").astype(x.dtype)


def one_hot(x: Any, num_classes: int, axis: int, dtype: str) -> Any:
    return jax.nn.one_hot(x, num_classes, axis=axis, dtype=dtype)


def pad(x: Any, width: Any, mode: str, value: Any) -> Any:
    if not width:
        return x
    return jnp.pad(x, width, mode, **({"constant_values": value} if mode == "constant" else {}))


def take(x: Any, indices: Any, axis: Any) -> Any:
    # out of range: the nearest index, as a gather inside compiled code cannot raise; below 0: from the end
    length = x.size if axis is None else x.shape[axis]
    return jnp.take(x, from_front(indices, length, axis, x.shape), axis=axis, mode="clip")


def take_along_axis(x: Any, indices: Any, axis: Any) -> Any:
    if axis is None:
        x, indices, axis = x.reshape(-1), indices.reshape(-1), 0
    return jnp.take_along_axis(x, from_front(indices, x.shape[axis], axis, x.shape), axis=axis, mode="clip")


def repeat(x: Any, repeats: Any, axis: Any) -> Any:
    return jnp.repeat(x, repeats if isinstance(repeats, int) else np.asarray(repeats), axis)


def split(x: Any, sections: Any, axis: int) -> Any:
    if not isinstance(sections, int):
        length = x.shape[axis]
        sections = [slice(int(i)).indices(length)[1] for i in sections]  # below 0 they count from the end
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
    limits.check_top(k, x.shape)
    if not jnp.issubdtype(x.dtype, jnp.floating):
        return tuple(lax.top_k(x, k))
    return _top_of_floats(x, k)


@functools.partial(jax.jit, static_argnums=1)
def _top_of_floats(x: Any, k: int) -> tuple[Any, Any]:
    """XLA tells -0.0 from 0.0, and NaN from NaN with another sign, which are equal here."""
    one = jnp.where(x == 0, 0, jnp.where(jnp.isnan(x), jnp.nan, x))
    indices = lax.top_k(lax.stop_gradient(one), k)[1]
    return jnp.take_along_axis(x, indices, -1, mode="promise_in_bounds"), indices


_cast = jax.jit(lambda x, dtype: x.astype(dtype), static_argnums=1)


def cast(x: Any, dtype: Any) -> Any:
    """The array in another dtype. Eagerly, a compiled cast takes a third of the time of `astype`."""
    return x.astype(dtype) if isinstance(x, Tracer) or x.dtype == dtype else _cast(x, dtype)


def compiled_with_casts(kernel: Any, targets: list[str | None]) -> Any:
    """A kernel and the casts of its arrays as one program."""

    def run(*xs: Any) -> Any:
        return kernel(*(x if to is None else x.astype(to) for x, to in zip(xs, targets, strict=True)))

    return jax.jit(run)


KERNELS: dict[str, Any] = {
    **{name: getattr(jnp, name) for name in SAME},
    "floor_divide": floor_divide,
    "mean": mean,
    "round": round_,
    "repeat": repeat,
    "_cast": cast,
    "stop_gradient": lax.stop_gradient,
    "_select": jnp.where,
    "rsqrt": lax.rsqrt,
    "erf": lax.erf,
    "sigmoid": jax.nn.sigmoid,
    # those with a derivative of their own are not compiled by JAX where they are called eagerly
    "relu": compiled_if_eager(jax.nn.relu),
    "_log_softmax": compiled_if_eager(lambda x, axis: jax.nn.log_softmax(x, axis=axis), (1,)),
    "logsumexp": compiled_if_eager(
        lambda x, axis, keepdims: jax.nn.logsumexp(x, axis=_axis(axis), keepdims=keepdims), (1, 2)
    ),
    "sum": typed(jnp.sum),
    "_prod": typed(jnp.prod),
    "amax": reduction(jnp.max),
    "amin": reduction(jnp.min),
    "any": reduction(jnp.any),
    "all": reduction(jnp.all),
    "argmax": arg(jnp.argmax),
    "argmin": arg(jnp.argmin),
    "_cumsum": lambda x, axis: jnp.cumsum(x, axis=axis, dtype=x.dtype),
    "_cumprod": lambda x, axis: jnp.cumprod(x, axis=axis, dtype=x.dtype),
    "_reshape": jnp.reshape,
    "_flip": jnp.flip,
    "split": split,
    "_pad": pad,
    "_get_item": get_item,
    "_take_rows": lambda x, rows: x.at[rows].get(mode="promise_in_bounds"),
    "take": take,
    "take_along_axis": take_along_axis,
    "slice": slice_,
    "slice_update": slice_update,
    "_segment_sum": lambda values, ids, num: jax.ops.segment_sum(values, ids, num),
    "argsort": lambda x, axis: jnp.argsort(x, axis=axis, stable=True).astype("int32"),
    "top_k": top_k,
    "_one_hot": one_hot,
    "_fill": lambda shape, value, dtype: jnp.full(shape, value, dtype),
    "_fill_like": lambda x, value, dtype: jnp.full(x.shape, value, dtype),
    "_arange": lambda start, stop, step, dtype: jnp.arange(start, stop, step, dtype=dtype),
}
