"""Diagonals, segments, scattering, counting and correlation."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.core.spec import REGISTRY
from keras_fn.ops import counting, diagonals, quantiles


def nonzero(x: Any) -> Any:
    return tuple(i.astype("int32") for i in np.nonzero(x))


def bincount(x: Any, weights: Any, minlength: int) -> Any:
    length = max(int(x.max()) + 1 if x.size else 0, minlength)
    rows = x if x.ndim == 2 else x[None]
    if weights is None or weights.dtype in (np.float32, np.float64):
        # np.bincount is far faster than np.add.at; it sums in double precision. A row of a batch after the other
        apart = (rows + length * np.arange(len(rows))[:, None]).reshape(-1)
        amount = None if weights is None else np.broadcast_to(weights, x.shape).reshape(-1)
        counted = np.bincount(apart, amount, len(rows) * length).astype("int32" if weights is None else weights.dtype)
        return counted if x.ndim == 1 else counted.reshape(len(rows), length)
    out = np.zeros((len(rows), length), weights.dtype)
    place = np.broadcast_to(np.arange(len(rows))[:, None], rows.shape)
    np.add.at(out, (place, rows), np.broadcast_to(weights, x.shape).reshape(rows.shape))
    return out if x.ndim == 2 else out[0]


def lowest(dtype: Any) -> Any:
    """What every number of the dtype is at least."""
    return False if dtype.kind == "b" else np.iinfo(dtype).min if dtype.kind in "iu" else -np.inf


def highest(dtype: Any) -> Any:
    """What every number of the dtype is at most."""
    return True if dtype.kind == "b" else np.iinfo(dtype).max if dtype.kind in "iu" else np.inf


def segment_reduce(values: Any, ids: Any, num: int | None, how: str) -> Any:
    num = (max(int(ids.max()) + 1, 0) if ids.size else 0) if num is None else num
    start = {"sum": 0, "prod": 1}.get(how)
    if start is None:
        start = lowest(values.dtype) if how == "max" else highest(values.dtype)
    out = np.full((num, *values.shape[1:]), start, values.dtype)
    inside = (ids >= 0) & (ids < num)
    meet = {"sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum}[how]
    meet.at(out, ids[inside], values[inside])
    return out


def scatter(x: Any, indices: Any, updates: Any, reduction: str | None) -> Any:
    out = x.copy()
    place = tuple([indices[..., i] for i in range(indices.shape[-1])])
    if reduction is None:
        out[place] = updates
    else:
        _MEET[reduction].at(out, place, updates)
    return out


_MEET = {"add": np.add, "max": np.maximum, "min": np.minimum, "mul": np.multiply}


def quantile(x: Any, q: Any, axis: Any, method: str, keepdims: bool) -> Any:
    if not isinstance(q, quantiles.KNOWN) or x.dtype.kind != "f":
        return quantiles._plain_quantile.fn(x, q, axis, method, keepdims)
    return quantiles.of_array(x, q, axis, method, keepdims)


def median(x: Any, axis: Any, keepdims: bool) -> Any:
    return quantile(x, 0.5, axis, "linear", keepdims)


def triangle(name: str) -> Any:
    """A kernel that gives vectors to the body: NumPy repeats them."""
    fn = getattr(np, name)
    return lambda x, k: fn(x, k) if x.ndim > 1 else REGISTRY[name].fn(x, k)


def diag(x: Any, k: int) -> Any:
    return np.diag(x, k).copy() if x.ndim in (1, 2) else diagonals.diag.fn(x, k)


def searchsorted(sequence: Any, values: Any, side: Any) -> Any:
    return np.asarray(np.searchsorted(sequence, values, side)).astype("int32")


def correlate(x1: Any, x2: Any, mode: Any) -> Any:
    return np.correlate(x1, x2, mode).astype(x1.dtype, copy=False)


def histogram(x: Any, bins: int, range: Any) -> Any:
    if x.dtype not in (np.float32, np.float64) or not np.isfinite(x).all():
        return counting._histogram.fn(x, bins, range)
    counts, borders = np.histogram(x, bins, range)
    return counts.astype("int32"), borders.astype(x.dtype, copy=False)


KERNELS: dict[str, Any] = {
    "_diagonal": lambda x, offset, axis1, axis2: np.diagonal(x, offset, axis1, axis2).copy(),
    "histogram": histogram,
    "_nonzero": nonzero,
    "_bincount": bincount,
    "_segment_reduce": segment_reduce,
    "_scatter": scatter,
    "_searchsorted": searchsorted,
    "_correlate": correlate,
    "diag": diag,
    "diagflat": np.diagflat,
    "median": median,
    "quantile": quantile,
    "tril": triangle("tril"),
    "triu": triangle("triu"),
}
