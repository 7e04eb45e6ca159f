"""The workloads by hand in TensorFlow: variables, a tf.function for a step, data on the device, one read at the end."""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.models_tensorflow import MODELS, dense, layer, mlp_forward, mlp_loss, vgg_forward, vgg_weights, weight
from benchmarks.sources import SOURCE_STEPS, source
from benchmarks.workloads import (
    BATCH,
    CALLS,
    CHAIN,
    SAVED_LAYERS,
    SAVED_WIDTH,
    SOURCES,
    VARIANTS,
    WIDTH,
    Job,
    data,
    data_of,
    image,
    model_of,
    resnet50_weights,
    steps,
)

RATE, RHO, EPSILON = 1e-3, 0.9, 1e-7


def prepare(name: str) -> Job:
    """The job of a workload."""
    if name in SOURCES:
        return _fit_on(name)
    return _fit(name) if name in MODELS or name in VARIANTS else JOBS[name]()


def to_device(arrays: Any) -> Any:
    return tf.nest.map_structure(tf.convert_to_tensor, arrays)


def rows_of(arrays: Any, rows: Any) -> Any:
    return tf.nest.map_structure(lambda a: tf.gather(a, rows), arrays)


class Trainer:
    """Weights, what the optimizer keeps, and a step compiled over both.

    Args:
        name: the workload.
        pick: makes a batch inside the compiled step of what `step` was given.
    """

    def __init__(self, name: str, pick: Callable[..., Any]) -> None:
        loss_fn, make = MODELS[model_of(name)]
        params = make()
        flat = [p for p in tf.nest.flatten(params) if p.trainable]
        velocity = [tf.Variable(tf.zeros_like(p)) for p in flat]
        self.total, self.hits = tf.Variable(0.0), tf.Variable(0)

        @tf.function
        def step(*batch: Any) -> None:
            x, y = pick(*batch)
            with tf.GradientTape() as tape:
                loss, hit = loss_fn(params, x, y)
            for p, v, g in zip(flat, velocity, tape.gradient(loss, flat), strict=True):
                g = tf.convert_to_tensor(g)
                v.assign(RHO * v + (1 - RHO) * g * g)
                p.assign_sub(RATE * g / (tf.sqrt(v) + EPSILON))
            self.total.assign_add(loss)
            self.hits.assign_add(hit)

        self.step = step

    def epoch(self, batches: Iterable[Any]) -> Any:
        """Sum of losses and hits."""
        self.total.assign(0.0)
        self.hits.assign(0)
        for batch in batches:
            self.step(*batch)
        return self.total.numpy(), self.hits.numpy()


def _fit(name: str) -> Job:
    kind = data_of(name)
    arrays, batch, number = data(kind), BATCH[kind], steps(kind)
    trainer, random = Trainer(name, rows_of), np.random.default_rng(0)

    def run() -> Any:
        device = to_device(arrays)
        order = random.permutation(number * batch).astype("int32")
        return trainer.epoch((device, tf.constant(order[i : i + batch])) for i in range(0, number * batch, batch))

    return Job(run, number)


def _given(*batch: Any) -> Any:
    return batch


def _fit_on(name: str) -> Job:
    trainer, batches = Trainer(name, _given), source(name)
    return Job(lambda: trainer.epoch(tuple(map(tf.convert_to_tensor, batch)) for batch in batches()), SOURCE_STEPS)


def _train_on_batch() -> Job:
    trainer = Trainer("mlp", _given)
    x, y = (a[:1] for a in data("mlp-batch1"))

    def run() -> None:
        for _ in range(CALLS):
            trainer.epoch([(tf.constant(x), tf.constant(y))])

    return Job(run, CALLS)


def _vgg(compiled: bool, read: bool) -> Callable[[], Job]:
    """On a tensor, or from an array to an array."""

    def prepare() -> Job:
        params, array = vgg_weights(), image()
        tensor = tf.constant(array)

        def call(x: Any) -> Any:
            return vgg_forward(params, x)

        forward = tf.function(call) if compiled else call
        return Job(lambda: forward(tf.constant(array) if read else tensor).numpy())

    return prepare


def _saved() -> Any:
    return tf.train.Checkpoint(layers=[list(layer(SAVED_WIDTH, SAVED_WIDTH)) for _ in range(SAVED_LAYERS)])


def _save() -> Job:
    weights, folder = _saved(), tempfile.TemporaryDirectory()

    def run() -> None:
        weights.write(os.path.join(folder.name, "weights"))

    return Job(run, weigh=True)


def _load() -> Job:
    folder = tempfile.TemporaryDirectory()
    file = os.path.join(folder.name, "weights")
    _saved().write(file)

    def run() -> None:
        shapes = (SAVED_WIDTH, SAVED_WIDTH), (SAVED_WIDTH,)
        layers = [[tf.Variable(tf.zeros(shape)) for shape in shapes] for _ in range(SAVED_LAYERS)]
        tf.train.Checkpoint(layers=layers).read(file).assert_consumed()
        layers[-1][1].numpy()
        _ = folder

    return Job(run, weigh=True)


def _evaluate() -> Job:
    params, arrays, batch, number = MODELS["mlp"][1](), data("mlp"), BATCH["mlp"], steps("mlp")
    total, hits = tf.Variable(0.0), tf.Variable(0)

    @tf.function
    def step(arrays: Any, rows: Any) -> None:
        loss, hit = mlp_loss(params, *rows_of(arrays, rows))
        total.assign_add(loss)
        hits.assign_add(hit)

    def run() -> Any:
        device = to_device(arrays)
        total.assign(0.0)
        hits.assign(0)
        order = np.arange(number * batch, dtype="int32")
        for i in range(0, number * batch, batch):
            step(device, tf.constant(order[i : i + batch]))
        return total.numpy(), hits.numpy()

    return Job(run, number)


def _forward() -> Callable[[Any], Any]:
    params = MODELS["mlp"][1]()
    return tf.function(lambda x: mlp_forward(params, x))


def _predict() -> Job:
    forward, x, batch = _forward(), data("mlp")[0], BATCH["mlp"]

    def run() -> Any:
        parts = [forward(tf.constant(x[i : i + batch])) for i in range(0, len(x), batch)]
        return tf.concat(parts, 0).numpy()

    return Job(run, steps("mlp"))


def _predict_one() -> Job:
    forward, x = _forward(), data("mlp")[0][:1]

    def run() -> None:
        for _ in range(CALLS):
            forward(tf.constant(x)).numpy()

    return Job(run, CALLS)


def _repeated(call: Callable[[], Any]) -> Job:
    def run() -> None:
        for _ in range(CALLS):
            out = call()
        out.numpy()

    return Job(run, CALLS)


def _add() -> Job:
    x = tf.ones(1)
    return _repeated(lambda: tf.add(x, x))


def _on_square(call: Callable[[Any], Any]) -> Callable[[], Job]:
    def prepare() -> Job:
        x = tf.ones((WIDTH, WIDTH))
        return _repeated(lambda: call(x))

    return prepare


def _chain(length: int) -> Job:
    params, x = [layer(WIDTH, WIDTH) for _ in range(length)], tf.ones((1, WIDTH))
    return _repeated(lambda: functools.reduce(lambda h, p: dense(p, h), params, x))


def _resnet50() -> Any:
    made = [weight(*s) if v is None else tf.Variable(tf.fill(s, v)) for s, v in resnet50_weights()]
    return made[-1].numpy()


def first() -> None:
    dense(layer(WIDTH, WIDTH), tf.constant(np.ones((1, WIDTH), "float32"))).numpy()


JOBS: dict[str, Callable[[], Job]] = {
    "build": lambda: Job(lambda: [layer(WIDTH, WIDTH) for _ in range(CHAIN)][-1][1].numpy()),
    "build-resnet50": lambda: Job(_resnet50),
    "add": _add,
    "matmul": _on_square(lambda x: tf.matmul(x, x)),
    "sum": _on_square(tf.reduce_sum),
    "concatenate": _on_square(lambda x: tf.concat([x, x], 0)),
    "softmax": _on_square(tf.nn.softmax),
    "dense": lambda: _chain(1),
    "chain": lambda: _chain(10),
    "predict1": _predict_one,
    "predict-on-batch1": _predict_one,
    "train-on-batch1": _train_on_batch,
    "vgg-call": _vgg(compiled=False, read=False),
    "vgg-predict": _vgg(compiled=True, read=True),
    "save": _save,
    "load": _load,
    "mlp-evaluate": _evaluate,
    "mlp-predict": _predict,
}
