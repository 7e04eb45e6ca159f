"""Samples of the ops that make, cut, join, sort and look up."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from keras_fn.testing.samples.sample import (
    INF,
    NAN,
    Call,
    Sample,
    array,
    bools,
    call,
    empty,
    floats,
    ints,
    row,
    special,
)


def moves(op: str, *calls: Call, oracle: Any = None, **facts: Any) -> Sample:
    """An op that moves elements and never changes them: any dtype, a linear gradient."""
    return row(op, *calls, oracle=oracle, **{"grad": (0,), **facts})


def _slice(x: Any, start: Any, shape: Any) -> Any:
    return x[tuple(builtins.slice(int(a), int(a) + n) for a, n in zip(start, shape, strict=True))]


def _slice_update(x: Any, start: Any, updates: Any) -> Any:
    out = x.copy()
    out[tuple(builtins.slice(int(a), int(a) + n) for a, n in zip(start, updates.shape, strict=True))] = updates
    return out


def _scatter(x: Any, indices: Any, updates: Any) -> Any:
    out = x.copy()
    out[tuple(np.moveaxis(indices, -1, 0))] = updates
    return out


def _segment_sum(values: Any, ids: Any, num: int) -> Any:
    return np.stack([values[ids == i].sum(0) for i in range(num)])


def _top_k(x: Any, k: int, sorted: bool = True) -> Any:
    order = np.argsort(-x.astype("float64"), axis=-1, kind="stable")[..., :k]
    return np.take_along_axis(x, order, -1), order


def _one_hot(x: Any, num_classes: int, axis: int, dtype: str) -> Any:
    return np.moveaxis(np.expand_dims(x, -1) == np.arange(num_classes), -1, axis).astype(dtype)


def _pad(x: Any, pad_width: Any, mode: Any = "constant", constant_values: Any = 0) -> Any:
    if not pad_width:
        return x
    return np.pad(x, pad_width, mode, **({"constant_values": constant_values} if mode == "constant" else {}))


def _in_top_k(targets: Any, predictions: Any, k: int) -> Any:
    return np.array([(p > p[t]).sum() < k for t, p in zip(targets, predictions, strict=True)])


X, Y = floats(2, 3, 4), floats(3, 4)
S = builtins.slice
KEYS = [
    1, -1, S(1, None), S(None, None, 2), S(None, None, -1), (S(None), 1), (0, S(1, 3)), (Ellipsis, -1), None,
    (S(None), None, 2), (1, 2), (S(2, 0, -1), S(None)), (S(5, 9),), (S(-2, None), S(1, -1)), np.array([2, 0, 0]),
    (S(None), np.array([1, 3])), (np.array([0, 2]), np.array([1, 3])), (Ellipsis, None), (np.array([[0], [2]]), 1),
]  # fmt: skip

SAMPLES = [
    row(
        "_fill",
        call((2, 3), 1.5, "float32"),
        call((), 3, "int32"),
        call((2,), True, "bool"),
        empty((0, 2), 1, "float32"),
        special((2,), NAN, "float32"),
        special((2,), -INF, "float16"),
        oracle=lambda shape, value, dtype: np.full(shape, value, dtype),
        grid="none",
    ),
    row(
        "_fill_like",
        call(floats(2, 3), 2, "float32"),
        call(ints(2), 1.0, "float32"),
        call(floats(2), 1, "bool"),
        empty(floats(0, 2), 1, "int32"),
        empty(floats(), 4, "int32"),
        oracle=lambda x, value, dtype: np.full(x.shape, value, dtype),
    ),
    row(
        "_arange",
        call(0, 5, 1, "int32"),
        call(2, 11, 3, "int32"),
        call(5, 0, -2, "int32"),
        call(0.0, 1.0, 0.25, "float32"),
        call(0, 3, 1, "float16"),
        empty(3, 3, 1, "int32"),
        empty(5, 1, 1, "float32"),
        oracle=lambda *a: np.arange(*a[:3]).astype(a[3]),
        grid="none",
    ),
    *(
        moves(
            op,
            call(Y),
            call(Y, k=1),
            call(Y, k=-1),
            call(X),
            call(ints(3, 3)),
            empty(floats(0, 3)),
            call(Y, k=9),
            special(array([[NAN, INF], [1.0, NAN]])),
            oracle=getattr(np, op),
        )
        for op in ("tril", "triu")
    ),
    moves(
        "_reshape",
        call(Y, (4, 3)),
        call(Y, (2, -1)),
        call(X, (-1,)),
        call(bools(4), (2, 2)),
        empty(floats(0, 3), (3, 0)),
        empty(floats(), (1, 1)),
        empty(floats(1), ()),
        empty(floats(0, 3), (-1, 3)),
        oracle=np.reshape,
    ),
    moves(
        "transpose",
        call(X),
        call(X, axes=(1, 2, 0)),
        call(X, axes=(0, -1, 1)),
        call(Y),
        empty(floats(0, 3)),
        empty(floats()),
        oracle=np.transpose,
    ),
    moves(
        "expand_dims",
        call(Y, 0),
        call(Y, -1),
        call(Y, (0, 2)),
        empty(floats(0, 2), 1),
        empty(floats(), 0),
        oracle=np.expand_dims,
    ),
    moves(
        "squeeze",
        call(floats(2, 1, 3, 1)),
        call(floats(1, 3, 1), axis=0),
        call(floats(1, 3, 1), axis=(0, -1)),
        empty(floats(0, 1)),
        empty(floats()),
        oracle=np.squeeze,
    ),
    moves(
        "broadcast_to",
        call(floats(3), (2, 3)),
        call(floats(2, 1), (4, 2, 3)),
        call(Y, (3, 4)),
        empty(floats(1, 3), (0, 3)),
        empty(floats(), (2, 2)),
        oracle=np.broadcast_to,
    ),
    moves(
        "_flip",
        call(X, (0,)),
        call(X, (0, 2)),
        call(Y, (1,)),
        call(bools(4), (0,)),
        empty(floats(0, 3), (0, 1)),
        empty(floats(), ()),
        oracle=np.flip,
    ),
    row(
        "concatenate",
        call([Y, floats(3, 4, seed=1)], axis=1),
        call([Y, floats(2, 4)]),
        call([X, X, X], axis=-1),
        call([Y]),
        empty([floats(0, 4), Y]),
        empty([floats(0), floats(0)]),
        oracle=np.concatenate,
        grad=(0, 1),
    ),
    row(
        "stack",
        call([Y, floats(3, 4, seed=1)], axis=1),
        call([Y, Y]),
        call([Y, Y], axis=-1),
        empty([floats(0)] * 2),
        empty([floats(), floats(seed=1)]),
        oracle=np.stack,
        grad=(0, 1),
    ),
    moves(
        "split",
        call(floats(4, 6), 3, axis=1),
        call(floats(4, 6), (1, 4), axis=-1),
        call(floats(4, 6), 2),
        call(floats(4, 6), [3], axis=0),
        call(floats(4), [1, 9]),
        empty(floats(0, 4), 2, axis=1),
        empty(floats(0, 4), 2),
        oracle=np.split,
    ),
    moves(
        "tile",
        call(Y, 2),
        call(Y, (2, 1)),
        call(Y, (2, 1, 3)),
        empty(floats(0, 2), 2),
        empty(floats(), (2, 2)),
        call(Y, (0, 1)),
        oracle=np.tile,
    ),
    moves(
        "repeat",
        call(Y, 2, axis=1),
        call(Y, 3),
        call(Y, (1, 2, 0), axis=0),
        empty(floats(0, 2), 2, axis=0),
        empty(floats(), 3),
        call(Y, 0, axis=0),
        oracle=np.repeat,
    ),
    moves(
        "_pad",
        call(Y, ((1, 2), (0, 3))),
        call(Y, ((1, 1), (1, 0)), "reflect"),
        call(Y, ((2, 1), (0, 3)), "symmetric"),
        call(Y, ((0, 1), (2, 0)), "constant", 7.0),
        call(ints(3), ((1, 1),), "constant", 2),
        call(bools(3), ((1, 1),)),
        empty(floats(0, 2), ((1, 1), (0, 1))),
        empty(floats(), ()),
        oracle=_pad,
    ),
    moves(
        "_get_item",
        *(call(Y, key) for key in KEYS),
        empty(floats(0, 3), (S(None), 1)),
        empty(floats(3), S(2, 1)),
        empty(floats(), Ellipsis),
        empty(floats(), None),
        special(Y, (S(9, None), S(None, None, -2))),
        special(Y, np.array([-1, -3])),
        oracle=lambda x, key: x[key],
    ),
    moves(
        "take",
        call(Y, ints(2, 2, high=3), axis=0),
        call(X, ints(5, high=3), axis=1),
        call(Y, ints(3, high=12)),
        call(X, ints(2, high=4), axis=-1),
        call(Y, np.array(1, "int32"), axis=1),
        empty(Y, ints(0), axis=0),
        empty(floats(2, 0), ints(1, high=1), axis=0),
        special(Y, array([-1, 0], "int32"), axis=0),
        special(Y, array([0, 1], "uint8"), axis=0),
        oracle=np.take,
    ),
    moves(
        "_take_rows",
        call(Y, ints(5, high=3)),
        call(X, ints(1, high=2)),
        empty(Y, ints(0)),
        oracle=lambda x, r: x[r],
    ),
    moves(
        "take_along_axis",
        call(Y, ints(3, 2, high=4), axis=1),
        call(X, ints(1, 3, 4, high=2), axis=0),
        call(Y, ints(2, 4, high=3), axis=-2),
        call(floats(5), ints(3)),
        call(Y, ints(1, 2, high=4), axis=1),
        empty(Y, ints(3, 0), axis=1),
        special(Y, array([[-1], [0], [-4]], "int32"), axis=1),
        oracle=np.take_along_axis,
    ),
    moves(
        "slice",
        call(Y, (1, 0), (2, 3)),
        call(X, (0, 1, 2), (1, 2, 2)),
        call(Y, np.array([0, 2]), (3, 1)),
        empty(Y, (1, 1), (0, 2)),
        empty(floats(), (), ()),
        oracle=_slice,
    ),
    moves(
        "slice_update",
        call(Y, (1, 0), floats(2, 3, seed=5)),
        call(X, (0, 1, 2), floats(1, 2, 2, seed=5)),
        empty(Y, (0, 0), floats(0, 2)),
        oracle=_slice_update,
        grad=(0, 1),
        grid="floats",
    ),
    moves(
        "scatter_update",
        call(Y, array([[0], [2]], "int32"), floats(2, 4, seed=5)),
        call(Y, array([[0, 1], [2, 3], [1, 0]], "int32"), floats(3, seed=5)),
        empty(Y, ints(0, 2), floats(0)),
        oracle=_scatter,
        grad=(0, 2),
        grid="floats",
    ),
    moves(
        "_segment_sum",
        call(Y, array([0, 2, 0], "int32"), 4),
        call(floats(4), array([1, 1, 1, 0], "int32"), 2),
        empty(floats(0, 2), ints(0), 3),
        special(Y, array([0, -1, 7], "int32"), 2),
        oracle=_segment_sum,
        grid="numbers",
    ),
    moves(
        "sort",
        call(floats(2, 5)),
        call(floats(4, 3), axis=0),
        call(ints(6)),
        call(bools(5)),
        empty(floats(0, 3)),
        empty(floats(2, 0)),
        special(array([3.0, NAN, -INF, 1.0, INF, NAN, -2.0])),
        oracle=np.sort,
    ),
    row(
        "argsort",
        call(floats(2, 5)),
        call(floats(4, 3), axis=0),
        call(ints(8, high=3)),
        call(bools(6)),
        empty(floats(0, 3)),
        special(array([2.0, 1.0, 2.0, 1.0, 1.0])),
        special(array([3.0, NAN, 1.0, INF])),
        special(array([0.0, -0.0, 0.0]), expected=[0, 1, 2]),
        oracle=lambda x, axis=-1: np.argsort(x, axis, kind="stable"),
    ),
    row(
        "top_k",
        call(floats(2, 5), 2),
        call(ints(6, high=50), 3),
        call(floats(4), 4),
        empty(floats(0, 3), 2),
        special(array([1.0, 3.0, 3.0, 2.0, 3.0]), 3, expected=([3.0, 3.0, 3.0], [1, 2, 4])),
        special(array([1.0, -INF, INF]), 2),
        empty(floats(2, 3), 0),
        oracle=_top_k,
        grad=(0,),
        grid="numbers",
    ),
    row(
        "in_top_k",
        call(ints(4, high=5), floats(4, 5), 2),
        call(ints(3, high=4), floats(3, 4), 1),
        empty(ints(0), floats(0, 3), 2),
        special(array([0, 1, 2], "int32"), array([[1.0, 1.0, 0.0]] * 3), 1, expected=[True, True, False]),
        special(array([5, -1], "int32"), floats(2, 3), 2, expected=[False, False]),
        special(array([0], "int32"), array([[NAN, 1.0]]), 2, expected=[False]),
        oracle=_in_top_k,
        grid="floats",
    ),
    row(
        "_one_hot",
        call(ints(2, 3), 5, -1, "float32"),
        call(ints(3), 4, 0, "int32"),
        call(ints(2, 3), 5, 1, "bool"),
        empty(ints(0), 3, -1, "float32"),
        empty(ints(), 5, -1, "float32"),
        special(array([-1, 0, 3], "int32"), 3, -1, "float32"),
        oracle=_one_hot,
        grid="none",
    ),
]
