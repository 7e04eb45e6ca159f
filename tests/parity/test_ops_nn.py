"""Convolutions, pooling, normalisation, attention, cross-entropies and resizing against Keras on the same backend."""

from __future__ import annotations

import os

import keras
import numpy as np
import pytest

from keras_fn import ops
from keras_fn.core.backend import active
from keras_fn.core.variable import Variable

BACKEND = os.environ.get("KERAS_BACKEND")


def draw(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed + sum(shape)).normal(size=shape).astype("float32")


def check(ours, theirs, tolerance: float = 2e-5) -> None:
    ours, theirs = ops.convert_to_numpy(ours), keras.ops.convert_to_numpy(theirs)
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def oracle(name: str, x: np.ndarray, *rest, **case):
    """What Keras's op gives; on TensorFlow, whose CPU kernels want them last, with the channels on the last axis."""
    if BACKEND == "tensorflow" and case.get("data_format") == "channels_first":
        case["data_format"] = "channels_last"
        return keras.ops.moveaxis(getattr(keras.ops, name)(np.moveaxis(x, 1, -1), *rest, **case), -1, 1)
    return getattr(keras.ops, name)(x, *rest, **case)


def first(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(x, -1, 1))


SIZES = {1: (9,), 2: (9, 8), 3: (6, 5, 7)}
WINDOWS = {1: (3,), 2: (3, 4), 3: (2, 3, 2)}
CONV = [
    {"rank": n, "padding": p, **rest}
    for n in (1, 2, 3)
    for p in ("valid", "same")
    for rest in (
        {},
        {"strides": 2},
        {"dilation_rate": 2},
        {"groups": 2},
        {"data_format": "channels_first", "strides": 2},
    )
    if n < 3 or "strides" in rest
]


@pytest.mark.parametrize("case", CONV, ids=str)
def test_conv(case):
    case = dict(case)
    n, groups = case.pop("rank"), case.pop("groups", 1)
    x, kernel = draw(2, *SIZES[n], 4), draw(*WINDOWS[n], 4 // groups, 6)
    x = first(x) if "data_format" in case else x
    check(ops.conv(x, kernel, **case), oracle("conv", x, kernel, **case))


DEPTHWISE = [
    {"rank": n, "padding": p, **rest}
    for n in (1, 2)
    for p in ("valid", "same")
    for rest in ({}, {"strides": 2}, {"dilation_rate": 2}, {"data_format": "channels_first"})
    if n == 2 or rest
]


@pytest.mark.parametrize("case", DEPTHWISE, ids=str)
def test_depthwise_and_separable(case):
    case = dict(case)
    n = case.pop("rank")
    x, kernel, points = draw(2, *SIZES[n], 3), draw(*WINDOWS[n], 3, 2), draw(*(1,) * n, 6, 5)
    x = first(x) if "data_format" in case else x
    check(ops.depthwise_conv(x, kernel, **case), oracle("depthwise_conv", x, kernel, **case))
    check(ops.separable_conv(x, kernel, points, **case), oracle("separable_conv", x, kernel, points, **case))


TRANSPOSED = [
    {"rank": n, "padding": p, **rest}
    for n in (1, 2, 3)
    for p in ("valid", "same")
    for rest in ({}, {"strides": 2}, {"strides": 4}, {"strides": 2, "data_format": "channels_first"})
    if n == 1 or len(rest) == n - 1
] + [
    {"rank": 2, "padding": p, **rest}
    for p in ("valid", "same")
    for rest in ({"dilation_rate": 2}, {"strides": 3, "output_padding": 1}, {"strides": 2, "output_padding": 1})
    if BACKEND != "tensorflow" or "dilation_rate" not in rest  # Keras cannot dilate these on TensorFlow's CPU kernels
]


@pytest.mark.parametrize("case", TRANSPOSED, ids=str)
def test_conv_transpose(case):
    case = dict(case)
    n = case.pop("rank")
    x, kernel = draw(2, *SIZES[n], 4), draw(*WINDOWS[n], 5, 4)
    x = first(x) if "data_format" in case else x
    check(ops.conv_transpose(x, kernel, **case), oracle("conv_transpose", x, kernel, **case))


POOL = [
    {"rank": n, "padding": p, **rest}
    for n in (1, 2, 3)
    for p in ("valid", "same")
    for rest in ({"pool_size": 2}, {"pool_size": 3, "strides": 2}, {"pool_size": 3, "strides": 1, "data_format": 0})
    if n == 2 or "strides" in rest
]


@pytest.mark.parametrize("case", POOL, ids=str)
@pytest.mark.parametrize("name", ["max_pool", "average_pool"])
def test_pool(name, case):
    case = dict(case)
    x = draw(2, *SIZES[case.pop("rank")], 3)
    if "data_format" in case:
        x, case["data_format"] = first(x), "channels_first"
    if name == "average_pool" and BACKEND == "torch" and case["padding"] == "same" and case["pool_size"] == 3:
        # where the ends get different paddings, Keras counts them in the mean on torch, and on its others it does not
        x = x[(slice(None), *[slice(0, n - 1 + n % 2) for n in x.shape[1:-1]])] if case["strides"] == 2 else x
    ours = getattr(ops, name)(x, **case)
    # Keras takes no strides of None on NumPy and JAX
    check(ours, oracle(name, x, **{"strides": case["pool_size"], **case}))


def test_normalisation():
    x = draw(4, 5, 6, 3)
    mean, variance, offset, scale = draw(3), draw(3) ** 2, draw(3, seed=1), draw(3, seed=2)
    rest = {"offset": offset, "scale": scale}
    check(ops.batch_normalization(x, mean, variance, -1), keras.ops.batch_normalization(x, mean, variance, -1))
    check(
        ops.batch_normalization(x, mean, variance, 3, **rest),
        keras.ops.batch_normalization(x, mean, variance, 3, **rest),
    )
    check(
        ops.batch_normalization(first(x), mean, variance, 1, **rest),
        keras.ops.batch_normalization(first(x), mean, variance, 1, **rest),
    )
    check(ops.layer_normalization(x, scale, offset), keras.ops.layer_normalization(x, scale, offset))
    axes = (2, 3) if BACKEND == "torch" else (1, 2)  # Keras takes only last axes on torch
    check(
        ops.layer_normalization(x, axis=axes, epsilon=1e-3),
        keras.ops.layer_normalization(x, axis=axes, epsilon=1e-3),
    )
    check(ops.rms_normalization(x, scale), keras.ops.rms_normalization(x, scale))
    axis = -1 if BACKEND == "torch" else 1
    check(ops.rms_normalization(x, axis=axis), keras.ops.rms_normalization(x, axis=axis))


ATTENTION = [
    {},
    {"is_causal": True},
    {"scale": 0.3},
    {"mask": True},
    {"mask": True, "is_causal": True},
    {"bias": True},
    {"bias": True, "mask": True},
    {"heads": 2},
]
if BACKEND == "torch":  # Keras takes no bias together with a mask there
    ATTENTION.remove({"bias": True, "mask": True})


@pytest.mark.parametrize("case", ATTENTION, ids=str)
def test_attention(case):
    case = dict(case)
    heads = case.pop("heads", 4)
    query, key, value = draw(2, 6, 4, 8), draw(2, 6, heads, 8, seed=1), draw(2, 6, heads, 8, seed=2)
    if "mask" in case:
        case["mask"] = draw(2, 1, 6, 6) > -0.5
        case["mask"] |= np.eye(6, dtype=bool)
    if "bias" in case:
        case["bias"] = draw(2, 4, 6, 6)
    ours = ops.dot_product_attention(query, key, value, **case)
    key, value = (np.repeat(x, 4 // heads, axis=2) for x in (key, value))  # Keras shares no heads on NumPy
    check(ours, keras.ops.dot_product_attention(query, key, value, **case))


def probabilities(*shape: int) -> np.ndarray:
    z = np.exp(draw(*shape))
    return z / z.sum(-1, keepdims=True)


@pytest.mark.parametrize("from_logits", [False, True])
def test_crossentropies(from_logits):
    output = draw(5, 4) * 3 if from_logits else probabilities(5, 4)
    if not from_logits:
        output[0] = [1, 0, 0, 0]  # to be clipped
        output[1] *= 3  # to be scaled
    target = probabilities(5, 4)[::-1].copy()
    ids = np.array([1, 0, 3, 2, 2])
    for name in ("categorical_crossentropy", "binary_crossentropy"):
        check(getattr(ops, name)(target, output, from_logits), getattr(keras.ops, name)(target, output, from_logits))
    if BACKEND == "tensorflow" and not from_logits:
        output[1] /= 3  # Keras scales no probabilities there
    sparse, oracle = ops.sparse_categorical_crossentropy, keras.ops.sparse_categorical_crossentropy
    check(sparse(ids, output, from_logits), oracle(ids, output, from_logits))
    check(sparse(ids[:, None], output, from_logits), oracle(ids[:, None], output, from_logits))


def test_multi_hot():
    ids = np.array([[1, 3, 3], [0, 2, 1]], "int32")
    check(ops.multi_hot(ids, 5), keras.ops.multi_hot(ids, 5))
    check(ops.multi_hot(ids[0], 5, dtype="int32"), keras.ops.multi_hot(ids[0], 5, dtype="int32"))


RESIZE = [
    {"size": (10, 14), "interpolation": "nearest"},
    {"size": (7, 4), "interpolation": "nearest"},
    {"size": (10, 14)},
    {"size": (4, 9)},
    {"size": (9, 9), "data_format": "channels_first"},
    {"size": (6, 6), "crop_to_aspect_ratio": True},
    {"size": (6, 6), "pad_to_aspect_ratio": True, "fill_value": 2.0},
]


@pytest.mark.parametrize("case", RESIZE, ids=str)
def test_resize(case):
    x = draw(2, 5, 7, 3)
    x = first(x) if "data_format" in case else x
    check(ops.image.resize(x, **case), keras.ops.image.resize(x, **case))
    check(ops.image.resize(x[0], **case), keras.ops.image.resize(x[0], **case))


# on torch, Keras has no Lanczos, and another bicubic kernel than on its other backends
WIDE = ["bilinear"] if BACKEND == "torch" else ["bicubic", "lanczos3", "lanczos5"]


@pytest.mark.parametrize("interpolation", WIDE)
def test_resize_with_wide_kernels(interpolation):
    x = draw(1, 12, 13, 2)
    for size in ((20, 7), (6, 30)):
        check(ops.image.resize(x, size, interpolation), keras.ops.image.resize(x, size, interpolation))


GRADIENTS = {
    "conv": (lambda o, x, k: o.conv(x, k, 2, "same"), (2, 7, 6, 3), (3, 3, 3, 4)),
    "grouped": (lambda o, x, k: o.conv(x, k, 1, "same"), (2, 7, 6, 4), (3, 3, 2, 4)),
    "dilated": (lambda o, x, k: o.conv(x, k, dilation_rate=2), (2, 7, 6, 3), (2, 3, 3, 4)),
    "depthwise": (lambda o, x, k: o.depthwise_conv(x, k, padding="same"), (2, 7, 6, 3), (3, 2, 3, 2)),
    "transposed": (lambda o, x, k: o.conv_transpose(x, k, 2, "same"), (2, 4, 5, 3), (3, 2, 4, 3)),
    "max_pool": (lambda o, x, k: o.max_pool(x, 3, 2, "same") * k, (2, 7, 6, 3), (3,)),
    "average_pool": (lambda o, x, k: o.average_pool(x, 2, 2, padding="same") * k, (2, 7, 6, 3), (3,)),
    "layer_normalization": (lambda o, x, k: o.layer_normalization(x, k), (4, 5), (5,)),
    "attention": (lambda o, x, k: o.dot_product_attention(x, k, k * 2.0, is_causal=True), (2, 5, 2, 4), (2, 5, 2, 4)),
    "crossentropy": (
        lambda o, x, k: o.sparse_categorical_crossentropy(np.array([1, 0, 2, 1]), x * k, True),
        (4, 5),
        (5,),
    ),
}


def keras_gradients(fn, x, k):
    """Gradients of sum(fn(x, k) ** 2) by the framework's own means, through Keras's ops."""

    def loss(x, k):
        return keras.ops.sum(fn(keras.ops, x, k) ** 2)

    if BACKEND == "jax":
        import jax

        return jax.grad(loss, (0, 1))(x, k)
    if BACKEND == "torch":
        import torch

        tensors = [torch.tensor(v, requires_grad=True) for v in (x, k)]
        return torch.autograd.grad(loss(*tensors), tensors)
    import tensorflow as tf

    tensors = [tf.Variable(v) for v in (x, k)]
    with tf.GradientTape() as tape:
        value = loss(*tensors)
    return tape.gradient(value, tensors)


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients(name):
    if not active.backend.differentiable:
        with pytest.raises(RuntimeError, match="no gradients"):
            active.backend.value_and_grad(lambda: 0, [], False)
        return
    fn, *dims = GRADIENTS[name]
    x, k = draw(*dims[0]), draw(*dims[1], seed=3)
    variables = [Variable(x), Variable(k)]
    found = active.backend.value_and_grad(lambda: ops.sum(fn(ops, *variables) ** 2), variables, False)()[1]
    for ours, theirs in zip(found, keras_gradients(fn, x, k), strict=True):
        check(ours, theirs, 2e-4)
