"""Indices out of range: an error where they can be read on the host, the nearest one inside of compiled programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from keras_fn.core import limits


def on_host(x: Any) -> np.ndarray | None:
    """The values, where they can be read without waiting for an accelerator; None where they cannot."""
    if not isinstance(x, jax.Array):
        return np.asarray(x)
    if isinstance(x, Tracer) or any(d.platform != "cpu" for d in x.devices()):
        return None
    return np.asarray(x)


def from_front(indices: Any, length: int, axis: int | None = None, shape: Any = None) -> Any:
    """Indices counted from the front of an axis of the given length. Raises where one is seen to be out of range."""
    values = on_host(indices)
    if values is not None:
        lowest, highest = (int(values.min()), int(values.max())) if values.size else (0, -1)
        if lowest < -length or highest >= length:
            raise limits.out_of_range(lowest if lowest < -length else highest, length, axis, shape)
        if lowest >= 0:
            return indices
    if jnp.issubdtype(indices.dtype, jnp.unsignedinteger):
        return indices
    indices = indices.astype("int32") if indices.dtype.itemsize < 4 else indices
    return jnp.where(indices < 0, jnp.maximum(indices + length, 0), indices)


def check_keys(x: Any, key: Any) -> None:
    """Raises where an index of `x[key]` is seen to be out of range."""
    for k, axis in limits.keyed_axes(key, x.ndim):
        if axis < x.ndim:
            values = on_host(k)
            length = x.shape[axis]
            if values is not None and values.size and values.dtype.kind in "iu":
                lowest, highest = int(values.min()), int(values.max())
                if lowest < -length or highest >= length:
                    raise limits.out_of_range(lowest if lowest < -length else highest, length, axis, x.shape)


def corner(start: Sequence[Any] | Any, shape: Sequence[int], block: Sequence[int]) -> tuple[Any, ...]:
    """Where a block begins. XLA moves one that does not lie inside; where the start can be read, it is an error."""
    start = start if isinstance(start, jax.Array) else tuple(start)
    values = [on_host(start)] if isinstance(start, jax.Array) else [on_host(i) for i in start]
    known = [v for v in values if v is not None]
    if len(known) == len(values):
        return limits.corner([n for v in known for n in np.ravel(v).tolist()], shape, block)
    limits.check_block(shape, block)
    return tuple(jnp.asarray(i, "int32") for i in start)
