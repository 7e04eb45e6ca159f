"""Samples of reductions and running totals."""

from __future__ import annotations

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

NANS = array([[1.0, NAN, 2.0], [3.0, 0.0, -INF], [INF, 5.0, -1.0]])


def reduction(op: str, *more: Call, hollow: bool = True, nans: bool = True, **facts: Any) -> Sample:
    """A reduction; `hollow` where it is defined over no elements at all."""
    calls = [call(floats(2, 3, 4)), call(floats(2, 3, 4), axis=1), call(floats(2, 3, 4), axis=-1, keepdims=True)]
    calls += [call(floats(2, 3, 4), axis=(0, 2)), call(floats(2, 3, 4), keepdims=True), call(floats(2, 3), axis=())]
    calls += [empty(floats()), empty(floats(0, 3), axis=1), empty(floats(1, 0, 2), axis=2, keepdims=True)]
    if hollow:
        calls += [empty(floats(0, 3), axis=0), empty(floats(0))]
    if nans:
        calls += [special(NANS, axis=0), special(NANS)]
    return row(op, *calls, *more, **{"grad": (0,), **facts})


def _count_nonzero(x: Any, axis: Any = None) -> Any:
    return np.count_nonzero(x, axis=axis)


def _logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.log(np.sum(np.exp(np.asarray(x, "float64")), axis=axis, keepdims=keepdims))


def _moments(x: Any, axes: Any, keepdims: bool = False) -> Any:
    return np.mean(x, axes, keepdims=keepdims), np.var(x, axes, keepdims=keepdims)


def arg(op: str) -> Sample:
    """The place of an extreme element."""
    return row(
        op, call(floats(2, 3, 4)), call(floats(2, 3, 4), axis=1), call(floats(2, 3), axis=-1, keepdims=True),
        call(floats(2, 3), keepdims=True), call(ints(5)), empty(floats()), empty(floats(0, 3), axis=1),
        special(array([1.0, 3.0, 3.0, 1.0])), special(array([1.0, NAN, 3.0, NAN]), expected=1),
        special(array([-0.0, 0.0]), expected=0), special(array([True, False, True], "bool")),
    )  # fmt: skip


def running(op: str, *more: Call) -> Sample:
    """A running total."""
    return row(
        op, call(floats(2, 3), axis=1), call(floats(2, 3), axis=0), call(floats(2, 3)), call(floats(2, 3), axis=-1),
        call(ints(4), axis=0), empty(floats(0, 3), axis=0), empty(floats(0)), special(NANS, axis=0), *more,
        grad=(0,), twice=True, grid="all",
    )  # fmt: skip


BIG = special(array([2**31 - 1, 1], "int32"), expected=-(2**31))
SMALL = special(ints(300, high=200, dtype="uint8"), expected=int(ints(300, high=200).sum()))

SAMPLES = [
    reduction("sum", BIG, SMALL, call(bools(5)), twice=True, oracle=lambda x, **k: np.sum(x, **k, dtype=_kept(x))),
    reduction("_prod", call(ints(4, low=1)), special(array([0.0, 2.0, 0.0])), oracle=np.prod),
    reduction("mean", call(ints(2, 3), axis=0), twice=True, hollow=False),
    reduction("var", special(array([1e4, 1e4 + 1, 1e4 + 2])), twice=True, hollow=False),
    reduction("std", twice=True, hollow=False, oracle=np.std),
    reduction("amax", call(ints(2, 3), axis=1), hollow=False, oracle=np.max),
    reduction("amin", call(ints(2, 3), axis=1), hollow=False, oracle=np.min),
    reduction("any", call(bools(2, 3), axis=1), grad=()),
    reduction("all", call(bools(2, 3), axis=1), grad=()),
    row(
        "count_nonzero",
        call(ints(2, 3), axis=1),
        call(floats(2, 3)),
        call(bools(2, 3), axis=0),
        empty(floats(0, 3), 0),
        empty(floats(), expected=1),
        special(array([NAN, 0.0, -0.0, INF]), expected=2),
        oracle=_count_nonzero,
    ),
    arg("argmax"),
    arg("argmin"),
    reduction(
        "logsumexp",
        special(array([1000.0, 1000.0]), expected=1000.0 + np.log(2.0)),
        special(array([-INF, -INF]), expected=-INF),
        special(array([INF, 1.0]), expected=INF),
        hollow=False,
        nans=False,
        oracle=_logsumexp,
        twice=True,
    ),
    running("_cumsum"),
    running("_cumprod", special(array([2.0, 0.0, 3.0]), axis=0)),
    row(
        "moments",
        call(floats(2, 3), 0),
        call(floats(2, 3, 4), (0, 2)),
        call(floats(2, 3), -1, keepdims=True),
        empty(floats(0, 3), 1),
        special(array([1e4, 1e4 + 1, 1e4 + 2]), 0),
        oracle=_moments,
        grad=(0,),
    ),
]


def _kept(x: Any) -> Any:
    """Integers are summed in their own width, small ones in 32 bits."""
    return {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32"}.get(x.dtype.name, x.dtype)
