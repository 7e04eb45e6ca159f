"""The workloads in the Keras API. The same code runs keras_fn and real Keras: `k` is one of the two packages."""

from __future__ import annotations

import importlib
import pathlib
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.models_keras import MODELS, mlp, resnet50, saved, vgg
from benchmarks.sources import SOURCE_STEPS, source
from benchmarks.workloads import (
    BATCH,
    CALLS,
    CHAIN,
    SOURCES,
    VARIANTS,
    WIDTH,
    Job,
    data,
    data_of,
    image,
    model_of,
    steps,
)


def prepare(name: str, implementation: str) -> Job:
    """The job of a workload."""
    k = importlib.import_module(implementation)
    if name in SOURCES:
        return _fit_on(k, name)
    if name in MODELS or name in VARIANTS:
        return _fit(k, name)
    return JOBS[name](k)


# --- training and its relatives
def _counter(k: Any) -> Any:
    """A callback as users write them: it looks at no logs."""

    class Counter(k.callbacks.Callback):
        batches = 0

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.batches += 1

    return Counter()


def _fit(k: Any, name: str) -> Job:
    model, kind = MODELS[model_of(name)](k), data_of(name)
    x, y = data(kind)
    verbose = {"mlp-verbose1": 1, "mlp-verbose2": 2}.get(name, 0)
    callbacks = [_counter(k)] if name == "mlp-callback" else []
    options = {"batch_size": BATCH[kind], "epochs": 1, "verbose": verbose, "callbacks": callbacks}
    # the history holds floats: the device is done when it is there
    return Job(lambda: model.fit(x, y, **options), steps(kind))


def _fit_on(k: Any, name: str) -> Job:
    model, batches = mlp(k), source(name)
    return Job(lambda: model.fit(batches(), epochs=1, verbose=0), SOURCE_STEPS)


def _one_by_one(method: str, targets: bool) -> Callable[[Any], Job]:
    """A method that takes a batch, with one sample, call after call."""

    def prepare(k: Any) -> Job:
        call = getattr(mlp(k), method)
        x, y = data("mlp-batch1")
        arrays = (x[:1], y[:1]) if targets else (x[:1],)

        def run() -> None:
            for _ in range(50):
                call(*arrays)

        return Job(run, 50)

    return prepare


# --- one image
def _vgg_call(k: Any) -> Job:
    model, x = vgg(k), k.ops.convert_to_tensor(image())
    return Job(lambda: k.ops.convert_to_numpy(model(x)))


def _vgg_predict(k: Any) -> Job:
    model, x = vgg(k), image()
    return Job(lambda: model.predict(x, verbose=0))


# --- files
def _save(k: Any) -> Job:
    model, folder = saved(k), tempfile.TemporaryDirectory()
    file = pathlib.Path(folder.name, "model.keras")

    def run() -> None:
        model.save(file)
        _ = folder  # it lives as long as the job

    return Job(run, weigh=True)


def _load(k: Any) -> Job:
    folder = tempfile.TemporaryDirectory()
    file = pathlib.Path(folder.name, "model.keras")
    saved(k).save(file)

    def run() -> None:
        model = k.models.load_model(file)
        k.ops.convert_to_numpy(model.weights[-1])
        _ = folder

    return Job(run, weigh=True)


def _evaluate(k: Any) -> Job:
    model = mlp(k)
    x, y = data("mlp")
    return Job(lambda: model.evaluate(x, y, batch_size=BATCH["mlp"], verbose=0), steps("mlp"))


def _predict(k: Any) -> Job:
    model = mlp(k)
    x, _ = data("mlp")
    return Job(lambda: model.predict(x, batch_size=BATCH["mlp"], verbose=0), steps("mlp"))


def _predict_one(k: Any) -> Job:
    model = mlp(k)
    x = data("mlp")[0][:1]

    def run() -> None:
        for _ in range(10):
            model.predict(x, verbose=0)

    return Job(run, 10)


# --- graphs and eager calls
def _chain(k: Any, length: int) -> Any:
    x = inputs = k.Input((WIDTH,))
    for _ in range(length):
        x = k.layers.Dense(WIDTH)(x)
    return k.Model(inputs, x)


def _built(k: Any, make: Callable[[], Any]) -> Job:
    """A model whose weights are on the device."""
    return Job(lambda: k.ops.convert_to_numpy(make().weights[-1]))


def _repeated(k: Any, call: Callable[[], Any]) -> Job:
    def run() -> None:
        for _ in range(CALLS):
            out = call()
        k.ops.convert_to_numpy(out)

    return Job(run, CALLS)


def _add(k: Any) -> Job:
    add, x = k.ops.add, k.ops.convert_to_tensor(np.ones(1, "float32"))
    return _repeated(k, lambda: add(x, x))


def _on_square(name: str, call: Callable[[Any, Any], Any]) -> Callable[[Any], Job]:
    """An op on a 32 x 32 tensor."""

    def prepare(k: Any) -> Job:
        op, x = getattr(k.ops, name), k.ops.convert_to_tensor(np.ones((WIDTH, WIDTH), "float32"))
        return _repeated(k, lambda: call(op, x))

    return prepare


def _called(k: Any, layer: Any) -> Job:
    x = k.ops.convert_to_tensor(np.ones((1, WIDTH), "float32"))
    return _repeated(k, lambda: layer(x))


def first(implementation: str) -> None:
    """From nothing to the values that a Dense layer gives."""
    k = importlib.import_module(implementation)
    k.ops.convert_to_numpy(k.layers.Dense(WIDTH)(np.ones((1, WIDTH), "float32")))


JOBS: dict[str, Callable[[Any], Job]] = {
    "build": lambda k: _built(k, lambda: _chain(k, CHAIN)),
    "build-resnet50": lambda k: _built(k, lambda: resnet50(k)),
    "add": _add,
    "matmul": _on_square("matmul", lambda op, x: op(x, x)),
    "sum": _on_square("sum", lambda op, x: op(x)),
    "concatenate": _on_square("concatenate", lambda op, x: op([x, x])),
    "softmax": _on_square("softmax", lambda op, x: op(x)),
    "dense": lambda k: _called(k, k.layers.Dense(WIDTH)),
    "chain": lambda k: _called(k, _chain(k, 10)),
    "predict1": _predict_one,
    "mlp-evaluate": _evaluate,
    "mlp-predict": _predict,
    "predict-on-batch1": _one_by_one("predict_on_batch", targets=False),
    "train-on-batch1": _one_by_one("train_on_batch", targets=True),
    "vgg-call": _vgg_call,
    "vgg-predict": _vgg_predict,
    "save": _save,
    "load": _load,
}
