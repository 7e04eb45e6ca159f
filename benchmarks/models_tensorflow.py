"""The models by hand in TensorFlow: functions of variables, with the fused kernels that TensorFlow has for a CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.workloads import (
    BLOCKS,
    DEPARTMENTS,
    FILMS,
    GATED_LAYERS,
    GATED_WIDTH,
    GENRES,
    HEADS,
    HIDDEN,
    MODEL_WIDTH,
    SIGNALS,
    TAGS,
    TASTE,
    TOKENS,
    UNET_CLASSES,
    UNET_FILTERS,
    UNITS,
    USERS,
    VGG_CLASSES,
    VGG_FILTERS,
    WORDS,
    vgg_channels,
)


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
    """The fused kernel that TensorFlow has for a CPU; the gradient of its second version is wrong (decision 13)."""
    x = tf.transpose(x, (1, 0, 2))
    units = p[0].shape[1] // 4
    zeros, none = tf.zeros((tf.shape(x)[1], units)), tf.zeros(units)
    out = tf.raw_ops.BlockLSTM(
        seq_len_max=tf.constant(x.shape[0], tf.int64), x=x, cs_prev=zeros, h_prev=zeros, w=p[0], wci=none, wcf=none,
        wco=none, b=p[1], forget_bias=0.0, cell_clip=-1.0, use_peephole=False,
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


def labels_loss(forward: Callable[..., Any]) -> Callable[..., Any]:
    """The loss of a classifier with integer labels, also one for each pixel."""

    def loss(p: Any, x: Any, y: Any) -> Any:
        logits = forward(p, x)
        value = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits))
        return value, count(tf.argmax(logits, -1, tf.int32) == y)

    return loss


# --- models of the reference page
def layer_norm(p: Any, x: Any) -> Any:
    mean, variance = tf.nn.moments(x, -1, keepdims=True)
    return tf.nn.batch_normalization(x, mean, variance, p[1], p[0], 1e-3)


def project(p: Any, x: Any) -> Any:
    """A dense layer on the last axis of three: one product of matrices."""
    flat = tf.matmul(tf.reshape(x, (-1, x.shape[-1])), p[0]) + p[1]
    return tf.reshape(flat, (-1, x.shape[1], p[1].shape[0]))


def attention(p: Any, x: Any) -> Any:
    length, width = x.shape[1:]
    heads = tf.reshape(project(p["project"], x), (-1, length, 3, HEADS, width // HEADS))
    query, key, value = tf.unstack(tf.transpose(heads, (2, 0, 3, 1, 4)))
    scores = tf.nn.softmax(tf.matmul(query, key, transpose_b=True) * (width // HEADS) ** -0.5)
    attended = tf.transpose(tf.matmul(scores, value), (0, 2, 1, 3))
    return project(p["out"], tf.reshape(attended, (-1, length, width)))


def transformer_forward(p: Any, x: Any) -> Any:
    h = tf.gather(p["words"], x)
    for block in p["blocks"]:
        h = h + attention(block, layer_norm(block["before"], h))
        inner = tf.nn.relu(project(block["first"], layer_norm(block["between"], h)))
        h = h + project(block["second"], inner)
    return dense(p["head"], tf.reduce_mean(h, 1))


def gru(p: Any, x: Any) -> Any:
    """The recurrent product first, then the reset gate, as cuDNN, torch and Keras have it."""
    (kernel, bias), (recurrent, recurrent_bias) = p
    time, units = x.shape[1], recurrent.shape[0]
    projected = tf.transpose(project((kernel, bias), x), (1, 0, 2))
    inputs = tf.TensorArray(tf.float32, time).unstack(projected)

    def cell(t: Any, h: Any) -> Any:
        z, r, n = tf.split(inputs.read(t), 3, axis=1)
        hz, hr, hn = tf.split(tf.matmul(h, recurrent) + recurrent_bias, 3, axis=1)
        z = tf.sigmoid(z + hz)
        n = tf.tanh(n + tf.sigmoid(r + hr) * hn)
        return t + 1, z * h + (1 - z) * n

    start = (0, tf.zeros((tf.shape(x)[0], units)))
    return tf.while_loop(lambda t, h: t < time, cell, start, maximum_iterations=time)[1]


def gru_forward(p: Any, x: Any) -> Any:
    return dense(p["head"], gru(p["gru"], x))


def bilstm_forward(p: Any, x: Any) -> Any:
    states = lstm(p["forward"], x), lstm(p["backward"], tf.reverse(x, (1,)))
    return dense(p["head"], tf.concat(states, 1))


def vgg_forward(p: Any, x: Any) -> Any:
    for block in p["blocks"]:
        for weights in block:
            x = conv(weights, x, "SAME")
        x = tf.nn.max_pool2d(x, 2, 2, "VALID")
    return tf.nn.softmax(dense(p["head"], tf.reduce_mean(x, (1, 2))))


# --- models that nothing was tuned for
def batch_norm(p: Any, x: Any) -> Any:
    """The fused kernel; running statistics are written where they are."""
    scale, offset, mean, variance = p
    out, new_mean, new_variance = tf.compat.v1.nn.fused_batch_norm(
        x, scale, offset, mean, variance, 1e-3, exponential_avg_factor=0.01
    )
    mean.assign(new_mean)
    variance.assign(new_variance)
    return out


def double(p: Any, x: Any) -> Any:
    """Twice convolution, batch normalization, ReLU."""
    for kernel, *scales in p:
        x = tf.nn.relu(batch_norm(scales, tf.nn.conv2d(x, kernel, 1, "SAME")))
    return x


def larger(p: Any, x: Any) -> Any:
    """Twice as high and wide. The kernel is (height, width, out, in)."""
    shape = (tf.shape(x)[0], 2 * x.shape[1], 2 * x.shape[2], p[0].shape[2])
    return tf.nn.bias_add(tf.nn.conv2d_transpose(x, p[0], shape, 2, "VALID"), p[1])


def unet_forward(p: Any, x: Any) -> Any:
    skipped = []
    for name in ("down0", "down1"):
        skipped.append(double(p[name], x))
        x = tf.nn.max_pool2d(skipped[-1], 2, 2, "VALID")
    x = double(p["inner"], x)
    for name in ("up1", "up0"):
        x = double(p[name], tf.concat([skipped.pop(), larger(p[f"to {name}"], x)], 3))
    return tf.nn.bias_add(tf.nn.conv2d(x, p["last"][0], 1, "VALID"), p["last"][1])


def recommender_loss(p: Any, x: Any, y: Any) -> Any:
    user, film = tf.gather(p["users"], x["user"]), tf.gather(p["films"], x["film"])
    h = tf.concat([user, film, x["genres"], x["age"]], 1)
    h = tf.nn.relu(dense(p["second"], tf.nn.relu(dense(p["first"], h))))
    match = tf.reduce_sum(user * film, 1, keepdims=True)
    return tf.reduce_mean((dense(p["rating"], tf.concat([h, match], 1)) - y) ** 2), 0


def gated_forward(p: Any, x: Any) -> Any:
    for value, gate in p["gated"]:
        x = tf.matmul(x, value) * tf.nn.silu(tf.matmul(x, gate))
    return dense(p["head"], x)


# --- weights
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


def _scales(width: int) -> tuple[Any, Any]:
    return tf.Variable(tf.ones(width)), tf.Variable(tf.zeros(width))


def _block() -> Any:
    return {
        "before": _scales(MODEL_WIDTH),
        "project": layer(MODEL_WIDTH, 3 * MODEL_WIDTH),
        "out": layer(MODEL_WIDTH, MODEL_WIDTH),
        "between": _scales(MODEL_WIDTH),
        "first": layer(MODEL_WIDTH, HIDDEN),
        "second": layer(HIDDEN, MODEL_WIDTH),
    }


def _transformer() -> Any:
    blocks = [_block() for _ in range(BLOCKS)]
    return {"words": weight(TOKENS, MODEL_WIDTH), "blocks": blocks, "head": layer(MODEL_WIDTH, 10)}


def _lstm() -> Any:
    return layer(SIGNALS + UNITS, 4 * UNITS)


def _gru() -> Any:
    return {"gru": (layer(SIGNALS, 3 * UNITS), layer(UNITS, 3 * UNITS)), "head": layer(UNITS, 10)}


def vgg_weights() -> Any:
    blocks = [_conv_weights(*block) for block in vgg_channels()]
    return {"blocks": blocks, "head": layer(VGG_FILTERS[-1], VGG_CLASSES)}


def _double(before: int, filters: int) -> Any:
    return [
        (
            weight(3, 3, channels, filters),
            *_scales(filters),
            tf.Variable(tf.zeros(filters), trainable=False),
            tf.Variable(tf.ones(filters), trainable=False),
        )
        for channels in (before, filters)
    ]


def _unet() -> Any:
    a, b, c = UNET_FILTERS
    return {
        "down0": _double(3, a),
        "down1": _double(a, b),
        "inner": _double(b, c),
        "to up1": (weight(2, 2, b, c), tf.Variable(tf.zeros(b))),
        "up1": _double(2 * b, b),
        "to up0": (weight(2, 2, a, b), tf.Variable(tf.zeros(a))),
        "up0": _double(2 * a, a),
        "last": layer(1, 1, a, UNET_CLASSES),
    }


def _recommender() -> Any:
    return {
        "users": weight(USERS, TASTE),
        "films": weight(FILMS, TASTE),
        "first": layer(2 * TASTE + GENRES + 1, 64),
        "second": layer(64, 32),
        "rating": layer(32 + 1, 1),
    }


def _gated() -> Any:
    pairs = [(weight(GATED_WIDTH, GATED_WIDTH), weight(GATED_WIDTH, GATED_WIDTH)) for _ in range(GATED_LAYERS)]
    return {"gated": pairs, "head": layer(GATED_WIDTH, 10)}


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
    "transformer": (labels_loss(transformer_forward), _transformer),
    "gru": (labels_loss(gru_forward), _gru),
    "bilstm": (
        labels_loss(bilstm_forward),
        lambda: {"forward": _lstm(), "backward": _lstm(), "head": layer(2 * UNITS, 10)},
    ),
    "unet": (labels_loss(unet_forward), _unet),
    "recommender": (recommender_loss, _recommender),
    "gated": (labels_loss(gated_forward), _gated),
}
