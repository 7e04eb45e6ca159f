"""What ops do with sparse tensors: one rule an op, and bodies written in ops on coordinates and stored values.

Imported when the first sparse tensor or spec meets an op; dense tensors never come here. A backend gives coordinates,
makes tensors of them, and multiplies matrices (`Backend`, the part on sparse tensors); all else is written here, once.

What is not stored is zero, and stays zero where a result is sparse: also where a dense operand has NaN or a divisor 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_fn.core import shapes
from keras_fn.core.backend import active
from keras_fn.core.errors import ShapeError
from keras_fn.core.sparse import DENSE, DENSIFY, SPARSE, VALUES, Rule, is_sparse
from keras_fn.ops import elementwise as e
from keras_fn.ops.shape import (
    arange,
    broadcast_to,
    concatenate,
    expand_dims,
    ndim,
    repeat,
    reshape,
    squeeze,
    stack,
    swapaxes,
    take,
    tile,
    zeros_like,
)
from keras_fn.ops.shape import shape as shape_of

__all__: list[str] = []  # nothing to call: ops look their rule up

# zero stays zero, element by element
_KEEP = """
abs absolute arcsin arcsinh arctan arctanh cbrt ceil celu conj conjugate copy deg2rad elu erf erfinv expm1 fabs floor
gelu hard_shrink hard_silu hard_tanh imag isinf isnan isneginf isposinf leaky_relu log1p mish nan_to_num negative
rad2deg real relu relu6 round saturate_cast selu sign signbit silu sin sinh soft_shrink softsign sqrt square
stop_gradient tan tanh tanh_shrink trunc _cast _imag _real _saturate_cast
""".split()
# zero becomes something else, so that all elements have to be there
_LOSE = """
arccos arccosh cos cosh erfc exp exp2 hard_sigmoid i0 isfinite isreal log log10 log2 log_sigmoid reciprocal rsqrt
sigmoid sinc softplus sparse_plus sparse_sigmoid squareplus _fill_like
""".split()


# --- coordinates
def _columns(places: Any, rank: int) -> list[Any]:
    """The indices along each axis, tensors `(n,)`."""
    return [take(places, i, 1) for i in range(rank)]


def _parts(x: Any) -> tuple[list[Any], Any]:
    places, values = active.backend.coordinates(x)
    return _columns(places, ndim(x)), values


def _made(columns: list[Any], values: Any, shape: Any, unique: bool) -> Any:
    if columns:
        places = stack(columns, 1)
    else:
        places = reshape(e.cast(e.multiply(zeros_like(values), 0), "int32"), (-1, 1))[:, :0]
    return active.backend.from_coordinates(places, values, tuple(shape), unique)


def _common(*found: Any) -> tuple[Any, ...]:
    """The shape to which shapes broadcast; dimensions may be tensors, which stand for no 1."""
    rank = max(len(f) for f in found)
    out: list[Any] = [1] * rank
    for dims in found:
        for i, d in enumerate((1,) * (rank - len(dims)) + tuple(dims)):
            if isinstance(out[i], int) and out[i] == 1:
                out[i] = d
            elif isinstance(d, int) and isinstance(out[i], int) and d not in (1, out[i]):
                raise ShapeError(f"The shapes {' and '.join(str(tuple(f)) for f in found)} do not broadcast.")
    return tuple(out)


def _is_one(d: Any) -> bool:
    return isinstance(d, int) and d == 1


def _spread(x: Any, shape: tuple[Any, ...]) -> Any:
    """A sparse tensor broadcast to a shape; its elements are stored one by one."""
    x = active.backend.single_elements(x)
    have = shape_of(x)
    have = (1,) * (len(shape) - len(have)) + have
    if len(shape) == ndim(x) and not any(_is_one(a) and not _is_one(b) for a, b in zip(have, shape, strict=True)):
        return x
    columns, values = _parts(x)
    zero = e.multiply(columns[0], 0) if columns else e.cast(zeros_like(values), "int32")
    columns = [zero] * (len(shape) - len(columns)) + columns
    for i, (a, b) in enumerate(zip(have, shape, strict=True)):
        if _is_one(a) and not _is_one(b):
            count = shape_of(values)[0]
            columns = [tile(c, (b,)) for c in columns]
            grown = repeat(e.cast(arange(b), columns[i].dtype), count)
            columns[i] = grown
            values = tile(values, (b,))
    return _made(columns, values, shape, unique=True)


# --- element by element
def _merged(op: Callable[..., Any]) -> Callable[..., Any]:
    """An op on two sparse tensors, at all places where either stores something."""

    def body(x1: Any, x2: Any) -> Any:
        shape = _common(shape_of(x1), shape_of(x2))
        (columns, first), (others, second) = _parts(_spread(x1, shape)), _parts(_spread(x2, shape))
        columns = [concatenate([a, b], 0) for a, b in zip(columns, others, strict=True)]
        left = concatenate([first, zeros_like(second)], 0)
        right = concatenate([zeros_like(first), second], 0)
        both = _made(columns, right, shape, unique=False)  # the same places in the same order as of the next one
        return active.backend.map_values(
            lambda stored: op(stored, active.backend.coordinates(both)[1]), _made(columns, left, shape, unique=False)
        )

    return body


def _scaled(op: Callable[..., Any], merged: Callable[..., Any]) -> Callable[..., Any]:
    """An op on a sparse tensor and a dense one, in either order, of which only what meets stored values counts."""

    def body(x1: Any, x2: Any) -> Any:
        first, second = is_sparse(x1, active.backend), is_sparse(x2, active.backend)
        if first and second:
            return merged(x1, x2)
        return _at_stored(op, x1, x2) if first else _at_stored(lambda a, b: op(b, a), x2, x1)

    return body


def _at_stored(op: Callable[..., Any], x: Any, dense: Any) -> Any:
    if not ndim(dense):
        return active.backend.map_values(lambda stored: op(stored, dense), x)
    dims = shape_of(dense)
    x = _spread(x, _common(shape_of(x), dims))
    columns, _ = _parts(x)
    index: Any = 0
    for c, d in zip(columns[len(columns) - len(dims) :], dims, strict=True):
        if not _is_one(d):
            index = e.add(e.multiply(index, d), e.minimum(c, d - 1))  # padding lies outside
    picked = take(reshape(dense, (-1,)), index, 0)
    return active.backend.map_values(lambda stored: op(stored, picked), x)


# --- shapes
def _reshape(x: Any, newshape: Any) -> Any:
    return active.backend.sparse_reshape(x, tuple(newshape))


def _transpose(x: Any, axes: Any = None) -> Any:
    rank = ndim(x)
    order = tuple(range(rank))[::-1] if axes is None else shapes.canonical_axes(tuple(axes), rank)
    if sorted(order) != list(range(rank)):
        raise ShapeError(f"`axes` must name each of the {rank} axes of the shape {shape_of(x)} once, not {axes}.")
    columns, values = _parts(x)
    dims = shape_of(x)
    return _made([columns[a] for a in order], values, [dims[a] for a in order], unique=True)


def _expand_dims(x: Any, axis: Any) -> Any:
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    columns, values = _parts(x)
    dims: list[Any] = list(shape_of(x))
    zero = e.multiply(columns[0], 0) if columns else e.cast(zeros_like(values), "int32")
    for a in sorted(shapes.canonical_axes(axes, len(dims) + len(axes))):
        columns.insert(a, zero)
        dims.insert(a, 1)
    return _made(columns, values, dims, unique=True)


def _squeeze(x: Any, axis: Any = None) -> Any:
    dims = shape_of(x)
    if axis is None:
        axes = tuple(i for i, d in enumerate(dims) if _is_one(d))
    else:
        axes = shapes.canonical_axes(axis, len(dims))
        for a in axes:
            if isinstance(dims[a], int) and dims[a] != 1:
                raise ShapeError(f"Axis {a} of the shape {dims} cannot be squeezed: its length is not 1.")
    columns, values = _parts(x)
    left = [i for i in range(len(dims)) if i not in axes]
    return _made([columns[i] for i in left], values, [dims[i] for i in left], unique=True)


def _broadcast_to(x: Any, shape: Any) -> Any:
    return _spread(x, _common(shape_of(x), tuple(shape)))


def _concatenate(xs: list[Any], axis: int = 0) -> Any:
    rank = ndim(xs[0])
    axis = shapes.canonical_axis(axis, rank)
    parts = [_parts(x) for x in xs]
    dims, length = list(shape_of(xs[0])), shape_of(xs[0])[axis]
    for x, (columns, _) in zip(xs[1:], parts[1:], strict=True):
        if len(x.shape) != rank:
            raise ShapeError(f"The shapes {', '.join(str(tuple(x.shape)) for x in xs)} cannot be joined.")
        for i, d in enumerate(shape_of(x)):
            if i != axis and isinstance(d, int) and isinstance(dims[i], int) and d != dims[i]:
                raise ShapeError(f"The shapes {', '.join(str(tuple(x.shape)) for x in xs)} cannot be joined.")
        columns[axis] = e.add(columns[axis], length)
        length = length + shape_of(x)[axis]
    dims[axis] = length
    columns = [concatenate([c[i] for c, _ in parts], 0) for i in range(rank)]
    return _made(columns, concatenate([v for _, v in parts], 0), dims, unique=True)


# --- sums
def _sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    dims = shape_of(x)
    axes = shapes.canonical_axes(axis, len(dims))
    columns, values = _parts(x)
    if keepdims:
        columns = [e.multiply(c, 0) if i in axes else c for i, c in enumerate(columns)]
        return _made(columns, values, [1 if i in axes else d for i, d in enumerate(dims)], unique=False)
    left = [i for i in range(len(dims)) if i not in axes]
    return _made([columns[i] for i in left], values, [dims[i] for i in left], unique=False)


# --- matrix products
def _matmul(x1: Any, x2: Any) -> Any:
    """`matmul` where one is sparse, or both."""
    dims1, dims2 = shape_of(x1), shape_of(x2)
    shapes.matmul(*(tuple(d if isinstance(d, int) else None for d in dims) for dims in (dims1, dims2)))
    if len(dims1) == 1:
        return squeeze(_matmul(expand_dims(x1, 0), x2), -2 if len(dims2) > 1 else 0)
    if len(dims2) == 1:
        return squeeze(_matmul(x1, expand_dims(x2, 1)), -1)
    if len(dims2) == 2:
        rows = x1 if len(dims1) == 2 else reshape(x1, (-1, dims1[-1]))
        out = active.backend.sparse_matmul(rows, x2)
        return out if len(dims1) == 2 else reshape(out, (*dims1[:-1], dims2[-1]))
    return _batched_matmul(x1, x2, _common(dims1[:-2], dims2[:-2]))


def _batched_matmul(x1: Any, x2: Any, batch: tuple[Any, ...]) -> Any:
    """Batches of matrices as one product: those of a sparse operand stand on the diagonal of a large matrix."""
    backend = active.backend
    if not is_sparse(x1, backend):
        turned = _batched_matmul(swapaxes(x2, -1, -2), swapaxes(x1, -1, -2), batch)
        return swapaxes(turned, -1, -2)
    m, k, n = shape_of(x1)[-2], shape_of(x1)[-1], shape_of(x2)[-1]
    left = _diagonal(x1, batch, m, k)
    if not is_sparse(x2, backend):
        right = reshape(broadcast_to(x2, (*batch, k, n)), (-1, n))
        return reshape(backend.sparse_matmul(left, right), (*batch, m, n))
    out = backend.sparse_matmul(left, _diagonal(x2, batch, k, n))
    (row, column), values = _parts(out)
    number = e.floor_divide(row, m)
    count = 1
    for d in batch:
        count = count * d
    flat = _made([number, e.mod(row, m), e.mod(column, n)], values, (count, m, n), unique=True)
    return flat if len(batch) == 1 else reshape(flat, (*batch, m, n))


def _diagonal(x: Any, batch: tuple[Any, ...], rows: Any, columns: Any) -> Any:
    """A batch of matrices as the blocks on the diagonal of one."""
    *numbers, row, column = _parts(_spread(x, (*batch, rows, columns)))[0]
    values = _parts(_spread(x, (*batch, rows, columns)))[1]
    number, count = e.multiply(row, 0), 1
    for index, d in zip(numbers, batch, strict=True):
        number, count = e.add(e.multiply(number, d), index), count * d
    row = e.add(e.multiply(number, rows), row)
    column = e.add(e.multiply(number, columns), column)
    return _made([row, column], values, (count * rows, count * columns), unique=True)


# --- the rules
def _always(kind: str) -> Callable[..., str]:
    return lambda *flags: kind


def _if_all(*flags: bool) -> str:
    return SPARSE if all(flags) else DENSIFY


def _dense_by_sparse(*flags: bool) -> str | None:
    return None if flags[0] else DENSIFY


_add, _multiply = _merged(e.add), _merged(e.multiply)

RULES: dict[str, Rule] = {
    **dict.fromkeys(_KEEP, Rule(_always(VALUES))),
    **dict.fromkeys(_LOSE, Rule(_always(DENSIFY))),
    "add": Rule(_if_all, _add),
    "subtract": Rule(_if_all, _merged(e.subtract)),
    "maximum": Rule(_if_all, _merged(e.maximum)),
    "minimum": Rule(_if_all, _merged(e.minimum)),
    "multiply": Rule(_always(SPARSE), _scaled(e.multiply, _multiply)),
    "true_divide": Rule(
        lambda *flags: SPARSE if flags == (True, False) else DENSIFY, _scaled(e.true_divide, _multiply)
    ),
    "matmul": Rule(lambda *flags: SPARSE if all(flags) else DENSE, _matmul),
    "sum": Rule(_always(SPARSE), _sum),
    "_reshape": Rule(_always(SPARSE), _reshape),
    "transpose": Rule(_always(SPARSE), _transpose),
    "expand_dims": Rule(_always(SPARSE), _expand_dims),
    "squeeze": Rule(_always(SPARSE), _squeeze),
    "broadcast_to": Rule(_always(SPARSE), _broadcast_to),
    "concatenate": Rule(_if_all, _concatenate),
    "take": Rule(_dense_by_sparse),
    "_one_hot": Rule(_always(DENSIFY)),
}
