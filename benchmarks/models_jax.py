"""The models by hand in JAX: pure functions of a pytree of weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

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

_random = np.random.default_rng(0)


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


def max_pool(x: Any, size: int = 3) -> Any:
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, size, size, 1), (1, size, size, 1), "VALID")


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


def labels_loss(forward: Callable[..., Any]) -> Callable[..., Any]:
    """The loss of a classifier with integer labels."""

    def loss(p: Any, x: Any, y: Any, key: Any) -> Any:
        logits = forward(p, x)
        return cross_entropy(logits, y), jnp.sum(jnp.argmax(logits, 1) == y)

    return loss


# --- models of the reference page
def layer_norm(p: Any, x: Any) -> Any:
    mean = jnp.mean(x, -1, keepdims=True)
    variance = jnp.mean(jnp.square(x - mean), -1, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + 1e-3) * p[0] + p[1]


def attention(p: Any, x: Any) -> Any:
    heads = dense(p["project"], x).reshape(*x.shape[:2], 3, HEADS, -1)
    attended = jax.nn.dot_product_attention(heads[:, :, 0], heads[:, :, 1], heads[:, :, 2])
    return dense(p["out"], attended.reshape(x.shape))


def transformer_forward(p: Any, x: Any) -> Any:
    h = jnp.take(p["words"], x, 0)
    for block in p["blocks"]:
        h = h + attention(block, layer_norm(block["before"], h))
        inner = jax.nn.relu(dense(block["first"], layer_norm(block["between"], h)))
        h = h + dense(block["second"], inner)
    return dense(p["head"], jnp.mean(h, 1))


def gru(p: Any, x: Any) -> Any:
    """The recurrent product first, then the reset gate, as cuDNN, torch and Keras have it."""
    kernel, recurrent, bias, recurrent_bias = p
    projected = jnp.swapaxes(x @ kernel + bias, 0, 1)

    def cell(h: Any, now: Any) -> Any:
        z, r, n = jnp.split(now, 3, axis=1)
        hz, hr, hn = jnp.split(h @ recurrent + recurrent_bias, 3, axis=1)
        z = jax.nn.sigmoid(z + hz)
        n = jnp.tanh(n + jax.nn.sigmoid(r + hr) * hn)
        return z * h + (1 - z) * n, None

    return lax.scan(cell, jnp.zeros((x.shape[0], recurrent.shape[0])), projected)[0]


def gru_forward(p: Any, x: Any) -> Any:
    return dense(p["head"], gru(p["gru"], x))


def bilstm_forward(p: Any, x: Any) -> Any:
    states = lstm(p["forward"], x), lstm(p["backward"], x[:, ::-1])
    return dense(p["head"], jnp.concatenate(states, 1))


def vgg_forward(p: Any, x: Any) -> Any:
    for block in p["blocks"]:
        for weights in block:
            x = conv(weights, x, "SAME")
        x = max_pool(x, 2)
    return jax.nn.softmax(dense(p["head"], jnp.mean(x, (1, 2))))


# --- models that nothing was tuned for
def batch_norm(p: Any, stats: Any, x: Any) -> Any:
    """What comes out, and the new running statistics."""
    mean = jnp.mean(x, (0, 1, 2))
    variance = jnp.mean(jnp.square(x - mean), (0, 1, 2))
    new = jax.tree.map(lambda old, now: 0.99 * old + 0.01 * lax.stop_gradient(now), stats, (mean, variance))
    return (x - mean) * (lax.rsqrt(variance + 1e-3) * p[0]) + p[1], new


def _bare_conv(kernel: Any, x: Any) -> Any:
    return lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def double(p: Any, stats: Any, x: Any) -> Any:
    """Twice convolution, batch normalization, ReLU."""
    updated = []
    for (kernel, scales), old in zip(p, stats, strict=True):
        x, new = batch_norm(scales, old, _bare_conv(kernel, x))
        x = jax.nn.relu(x)
        updated.append(new)
    return x, updated


def larger(p: Any, x: Any) -> Any:
    """Twice as high and wide: with a stride as large as the kernel, no two places overlap."""
    n, h, w, _ = x.shape
    y = jnp.einsum("nhwc,ijcf->nhiwjf", x, p[0])
    return y.reshape(n, 2 * h, 2 * w, -1) + p[1]


def unet_loss(p: Any, stats: Any, x: Any, y: Any, key: Any) -> Any:
    new, skipped = {}, []
    for name in ("down0", "down1"):
        h, new[name] = double(p[name], stats[name], x)
        skipped.append(h)
        x = max_pool(h, 2)
    x, new["inner"] = double(p["inner"], stats["inner"], x)
    for name in ("up1", "up0"):
        x = jnp.concatenate([skipped.pop(), larger(p[f"to {name}"], x)], 3)
        x, new[name] = double(p[name], stats[name], x)
    logits = dense(p["last"], x)  # a convolution of one pixel
    picked = jnp.take_along_axis(jax.nn.log_softmax(logits), y[..., None], axis=3)
    return -jnp.mean(picked), (jnp.sum(jnp.argmax(logits, 3) == y), new)


def recommender_loss(p: Any, x: Any, y: Any, key: Any) -> Any:
    user, film = jnp.take(p["users"], x["user"], 0), jnp.take(p["films"], x["film"], 0)
    h = jnp.concatenate([user, film, x["genres"], x["age"]], 1)
    h = jax.nn.relu(dense(p["second"], jax.nn.relu(dense(p["first"], h))))
    match = jnp.sum(user * film, 1, keepdims=True)
    return jnp.mean((dense(p["rating"], jnp.concatenate([h, match], 1)) - y) ** 2), 0


def gated_forward(p: Any, x: Any) -> Any:
    for value, gate in p["gated"]:
        x = (x @ value) * jax.nn.silu(x @ gate)
    return dense(p["head"], x)


# --- weights
def _scales(width: int) -> Any:
    return jnp.ones(width), jnp.zeros(width)


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


def _lstm(features: int, units: int) -> Any:
    return weight(features, 4 * units), weight(units, 4 * units), jnp.zeros(4 * units)


def _gru() -> Any:
    return weight(SIGNALS, 3 * UNITS), weight(UNITS, 3 * UNITS), jnp.zeros(3 * UNITS), jnp.zeros(3 * UNITS)


def vgg_weights() -> Any:
    blocks = [[layer(3, 3, *c) for c in block] for block in vgg_channels()]
    return {"blocks": blocks, "head": layer(VGG_FILTERS[-1], VGG_CLASSES)}


def _doubles() -> dict[str, tuple[int, int]]:
    a, b, c = UNET_FILTERS
    return {"down0": (3, a), "down1": (a, b), "inner": (b, c), "up1": (2 * b, b), "up0": (2 * a, a)}


def _unet() -> Any:
    a, b, c = UNET_FILTERS
    made: dict[str, Any] = {"to up1": layer(2, 2, c, b), "to up0": layer(2, 2, b, a), "last": layer(a, UNET_CLASSES)}
    for name, (before, after) in _doubles().items():
        made[name] = [(weight(3, 3, n, after), _scales(after)) for n in (before, after)]
    return made


def _unet_stats() -> Any:
    return {name: [(jnp.zeros(n), jnp.ones(n)) for _ in range(2)] for name, (_, n) in _doubles().items()}


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
            layer(3, 3, a, b) for a, b in ((1, 16), (16, 32), (32, 32), (32, 16), (1, 16), (16, 32), (32, 16), (16, 1))
        ],
    ),
    "tickets": (
        tickets_loss,
        lambda: {
            "title words": weight(WORDS, 64),
            "body words": weight(WORDS, 64),
            "title": _lstm(64, 128),
            "body": _lstm(64, 32),
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
    "transformer": (labels_loss(transformer_forward), _transformer),
    "gru": (labels_loss(gru_forward), lambda: {"gru": _gru(), "head": layer(UNITS, 10)}),
    "bilstm": (
        labels_loss(bilstm_forward),
        lambda: {"forward": _lstm(SIGNALS, UNITS), "backward": _lstm(SIGNALS, UNITS), "head": layer(2 * UNITS, 10)},
    ),
    "recommender": (recommender_loss, _recommender),
    "gated": (labels_loss(gated_forward), _gated),
}
# with running statistics, which the loss takes after the weights and gives back: loss, weights, statistics
STATEFUL: dict[str, tuple[Callable[..., Any], Callable[[], Any], Callable[[], Any]]] = {
    "unet": (unet_loss, _unet, _unet_stats),
}


def training(name: str) -> tuple[Callable[..., Any], Any, Any]:
    """`loss(weights, statistics, x, y, key) -> value, (hits, statistics)`, weights, statistics (None where none)."""
    if name in STATEFUL:
        loss, make, make_stats = STATEFUL[name]
        return loss, make(), make_stats()
    plain, make = MODELS[name]

    def with_statistics(p: Any, stats: Any, x: Any, y: Any, key: Any) -> Any:
        value, hits = plain(p, x, y, key)
        return value, (hits, None)

    return with_statistics, make(), None
