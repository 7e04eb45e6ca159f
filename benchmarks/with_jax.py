"""The workloads by hand in JAX: a compiled step over a pytree of weights, data on the device, one read at the end."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.workloads import BATCH, CALLS, CHAIN, DEPARTMENTS, TAGS, WIDTH, WORDS, Job, data, steps

RATE, RHO, EPSILON = 1e-3, 0.9, 1e-7
_random = np.random.default_rng(0)


def prepare(name: str) -> Job:
    """The job of a workload."""
    return _fit(name) if name in MODELS else JOBS[name]()


def weight(*shape: int) -> Any:
    """Uniform values in Glorot's range."""
    fan = shape[-1] + int(np.prod(shape[:-1]))
    limit = np.sqrt(6 / fan)
    return jnp.asarray(_random.uniform(-limit, limit, shape).astype("float32"))


def layer(*shape: int) -> tuple[Any, Any]:
    """A kernel and a bias."""
    return weight(*shape), jnp.zeros(shape[-1])


# --- forward passes
def dense(p: Any, x: Any) -> Any:
    return x @ p[0] + p[1]


def conv(p: Any, x: Any, padding: str = "VALID") -> Any:
    y = lax.conv_general_dilated(x, p[0], (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))
    return jax.nn.relu(y + p[1])


def conv_transpose(p: Any, x: Any) -> Any:
    y = lax.conv_transpose(x, p[0], (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    return jax.nn.relu(y + p[1])


def max_pool(x: Any) -> Any:
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 3, 3, 1), (1, 3, 3, 1), "VALID")


def lstm(p: Any, x: Any) -> Any:
    kernel, recurrent, bias = p
    projected = jnp.swapaxes(x @ kernel + bias, 0, 1)
    zeros = jnp.zeros((x.shape[0], recurrent.shape[0]))

    def cell(carry: Any, z: Any) -> Any:
        h, c = carry
        i, f, g, o = jnp.split(z + h @ recurrent, 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    return lax.scan(cell, (zeros, zeros), projected)[0][0]


def mlp_forward(p: Any, x: Any) -> Any:
    return dense(p[2], jax.nn.relu(dense(p[1], jax.nn.relu(dense(p[0], x)))))


# --- losses: (value, number of hits)
def cross_entropy(logits: Any, labels: Any) -> Any:
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1))


def mlp_loss(p: Any, x: Any, y: Any, key: Any) -> Any:
    logits = mlp_forward(p, x)
    return cross_entropy(logits, y), jnp.sum(jnp.argmax(logits, 1) == y)


def autoencoder_loss(p: Any, x: Any, y: Any, key: Any) -> Any:
    h = conv(p[3], conv(p[2], max_pool(conv(p[1], conv(p[0], x)))))
    h = jnp.max(h, (1, 2)).reshape(-1, 4, 4, 1)
    h = conv_transpose(p[5], conv_transpose(p[4], h))
    h = jnp.repeat(jnp.repeat(h, 3, 1), 3, 2)
    return jnp.mean((conv_transpose(p[7], conv_transpose(p[6], h)) - y) ** 2), 0


def tickets_loss(p: Any, x: Any, y: Any, key: Any) -> Any:
    title = lstm(p["title"], jnp.take(p["title words"], x["title"], 0))
    body = lstm(p["body"], jnp.take(p["body words"], x["body"], 0))
    h = jnp.concatenate([title, body, x["tags"]], 1)
    z = dense(p["priority"], h)
    priority = jnp.mean(jnp.maximum(z, 0) - z * y["priority"] + jnp.log1p(jnp.exp(-jnp.abs(z))))
    department = -jnp.mean(jnp.sum(y["department"] * jax.nn.log_softmax(dense(p["department"], h)), 1))
    return priority + 0.2 * department, 0


def resnet_loss(p: Any, x: Any, y: Any, key: Any) -> Any:
    block = max_pool(conv(p[1], conv(p[0], x)))
    for a, b in ((2, 3), (4, 5)):
        block = block + conv(p[b], conv(p[a], block, "SAME"), "SAME")
    h = jax.nn.relu(dense(p[7], jnp.mean(conv(p[6], block), (1, 2))))
    h = jnp.where(jax.random.bernoulli(key, 0.5, h.shape), h * 2, 0)
    logits = dense(p[8], h)
    loss = -jnp.mean(jnp.sum(y * jax.nn.log_softmax(logits), 1))
    return loss, jnp.sum(jnp.argmax(logits, 1) == jnp.argmax(y, 1))


def _recurrent(units: int) -> Any:
    return weight(64, 4 * units), weight(units, 4 * units), jnp.zeros(4 * units)


MODELS: dict[str, tuple[Callable[..., Any], Callable[[], Any]]] = {
    "mlp": (mlp_loss, lambda: [layer(784, 64), layer(64, 64), layer(64, 10)]),
    "autoencoder": (
        autoencoder_loss,
        lambda: [
            layer(3, 3, a, b) for a, b in ((1, 16), (16, 32), (32, 32), (32, 16), (1, 16), (16, 32), (32, 16), (16, 1))
        ],
    ),
    "tickets": (
        tickets_loss,
        lambda: {
            "title words": weight(WORDS, 64),
            "body words": weight(WORDS, 64),
            "title": _recurrent(128),
            "body": _recurrent(32),
            "priority": layer(160 + TAGS, 1),
            "department": layer(160 + TAGS, DEPARTMENTS),
        },
    ),
    "resnet": (
        resnet_loss,
        lambda: [
            *(layer(3, 3, a, b) for a, b in ((3, 32), (32, 64), (64, 64), (64, 64), (64, 64), (64, 64), (64, 64))),
            layer(64, 256),
            layer(256, 10),
        ],
    ),
}


def rows_of(arrays: Any, rows: Any) -> Any:
    return jax.tree.map(lambda a: jnp.take(a, rows, axis=0, mode="clip"), arrays)


def _fit(name: str) -> Job:
    loss_fn, make = MODELS[name]
    arrays, batch, number = data(name), BATCH[name], steps(name)
    params = make()
    weights = [params, jax.tree.map(jnp.zeros_like, params), jax.random.key(0)]

    @functools.partial(jax.jit, donate_argnums=0)
    def step(state: Any, arrays: Any, rows: Any) -> Any:
        params, velocity, key, total, hits = state
        key, own = jax.random.split(key)
        x, y = rows_of(arrays, rows)
        (loss, hit), grads = jax.value_and_grad(loss_fn, has_aux=True)(params, x, y, own)
        velocity = jax.tree.map(lambda v, g: RHO * v + (1 - RHO) * g * g, velocity, grads)
        params = jax.tree.map(lambda p, v, g: p - RATE * g / (jnp.sqrt(v) + EPSILON), params, velocity, grads)
        return params, velocity, key, total + loss, hits + hit

    def epoch() -> Any:
        device = jax.device_put(arrays)
        order = _random.permutation(number * batch).astype("int32")
        state = (*weights, jnp.zeros(()), jnp.zeros((), "int32"))
        for i in range(0, number * batch, batch):
            state = step(state, device, order[i : i + batch])
        weights[:] = state[:3]
        return float(state[3]), int(jax.block_until_ready(state)[4])

    return Job(epoch, number)


def _evaluate() -> Job:
    arrays, batch, number = data("mlp"), BATCH["mlp"], steps("mlp")
    params = MODELS["mlp"][1]()

    @jax.jit
    def step(params: Any, totals: Any, arrays: Any, rows: Any) -> Any:
        loss, hits = mlp_loss(params, *rows_of(arrays, rows), None)
        return totals[0] + loss, totals[1] + hits

    def run() -> Any:
        device = jax.device_put(arrays)
        totals = (jnp.zeros(()), jnp.zeros((), "int32"))
        order = np.arange(number * batch, dtype="int32")
        for i in range(0, number * batch, batch):
            totals = step(params, totals, device, order[i : i + batch])
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


def _chain(length: int) -> Job:
    params, x = [layer(WIDTH, WIDTH) for _ in range(length)], jnp.ones((1, WIDTH))
    return _repeated(lambda: functools.reduce(lambda h, p: dense(p, h), params, x))


def first() -> None:
    np.asarray(dense(layer(WIDTH, WIDTH), jnp.ones((1, WIDTH))))


JOBS: dict[str, Callable[[], Job]] = {
    "build": lambda: Job(lambda: jax.block_until_ready([layer(WIDTH, WIDTH) for _ in range(CHAIN)])),
    "add": _add,
    "dense": lambda: _chain(1),
    "chain": lambda: _chain(10),
    "predict1": _predict_one,
    "mlp-evaluate": _evaluate,
    "mlp-predict": _predict,
}
