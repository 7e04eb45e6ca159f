"""The workloads in the Keras API. The same code runs keras_fn and real Keras: `k` is one of the two packages."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.workloads import (
    BATCH,
    BODY_LENGTH,
    CALLS,
    CHAIN,
    DEPARTMENTS,
    TAGS,
    TITLE_LENGTH,
    WIDTH,
    WORDS,
    Job,
    data,
    steps,
)


def prepare(name: str, implementation: str) -> Job:
    """The job of a workload."""
    k = importlib.import_module(implementation)
    if name in MODELS:
        return _fit(k, name)
    return JOBS[name](k)


# --- models of the guides
def mlp(k: Any) -> Any:
    """W1."""
    inputs = k.Input((784,))
    x = k.layers.Dense(64, activation="relu")(inputs)
    x = k.layers.Dense(64, activation="relu")(x)
    model = k.Model(inputs, k.layers.Dense(10)(x))
    model.compile(
        k.optimizers.RMSprop(), k.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
    )
    return model


def autoencoder(k: Any) -> Any:
    """W2."""
    layers = k.layers
    inputs = k.Input((28, 28, 1))
    x = layers.Conv2D(16, 3, activation="relu")(inputs)
    x = layers.Conv2D(32, 3, activation="relu")(x)
    x = layers.MaxPooling2D(3)(x)
    x = layers.Conv2D(32, 3, activation="relu")(x)
    x = layers.Conv2D(16, 3, activation="relu")(x)
    encoded = layers.GlobalMaxPooling2D()(x)
    x = layers.Reshape((4, 4, 1))(encoded)
    x = layers.Conv2DTranspose(16, 3, activation="relu")(x)
    x = layers.Conv2DTranspose(32, 3, activation="relu")(x)
    x = layers.UpSampling2D(3)(x)
    x = layers.Conv2DTranspose(16, 3, activation="relu")(x)
    decoded = layers.Conv2DTranspose(1, 3, activation="relu")(x)
    model = k.Model(inputs, decoded)
    model.compile(k.optimizers.RMSprop(), k.losses.MeanSquaredError())
    return model


def tickets(k: Any) -> Any:
    """W3."""
    layers = k.layers
    title = k.Input((TITLE_LENGTH,), dtype="int32", name="title")
    body = k.Input((BODY_LENGTH,), dtype="int32", name="body")
    tags = k.Input((TAGS,), name="tags")
    x = layers.Concatenate()(
        [
            layers.LSTM(128)(layers.Embedding(WORDS, 64)(title)),
            layers.LSTM(32)(layers.Embedding(WORDS, 64)(body)),
            tags,
        ]
    )
    outputs = {
        "priority": layers.Dense(1, name="priority")(x),
        "department": layers.Dense(DEPARTMENTS, name="department")(x),
    }
    model = k.Model({"title": title, "body": body, "tags": tags}, outputs)
    model.compile(
        k.optimizers.RMSprop(1e-3),
        {
            "priority": k.losses.BinaryCrossentropy(from_logits=True),
            "department": k.losses.CategoricalCrossentropy(from_logits=True),
        },
        loss_weights={"priority": 1.0, "department": 0.2},
    )
    return model


def resnet(k: Any) -> Any:
    """W4."""
    layers = k.layers
    inputs = k.Input((32, 32, 3))
    x = layers.Conv2D(32, 3, activation="relu")(inputs)
    x = layers.Conv2D(64, 3, activation="relu")(x)
    block = layers.MaxPooling2D(3)(x)
    for _ in range(2):
        x = layers.Conv2D(64, 3, activation="relu", padding="same")(block)
        x = layers.Conv2D(64, 3, activation="relu", padding="same")(x)
        block = layers.Add()([x, block])
    x = layers.Conv2D(64, 3, activation="relu")(block)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(256, activation="relu")(x)
    x = layers.Dropout(0.5)(x)
    model = k.Model(inputs, layers.Dense(10)(x))
    model.compile(
        k.optimizers.RMSprop(1e-3), k.losses.CategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
    )
    return model


MODELS: dict[str, Callable[[Any], Any]] = {"mlp": mlp, "autoencoder": autoencoder, "tickets": tickets, "resnet": resnet}


def _fit(k: Any, name: str) -> Job:
    model = MODELS[name](k)
    x, y = data(name)
    # the history holds floats: the device is done when it is there
    return Job(lambda: model.fit(x, y, batch_size=BATCH[name], epochs=1, verbose=0), steps(name))


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


def _repeated(k: Any, call: Callable[[], Any]) -> Job:
    def run() -> None:
        for _ in range(CALLS):
            out = call()
        k.ops.convert_to_numpy(out)

    return Job(run, CALLS)


def _add(k: Any) -> Job:
    add, x = k.ops.add, k.ops.convert_to_tensor(np.ones(1, "float32"))
    return _repeated(k, lambda: add(x, x))


def _called(k: Any, layer: Any) -> Job:
    x = k.ops.convert_to_tensor(np.ones((1, WIDTH), "float32"))
    return _repeated(k, lambda: layer(x))


def first(implementation: str) -> None:
    """From nothing to the values that a Dense layer gives."""
    k = importlib.import_module(implementation)
    k.ops.convert_to_numpy(k.layers.Dense(WIDTH)(np.ones((1, WIDTH), "float32")))


JOBS: dict[str, Callable[[Any], Job]] = {
    "build": lambda k: Job(lambda: _chain(k, CHAIN)),
    "add": _add,
    "dense": lambda k: _called(k, k.layers.Dense(WIDTH)),
    "chain": lambda k: _called(k, _chain(k, 10)),
    "predict1": _predict_one,
    "mlp-evaluate": _evaluate,
    "mlp-predict": _predict,
}
