"""Elementwise ops, reductions, shapes, products."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from keras_fn.core import limits, ranking, shapes
from keras_fn.core.errors import OutOfRangeError
from keras_fn.ops import reduction
from keras_fn_torch import host
from keras_fn_torch.arrays import TORCH_DTYPES, cast, device

# ops that torch has under the same name, with the same arguments
SAME = (
    "add subtract multiply maximum minimum arctan2 not_equal less less_equal greater "
    "greater_equal logical_and logical_or logical_xor logical_not isnan isinf isfinite square "
    "floor ceil exp expm1 log log1p sqrt rsqrt sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh "
    "arctanh erf sigmoid broadcast_to true_divide negative relu"
).split()


# torch has these for storage; their sums, products and so on are computed in int64
_STORED = (torch.uint16, torch.uint32, torch.uint64)


def signed(fn: Any) -> Any:
    """A kernel for all integers, from one that lacks the wide unsigned ones."""

    def kernel(x: Any, *rest: Any) -> Any:
        return fn(x.to(torch.int64), *rest).to(x.dtype) if x.dtype in _STORED else fn(x, *rest)

    return kernel


def absolute(x: Any) -> Any:
    return x.clone() if x.dtype == torch.bool else torch.absolute(x)


def sign(x: Any) -> Any:
    # torch says 0 for NaN
    return torch.where(x.isnan(), x, torch.sign(x)) if x.is_floating_point() else torch.sign(x)


def matmul(x1: Any, x2: Any) -> Any:
    if x1.dtype == torch.bool:
        return torch.matmul(x1.to(torch.int32), x2.to(torch.int32)) != 0
    return torch.matmul(x1, x2)


def arange(start: Any, stop: Any, step: Any, dtype: str) -> Any:
    if (stop - start) / step <= 0:  # torch raises
        return torch.empty(0, dtype=TORCH_DTYPES[dtype], device=device())
    return torch.arange(start, stop, step, dtype=TORCH_DTYPES[dtype], device=device())


def logsumexp(x: Any, axis: Any, keepdims: bool) -> Any:
    axes = _axes(x, axis)
    return torch.logsumexp(x, axes, keepdims) if axes else x.clone()


def _axes(x: Any, axis: Any) -> tuple[int, ...]:
    if not x.ndim:
        return no_axis(axis)
    if axis is None:
        return tuple(range(x.ndim))
    return (axis,) if isinstance(axis, int) else tuple(axis)


def no_axis(axis: Any) -> tuple[int, ...]:
    """The axes of a scalar: an error where one is named, which torch lets pass."""
    return shapes.canonical_axes(axis, 0)


def sum_(x: Any, axis: Any, keepdims: bool) -> Any:
    if axis is None and not keepdims:
        return torch.sum(x, dtype=x.dtype)
    axes = _axes(x, axis)
    return torch.sum(x, axes, keepdims, dtype=x.dtype) if axes else x.clone()


def mean(x: Any, axis: Any, keepdims: bool) -> Any:
    if axis is None and not keepdims:
        return torch.mean(x)
    axes = _axes(x, axis)
    return torch.mean(x, axes, keepdims) if axes else x.clone()


_FEW = 4096  # elements that take less time than the calls of another way


def var(x: Any, axis: Any, keepdims: bool) -> Any:
    axes = _axes(x, axis)
    if x.device.type == "cpu" and axes and (torch.compiler.is_compiling() or not 0 < x.numel() <= _FEW):
        # torch updates mean and variance element by element: on a CPU, two passes take a third of that
        return reduction.var.fn(x, axes, keepdims)
    return torch.var(x, axes, correction=0, keepdim=keepdims) if axes else torch.zeros_like(x)


def moments(x: Any, axes: Any, keepdims: bool, synchronized: bool) -> Any:
    axes = _axes(x, axes)
    if not axes or not x.is_floating_point() or x.dtype.itemsize < 4:
        return reduction.moments.fn(x, axes, keepdims, synchronized)
    centre = torch.mean(x, axes, True)
    apart = x - centre
    # in place, where no gradient needs what was there
    squares = torch.square(apart) if apart.requires_grad else apart.square_()
    mean = centre if keepdims else centre.squeeze(axes)
    return mean, torch.mean(squares, axes, keepdims)


def extreme(fn: Any) -> Any:
    def kernel(x: Any, axis: Any, keepdims: bool) -> Any:
        if not x.numel():
            limits.check_some(x.shape, axis)
        axes = _axes(x, axis)
        return fn(x, axes, keepdims) if axes else x.clone()

    return kernel


def one_by_one(fn: Any) -> Any:
    """A reduction over several axes from one that takes a single axis."""

    def kernel(x: Any, axis: Any, keepdims: bool) -> Any:
        for a in sorted((a % x.ndim for a in _axes(x, axis)), reverse=True):
            x = fn(x, a, keepdims)
        return x

    return kernel


def logical(fn: Any) -> Any:
    def kernel(x: Any, axis: Any, keepdims: bool) -> Any:
        if axis is None and not keepdims:
            return fn(x)
        axes = _axes(x, axis)
        return fn(x, axes, keepdims) if axes else x.clone()

    return kernel


def arg(fn: Any) -> Any:
    def kernel(x: Any, axis: Any, keepdims: bool) -> Any:
        x = x.to(torch.uint8) if x.dtype == torch.bool else x
        if not x.numel():
            limits.check_some(x.shape, axis)
        if axis is None:
            out = fn(x.reshape(-1), 0)
            return (out.reshape((1,) * x.ndim) if keepdims else out).to(torch.int32)
        return fn(x, axis, keepdims).to(torch.int32) if x.ndim else no_axis(axis)

    return kernel


def cumulative(fn: Any) -> Any:
    def kernel(x: Any, axis: Any) -> Any:
        if axis is None:
            return fn(x.reshape(-1), 0, dtype=x.dtype)
        return fn(x, axis, dtype=x.dtype) if x.ndim else no_axis(axis)

    return kernel


def round_(x: Any, decimals: int) -> Any:
    if not x.is_floating_point():
        return x.clone() if decimals >= 0 else (torch.round(x.double(), decimals=decimals)).to(x.dtype)
    return torch.round(x, decimals=decimals)


def power(x1: Any, x2: Any) -> Any:
    return torch.pow(x1, x2)


def whole(fn: Any) -> Any:
    """A quotient or remainder: of integers by 0 it is 0. A CPU refuses it, so that all else costs nothing there."""

    def kernel(x1: Any, x2: Any) -> Any:
        if x1.is_floating_point():
            return fn(x1, x2)
        if x1.device.type == "cpu" and not torch.compiler.is_compiling():
            try:
                return fn(x1, x2)
            except RuntimeError as error:
                if "ZeroDivisionError" not in str(error):
                    raise
        zero = x2 == 0
        return fn(x1, x2.masked_fill(zero, 1)).masked_fill_(zero, 0)

    return kernel


def transpose(x: Any, axes: Any) -> Any:
    return x.permute(tuple(range(x.ndim))[::-1] if axes is None else tuple(axes))


def expand_dims(x: Any, axis: Any) -> Any:
    if isinstance(axis, int):
        return x.unsqueeze(axis)
    axes = tuple(axis)
    rank = x.ndim + len(axes)
    for a in sorted(a % rank for a in axes):
        x = x.unsqueeze(a)
    return x


def squeeze(x: Any, axis: Any) -> Any:
    return x.squeeze() if axis is None else x.squeeze(axis if isinstance(axis, int) else tuple(axis))


def split(x: Any, sections: Any, axis: int) -> Any:
    if isinstance(sections, int):
        return list(torch.tensor_split(x, sections, axis))
    return list(torch.tensor_split(x, tuple(int(i) for i in sections), axis))


def repeat(x: Any, repeats: Any, axis: Any) -> Any:
    if not isinstance(repeats, int):
        repeats = torch.as_tensor(repeats, device=x.device)
    return torch.repeat_interleave(x, repeats, axis)


def tile(x: Any, repeats: Any) -> Any:
    return torch.tile(x, (repeats,) if isinstance(repeats, int) else tuple(repeats))


def pad(x: Any, width: Any, mode: Any, value: Any) -> Any:
    if mode == "constant":
        flat = [n for pair in reversed(width) for n in pair]
        return F.pad(x, flat, "constant", value)
    for axis, (before, after) in enumerate(width):
        if before or after:
            index = np.pad(np.arange(x.shape[axis]), (before, after), mode)
            x = torch.index_select(x, axis, torch.as_tensor(index, device=x.device))
    return x


def get_item(x: Any, key: Any) -> Any:
    keys = key if isinstance(key, tuple) else (key,)
    if any(isinstance(k, slice) and (k.step or 1) < 0 for k in keys):
        keys, flips = _positive(x, keys)
        return torch.flip(x[keys], flips) if flips else x[keys]
    if any(isinstance(k, (list, np.ndarray)) for k in keys):
        keys = tuple(torch.as_tensor(k, device=x.device) if isinstance(k, (list, np.ndarray)) else k for k in keys)
    keys = tuple(k.long() if isinstance(k, torch.Tensor) and k.dtype == torch.int32 else k for k in keys)
    return x[keys]


def _positive(x: Any, keys: Any) -> Any:
    """Keys without negative steps, which torch lacks, and the axes of the result to flip."""
    out, flips, axis, place = [], [], 0, 0
    used = sum(k is not None and k is not Ellipsis for k in keys)
    for k in keys:
        if k is Ellipsis:
            skip = x.ndim - used
            axis, place = axis + skip, place + skip
        elif k is None:
            place += 1
        elif isinstance(k, slice):
            if (k.step or 1) < 0:
                indices = range(*k.indices(x.shape[axis]))
                k = slice(indices[-1], indices[0] + 1, -k.step) if len(indices) else slice(0, 0)
                flips.append(place)
            axis, place = axis + 1, place + 1
        else:
            axis += 1
        out.append(k)
    return tuple(out), flips


_CONCRETE = frozenset((torch.Tensor, torch.nn.Parameter))


def take(x: Any, indices: Any, axis: Any) -> Any:
    if axis is None:
        return x.reshape(-1)[indices.long()]
    axis %= x.ndim
    indices = indices if indices.dtype == torch.int32 else indices.long()
    rows = axis == 0 and x.ndim == 2
    if rows and x.__class__ in _CONCRETE and x.device.type == "cpu" and not torch.compiler.is_compiling():
        try:  # there torch looks whether they are in range
            return F.embedding(indices, x)
        except IndexError:  # out of range, or below 0
            pass
    indices = _from_front(indices, x.shape[axis])
    if rows:
        return F.embedding(indices, x)
    out = _looked_up(torch.index_select, x, axis, indices.reshape(-1).long())
    return out.reshape(*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])


def take_rows(x: Any, rows: Any) -> Any:
    if rows.ndim == 1:
        return torch.index_select(x, 0, rows)
    return torch.index_select(x, 0, rows.reshape(-1)).reshape(*rows.shape, *x.shape[1:])


def take_along_axis(x: Any, indices: Any, axis: Any) -> Any:
    if axis is None:
        return x.reshape(-1)[indices.long().reshape(-1)]
    indices = _from_front(indices if indices.dtype == torch.int32 else indices.long(), x.shape[axis]).long()
    shape = list(torch.broadcast_shapes(_without(x.shape, axis), _without(indices.shape, axis)))
    place = axis % x.ndim
    shape[place] = x.shape[place]
    x = x.expand(shape)
    shape[place] = indices.shape[place]
    return _looked_up(torch.gather, x, place, indices.expand(shape))


def _looked_up(fn: Any, x: Any, axis: int, indices: Any) -> Any:
    """What is at indices; torch does not say IndexError everywhere where one is out of range."""
    try:
        return fn(x, axis, indices)
    except RuntimeError as error:
        if "out of" in str(error):
            raise OutOfRangeError(f"An index is out of range for axis {axis} of the shape {tuple(x.shape)}.") from error
        raise


def _from_front(indices: Any, length: int) -> Any:
    """Indices below 0, which count from the end, as ones that count from the front.

    The sign, drawn over all bits, lets the length through or not; without a tensor of bools, and mostly in place.
    """
    add = indices >> (8 * indices.dtype.itemsize - 1)
    return add.bitwise_and_(length).add_(indices)


def _without(shape: Any, axis: int) -> Any:
    out = list(shape)
    out[axis] = 1
    return out


def slice_(x: Any, start: Any, shape: Any) -> Any:
    return x[_block(x, start, shape)]


def slice_update(x: Any, start: Any, updates: Any) -> Any:
    out = x.clone()
    out[_block(x, start, updates.shape)] = updates
    return out


def _block(x: Any, start: Any, shape: Any) -> tuple[slice, ...]:
    return tuple(slice(a, a + n) for a, n in zip(limits.corner(start, x.shape, shape), shape, strict=True))


def segment_sum(values: Any, ids: Any, num: int) -> Any:
    inside = (ids >= 0) & (ids < num)
    if torch.compiler.is_compiling():  # how many are inside depends on values: a row more takes the rest
        out = torch.zeros((num + 1, *values.shape[1:]), dtype=values.dtype, device=values.device)
        return out.index_add(0, torch.where(inside, ids, num).long(), values)[:num]
    out = torch.zeros((num, *values.shape[1:]), dtype=values.dtype, device=values.device)
    return out.index_add(0, ids[inside].long(), values[inside])


def one_hot(x: Any, num_classes: int, axis: int, dtype: str) -> Any:
    hot = x.unsqueeze(-1) == torch.arange(num_classes, device=x.device)
    return torch.movedim(hot.to(TORCH_DTYPES[dtype]), -1, axis)


def select(condition: Any, x1: Any, x2: Any) -> Any:
    return torch.where(condition, x1, x2)


def sort(x: Any, axis: int) -> Any:
    seen = host.constant(x) if host.sortable(x) else None
    if seen is not None:
        return torch.from_numpy(np.sort(seen, axis=axis))
    return torch.sort(x, dim=axis).values if x.ndim else no_axis(axis)


def argsort(x: Any, axis: int) -> Any:
    seen = host.array(x) if host.sortable(x) else None
    if seen is not None:
        return torch.from_numpy(ranking.argsort(seen, axis))
    return torch.argsort(x, dim=axis, stable=True).to(torch.int32) if x.ndim else no_axis(axis)


def top_k(x: Any, k: int, sorted: bool) -> Any:
    limits.check_top(k, x.shape)
    # torch.topk takes any of equal elements, elsewhere the first of them come first
    if x.numel() >= _MANY and x.dtype != torch.bool and host.array(x) is not None:
        values, indices = torch.topk(x, min(k + 1, x.shape[-1]))
        # where each is below the one before, there were no two; NaN is not below anything
        if bool((values[..., 1:] < values[..., :-1]).all()):
            return values[..., :k], indices[..., :k].to(torch.int32)
    if x.dtype in _BITS and x.numel() >= _MANY:  # places join the numbers
        indices = torch.topk(_ranked(x.detach()), k).indices
        return torch.gather(x, -1, indices), indices.to(torch.int32)
    values, indices = torch.sort(x, dim=-1, descending=True, stable=True)
    return values[..., :k], indices[..., :k].to(torch.int32)


_MANY = 512  # elements from which on it pays to sort only k of them


# dtypes of which a number and its place fit into 64 bits -> the integers of the same size
_BITS = {
    torch.float32: torch.int32, torch.float16: torch.int16, torch.bfloat16: torch.int16, torch.int32: torch.int32,
    torch.int16: torch.int16, torch.int8: torch.int8, torch.uint8: torch.uint8,
}  # fmt: skip


def _ranked(x: Any) -> Any:
    """Different int64 in the order of the numbers; of equal ones, those in front are larger. NaN is above all."""
    if x.is_floating_point():
        # without their sign, floats lie in the order of their bits, and NaN above them; torch.where would be slower
        bits = x.view(_BITS[x.dtype])
        bits = bits & torch.iinfo(bits.dtype).max
        bits *= (x < 0).to(bits.dtype).mul_(-2).add_(1)
    else:
        bits = x
    return bits.to(torch.int64, copy=True).mul_(2**32).add_(torch.arange(x.shape[-1] - 1, -1, -1, device=x.device))


def reshape(x: Any, shape: Any) -> Any:
    return x.reshape(tuple(int(d) for d in shape))


KERNELS: dict[str, Any] = {
    **{name: getattr(torch, name) for name in SAME},
    "absolute": absolute,
    "sign": sign,
    "matmul": matmul,
    "equal": torch.eq,
    "mod": whole(torch.remainder),
    # constant between its steps; torch raises where a gradient would pass
    "floor_divide": whole(lambda x1, x2: torch.floor_divide(x1.detach(), x2.detach())),
    "power": power,
    "round": round_,
    "_cast": cast,
    "stop_gradient": lambda x: x.detach(),
    "_select": select,
    "_softmax": lambda x, axis: torch.softmax(x, axis) if x.ndim else no_axis(axis),
    "_log_softmax": lambda x, axis: torch.log_softmax(x, axis) if x.ndim else no_axis(axis),
    "logsumexp": logsumexp,
    "softplus": F.softplus,
    "silu": F.silu,
    "sum": signed(sum_),
    "mean": mean,
    "moments": moments,
    "var": var,
    "_prod": signed(one_by_one(lambda x, a, k: torch.prod(x, a, k, dtype=x.dtype))),
    "amax": extreme(torch.amax),
    "amin": extreme(torch.amin),
    "any": logical(torch.any),
    "all": logical(torch.all),
    "argmax": arg(torch.argmax),
    "argmin": arg(torch.argmin),
    "_cumsum": signed(cumulative(torch.cumsum)),
    "_cumprod": signed(cumulative(torch.cumprod)),
    "_reshape": reshape,
    "transpose": transpose,
    "expand_dims": expand_dims,
    "squeeze": squeeze,
    "_flip": torch.flip,
    "concatenate": torch.cat,
    "stack": torch.stack,
    "split": split,
    "tile": tile,
    "repeat": repeat,
    "_pad": pad,
    "_get_item": get_item,
    "_take_rows": take_rows,
    "take": take,
    "take_along_axis": take_along_axis,
    "slice": slice_,
    "slice_update": slice_update,
    "_segment_sum": segment_sum,
    "sort": sort,
    "argsort": argsort,
    "top_k": top_k,
    "_one_hot": one_hot,
    "_fill": lambda shape, value, dtype: torch.full(shape, value, dtype=TORCH_DTYPES[dtype], device=device()),
    "_fill_like": lambda x, value, dtype: torch.full_like(x, value, dtype=TORCH_DTYPES[dtype]),
    "_arange": arange,
}
