"""The workloads by hand in NumPy."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.workloads import CALLS, CHAIN, WIDTH, Job, data

_random = np.random.default_rng(0)


def prepare(name: str) -> Job:
    """The job of a workload."""
    return JOBS[name]()


def layer(rows: int, columns: int) -> Any:
    """A kernel and a bias."""
    limit = np.sqrt(6 / (rows + columns))
    return _random.uniform(-limit, limit, (rows, columns)).astype("float32"), np.zeros(columns, "float32")


def dense(p: Any, x: Any) -> Any:
    return x @ p[0] + p[1]


def _repeated(call: Callable[[], Any]) -> Job:
    def run() -> None:
        for _ in range(CALLS):
            call()

    return Job(run, CALLS)


def _add() -> Job:
    x = np.ones(1, "float32")
    return _repeated(lambda: np.add(x, x))


def _chain(length: int) -> Job:
    params, x = [layer(WIDTH, WIDTH) for _ in range(length)], np.ones((1, WIDTH), "float32")
    return _repeated(lambda: functools.reduce(lambda h, p: dense(p, h), params, x))


def _predict_one() -> Job:
    a, b, c = layer(784, 64), layer(64, 64), layer(64, 10)
    x = data("mlp")[0][:1]
    return _repeated(lambda: dense(c, np.maximum(dense(b, np.maximum(dense(a, x), 0)), 0)))


def first() -> None:
    dense(layer(WIDTH, WIDTH), np.ones((1, WIDTH), "float32"))


JOBS: dict[str, Callable[[], Job]] = {
    "build": lambda: Job(lambda: [layer(WIDTH, WIDTH) for _ in range(CHAIN)]),
    "add": _add,
    "dense": lambda: _chain(1),
    "chain": lambda: _chain(10),
    "predict1": _predict_one,
}
