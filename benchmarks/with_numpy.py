"""The workloads by hand in NumPy."""

from __future__ import annotations

import functools
import math
import pathlib
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.workloads import CALLS, CHAIN, SAVED_LAYERS, SAVED_WIDTH, WIDTH, Job, data, resnet50_weights

_random = np.random.default_rng(0)


def prepare(name: str) -> Job:
    """The job of a workload."""
    return JOBS[name]()


def weight(*shape: int) -> Any:
    """Uniform values in Glorot's range."""
    limit = np.sqrt(6 / (shape[-1] + math.prod(shape[:-1])))
    return _random.uniform(-limit, limit, shape).astype("float32")


def layer(rows: int, columns: int) -> Any:
    """A kernel and a bias."""
    return weight(rows, columns), np.zeros(columns, "float32")


def _resnet50() -> Any:
    return [weight(*s) if v is None else np.full(s, v, "float32") for s, v in resnet50_weights()]


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


def _on_square(call: Callable[[Any], Any]) -> Callable[[], Job]:
    x = np.ones((WIDTH, WIDTH), "float32")
    return lambda: _repeated(lambda: call(x))


def _softmax(x: Any) -> Any:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _chain(length: int) -> Job:
    params, x = [layer(WIDTH, WIDTH) for _ in range(length)], np.ones((1, WIDTH), "float32")
    return _repeated(lambda: functools.reduce(lambda h, p: dense(p, h), params, x))


def _predict_one() -> Job:
    a, b, c = layer(784, 64), layer(64, 64), layer(64, 10)
    x = data("mlp")[0][:1]
    return _repeated(lambda: dense(c, np.maximum(dense(b, np.maximum(dense(a, x), 0)), 0)))


def _saved() -> dict[str, Any]:
    """Weights by name."""
    layers = [layer(SAVED_WIDTH, SAVED_WIDTH) for _ in range(SAVED_LAYERS)]
    return {f"{i} {part}": w for i, pair in enumerate(layers) for part, w in zip(("kernel", "bias"), pair, strict=True)}


def _save() -> Job:
    weights, folder = _saved(), tempfile.TemporaryDirectory()
    file = pathlib.Path(folder.name, "weights.npz")

    def run() -> None:
        np.savez(file, **weights)
        _ = folder  # it lives as long as the job

    return Job(run, weigh=True)


def _load() -> Job:
    folder = tempfile.TemporaryDirectory()
    file = pathlib.Path(folder.name, "weights.npz")
    np.savez(file, **_saved())

    def run() -> Any:
        with np.load(file) as members:
            weights = {name: members[name] for name in members.files}
        _ = folder
        return weights

    return Job(run, weigh=True)


def first() -> None:
    dense(layer(WIDTH, WIDTH), np.ones((1, WIDTH), "float32"))


JOBS: dict[str, Callable[[], Job]] = {
    "build": lambda: Job(lambda: [layer(WIDTH, WIDTH) for _ in range(CHAIN)]),
    "build-resnet50": lambda: Job(_resnet50),
    "add": _add,
    "matmul": _on_square(lambda x: np.matmul(x, x)),
    "sum": _on_square(np.sum),
    "concatenate": _on_square(lambda x: np.concatenate([x, x])),
    "softmax": _on_square(_softmax),
    "dense": lambda: _chain(1),
    "chain": lambda: _chain(10),
    "predict1": _predict_one,
    "predict-on-batch1": _predict_one,
    "save": _save,
    "load": _load,
}
