"""Samples of ops on whole tensors: NaN-aware reductions, order statistics, joining, diagonals, counting, look-up."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.testing.samples.form import moves
from keras_fn.testing.samples.reduction import reduction
from keras_fn.testing.samples.sample import NAN, Call, Sample, array, bools, call, empty, floats, ints, row

X, Y, Z = floats(2, 3, 4), floats(3, 4), floats(3, 4, seed=1)
HOLES = np.where(floats(3, 4, seed=8) > 0.9, np.float32(NAN), Y)


def _sum(x: Any, **k: Any) -> Any:
    return np.nansum(x, **k, dtype=x.dtype if x.dtype.itemsize > 2 else None)


def nans(op: str, oracle: Any = None, *more: Call, hollow: bool = False, **facts: Any) -> Sample:
    """A reduction that passes over NaN."""
    if oracle is not None:
        facts["oracle"] = oracle
    return reduction(op, call(HOLES), call(HOLES, axis=1), *more, hollow=hollow, nans=False, **facts)


def _cum(fn: Any) -> Any:
    def oracle(x: Any, axis: Any = None, dtype: Any = None) -> Any:
        return fn(x, axis)

    return oracle


def rank_statistic(op: str, *q: Any) -> Sample:
    """A quantile, or the median."""
    return row(
        op,
        call(floats(2, 5), *q),
        call(floats(2, 5), *q, axis=1),
        call(floats(4, 3), *q, axis=0, keepdims=True),
        empty(floats(1), *q),
        grad=(0,),
        grid="floats",
    )


def _segments(values: Any, ids: Any, num: int, how: str) -> Any:
    return np.stack([getattr(np, how)(values[ids == i], axis=0) for i in range(num)])


SAMPLES = [
    nans("nansum", _sum),
    nans("nanprod"),
    nans("nanmax"),
    nans("nanmin"),
    nans("nanmean"),
    nans("nanvar"),
    nans("nanstd"),
    row(
        "nancumsum",
        call(HOLES, 1),
        call(HOLES),
        empty(floats(0, 3), 0),
        oracle=_cum(np.nancumsum),
        grad=(0,),
        grid="floats",
    ),
    row(
        "nancumprod",
        call(HOLES, 1),
        call(HOLES),
        empty(floats(0, 3), 0),
        oracle=_cum(np.nancumprod),
        grad=(0,),
        grid="floats",
    ),
    row("nanargmax", call(HOLES, axis=1), call(HOLES), empty(floats(0, 3), axis=1), grid="floats"),
    row("nanargmin", call(HOLES, axis=1), call(HOLES), empty(floats(0, 3), axis=1), grid="floats"),
    rank_statistic("median"),
    rank_statistic("nanmedian"),
    rank_statistic("quantile", 0.3),
    rank_statistic("nanquantile", 0.3),
    reduction("ptp", hollow=False, nans=False, grid="numbers"),
    row(
        "diff",
        call(Y),
        call(Y, n=2),
        call(Y, axis=0),
        call(ints(5)),
        empty(floats(0, 3)),
        empty(floats(1)),
        grad=(0,),
        grid="numbers",
    ),
    row("trapezoid", call(Y), call(Y, dx=0.5, axis=0), empty(floats(0, 3)), grad=(0,), grid="floats"),
    row("average", call(Y), call(Y, axis=1), grad=(0,)),
    row("corrcoef", call(floats(3, 6)), oracle=np.corrcoef, grad=(0,), grid="floats", tolerance=5.0),
    row(
        "_correlate",
        call(floats(6), floats(3), "valid"),
        call(floats(6), floats(3), "same"),
        call(floats(6), floats(3), "full"),
        call(floats(2), floats(5), "full"),
        oracle=np.correlate,
        grad=(0, 1),
        grid="floats",
        tolerance=5.0,
    ),
    row("append", call(Y, Z), call(Y, Z, axis=1), empty(floats(0), Y), grad=(0, 1)),
    row("hstack", call([Y, Z]), call([floats(3), floats(2)]), empty([floats(0), floats(2)]), grad=(0, 1)),
    row("vstack", call([Y, Z]), call([floats(3), floats(3, seed=1)]), empty([floats(0, 2), floats(3, 2)]), grad=(0, 1)),
    row("dstack", call([Y, Z]), call([floats(3), floats(3, seed=1)]), empty([floats(0, 2)] * 2), grad=(0, 1)),
    moves(
        "array_split",
        call(floats(7, 2), 3),
        call(floats(2, 7), 4, axis=1),
        call(floats(5), [1, 3]),
        empty(floats(0, 2), 2),
    ),
    moves("hsplit", call(floats(4, 6), 3), call(floats(4), 2), call(floats(4, 6), [1, 4])),
    moves("vsplit", call(floats(4, 6), 2), call(floats(4, 6), [1])),
    moves("dsplit", call(floats(2, 3, 4), 2)),
    moves("fliplr", call(Y), call(X), empty(floats(0, 2))),
    moves("flipud", call(Y), empty(floats(0, 2))),
    moves("rot90", call(Y), call(Y, k=2), call(Y, k=-1), call(X, axes=(1, 2)), empty(floats(0, 2))),
    moves("copy", call(Y), call(bools(3)), empty(floats(0)), empty(floats())),
    moves("diagonal", call(floats(3, 4)), call(floats(3, 4), offset=1), call(X, axis1=1, axis2=2), empty(floats(0, 3))),
    moves("_diagonal", call(floats(3, 4), 0, 0, 1), call(X, 1, 1, 2), empty(floats(0, 3), 0, 0, 1), oracle=np.diagonal),
    moves("diag", call(floats(3)), call(floats(3), k=-1), call(Y), call(Y, k=1), empty(floats(0))),
    moves("diagflat", call(floats(3)), call(floats(2, 2), k=1), empty(floats(0))),
    moves("trace", call(Y), call(X, axis1=1, axis2=2), call(Y, offset=-1), call(ints(3, 3)), empty(floats(0, 3))),
    row(
        "inner", call(Y, Z), call(floats(3), floats(3, seed=1)), empty(floats(0), floats(0)), grad=(0, 1), tolerance=3.0
    ),
    row("vdot", call(Y, Z), call(bools(4), bools(4)), empty(floats(0), floats(0)), grad=(0, 1), tolerance=5.0),
    row("kron", call(floats(2, 3), floats(2, 2)), call(floats(2), floats(3)), grad=(0, 1)),
    row(
        "cross",
        call(floats(4, 3), floats(4, 3, seed=1)),
        empty(floats(0, 3), floats(0, 3)),
        grad=(0, 1),
        grid="numbers",
    ),
    row(
        "vander",
        call(floats(3)),
        call(floats(3), N=2),
        call(ints(3), increasing=True),
        empty(floats(0)),
        grad=(0,),
        grid="floats",
    ),
    row(
        "linspace",
        call(floats(3), floats(3, seed=1), num=5),
        call(floats(2), floats(2, seed=1), num=4, endpoint=False),
        call(floats(), floats(seed=1), num=1),
        empty(floats(0), floats(0), num=3),
        grad=(0, 1),
        grid="floats",
    ),
    row("logspace", call(floats(3), floats(3, seed=1), num=4), grad=(0, 1), grid="floats", tolerance=10.0),
    row(
        "geomspace",
        call(floats(3, low=0.5), floats(3, low=0.5, seed=1), num=4),
        grad=(0, 1),
        grid="floats",
        tolerance=10.0,
    ),
    row("_bincount", call(ints(9), None, 7), oracle=lambda x, w, n: np.bincount(x, w, n), grid="none", dynamic=True),
    row("bincount", call(ints(9)), call(ints(9), minlength=8), call(ints(9), floats(9)), grid="none", dynamic=True),
    row(
        "_searchsorted",
        call(array([1.0, 2.0, 2.0, 5.0]), floats(2, 3, high=6)),
        call(array([1.0, 2.0, 2.0, 5.0]), array([2.0, 9.0]), side="right"),
        empty(floats(0), floats(2)),
        empty(array([1.0, 2.0]), floats(0)),
        batched=(1,),
        oracle=np.searchsorted,
        grid="floats",
    ),
    row(
        "digitize",
        call(floats(2, 3), array([-1.0, 0.0, 1.0])),
        empty(floats(0), array([0.0])),
        oracle=np.digitize,
        batched=(0,),
        grid="floats",
    ),
    row("histogram", call(floats(20)), call(floats(2, 9), bins=4, range=(-1.0, 1.0)), empty(floats(0)), grid="none"),
    row("argpartition", call(array([2.0, 1.0]), 0, expected=[1, 0]), grid="none"),
    row("_unravel_index", call(ints(5, high=12), (3, 4)), empty(ints(0), (3, 4)), oracle=np.unravel_index, grid="none"),
    row(
        "select",
        call([bools(4), bools(4, seed=1)], [floats(4), floats(4, seed=1)], 0.0),
        empty([bools(0)], [floats(0)], 1.0),
        grad=(2, 3),
        grid="none",
    ),
    row(
        "_segment_reduce",
        *(call(floats(6, 2), array([0, 1, 1, 0, 2, 2], "int32"), 3, how) for how in ("max", "min", "prod")),
        call(array([2.0, 0.0, 3.0, 0.5, 0.0, 0.0]), array([0, 1, 1, 0, 2, 2], "int32"), 3, "prod"),
        oracle=_segments,
        grad=(0,),
        at=(0, 1, 2, 3),
        grid="floats",
    ),
]
