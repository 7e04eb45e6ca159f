"""The workloads by hand in TensorFlow: variables, a tf.function for a step, data on the device, one read at the end."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.workloads import BATCH, CALLS, CHAIN, DEPARTMENTS, TAGS, WIDTH, WORDS, Job, data, steps

RATE, RHO, EPSILON = 1e-3, 0.9, 1e-7


def prepare(name: str) -> Job:
    """The job of a workload."""
    return _fit(name) if name in MODELS else JOBS[name]()


def weight(*shape: int) -> Any:
    """Uniform values in Glorot's range."""
    limit = np.sqrt(6 / (shape[-1] + int(np.prod(shape[:-1]))))
    return tf.Variable(tf.random.uniform(shape, -limit, limit))


def layer(*shape: int) -> tuple[Any, Any]:
    """A kernel and a bias."""
    return weight(*shape), tf.Variable(tf.zeros(shape[-1]))


# --- forward passes
def dense(p: Any, x: Any) -> Any:
    return tf.matmul(x, p[0]) + p[1]


def conv(p: Any, x: Any, padding: str = "VALID") -> Any:
    return tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, p[0], 1, padding), p[1]))


def conv_transpose(p: Any, x: Any) -> Any:
    """The kernel is (height, width, out, in)."""
    shape = (tf.shape(x)[0], x.shape[1] + 2, x.shape[2] + 2, p[0].shape[2])
    return tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d_transpose(x, p[0], shape, 1, "VALID"), p[1]))


def lstm(p: Any, x: Any) -> Any:
    """The fused kernel that TensorFlow has for a CPU."""
    x = tf.transpose(x, (1, 0, 2))
    units = p[0].shape[1] // 4
    zeros, none = tf.zeros((tf.shape(x)[1], units)), tf.zeros(units)
    out = tf.raw_ops.BlockLSTMV2(
        seq_len_max=tf.constant(x.shape[0], tf.int64), x=x, cs_prev=zeros, h_prev=zeros, w=p[0], wci=none, wcf=none,
        wco=none, b=p[1], cell_clip=0.0, use_peephole=False,
    )  # fmt: skip
    return out.h[-1]


def mlp_forward(p: Any, x: Any) -> Any:
    return dense(p[2], tf.nn.relu(dense(p[1], tf.nn.relu(dense(p[0], x)))))


# --- losses: (value, number of hits)
def count(hits: Any) -> Any:
    return tf.reduce_sum(tf.cast(hits, tf.int32))


def mlp_loss(p: Any, x: Any, y: Any) -> Any:
    logits = mlp_forward(p, x)
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits))
    return loss, count(tf.argmax(logits, 1, tf.int32) == y)


def autoencoder_loss(p: Any, x: Any, y: Any) -> Any:
    h = tf.nn.max_pool2d(conv(p[1], conv(p[0], x)), 3, 3, "VALID")
    h = tf.reshape(tf.reduce_max(conv(p[3], conv(p[2], h)), (1, 2)), (-1, 4, 4, 1))
    h = conv_transpose(p[5], conv_transpose(p[4], h))
    h = tf.repeat(tf.repeat(h, 3, 1), 3, 2)
    h = tf.ensure_shape(h, (None, 24, 24, 32))
    return tf.reduce_mean((conv_transpose(p[7], conv_transpose(p[6], h)) - y) ** 2), 0


def tickets_loss(p: Any, x: Any, y: Any) -> Any:
    title = lstm(p["title"], tf.gather(p["words"][0], x["title"]))
    body = lstm(p["body"], tf.gather(p["words"][1], x["body"]))
    h = tf.concat([title, body, x["tags"]], 1)
    priority = tf.nn.sigmoid_cross_entropy_with_logits(y["priority"], dense(p["priority"], h))
    department = tf.nn.softmax_cross_entropy_with_logits(y["department"], dense(p["department"], h))
    return tf.reduce_mean(priority) + 0.2 * tf.reduce_mean(department), 0


def resnet_loss(p: Any, x: Any, y: Any) -> Any:
    block = tf.nn.max_pool2d(conv(p[1], conv(p[0], x)), 3, 3, "VALID")
    for a, b in ((2, 3), (4, 5)):
        block = block + conv(p[b], conv(p[a], block, "SAME"), "SAME")
    h = tf.nn.relu(dense(p[7], tf.reduce_mean(conv(p[6], block), (1, 2))))
    logits = dense(p[8], tf.nn.dropout(h, 0.5))
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(y, logits))
    return loss, count(tf.argmax(logits, 1) == tf.argmax(y, 1))


def _conv_weights(*channels: tuple[int, int]) -> list[Any]:
    return [layer(3, 3, *c) for c in channels]


def _transpose_weights(*channels: tuple[int, int]) -> list[Any]:
    return [(weight(3, 3, b, a), tf.Variable(tf.zeros(b))) for a, b in channels]


def _tickets() -> dict[str, Any]:
    return {
        "words": (weight(WORDS, 64), weight(WORDS, 64)),
        "title": layer(64 + 128, 4 * 128),
        "body": layer(64 + 32, 4 * 32),
        "priority": layer(160 + TAGS, 1),
        "department": layer(160 + TAGS, DEPARTMENTS),
    }


MODELS: dict[str, tuple[Callable[..., Any], Callable[[], Any]]] = {
    "mlp": (mlp_loss, lambda: [layer(784, 64), layer(64, 64), layer(64, 10)]),
    "autoencoder": (
        autoencoder_loss,
        lambda: [
            *_conv_weights((1, 16), (16, 32), (32, 32), (32, 16)),
            *_transpose_weights((1, 16), (16, 32), (32, 16), (16, 1)),
        ],
    ),
    "tickets": (tickets_loss, _tickets),
    "resnet": (
        resnet_loss,
        lambda: [*_conv_weights((3, 32), (32, 64), *([(64, 64)] * 5)), layer(64, 256), layer(256, 10)],
    ),
}


def to_device(arrays: Any) -> Any:
    return tf.nest.map_structure(tf.convert_to_tensor, arrays)


def rows_of(arrays: Any, rows: Any) -> Any:
    return tf.nest.map_structure(lambda a: tf.gather(a, rows), arrays)


def _fit(name: str) -> Job:
    loss_fn, make = MODELS[name]
    params = make()
    flat = tf.nest.flatten(params)
    velocity = [tf.Variable(tf.zeros_like(p)) for p in flat]
    total, hits = tf.Variable(0.0), tf.Variable(0)
    arrays, batch, number = data(name), BATCH[name], steps(name)

    @tf.function
    def step(arrays: Any, rows: Any) -> None:
        x, y = rows_of(arrays, rows)
        with tf.GradientTape() as tape:
            loss, hit = loss_fn(params, x, y)
        for p, v, g in zip(flat, velocity, tape.gradient(loss, flat), strict=True):
            g = tf.convert_to_tensor(g)
            v.assign(RHO * v + (1 - RHO) * g * g)
            p.assign_sub(RATE * g / (tf.sqrt(v) + EPSILON))
        total.assign_add(loss)
        hits.assign_add(hit)

    random = np.random.default_rng(0)

    def epoch() -> Any:
        device = to_device(arrays)
        total.assign(0.0)
        hits.assign(0)
        order = random.permutation(number * batch).astype("int32")
        for i in range(0, number * batch, batch):
            step(device, tf.constant(order[i : i + batch]))
        return total.numpy(), hits.numpy()

    return Job(epoch, number)


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


def _chain(length: int) -> Job:
    params, x = [layer(WIDTH, WIDTH) for _ in range(length)], tf.ones((1, WIDTH))
    return _repeated(lambda: functools.reduce(lambda h, p: dense(p, h), params, x))


def first() -> None:
    dense(layer(WIDTH, WIDTH), tf.constant(np.ones((1, WIDTH), "float32"))).numpy()


JOBS: dict[str, Callable[[], Job]] = {
    "build": lambda: Job(lambda: [layer(WIDTH, WIDTH) for _ in range(CHAIN)][-1][1].numpy()),
    "add": _add,
    "dense": lambda: _chain(1),
    "chain": lambda: _chain(10),
    "predict1": _predict_one,
    "mlp-evaluate": _evaluate,
    "mlp-predict": _predict,
}
