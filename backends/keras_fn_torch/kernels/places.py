"""Diagonals, segments, scattering, counting and correlation."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F

from keras_fn.ops import counting, lookup, quantiles
from keras_fn_torch import host


def nonzero(x: Any) -> Any:
    return tuple(i.to(torch.int32) for i in torch.nonzero(x, as_tuple=True))


def bincount(x: Any, weights: Any, minlength: int) -> Any:
    if weights is None and x.ndim == 1 and x.device.type == "cpu" and not torch.compiler.is_compiling():
        return torch.bincount(x, minlength=minlength).to(torch.int32)
    length = max(int(x.max()) + 1 if x.numel() else 0, minlength)
    rows = x if x.ndim == 2 else x[None]
    dtype = torch.int32 if weights is None else weights.dtype
    amount = torch.ones_like(rows, dtype=dtype) if weights is None else weights.expand(x.shape).reshape(rows.shape)
    out = torch.zeros((len(rows), length), dtype=dtype, device=x.device).scatter_add(1, rows.long(), amount)
    return out if x.ndim == 2 else out[0]


_REDUCE = {"sum": "sum", "add": "sum", "prod": "prod", "mul": "prod", "max": "amax", "min": "amin"}


def _start(how: str, dtype: Any) -> Any:
    if how in ("sum", "prod"):
        return how == "prod"
    if dtype.is_floating_point:
        return -torch.inf if how == "max" else torch.inf
    return torch.iinfo(dtype).min if how == "max" else torch.iinfo(dtype).max


def _gathered(out: Any, rows: Any, values: Any, how: str) -> Any:
    """Rows of values met with the rows of `out` of the given numbers, of which some may be the same."""
    index = rows.reshape(-1, *(1,) * (values.ndim - 1)).expand(values.shape)
    return out.scatter_reduce(0, index, values, _REDUCE[how], include_self=True)


def segment_reduce(values: Any, ids: Any, num: int | None, how: str) -> Any:
    if values.dtype == torch.bool:
        return segment_reduce(values.to(torch.uint8), ids, num, how).to(torch.bool)
    if num is None:
        num = max(int(ids.max()) + 1, 0) if ids.numel() else 0
    out = torch.full((num, *values.shape[1:]), _start(how, values.dtype), dtype=values.dtype, device=values.device)
    inside = (ids >= 0) & (ids < num)
    if torch.compiler.is_compiling():  # how many are inside depends on values: a row more takes the rest
        out = torch.cat([out, out.new_full((1, *out.shape[1:]), _start(how, values.dtype))])
        return _gathered(out, torch.where(inside, ids, num).long(), values, how)[:num]
    return _gathered(out, ids[inside].long(), values[inside], how)


def scatter(x: Any, indices: Any, updates: Any, reduction: str | None) -> Any:
    places = tuple(i.long() for i in torch.unbind(indices, -1))
    if reduction is None or reduction == "add":
        return x.index_put(places, updates, accumulate=reduction == "add")
    # the axes that are indexed become one
    depth, count = len(places), 1
    row = torch.zeros((), dtype=torch.long, device=x.device)
    for i, n in zip(places, x.shape[:depth], strict=True):
        if i.numel() and not torch.compiler.is_compiling() and bool(((i < -n) | (i >= n)).any()):
            raise IndexError(f"An index is out of range for an axis of length {n} of the shape {tuple(x.shape)}.")
        row = row * n + torch.where(i < 0, i + n, i)
        count *= n
    rest = x.shape[depth:]
    values = updates.expand(*indices.shape[:-1], *rest).reshape(-1, *rest)
    return _gathered(x.reshape(count, *rest), row.reshape(-1), values, reduction).reshape(x.shape)


def searchsorted(sequence: Any, values: Any, side: str) -> Any:
    if sequence.dtype == torch.bool:
        sequence, values = sequence.to(torch.uint8), values.to(torch.uint8)
    sequence = sequence.contiguous()
    lost = None
    # NaN is behind all numbers, which torch's halving does not know; a look at the last one is cheap on a CPU only
    look = sequence.device.type == "cpu" and not torch.compiler.is_compiling()
    if sequence.is_floating_point() and len(sequence) and not (look and not sequence[-1].isnan()):
        lost = sequence.isnan()
        sequence = sequence.masked_fill(lost, torch.inf)
    place = torch.searchsorted(sequence, values.contiguous(), right=side == "right", out_int32=True)
    if lost is None:
        return place
    numbers = len(sequence) - lost.sum(dtype=torch.int32)
    behind = len(sequence) if side == "right" else numbers
    return torch.where(values.isnan(), behind, torch.minimum(place, numbers)).to(torch.int32)


def quantile(x: Any, q: Any, axis: Any, method: str, keepdims: bool) -> Any:
    seen = host.constant(x) if isinstance(q, quantiles.KNOWN) else None
    if seen is None:
        return quantiles._plain_quantile.fn(x, q, axis, method, keepdims)
    return torch.from_numpy(quantiles.of_array(seen, q, axis, method, keepdims))


def median(x: Any, axis: Any, keepdims: bool) -> Any:
    seen = host.constant(x)
    if seen is None:
        return quantiles.median.fn(x, axis, keepdims)
    return torch.from_numpy(quantiles.of_array(seen, 0.5, axis, "linear", keepdims))


def correlate(x1: Any, x2: Any, mode: str) -> Any:
    if x1.is_complex():
        parts = [correlate(a, b, mode) for a in (x1.real, x1.imag) for b in (x2.real, x2.imag)]
        return torch.complex(parts[0] + parts[3], parts[2] - parts[1])
    if len(x1) < len(x2):
        return correlate(x2, x1, mode).flip(0)
    m = len(x2)
    before, after = {"valid": (0, 0), "same": (m // 2, (m - 1) // 2), "full": (m - 1, m - 1)}[mode]
    return F.conv1d(F.pad(x1[None, None], (before, after)), x2[None, None])[0, 0]


def histogram(x: Any, bins: int, range: Any) -> Any:
    """Bins by arithmetic, and a look at their borders, where the body searches. On a CPU only, as it reads values."""
    by_values = x.device.type == "cpu" and not torch.compiler.is_compiling()
    if not by_values or x.dtype not in (torch.float32, torch.float64) or not x.numel():
        return counting._histogram.fn(x, bins, range)
    low, high = range or (float(x.min()), float(x.max()))
    if not low < high or not math.isfinite(high - low):
        return counting._histogram.fn(x, bins, range)
    counts, borders = torch.histogram(x.detach(), bins, range=(low, high))
    return counts.to(torch.int32), borders


def distinct(x: Any) -> Any:
    # of floats, torch takes each NaN for another value
    return torch.unique(x) if not x.is_floating_point() and not x.is_complex() else lookup._distinct.fn(x)


KERNELS: dict[str, Any] = {
    "_diagonal": lambda x, offset, axis1, axis2: torch.diagonal(x, offset, axis1, axis2),
    "_nonzero": nonzero,
    "_bincount": bincount,
    "_segment_reduce": segment_reduce,
    "_scatter": scatter,
    "_searchsorted": searchsorted,
    "_correlate": correlate,
    "_distinct": distinct,
    "histogram": histogram,
    "median": median,
    "quantile": quantile,
}
