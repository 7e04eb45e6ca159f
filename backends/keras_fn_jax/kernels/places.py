"""Diagonals, segments, scattering, counting and correlation."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.core import Tracer

from keras_fn.ops import lookup
from keras_fn_jax.kernels.fused import compiled_if_eager


def nonzero(x: Any) -> Any:
    return tuple(i.astype("int32") for i in jnp.nonzero(x))


def bincount(x: Any, weights: Any, minlength: int) -> Any:
    return _counted(x, weights, max(int(x.max()) + 1 if x.size else 0, minlength))


@functools.partial(jax.jit, static_argnums=2)
def _counted(x: Any, weights: Any, length: int) -> Any:
    if x.ndim == 2:
        return jax.vmap(lambda row, amount: _counted(row, amount, length))(
            x, None if weights is None else jnp.broadcast_to(weights, x.shape)
        )
    out = jnp.zeros(length, "int32" if weights is None else weights.dtype)
    return out.at[x].add(1 if weights is None else weights)


def segment_reduce(values: Any, ids: Any, num: int | None, how: str) -> Any:
    if num is None:
        num = max(int(ids.max()) + 1, 0) if ids.size else 0
    if values.dtype == bool:  # XLA gathers no extremes of bools
        return segment_reduce(values.astype("uint8"), ids, num, how).astype(bool)
    if how == "prod":
        return _multiplied(jnp.ones((num, *values.shape[1:]), values.dtype), (ids,), values)
    return getattr(jax.ops, f"segment_{how}")(values, ids, num)


def scatter(x: Any, indices: Any, updates: Any, reduction: str | None) -> Any:
    _check_range(indices, x.shape)
    return _scattered_at_once(x, indices, updates, reduction)


def _scattered(x: Any, indices: Any, updates: Any, reduction: str | None) -> Any:
    if x.dtype == bool:  # XLA adds and multiplies no bools
        reduction = {"add": "max", "mul": "min"}.get(reduction or "", reduction)
    places = tuple(jnp.moveaxis(indices, -1, 0))
    if reduction == "mul":
        return _multiplied(x, places, jnp.broadcast_to(updates, (*indices.shape[:-1], *x.shape[len(places) :])))
    return getattr(x.at[places], reduction or "set")(updates)


_scattered_at_once = compiled_if_eager(_scattered, (3,))


@jax.custom_jvp
def _multiplied(x: Any, places: tuple[Any, ...], values: Any) -> Any:
    """x with each value multiplied into its place. JAX has no derivative of that where a place gets several values."""
    return x.at[places].multiply(values)


@_multiplied.defjvp
def _multiplied_jvp(primals: Any, tangents: Any) -> Any:
    """A value moves its place by x times the product of the others there, which is 0 if there is a 0 among them."""
    x, places, values = primals
    moved, _, moves = tangents
    zero = values == 0
    factors = jnp.where(zero, 1, values)
    products = _multiplied(jnp.ones_like(x), places, factors)
    zeros = jnp.zeros(x.shape, "int32").at[places].add(zero)
    others = jnp.where(zeros[places] == zero, products[places] / factors, 0)
    from_values = jnp.zeros_like(x).at[places].add(others * moves)
    return _multiplied(x, places, values), jnp.where(zeros == 0, products, 0) * moved + x * from_values


def _check_range(indices: Any, shape: Any) -> None:
    """JAX drops what is out of range; where the indices are known and lie on the host, it is an error."""
    if isinstance(indices, Tracer) or not indices.size or any(d.platform != "cpu" for d in indices.devices()):
        return
    sizes = np.asarray(shape[: indices.shape[-1]])
    values = np.asarray(indices)
    bad = (values < -sizes) | (values >= sizes)
    if bad.any():
        raise IndexError(f"The index {values[bad.any(-1)][0].tolist()} is out of range for the shape {tuple(shape)}.")


_unique_at_once = compiled_if_eager(lookup._unique.fn, (1, 2, 3))


def unique(x: Any, axis: int | None, size: int | None, fill_value: Any) -> Any:
    """The body with a fixed size, as one program; where none is given, with the largest, of which the rest is cut."""
    most = x.size if axis is None else x.shape[axis]
    if size is None and not most:
        return lookup._unique.fn(x, axis, size, fill_value)
    if size is not None or isinstance(x, Tracer):
        return _unique_at_once(x, axis, size, fill_value)
    values, index, inverse, counts = _unique_at_once(x, axis, most, None)
    found = int(np.count_nonzero(counts))
    return lax.slice_in_dim(values, 0, found, axis=axis or 0), index[:found], inverse, counts[:found]


def searchsorted(sequence: Any, values: Any, side: str) -> Any:
    return jnp.searchsorted(sequence, values, side).astype("int32")


KERNELS: dict[str, Any] = {
    "_diagonal": jnp.diagonal,
    "_nonzero": nonzero,
    "_bincount": bincount,
    "_segment_reduce": segment_reduce,
    "_scatter": scatter,
    "_searchsorted": searchsorted,
    "_unique": unique,
    "_correlate": jnp.correlate,
}
