"""Samples of control flow. The ops take flat functions, so the public functions stand in for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn import ops
from keras_fn.testing.samples.sample import array, call, empty, floats, row


def _cond(pred: Any, x: Any) -> Any:
    return ops.cond(pred, lambda: ops.multiply(x, 2.0), lambda: ops.subtract(x, 1.0))


def _switch(index: Any, x: Any) -> Any:
    branches = [lambda v: ops.add(v, 1.0), lambda v: ops.multiply(v, v), lambda v: ops.negative(v)]
    return ops.switch(index, branches, x)


def _while_loop(x: Any, n: Any) -> Any:
    return ops.while_loop(lambda i, v: ops.less(i, n), lambda i, v: (ops.add(i, 1), ops.multiply(v, 2.0)), (0, x))


def _scan(x: Any, start: Any, reverse: bool = False) -> Any:
    return ops.scan(lambda c, v: (ops.add(c, v), ops.multiply(c, v)), start, x, reverse=reverse)


def _scanned(x: Any, start: Any, reverse: bool = False) -> Any:
    total, rows = start, []
    for v in x[::-1] if reverse else x:
        rows.append(total * v)
        total = total + v
    return total, np.stack(rows[::-1] if reverse else rows)


def _vectorized_map(x: Any, y: Any) -> Any:
    return ops.vectorized_map(lambda pair: ops.add(ops.matmul(pair[0], pair[1]), 1.0), (x, y))


TRUE, FALSE = array(True, "bool"), array(False, "bool")

SAMPLES = [
    row(
        "_cond",
        call(TRUE, floats(2, 3)),
        call(FALSE, floats(2, 3)),
        empty(TRUE, floats(0, 3)),
        empty(FALSE, floats()),
        run=_cond,
        oracle=lambda p, x: x * 2 if p else x - 1,
        grad=(1,),
        at=(0, 1),
        twice=True,
        grid="none",
    ),
    row(
        "_switch",
        *(call(array(i, "int32"), floats(2, 3)) for i in (0, 1, 2)),
        empty(array(1, "int32"), floats(0, 3)),
        call(array(9, "int32"), floats(2)),
        call(array(-3, "int32"), floats(2)),
        run=_switch,
        grad=(1,),
        at=(0, 1, 2),
        twice=True,
        grid="none",
        oracle=lambda i, x: (x + 1, x * x, -x)[min(max(int(i), 0), 2)],
    ),
    row(
        "_while_loop",
        call(floats(2, 3), array(3, "int32")),
        call(floats(2, 3), array(0, "int32")),
        empty(floats(0, 3), array(2, "int32")),
        run=_while_loop,
        oracle=lambda x, n: (n, x * 2.0 ** int(n)),
        grad=(0,),
        grid="none",
    ),
    row(
        "_scan",
        call(floats(4, 3), floats(3, seed=1)),
        call(floats(4, 3), floats(3, seed=1), reverse=True),
        call(floats(1), floats()),
        empty(floats(4, 0), floats(0)),
        run=_scan,
        oracle=_scanned,
        grad=(0, 1),
        at=(0, 1),
        twice=True,
        grid="none",
    ),
    row(
        "_vectorized_map",
        call(floats(4, 2, 3), floats(4, 3, 2)),
        call(floats(1, 2, 3), floats(1, 3, 2)),
        run=_vectorized_map,
        oracle=lambda x, y: x @ y + 1,
        grad=(0, 1),
        twice=True,
        grid="none",
    ),
]
