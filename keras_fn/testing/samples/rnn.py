"""Samples of recurrent networks and of the dense product, against loops in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.ops.elementwise import sigmoid, tanh
from keras_fn.ops.linear import _linear, _linear_along
from keras_fn.ops.rnn import standard_lstm
from keras_fn.testing.samples.sample import call, empty, floats, row


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _over_time(step: Any, inputs: Any, states: list[Any], go_backwards: bool, return_sequences: bool) -> Any:
    outputs = []
    order = range(inputs.shape[1])
    for t in reversed(order) if go_backwards else order:
        states = step(inputs[:, t], *states)
        outputs.append(states[0])
    return states[0], np.stack(outputs, 1) if return_sequences else states[0][:, None], states


def _first(state: Any, inputs: Any, recurrent: Any) -> Any:
    return np.zeros((inputs.shape[0], recurrent.shape[0])) if state is None else state


def _lstm(
    inputs: Any, h0: Any, c0: Any, kernel: Any, recurrent: Any, bias: Any, go_backwards: Any = False,
    return_sequences: Any = True,
) -> Any:  # fmt: skip
    def step(x: Any, h: Any, c: Any) -> list[Any]:
        i, f, g, o = np.split(x @ kernel + h @ recurrent + (0 if bias is None else bias), 4, -1)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
        return [_sigmoid(o) * np.tanh(c), c]

    return _over_time(
        step, inputs, [_first(h0, inputs, recurrent), _first(c0, inputs, recurrent)], go_backwards, return_sequences
    )


def _gru(
    inputs: Any, h0: Any, kernel: Any, recurrent: Any, bias: Any, go_backwards: Any = False,
    return_sequences: Any = True,
) -> Any:  # fmt: skip
    own, of_state = (0, 0) if bias is None else bias

    def step(x: Any, h: Any) -> list[Any]:
        xz, xr, xn = np.split(x @ kernel + own, 3, -1)
        hz, hr, hn = np.split(h @ recurrent + of_state, 3, -1)
        z = _sigmoid(xz + hz)
        return [z * h + (1 - z) * np.tanh(xn + _sigmoid(xr + hr) * hn)]

    return _over_time(step, inputs, [_first(h0, inputs, recurrent)], go_backwards, return_sequences)


def _simple(
    inputs: Any, h0: Any, kernel: Any, recurrent: Any, bias: Any, go_backwards: Any = False,
    return_sequences: Any = True,
) -> Any:  # fmt: skip
    def step(x: Any, h: Any) -> list[Any]:
        return [np.tanh(x @ kernel + h @ recurrent + (0 if bias is None else bias))]

    return _over_time(step, inputs, [_first(h0, inputs, recurrent)], go_backwards, return_sequences)


def _rows(kind: str, oracle: Any, gates: int, states: int, functions: tuple[Any, ...]) -> list[Any]:
    """The rows of a network: as a fused kernel may compute it, and as the loop with functions of the caller's."""
    x, kernel, recurrent = floats(2, 3, 4), floats(4, 3 * gates), floats(3, 3 * gates, seed=1)
    bias = floats(2, 3 * gates) if kind == "gru" else floats(3 * gates)
    first = [floats(2, 3, seed=i) for i in range(states)]
    none = [None] * states
    facts: dict[str, Any] = {"batched": (0, *range(1, states + 1)), "grid": "floats", "tolerance": 10.0}
    count = 4 + states
    return [
        row(
            f"standard_{kind}",
            call(x, *first, kernel, recurrent, bias),
            call(x, *none, kernel, recurrent, bias, go_backwards=True),
            call(x, *first, kernel, recurrent, None, go_backwards=False, return_sequences=False),
            empty(floats(0, 3, 4), *(floats(0, 3) for _ in first), kernel, recurrent, bias),
            oracle=oracle,
            grad=tuple(range(count)),
            at=(0, 1, 2),
            twice=True,
            **facts,
        ),
        row(
            f"masked_{kind}",
            call(x, *first, kernel, recurrent, bias, np.array([[True, True, False], [True, False, False]])),
            call(x, *none, kernel, recurrent, bias, np.array([[True, False, False], [True, True, True]]), True),
            call(x, *first, kernel, recurrent, None, np.array([[False, True, True], [False] * 3]), False, False, True),
            batched=(0, *range(1, states + 1), count),
            grad=tuple(range(count)),
            at=(0, 1, 2),
            grid="floats",
            tolerance=10.0,
        ),
        row(
            f"{kind}_loop",
            call(x, *first, kernel, recurrent, bias, *functions),
            oracle=lambda *args: oracle(*args[:count]),
            grad=tuple(range(count)),
            **facts,
        ),
    ]


DECLARED = (standard_lstm, _linear, _linear_along)  # ops declare themselves where their module is imported

SAMPLES = [
    *_rows("lstm", _lstm, 4, 2, (tanh, sigmoid)),
    *_rows("gru", _gru, 3, 1, (tanh, sigmoid)),
    *_rows("simple_rnn", _simple, 1, 1, (tanh,)),
    row(
        "_linear",
        call(floats(2, 3), floats(3, 4), floats(4)),
        call(floats(5, 2, 3), floats(3, 4), floats(4)),
        empty(floats(0, 3), floats(3, 4), floats(4)),
        empty(floats(2, 0), floats(0, 4), floats(4)),
        oracle=lambda x, weights, bias: x @ weights + bias,
        grad=(0, 1, 2),
        twice=True,
        batched=(0,),
        grid="numbers",
        tolerance=3.0,
    ),
    row(
        "_linear_along",
        call(floats(2, 5, 3), floats(3, 2, 4), floats(2, 4), "abc,cde->abde"),
        call(floats(2, 3, 4), floats(3, 4, 5), floats(5), "...bc,bcd->...d"),
        call(floats(2, 5, 3), floats(3, 2, 4), floats(2, 1), "abc, cde -> abde"),
        call(floats(2, 5, 3), floats(5, 4), floats(4, 3), "abc,bd->adc"),
        empty(floats(0, 5, 3), floats(3, 2, 4), floats(2, 4), "abc,cde->abde"),
        oracle=lambda x, weights, bias, equation: np.einsum(equation.replace(" ", ""), x, weights) + bias,
        grad=(0, 1, 2),
        twice=True,
        batched=(0,),
        grid="numbers",
        tolerance=3.0,
    ),
]
