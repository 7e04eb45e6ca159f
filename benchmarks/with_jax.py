"""The workloads by hand in JAX: a compiled step over a pytree of weights, data on the device, one read at the end."""

from __future__ import annotations

import functools
import pathlib
import tempfile
from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.models_jax import (
    MODELS,
    STATEFUL,
    dense,
    layer,
    mlp_forward,
    mlp_loss,
    training,
    vgg_forward,
    vgg_weights,
    weight,
)
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
_random = np.random.default_rng(0)


def prepare(name: str) -> Job:
    """The job of a workload."""
    if name in SOURCES:
        return _fit_on(name)
    return _fit(name) if name in MODELS or name in VARIANTS or name in STATEFUL else JOBS[name]()


def rows_of(arrays: Any, rows: Any) -> Any:
    return jax.tree.map(lambda a: jnp.take(a, rows, axis=0, mode="clip"), arrays)


class Trainer:
    """Weights, what the optimizer keeps, and a step compiled over both.

    Args:
        name: the workload.
        pick: makes a batch inside the compiled step of what `step` was given.
    """

    def __init__(self, name: str, pick: Callable[..., Any]) -> None:
        loss_fn, params, stats = training(model_of(name))
        self.weights = (params, stats, jax.tree.map(jnp.zeros_like, params), jax.random.key(0))

        @functools.partial(jax.jit, donate_argnums=0)
        def step(state: Any, *batch: Any) -> Any:
            params, stats, velocity, key, total, hits = state
            key, own = jax.random.split(key)
            grad = jax.value_and_grad(loss_fn, has_aux=True)
            (loss, (hit, stats)), grads = grad(params, stats, *pick(*batch), own)
            velocity = jax.tree.map(lambda v, g: RHO * v + (1 - RHO) * g * g, velocity, grads)
            params = jax.tree.map(lambda p, v, g: p - RATE * g / (jnp.sqrt(v) + EPSILON), params, velocity, grads)
            return params, stats, velocity, key, total + loss, hits + hit

        self.step = step

    def epoch(self, batches: Iterable[Any]) -> Any:
        """Sum of losses and hits."""
        state = (*self.weights, jnp.zeros(()), jnp.zeros((), "int32"))
        for batch in batches:
            state = self.step(state, *batch)
        self.weights = state[:4]
        return float(state[4]), int(jax.block_until_ready(state)[5])


def _fit(name: str) -> Job:
    kind = data_of(name)
    arrays, batch, number = data(kind), BATCH[kind], steps(kind)
    trainer = Trainer(name, rows_of)

    def run() -> Any:
        device = jax.device_put(arrays)
        order = _random.permutation(number * batch).astype("int32")
        return trainer.epoch((device, order[i : i + batch]) for i in range(0, number * batch, batch))

    return Job(run, number)


def _given(*batch: Any) -> Any:
    return batch


def _fit_on(name: str) -> Job:
    trainer, batches = Trainer(name, _given), source(name)
    return Job(lambda: trainer.epoch(tuple(map(np.asarray, batch)) for batch in batches()), SOURCE_STEPS)


def _train_on_batch() -> Job:
    trainer = Trainer("mlp", _given)
    x, y = (a[:1] for a in data("mlp-batch1"))

    def run() -> None:
        for _ in range(CALLS):
            trainer.epoch([(x, y)])

    return Job(run, CALLS)


def _vgg(call: Callable[..., Any], read: bool) -> Callable[[], Job]:
    """On a tensor, or from an array to an array."""

    def prepare() -> Job:
        params, array = vgg_weights(), image()
        tensor = jnp.asarray(array)
        return Job(lambda: np.asarray(call(params, array if read else tensor)))

    return prepare


def _saved() -> dict[str, Any]:
    """Weights by name."""
    layers = [layer(SAVED_WIDTH, SAVED_WIDTH) for _ in range(SAVED_LAYERS)]
    return {f"{i} {part}": w for i, pair in enumerate(layers) for part, w in zip(("kernel", "bias"), pair, strict=True)}


def _save() -> Job:
    weights, folder = _saved(), tempfile.TemporaryDirectory()
    file = pathlib.Path(folder.name, "weights.npz")

    def run() -> None:
        np.savez(file, **{name: np.asarray(w) for name, w in weights.items()})
        _ = folder  # it lives as long as the job

    return Job(run, weigh=True)


def _load() -> Job:
    folder = tempfile.TemporaryDirectory()
    file = pathlib.Path(folder.name, "weights.npz")
    np.savez(file, **_saved())

    def run() -> None:
        with np.load(file) as members:
            jax.block_until_ready({name: jnp.asarray(members[name]) for name in members.files})
        _ = folder

    return Job(run, weigh=True)


def _evaluate() -> Job:
    arrays, batch, number = data("mlp"), BATCH["mlp"], steps("mlp")
    params = MODELS["mlp"][1]()

    @jax.jit
    def step(params: Any, totals: Any, x: Any, y: Any) -> Any:
        loss, hits = mlp_loss(params, x, y, None)
        return totals[0] + loss, totals[1] + hits

    def run() -> Any:
        totals = (jnp.zeros(()), jnp.zeros((), "int32"))
        for i in range(0, number * batch, batch):
            totals = step(params, totals, *(a[i : i + batch] for a in arrays))
        return float(totals[0]), int(totals[1])

    return Job(run, number)


def _predict() -> Job:
    x, batch, number = data("mlp")[0], BATCH["mlp"], steps("mlp")
    params, forward = MODELS["mlp"][1](), jax.jit(mlp_forward)

    def run() -> Any:
        parts = [forward(params, x[i : i + batch]) for i in range(0, len(x), batch)]
        return np.concatenate([np.asarray(p) for p in parts])

    return Job(run, number)


def _predict_one() -> Job:
    x, params, forward = data("mlp")[0][:1], MODELS["mlp"][1](), jax.jit(mlp_forward)

    def run() -> None:
        for _ in range(CALLS):
            np.asarray(forward(params, x))

    return Job(run, CALLS)


def _repeated(call: Callable[[], Any]) -> Job:
    def run() -> None:
        for _ in range(CALLS):
            out = call()
        jax.block_until_ready(out)

    return Job(run, CALLS)


def _add() -> Job:
    x = jnp.ones(1)
    return _repeated(lambda: jnp.add(x, x))


def _on_square(call: Callable[[Any], Any]) -> Callable[[], Job]:
    def prepare() -> Job:
        x = jnp.ones((WIDTH, WIDTH))
        return _repeated(lambda: call(x))

    return prepare


def _chain(length: int) -> Job:
    params, x = [layer(WIDTH, WIDTH) for _ in range(length)], jnp.ones((1, WIDTH))
    return _repeated(lambda: functools.reduce(lambda h, p: dense(p, h), params, x))


def _resnet50() -> Any:
    return [weight(*shape) if value is None else jnp.full(shape, value) for shape, value in resnet50_weights()]


def first() -> None:
    np.asarray(dense(layer(WIDTH, WIDTH), jnp.ones((1, WIDTH))))


JOBS: dict[str, Callable[[], Job]] = {
    "build": lambda: Job(lambda: jax.block_until_ready([layer(WIDTH, WIDTH) for _ in range(CHAIN)])),
    "build-resnet50": lambda: Job(lambda: jax.block_until_ready(_resnet50())),
    "add": _add,
    "matmul": _on_square(lambda x: jnp.matmul(x, x)),
    "sum": _on_square(jnp.sum),
    "concatenate": _on_square(lambda x: jnp.concatenate([x, x])),
    "softmax": _on_square(jax.nn.softmax),
    "dense": lambda: _chain(1),
    "chain": lambda: _chain(10),
    "predict1": _predict_one,
    "predict-on-batch1": _predict_one,
    "train-on-batch1": _train_on_batch,
    "vgg-call": _vgg(vgg_forward, read=False),
    "vgg-predict": _vgg(jax.jit(vgg_forward), read=True),
    "save": _save,
    "load": _load,
    "mlp-evaluate": _evaluate,
    "mlp-predict": _predict,
}
