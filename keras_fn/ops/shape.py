"""Ops that make, cut, join and move tensors."""

from __future__ import annotations

import builtins
import operator
from typing import Any

import numpy as np

from keras_fn.core import dtypes, limits, shapes
from keras_fn.core.allowance import count_work
from keras_fn.core.backend import active
from keras_fn.core.context import context
from keras_fn.core.errors import ArgumentError, DtypeError, ShapeError
from keras_fn.core.op import DtypeRule, gives, mixes, op, promotes, same
from keras_fn.core.reading import kept
from keras_fn.core.shapes import Shape
from keras_fn.core.sparse import check_kinds
from keras_fn.core.spec import Spec
from keras_fn.core.variable import Variable, unwrap
from keras_fn.ops import elementwise as e

__all__ = [
    "arange", "argsort", "broadcast_to", "concatenate", "convert_to_numpy", "convert_to_tensor", "expand_dims",
    "eye", "flip", "full", "full_like", "get_item", "identity", "in_top_k", "is_tensor", "meshgrid", "moveaxis",
    "ndim", "one_hot", "ones", "ones_like", "pad", "ravel", "repeat", "reshape", "roll", "shape", "size", "slice",
    "slice_update", "sort", "split", "squeeze", "stack", "swapaxes", "take", "take_along_axis", "tile", "top_k",
    "transpose", "tril", "triu", "unstack", "zeros", "zeros_like",
]  # fmt: skip


# --- what a tensor is
def shape(x: Any) -> tuple[Any, ...]:
    """The shape as a tuple: ints; None for what is unknown while building; a scalar tensor inside a TF graph."""
    if isinstance(x, (Spec, Variable)):
        return x.shape
    backend = active.backend
    return backend.shape_of(x if backend.is_tensor(x) else backend.convert(x, None))


def ndim(x: Any) -> int:
    """The number of dimensions."""
    if isinstance(x, (int, float)):
        return 0
    return len(x.shape) if hasattr(x, "shape") else np.ndim(x)


def size(x: Any) -> Any:
    """The number of elements."""
    dims = shape(x)
    total: Any = 1
    for d in dims:
        if d is None:
            return None
        total = total * d
    return total


def convert_to_tensor(x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None) -> Any:
    """A tensor of the active backend, from a NumPy array, number, nested list, Variable or tensor.

    Args:
        x: what becomes a tensor.
        dtype: dtype name; None for that of x.
        sparse: False makes sparse tensors dense; True and None leave them as they are. Dense ones stay dense.
        ragged: the same for ragged tensors, whose rows are filled up with zeros where it is False.

    Raises:
        ArgumentError: for `sparse=True` or `ragged=True` where the backend has no such tensors.
    """
    backend = active.backend
    if sparse or ragged:
        check_kinds(backend, bool(sparse), bool(ragged))
    if isinstance(x, Spec):
        x = x if sparse is not False or not x.sparse else Spec(x.shape, x.dtype)
        return x if dtype is None else e.cast(x, dtype)
    if sparse is False and x.__class__ in backend.sparse_classes:
        x = backend.densify(x)
    if ragged is False and x.__class__ in backend.ragged_classes:
        x = backend.fill_up(x)
    return backend.convert(unwrap(x), None if dtype is None else dtypes.standardize(dtype))


def convert_to_numpy(x: Any) -> Any:
    """The values as a NumPy array; of a sparse tensor, with all its zeros; of a ragged one, filled up with zeros."""
    if isinstance(x, Variable):
        return x.numpy()
    backend = active.backend
    if x.__class__ in backend.sparse_classes:
        x = backend.densify(x)
    if x.__class__ in backend.ragged_classes:
        x = backend.fill_up(x)
    return backend.to_numpy(x) if backend.is_tensor(x) else np.asarray(x)


def is_tensor(x: Any) -> bool:
    """Whether x is a tensor of the active backend, or stands for one in a graph."""
    backend = active.backend
    if isinstance(x, Spec) or backend.is_tensor(x) or type(x) in backend.sparse_classes:
        return True
    return type(x) in backend.ragged_classes


# --- making
@op(dtype=DtypeRule((), lambda: (None, None)), shape=lambda shape, value, dtype: Spec(shape, dtype))
def _fill(shape, value, dtype):
    """A tensor of one constant."""


def _made_shape(shape: Any) -> Any:
    if isinstance(shape, (list, tuple)) and None in shape:
        raise ShapeError(
            f"A tensor of the shape {tuple(shape)} cannot be made: an unknown dimension (None) has no length. "
            "Give `Input` a `batch_shape`, or take `zeros_like`/`broadcast_to` of a tensor that has the shape."
        )
    return shapes.standardize(shape)


def _creates(shape: Any, value: Any, dtype: Any) -> Any:
    return _fill(_made_shape(shape), value, dtypes.standardize(dtype))


def zeros(shape: Any, dtype: Any = None) -> Any:
    """A tensor of zeros, in the default float where no dtype is given."""
    return _creates(shape, 0, dtype)


def ones(shape: Any, dtype: Any = None) -> Any:
    """A tensor of ones, in the default float where no dtype is given."""
    return _creates(shape, 1, dtype)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """A tensor that holds `fill_value` everywhere."""
    if isinstance(fill_value, (int, float)):
        return _creates(shape, fill_value, dtype or type(fill_value))
    value = convert_to_tensor(fill_value, dtype)
    return broadcast_to(value, shape)


def zeros_like(x: Any, dtype: Any = None) -> Any:
    """Zeros in the shape and dtype of x."""
    return _like(x, 0, dtype)


def ones_like(x: Any, dtype: Any = None) -> Any:
    """Ones in the shape and dtype of x."""
    return _like(x, 1, dtype)


def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    """`fill_value` everywhere, in the shape and dtype of x."""
    return broadcast_to(convert_to_tensor(fill_value, dtype or _dtype(x)), shape(x)) if not isinstance(
        fill_value, (int, float)
    ) else _like(x, fill_value, dtype)


@op(dtype=mixes("x"), shape=lambda x, value, dtype: Spec(x.shape, dtype))
def _fill_like(x, value, dtype):
    """A constant in the shape of x."""


def _dtype(x: Any) -> str:
    if isinstance(x, (Spec, Variable)):
        return x.dtype
    backend = active.backend
    return backend.dtype_of(x if backend.is_tensor(x) else backend.convert(x, None))


def _like(x: Any, value: Any, dtype: Any) -> Any:
    return _fill_like(x, value, _dtype(x) if dtype is None else dtypes.standardize(dtype))


def _arange_shape(start: Any, stop: Any, step: Any, dtype: str) -> Spec:
    return Spec((builtins.max(0, -int((stop - start) // -step)),), dtype)


@op(dtype=DtypeRule((), lambda: (None, None)), shape=_arange_shape)
def _arange(start, stop, step, dtype):
    """Evenly spaced numbers."""


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Any:
    """Numbers from `start` up to, without, `stop`, `step` apart; `arange(n)` counts from 0."""
    if stop is None:
        start, stop = 0, start
    if dtype is None:
        kinds = [type(v) if isinstance(v, (bool, int, float)) else _dtype(v) for v in (start, stop, step)]
        dtype = dtypes.result_type(*kinds)
    return _arange(start, stop, step, dtypes.standardize(dtype))


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """Ones on the k-th diagonal of an N by M matrix, zeros elsewhere."""
    rows = arange(N)
    columns = arange(N if M is None else M)
    return e.cast(e.equal(e.add(expand_dims(rows, 1), k), expand_dims(columns, 0)), dtype)


def identity(n: int, dtype: Any = None) -> Any:
    """The n by n identity matrix."""
    return eye(n, dtype=dtype)


@op(dtype=mixes("x"), oracle="numpy.tril")
def tril(x, k=0):
    """The matrices with zeros above the k-th diagonal."""
    if isinstance(x, Spec):
        return x  # rows and columns may not be counted yet
    return e.where(_triangle(x, k), x, zeros_like(x))


@op(dtype=mixes("x"), oracle="numpy.triu")
def triu(x, k=0):
    """The matrices with zeros below the k-th diagonal."""
    if isinstance(x, Spec):
        return x
    return e.where(_triangle(x, k - 1), zeros_like(x), x)


def _triangle(x: Any, k: int) -> Any:
    rows, columns = shape(x)[-2:]
    return e.greater_equal(e.add(expand_dims(arange(rows), 1), k), expand_dims(arange(columns), 0))


# --- form
@op(dtype=same("x"), shape=lambda x, newshape: shapes.resolve_reshape(x.shape, newshape))
def _reshape(x, newshape):
    """`reshape` to a tuple."""


_INT = frozenset([int])


@kept(maxsize=1024)
def _check_reshape(have: tuple[int, ...], newshape: tuple[int, ...]) -> None:
    """The same error on every backend."""
    shapes.resolve_reshape(have, newshape)


def reshape(x: Any, newshape: Any) -> Any:
    """The same elements in another shape.

    Args:
        x: tensor.
        newshape: int or tuple of ints; one of them may be -1, which stands for what is left.
    """
    if newshape.__class__ is tuple and x.__class__ is active.backend.tensor_class and {*map(type, newshape)} <= _INT:
        _check_reshape(tuple(x.shape), newshape)
        return _reshape(x, newshape)
    if isinstance(newshape, int):
        newshape = (newshape,)
    newshape = tuple(d if d is None or hasattr(d, "dtype") else operator.index(d) for d in newshape)
    if not isinstance(x, Spec):
        newshape = tuple(-1 if d is None else d for d in newshape)  # one unknown dimension is what is left
        have: tuple[Any, ...] = tuple(getattr(x, "shape", ()))
        if have and builtins.all(isinstance(d, int) for d in (*have, *newshape)):
            shapes.resolve_reshape(have, newshape)  # the same error on every backend
    return _reshape(x, newshape)


def _transposed(x: Spec, axes: Any = None) -> Shape:
    if axes is None:
        return x.shape[::-1]
    order = shapes.canonical_axes(tuple(axes), len(x.shape))
    if len(order) != len(x.shape):
        raise ShapeError(f"`axes` must name all {len(x.shape)} axes of the shape {x.shape}, not {tuple(axes)}.")
    return tuple(x.shape[a] for a in order)


@op(dtype=same("x"), shape=_transposed, oracle="numpy.transpose")
def transpose(x, axes=None):
    """The axes in another order; reversed where `axes` is None."""


def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """Moves axes to other places; the rest keep their order."""
    rank = ndim(x)
    source, destination = shapes.canonical_axes(source, rank), shapes.canonical_axes(destination, rank)
    if len(source) != len(destination):
        raise ArgumentError(f"As many axes must leave as arrive: source {source}, destination {destination}.")
    order = [i for i in range(rank) if i not in source]
    for to, axis in sorted(zip(destination, source, strict=True)):
        order.insert(to, axis)
    return transpose(x, tuple(order))


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Exchanges two axes."""
    order = list(range(ndim(x)))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return transpose(x, tuple(order))


def _expanded(x: Spec, axis: Any) -> Shape:
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    out = list(x.shape)
    for a in sorted(shapes.canonical_axes(axes, len(x.shape) + len(axes))):
        out.insert(a, 1)
    return tuple(out)


@op(dtype=same("x"), shape=_expanded, oracle="numpy.expand_dims")
def expand_dims(x, axis):
    """New axes of length 1, at the places that they have in the result."""


def _squeezed(x: Spec, axis: Any = None) -> Shape:
    if axis is None:
        return tuple(d for d in x.shape if d != 1)
    axes = shapes.canonical_axes(axis, len(x.shape))
    for a in axes:
        if x.shape[a] not in (1, None):
            raise ShapeError(f"Axis {a} of the shape {x.shape} cannot be squeezed: its length is not 1.")
    return tuple(d for i, d in enumerate(x.shape) if i not in axes)


@op(dtype=same("x"), shape=_squeezed, oracle="numpy.squeeze")
def squeeze(x, axis=None):
    """Drops axes of length 1: the named ones, or all."""


def _broadcast_shape(x: Spec, shape: Any) -> Shape:
    target = shapes.standardize(shape)
    out = shapes.broadcast(x.shape, target)
    if len(out) != len(target):
        raise ShapeError(f"The shape {x.shape} does not broadcast to {target}.")
    return target


@op(dtype=same("x"), shape=_broadcast_shape, oracle="numpy.broadcast_to")
def broadcast_to(x, shape):
    """The tensor repeated along axes of length 1 (and new leading ones) to fill `shape`."""


def ravel(x: Any) -> Any:
    """All elements in a row."""
    return reshape(x, (-1,))


def flip(x: Any, axis: Any = None) -> Any:
    """The elements in reverse order along axes; all of them where `axis` is None."""
    return _flip(x, shapes.canonical_axes(axis, ndim(x)))


@op(dtype=same("x"), shape=lambda x, axes: x.shape)
def _flip(x, axes):
    """`flip` along a tuple of axes counted from the front."""


# --- joining and splitting
def _concatenated(xs: list[Spec], axis: int = 0) -> Shape:
    if not xs:
        raise ArgumentError("There is nothing to concatenate: the list is empty.")
    rank = len(xs[0].shape)
    axis = shapes.canonical_axis(axis, rank)
    out: list[Any] = list(xs[0].shape)
    for x in xs[1:]:
        fits = len(x.shape) == rank and builtins.all(
            i == axis or a == b or None in (a, b) for i, (a, b) in enumerate(zip(out, x.shape, strict=False))
        )
        if not fits:
            raise ShapeError(
                f"The shapes {', '.join(str(s.shape) for s in xs)} cannot be joined along axis {axis}: "
                "all other dimensions must be equal."
            )
        for i, d in enumerate(x.shape):
            if i == axis:
                out[i] = None if out[i] is None or d is None else out[i] + d
            elif out[i] is None:
                out[i] = d
    return tuple(out)


@op(dtype=promotes("*xs"), shape=_concatenated)
def concatenate(xs, axis=0):
    """Tensors joined along an axis that they have."""


def _stacked(x: list[Spec], axis: int = 0) -> Shape:
    if not x:
        raise ArgumentError("There is nothing to stack: the list is empty.")
    for s in x[1:]:
        if len(s.shape) != len(x[0].shape) or builtins.any(
            a != b and None not in (a, b) for a, b in zip(s.shape, x[0].shape, strict=True)
        ):
            raise ShapeError(f"Only equal shapes can be stacked, not {', '.join(str(s.shape) for s in x)}.")
    out = list(shapes.broadcast(*(s.shape for s in x)))
    out.insert(shapes.canonical_axis(axis, len(out) + 1), len(x))
    return tuple(out)


@op(dtype=promotes("*x"), shape=_stacked)
def stack(x, axis=0):
    """Tensors of one shape joined along a new axis."""


def _split_shapes(x: Spec, indices_or_sections: Any, axis: int = 0) -> list[Shape]:
    axis = shapes.canonical_axis(axis, len(x.shape))
    length = x.shape[axis]
    if context.calls is not None:  # a file is being loaded, which says how many there are
        count_work("ops.split", 3 * (parts if isinstance(parts := indices_or_sections, int) else len(parts)))
    if isinstance(indices_or_sections, int):
        if length is None:
            parts: list[Any] = [None] * indices_or_sections
        elif length % indices_or_sections:
            raise ShapeError(f"Axis {axis} of length {length} does not split into {indices_or_sections} equal parts.")
        else:
            parts = [length // indices_or_sections] * indices_or_sections
    else:
        cuts = [0, *indices_or_sections, None]
        parts = [_slice_length(length, builtins.slice(a, b)) for a, b in zip(cuts, cuts[1:], strict=False)]
    return [(*x.shape[:axis], p, *x.shape[axis + 1 :]) for p in parts]


@op(dtype=same("x"), shape=_split_shapes)
def split(x, indices_or_sections, axis=0):
    """The parts of a tensor along an axis: so many equal ones, or cut at the given indices.

    Returns:
        A list of tensors.
    """


def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Any]:
    """The slices along an axis, which disappears."""
    length = shape(x)[axis] if num is None else num
    if length is None:
        raise ShapeError("`unstack` needs a known length: pass `num`.")
    return [squeeze(part, axis) for part in split(x, length, axis)]


def _tiled(x: Spec, repeats: Any) -> Shape:
    repeats = (repeats,) if isinstance(repeats, int) else tuple(repeats)
    rank = builtins.max(len(repeats), len(x.shape))
    repeats = (1,) * (rank - len(repeats)) + repeats
    dims = (1,) * (rank - len(x.shape)) + tuple(x.shape)
    return tuple(None if d is None or r is None else d * r for d, r in zip(dims, repeats, strict=True))


@op(dtype=same("x"), shape=_tiled, oracle="numpy.tile")
def tile(x, repeats):
    """The tensor laid side by side, so many times along each axis."""


def _repeated(x: Spec, repeats: Any, axis: int | None = None) -> Shape:
    if axis is None:
        n = shapes.size(x.shape)
        return (None if n is None else n * repeats,) if isinstance(repeats, int) else (builtins.sum(repeats),)
    axis = shapes.canonical_axis(axis, len(x.shape))
    n = x.shape[axis]
    new = (None if n is None else n * repeats) if isinstance(repeats, int) else builtins.sum(repeats)
    return (*x.shape[:axis], new, *x.shape[axis + 1 :])


@op(dtype=same("x"), shape=_repeated, oracle="numpy.repeat")
def repeat(x, repeats, axis=None):
    """Each element repeated, along an axis; of all elements in a row where the axis is None."""


def _padded(x: Spec, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Shape:
    return tuple(None if d is None else d + a + b for d, (a, b) in zip(x.shape, pad_width, strict=True))


@op(dtype=same("x"), shape=_padded)
def _pad(x, pad_width, mode="constant", constant_values=0):
    """`pad` by one pair an axis."""


def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    """The tensor with a border.

    Args:
        x: tensor.
        pad_width: elements before and after: one int, one pair for all axes, or a pair an axis.
        mode: "constant", "reflect" (without the edge) or "symmetric" (with it).
        constant_values: what a constant border holds; 0 by default.
    """
    rank = ndim(x)
    if mode not in ("constant", "reflect", "symmetric"):
        raise ArgumentError(f"`mode` must be 'constant', 'reflect' or 'symmetric', not {mode!r}.")
    if isinstance(pad_width, int):
        pad_width = ((pad_width, pad_width),) * rank
    pairs = tuple(tuple(p) if isinstance(p, (tuple, list)) else p for p in pad_width)
    if len(pairs) == 1 and isinstance(pairs[0], tuple):
        pairs = pairs * rank
    elif len(pairs) == 2 and builtins.all(isinstance(p, int) for p in pairs):
        pairs = (pairs,) * rank
    if len(pairs) != rank:
        raise ArgumentError(f"`pad_width` must hold a pair for each of the {rank} axes, and is {pad_width!r}.")
    return _pad(x, pairs, mode, 0 if constant_values is None else constant_values)


# --- looking up
def _indexed(x: Spec, key: Any) -> Shape:
    """The shape of `x[key]` by NumPy's rules."""
    keys = key if isinstance(key, tuple) else (key,)
    used = builtins.sum(1 for k in keys if k is not None and k is not Ellipsis and not _is_mask(k))
    used += builtins.sum(len(k.shape) for k in keys if _is_mask(k))
    if used > len(x.shape):
        raise ShapeError(f"{used} indices are too many for the shape {x.shape}.")
    if Ellipsis not in [k for k in keys if k is Ellipsis]:
        keys = (*keys, Ellipsis)
    out: list[Any] = []
    axis, arrays, place = 0, [], None
    for k in keys:
        if k is None:
            out.append(1)
        elif k is Ellipsis:
            out.extend(x.shape[axis : axis + len(x.shape) - used])
            axis += len(x.shape) - used
        elif isinstance(k, builtins.slice):
            out.append(_slice_length(x.shape[axis], k))
            axis += 1
        elif isinstance(k, (int, np.integer)):
            n = x.shape[axis]
            if n is not None and not -n <= k < n:
                raise limits.out_of_range(k, n, axis, x.shape)
            axis += 1
        else:
            array: Any = k if hasattr(k, "shape") else np.asarray(k)
            place = len(out) if place is None else place
            arrays.append((None,) if _is_mask(array) else tuple(array.shape))
            axis += len(array.shape) if _is_mask(array) else 1
    if arrays:
        out[place:place] = shapes.broadcast(*arrays)
    return tuple(out)


def _is_mask(k: Any) -> bool:
    return hasattr(k, "dtype") and dtypes.standardize(k.dtype) == "bool"


def _slice_length(n: int | None, s: builtins.slice) -> int | None:
    if n is not None:
        return len(range(*s.indices(n)))
    if s.start in (None, 0) and s.stop is None and s.step in (None, 1, -1):
        return None
    start, stop, step = s.start or 0, s.stop, s.step or 1
    if stop is None and start < 0 < step:
        return None  # at most -start, fewer where the axis is shorter
    return None


@op(dtype=mixes("x"), shape=_indexed)
def _get_item(x, key):
    """`x[key]`."""


def get_item(x: Any, key: Any) -> Any:
    """`x[key]`: ints, slices, None, Ellipsis, arrays of ints and masks, as in NumPy."""
    if isinstance(key, tuple):
        key = tuple(unwrap(k) for k in key)
    return _get_item(x, unwrap(key))


def _taken(x: Spec, indices: Spec, axis: int | None = None) -> Shape:
    if axis is None:
        return indices.shape
    axis = shapes.canonical_axis(axis, len(x.shape))
    return (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])


def _with_places(x: Any, indices: Any) -> tuple[None, str]:
    kind = dtypes.result_type(indices)
    if dtypes.is_float(kind) or kind in dtypes.COMPLEX:
        raise DtypeError(f"Indices must be whole numbers, not {kind}. Cast them with `ops.cast(indices, 'int32')`.")
    return None, dtypes.result_type(x)


places = DtypeRule(("x", "indices"), _with_places, agrees=False)


@op(dtype=places, shape=_taken)
def take(x, indices, axis=None):
    """Slices of x along an axis at the given indices; elements of x in a row where the axis is None."""


@op(dtype=mixes("x", "rows"), shape=lambda x, rows: (*rows.shape, *x.shape[1:]))
def _take_rows(x, rows):
    """`take` along the first axis for row numbers that are known to be in range: a batch of a data set."""


def _taken_along(x: Spec, indices: Spec, axis: int | None = None) -> Shape:
    if axis is None:
        return (shapes.size(indices.shape),)
    if len(x.shape) != len(indices.shape):
        raise ShapeError(
            f"Indices along an axis need as many dimensions as the tensor: {indices.shape} came for {x.shape}."
        )
    axis = shapes.canonical_axis(axis, len(x.shape))
    others = shapes.broadcast(*((*t.shape[:axis], *t.shape[axis + 1 :]) for t in (x, indices)))
    return (*others[:axis], indices.shape[axis], *others[axis:])


@op(dtype=places, shape=_taken_along)
def take_along_axis(x, indices, axis=None):
    """Elements of x along an axis, at indices that match x, or broadcast with it, in all other axes."""


def _sliced(inputs: Spec, start_indices: Any, shape: Any) -> Shape:
    _check_block(inputs.shape, start_indices, tuple(shape))
    return tuple(shape)


def _updated(inputs: Spec, start_indices: Any, updates: Spec) -> Shape:
    _check_block(inputs.shape, start_indices, updates.shape)
    return inputs.shape


def _check_block(shape: Shape, start: Any, block: Shape) -> None:
    """As far as all is known: that a block lies inside."""
    limits.check_block(shape, block)
    known = isinstance(start, (tuple, list)) and builtins.all(isinstance(n, int) for n in (*start, *shape, *block))
    if known:
        limits.corner(start, shape, block)  # type: ignore[arg-type]


@op(dtype=mixes("inputs"), shape=_sliced)
def slice(inputs, start_indices, shape):
    """The block of the given shape that begins at `start_indices`.

    Args:
        inputs: tensor.
        start_indices: an index for each axis: ints, or a vector. Below 0 they count from the end.
        shape: ints: the shape of the block.

    Raises:
        OutOfRangeError: where the block does not lie inside of the tensor, and the indices can be read. Inside of a
            compiled program it is moved to the nearest place inside.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.slice([[1, 2, 3], [4, 5, 6]], (0, -2), (2, 2))).tolist()
        [[2, 3], [5, 6]]
    """


@op(dtype=mixes("inputs", "updates"), shape=_updated)
def slice_update(inputs, start_indices, updates):
    """A copy of `inputs` in which the block at `start_indices` holds `updates`.

    Args:
        inputs: tensor.
        start_indices: an index for each axis: ints, or a vector. Below 0 they count from the end.
        updates: tensor of the same rank.

    Raises:
        OutOfRangeError: as of `slice`.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.slice_update([1, 2, 3, 4], (1,), [8, 9])).tolist()
        [1, 8, 9, 4]
    """


@op(dtype=mixes("values", "segment_ids"), shape=lambda values, segment_ids, num: (num, *values.shape[1:]))
def _segment_sum(values, segment_ids, num):
    """Sums of the rows of each segment."""


def _ordered(x: Spec, axis: int = -1) -> Shape:
    if axis is not None:
        shapes.canonical_axis(axis, len(x.shape))
    return x.shape


@op(dtype=mixes("x"), shape=_ordered, oracle="numpy.sort")
def sort(x, axis=-1):
    """The elements in ascending order along an axis."""


@op(dtype=gives("int32", "x"), shape=_ordered)
def argsort(x, axis=-1):
    """The indices that sort x along an axis; equals keep their order."""


def _top(x: Spec, k: int, sorted: bool = True) -> tuple[Spec, Spec]:
    limits.check_top(k, x.shape)
    dims = (*x.shape[:-1], k)
    return Spec(dims, x.dtype), Spec(dims, "int32")


@op(dtype=mixes("x"), shape=_top)
def top_k(x, k, sorted=True):
    """The k largest elements along the last axis, in descending order, and their indices."""


@op(dtype=mixes("targets", "predictions", out=lambda *found: "bool"))
def in_top_k(targets, predictions, k):
    """Whether the target class is among the k highest predictions (a tie with the k-th counts)."""
    classes = shape(predictions)[-1]
    inside = e.logical_and(e.greater_equal(targets, 0), e.less(targets, classes))
    score = take_along_axis(predictions, expand_dims(e.where(inside, targets, 0), -1), -1)
    from keras_fn.ops.reduction import sum

    higher = sum(e.cast(e.greater(predictions, score), "int32"), -1)
    return e.logical_and(e.logical_and(e.less(higher, k), inside), e.isfinite(squeeze(score, -1)))


def meshgrid(*x: Any, indexing: str = "xy") -> list[Any]:
    """Coordinate grids from vectors of coordinates."""
    rank = len(x)
    dims = [shape(v)[0] for v in x]
    order = list(range(rank))
    if indexing == "xy" and rank > 1:
        order[0], order[1] = 1, 0
    full_shape = tuple(dims[i] for i in order)
    grids = []
    for i, v in enumerate(x):
        place = [1] * rank
        place[order.index(i)] = -1
        grids.append(broadcast_to(reshape(v, tuple(place)), full_shape))
    return grids


def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    """The elements moved along an axis; those that leave at one end come in at the other."""
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), shape(x))
    pairs = [(shift, axis)] if isinstance(axis, int) else list(zip(shift, axis, strict=True))
    for s, a in pairs:
        n = shape(x)[a]
        cut = (-s) % n
        x = concatenate(list(split(x, [cut], a))[::-1], a)
    return x


def _one_hot_shape(x: Spec, num_classes: int, axis: int, dtype: str) -> Spec:
    out = list(x.shape)
    out.insert(shapes.canonical_axis(axis, len(out) + 1), num_classes)
    return Spec(out, dtype)


# dtypes in which not every framework compares or counts; ids are small
_IDS = {"bool": "int32", "uint16": "int32", "uint32": "int64", "uint64": "int64"}


def _as_ids(x: Any) -> tuple[str | None, str]:
    name = dtypes.result_type(x)
    return _IDS.get(name), name


@op(dtype=DtypeRule(("x",), _as_ids), shape=_one_hot_shape)
def _one_hot(x, num_classes, axis, dtype):
    """`one_hot` with all arguments given."""


def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Any:
    """Class ids as vectors with a 1 at the class; ids out of range give zeros. A sparse tensor where `sparse`."""
    if sparse:
        from keras_fn.ops.sparse_making import sparse_one_hot

        return sparse_one_hot(x, num_classes, axis, dtypes.standardize(dtype))
    return _one_hot(x, num_classes, axis, dtypes.standardize(dtype))
