"""Ops that make sparse tensors from dense ones: class ids and sets of them, and counts."""

from __future__ import annotations

from typing import Any

from keras_fn.core import shapes
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentTypeError, ShapeError
from keras_fn.core.op import DtypeRule, mixes, op
from keras_fn.core.sparse import check_kinds, is_sparse
from keras_fn.core.spec import Spec
from keras_fn.ops import elementwise as e
from keras_fn.ops.reduction import amax
from keras_fn.ops.reduction import sum as sum_of
from keras_fn.ops.shape import arange, ndim, ones_like, reshape, shape, stack

__all__: list[str] = []  # `one_hot`, `multi_hot` and `bincount` call them where `sparse=True`


def sparse_one_hot(x: Any, num_classes: int, axis: int, dtype: str) -> Any:
    """`one_hot` as a sparse tensor."""
    check_kinds(active.backend, sparse=True, ragged=False)
    return _sparse_one_hot(x, num_classes, axis, dtype)


def sparse_multi_hot(x: Any, num_classes: int, axis: int, dtype: str) -> Any:
    """`multi_hot` as a sparse tensor."""
    check_kinds(active.backend, sparse=True, ragged=False)
    return _sparse_multi_hot(x, num_classes, axis, dtype)


def sparse_bincount(x: Any, weights: Any, minlength: int) -> Any:
    """`bincount` as a sparse tensor."""
    check_kinds(active.backend, sparse=True, ragged=False)
    return _sparse_bincount(x, weights, minlength)


@op(dtype=mixes("x"), sparse=True)
def _sparse_one_hot(x, num_classes, axis, dtype):
    """`one_hot` as a sparse tensor; an id out of range leaves a stored zero."""
    dims = shape(x)
    axis = shapes.canonical_axis(axis, len(dims) + 1)
    whole = (*dims[:axis], num_classes, *dims[axis:])
    if isinstance(x, Spec):
        return Spec(whole, dtype, sparse=True)
    ids = e.cast(reshape(x, (-1,)), "int32")
    there = e.logical_and(e.greater_equal(ids, 0), e.less(ids, num_classes))
    columns = _unravelled(dims, ids)
    columns.insert(axis, e.where(there, ids, 0))
    return active.backend.from_coordinates(stack(columns, 1), e.cast(there, dtype), whole, unique=True)


@op(dtype=mixes("x"), sparse=True)
def _sparse_multi_hot(x, num_classes, axis, dtype):
    """`multi_hot` as a sparse tensor."""
    counts = sum_of(_sparse_one_hot(x, num_classes, axis, "int32"), 1 if ndim(x) > 1 else 0)
    return e.cast(e.sign(counts), dtype)


def _counts(x: Any, weights: Any = None) -> tuple[None, str]:
    return None, "int32" if weights is None else weights


@op(dtype=DtypeRule(("x", "weights"), _counts), sparse=True)
def _sparse_bincount(x, weights, minlength):
    """`bincount` as a sparse tensor."""
    dims = shape(x)
    if isinstance(x, Spec):
        return Spec((*dims[:-1], None), "int32" if weights is None else weights.dtype, sparse=True)
    backend = active.backend
    if is_sparse(x, backend):
        found, numbers = backend.coordinates(x)
        numbers, rows = e.cast(numbers, "int32"), [found[:, i] for i in range(len(dims) - 1)]
        values = ones_like(numbers) if weights is None else _stored(weights, numbers)
    else:
        numbers = e.cast(reshape(x, (-1,)), "int32")
        rows = _unravelled(dims, numbers)[:-1]
        values = ones_like(numbers) if weights is None else reshape(weights, (-1,))
    length = max(minlength, int(amax(numbers)) + 1 if shape(numbers)[0] else 0)
    places = stack([*rows, e.cast(numbers, rows[0].dtype) if rows else numbers], 1)
    return active.backend.from_coordinates(places, values, (*dims[:-1], length))


def _stored(weights: Any, numbers: Any) -> Any:
    """The stored values of the weights of sparse numbers."""
    if not is_sparse(weights, active.backend):
        raise ArgumentTypeError(
            "ops.bincount: the weights of a sparse tensor must be a sparse tensor too, and a dense one came. Make x "
            "dense with `ops.convert_to_tensor(x, sparse=False)`, or the weights sparse."
        )
    values = active.backend.coordinates(weights)[1]
    if shape(values)[0] != shape(numbers)[0]:
        raise ShapeError(
            f"ops.bincount: sparse weights must store elements where x does: x stores {shape(numbers)[0]}, and the "
            f"weights store {shape(values)[0]}."
        )
    return values


def _unravelled(dims: tuple[Any, ...], like: Any) -> list[Any]:
    """The indices, along each axis, of the elements of a tensor in a row."""
    if not dims:
        return []
    number = arange(0, shape(like)[0], 1, "int32")
    columns = []
    for d in dims[::-1]:
        columns.append(e.mod(number, d))
        number = e.floor_divide(number, d)
    return columns[::-1]
