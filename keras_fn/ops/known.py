"""What is known of a tensor before its values are: its dtype's name, sizes made of its sizes, values on the host."""

from __future__ import annotations

from typing import Any

import numpy as np

import keras_fn.ops.shape as s
from keras_fn.core.backend import active
from keras_fn.core.spec import Spec
from keras_fn.core.variable import Variable, unwrap


def dtype_of(x: Any) -> str:
    """The name of the dtype of a tensor, Variable, spec or symbol."""
    if isinstance(x, (Spec, Variable)):
        return x.dtype
    backend = active.backend
    return backend.dtype_of(x if backend.is_tensor(x) else backend.convert(x, None))


def known_shape(x: Any) -> tuple[int | None, ...]:
    """The shape of a tensor or spec, with None for what is only known at run time."""
    return tuple(d if isinstance(d, int) else None for d in x.shape)


def times(*dims: Any) -> Any:
    """The product of dimensions; None where one is unknown."""
    total: Any = 1
    for d in dims:
        if d is None:
            return None
        total = total * d
    return total


def numbered(n: Any) -> Any:
    """The numbers from 0 up to, without, n (int32), where n may be unknown while shapes are inferred."""
    return Spec((None,), "int32") if n is None else s.arange(0, n, 1, "int32")


def host_values(x: Any) -> Any:
    """The values as a NumPy array where they can be read without waiting for a device, else None."""
    x = unwrap(x)
    if isinstance(x, Spec):
        return None
    return active.backend.host_view(x) if active.backend.is_tensor(x) else np.asarray(x)
