"""Samples of products and norms."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.testing.samples.sample import INF, NAN, array, call, empty, floats, ints, row, special


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    return np.linalg.norm(x, ord, axis, keepdims)


def _normalize(x: Any, axis: int = -1, order: Any = 2, epsilon: float = 1e-12) -> Any:
    return x / np.maximum(np.linalg.norm(x, order, axis, keepdims=True), epsilon)


SAMPLES = [
    row(
        "matmul",
        call(floats(2, 3), floats(3, 4)),
        call(floats(5, 2, 3), floats(3, 4)),
        call(floats(2, 1, 2, 3), floats(5, 3, 2)),
        call(floats(3), floats(3, seed=1)),
        call(floats(2, 3), floats(3)),
        call(floats(3), floats(3, 2)),
        call(floats(4, 2, 3), floats(3)),
        call(floats(3), floats(4, 3, 2)),
        call(ints(2, 3), ints(3, 2)),
        empty(floats(0, 3), floats(3, 2)),
        empty(floats(2, 0), floats(0, 3)),
        empty(floats(0, 2, 3), floats(3, 4)),
        special(array([[NAN, 1.0]]), array([[0.0], [1.0]])),
        special(array([[INF, 0.0]]), array([[1.0], [2.0]])),
        grad=(0, 1),
        twice=True,
        tolerance=3.0,
    ),
    row(
        "dot",
        call(floats(2, 3), floats(3, 4)),
        call(floats(3), floats(3, seed=1)),
        call(floats(2, 3), floats()),
        call(floats(2, 3), floats(3)),
        call(floats(2, 3), floats(4, 3, 2)),
        empty(floats(0), floats(0)),
        empty(floats(), floats(seed=1)),
        oracle=np.dot,
        grad=(0, 1),
        twice=True,
        tolerance=3.0,
    ),
    row(
        "outer",
        call(floats(2), floats(3)),
        call(floats(2, 2), floats(3)),
        empty(floats(0), floats(3)),
        empty(floats(), floats(2)),
        oracle=np.outer,
        grad=(0, 1),
    ),
    row(
        "_einsum",
        call([floats(2, 3), floats(3, 4)], "ij,jk->ik"),
        call([floats(2, 3, 4), floats(2, 4, 5)], "bij,bjk->bik"),
        call([floats(2, 3)], "ij->ji"),
        call([floats(3, 3)], "ii->i"),
        call([floats(2, 3)], "ij->"),
        call([floats(2, 3, 4), floats(4, 5)], "...i,ij->...j"),
        call([floats(2), floats(3), floats(4)], "i,j,k->ijk"),
        empty([floats(0, 3), floats(3, 2)], "ij,jk->ik"),
        oracle=lambda xs, s: np.einsum(s, *xs),
        grad=(0, 1),
        twice=True,
        grid="numbers",
        tolerance=3.0,
    ),
    row(
        "norm",
        call(floats(2, 3)),
        call(floats(2, 3), axis=1),
        call(floats(2, 3), axis=-1, keepdims=True),
        call(floats(4), ord=1),
        call(floats(2, 4), ord=np.inf, axis=1),
        call(floats(2, 4), ord=3, axis=0),
        empty(floats(0, 3), axis=1),
        oracle=_norm,
        grad=(0,),
    ),
    row(
        "normalize",
        call(floats(2, 3)),
        call(floats(2, 3), axis=0, order=1),
        call(floats(2, 3), order=3),
        empty(floats(0, 3)),
        special(array([[0.0, 0.0], [3.0, 4.0]])),
        oracle=_normalize,
        grad=(0,),
    ),
]
