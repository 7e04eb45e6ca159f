"""Sparse tensors on JAX: `jax.experimental.sparse.BCOO`, imported when the first one is met or made."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

_MODULE = "jax.experimental.sparse.bcoo"


class SparseClasses:
    """`cls in self` for the class BCOO, whose module takes long to import and which few programs need."""

    def __contains__(self, cls: object) -> bool:
        return getattr(cls, "__name__", None) == "BCOO" and getattr(cls, "__module__", None) == _MODULE


def bcoo() -> Any:
    """The module of BCOO."""
    return importlib.import_module("jax.experimental.sparse")


class SparseMethods:
    """The part of the backend on sparse tensors."""

    supports_sparse = True
    sparse_classes = SparseClasses()

    def densify(self, x: Any) -> Any:
        if x.dtype == bool:  # JAX adds up what is stored at one place, and bools do not add
            return bcoo().BCOO((x.data.astype("int8"), x.indices), shape=x.shape).todense() != 0
        return x.todense()

    def coordinates(self, x: Any) -> tuple[Any, Any]:
        x = _once(_flat(x))
        return x.indices, x.data

    def from_coordinates(self, places: Any, values: Any, shape: Any, unique: bool = False) -> Any:
        if not len(shape):
            return bcoo().BCOO((_total(values), jnp.zeros((1, 0), places.dtype)), shape=(), unique_indices=True)
        x = bcoo().BCOO((values, places), shape=tuple(shape), unique_indices=unique)
        return x if unique else _once(x)

    def sparse_batch(self, places: Any, values: Any, shape: Any) -> Any:
        """Filled up to a power of two with places outside, so that few programs are compiled for many batches."""
        lacking = (1 << max(len(values) - 1, 0).bit_length()) - len(values)
        places = np.concatenate([places, np.tile(np.array(shape), (lacking, 1))]).astype("int32")
        values = np.concatenate([values, np.zeros(lacking, values.dtype)])
        parts = (jnp.asarray(values), jnp.asarray(places))
        return bcoo().BCOO(parts, shape=shape, indices_sorted=True, unique_indices=True)

    def map_values(self, fn: Callable[[Any], Any], x: Any) -> Any:
        x = _once(_flat(x))
        return _like(x, fn(x.data))

    def sparse_reshape(self, x: Any, shape: tuple[Any, ...]) -> Any:
        x = _flat(x)
        out = bcoo().bcoo_reshape(x, new_sizes=_filled(x.size, shape))
        out.unique_indices = x.unique_indices
        return out

    def sparse_matmul(self, x1: Any, x2: Any) -> Any:
        x1, x2 = (_flat(x) if x.__class__ in self.sparse_classes else x for x in (x1, x2))
        return bcoo().bcoo_dot_general(x1, x2, dimension_numbers=(((1,), (0,)), ((), ())))


def _flat(x: Any) -> Any:
    """In the layout with one value for each place: neither batched nor with dense blocks."""
    if not x.n_batch and not x.n_dense:
        return x
    return bcoo().bcoo_update_layout(x, n_batch=0, n_dense=0, on_inefficient=None)


def _like(x: Any, data: Any) -> Any:
    flags = {"indices_sorted": x.indices_sorted, "unique_indices": x.unique_indices}
    return bcoo().BCOO((data, x.indices), shape=x.shape, **flags)


def _once(x: Any) -> Any:
    """With each place stored once."""
    if x.unique_indices:
        return x
    if not x.shape:
        return _like(x, _total(x.data))
    # while a function is traced the number of places has to be known, and so it stays; the rest is padding
    count = x.nse if isinstance(x.data, Tracer) or isinstance(x.indices, Tracer) else None
    small = x if x.dtype != bool else _like(x, x.data.astype("int8"))
    out = bcoo().bcoo_sum_duplicates(small, nse=count)
    return out if x.dtype != bool else _like(out, out.data != 0)


def _total(values: Any) -> Any:
    """The sum of values, as one."""
    return values.any(keepdims=True) if values.dtype == bool else values.sum(keepdims=True, dtype=values.dtype)


def _filled(size: int, shape: tuple[Any, ...]) -> tuple[int, ...]:
    known = 1
    for d in shape:
        known *= d if d != -1 else 1
    return tuple(size // max(known, 1) if d == -1 else d for d in shape)
