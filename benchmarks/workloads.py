"""What is timed: names, what one unit is, and the random data of the real shapes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

IMPLEMENTATIONS = ("keras_fn", "keras", "hand")
TRAINING_BACKENDS = ("jax", "torch", "tensorflow")
BACKENDS = (*TRAINING_BACKENDS, "numpy")


@dataclass(frozen=True)
class Workload:
    """One row of the table.

    Attributes:
        title: what the row says.
        unit: what the time is for.
        backends: where it exists.
        fresh: whether every round starts a new interpreter.
    """

    title: str
    unit: str
    backends: tuple[str, ...] = BACKENDS
    fresh: bool = False


@dataclass(frozen=True)
class Job:
    """Work that is ready to be timed.

    Attributes:
        run: does it once, and returns when the results are there.
        units: how many units (steps, calls, samples) that are.
    """

    run: Callable[[], Any]
    units: int = 1


WORKLOADS = {
    "import": Workload("`import` in a fresh interpreter", "import", fresh=True),
    "first": Workload("… and a first Dense layer called", "process", fresh=True),
    "build": Workload("build a chain of 500 Dense (by hand: allocate its weights)", "chain"),
    "add": Workload("`ops.add` of two one-element tensors", "call"),
    "dense": Workload("call of one Dense", "call"),
    "chain": Workload("call of a functional model of 10 Dense", "call"),
    "predict1": Workload("`predict` of 1 sample (W1's model)", "call"),
    "mlp": Workload("W1 MLP: `fit`", "step", TRAINING_BACKENDS),
    "mlp-evaluate": Workload("W1 MLP: `evaluate`", "batch", TRAINING_BACKENDS),
    "mlp-predict": Workload("W1 MLP: `predict`", "batch", TRAINING_BACKENDS),
    "autoencoder": Workload("W2 convolutional autoencoder: `fit`", "step", TRAINING_BACKENDS),
    "tickets": Workload("W3 two-LSTM ticket model: `fit`", "step", TRAINING_BACKENDS),
    "resnet": Workload("W4 toy ResNet: `fit`", "step", TRAINING_BACKENDS),
}

# the models of the functional API's guides
CALLS = 200
WIDTH = 32
CHAIN = 500
BATCH = {"mlp": 64, "autoencoder": 64, "tickets": 32, "resnet": 64}
SAMPLES = {"mlp": 24_000, "autoencoder": 640, "tickets": 960, "resnet": 384}
WORDS, TAGS, DEPARTMENTS = 10_000, 12, 4
TITLE_LENGTH, BODY_LENGTH = 10, 100


def steps(model: str) -> int:
    """Batches in the data of a model."""
    return SAMPLES[model] // BATCH[model]


def data(model: str) -> tuple[Any, Any]:
    """Inputs and targets: the same random arrays for every implementation."""
    random = np.random.default_rng(0)
    n = SAMPLES[model]

    def floats(*shape: int) -> Any:
        return random.random((n, *shape), dtype="float32")

    def one_hot(classes: int) -> Any:
        return np.eye(classes, dtype="float32")[random.integers(classes, size=n)]

    if model == "mlp":
        return floats(784), random.integers(10, size=n).astype("int32")
    if model == "autoencoder":
        images = floats(28, 28, 1)
        return images, images
    if model == "resnet":
        return floats(32, 32, 3), one_hot(10)
    inputs = {
        "title": random.integers(WORDS, size=(n, TITLE_LENGTH)).astype("int32"),
        "body": random.integers(WORDS, size=(n, BODY_LENGTH)).astype("int32"),
        "tags": random.integers(2, size=(n, TAGS)).astype("float32"),
    }
    targets = {
        "priority": random.random((n, 1), dtype="float32"),
        "department": one_hot(DEPARTMENTS),
    }
    return inputs, targets
