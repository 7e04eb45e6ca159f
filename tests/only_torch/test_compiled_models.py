"""Layers and models under torch.compile: captured in one piece, once, with the same results, gradients and state.

The graph is run as it was captured (backend "eager"), so that nothing but the capture costs time. Ops are captured one
by one in the group `whole` of the conformance suite.
"""

from __future__ import annotations

import numpy as np
import optree
import pytest
import torch

import keras_fn
from keras_fn import layers, ops
from keras_fn.core.backend import active

PLAIN, SERIES, IMAGES, WORDS = (4, 6), (4, 5, 6), (2, 6, 6, 3), "words"

# layer, inputs, arguments of its call
ROWS = {
    "Dense": (lambda: layers.Dense(5, activation="relu"), PLAIN, {}),
    "Conv2D": (lambda: layers.Conv2D(4, 3, padding="same", activation="gelu"), IMAGES, {}),
    "BatchNormalization": (layers.BatchNormalization, PLAIN, {"training": True}),
    "BatchNormalization at rest": (layers.BatchNormalization, PLAIN, {"training": False}),
    "Dropout": (lambda: layers.Dropout(0.5, seed=3), PLAIN, {"training": True}),
    "LSTM": (lambda: layers.LSTM(4, return_sequences=True), SERIES, {}),
    "MultiHeadAttention": (lambda: layers.MultiHeadAttention(2, 3), SERIES, {}),
    "Embedding": (lambda: layers.Embedding(10, 4), WORDS, {}),
}


class Subclassed(keras_fn.Model):
    """A layer with another behind it."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.last = inner, layers.Dense(2)

    def call(self, x, training=None):
        facts = {"training": training} if isinstance(self.inner, (layers.Dropout, layers.BatchNormalization)) else {}
        return self.last(self.inner(x, x) if takes_two(self.inner) else self.inner(x, **facts))


def takes_two(layer):
    return isinstance(layer, layers.MultiHeadAttention)


def layer(make, inputs):
    made = make()
    return made, (inputs, inputs) if takes_two(made) else (inputs,)


def functional(make, inputs):
    x = keras_fn.Input(inputs.shape[1:], dtype=active.backend.dtype_of(inputs))
    made = make()
    return keras_fn.Model(x, layers.Dense(2)(made(x, x) if takes_two(made) else made(x))), (inputs,)


def subclassed(make, inputs):
    return Subclassed(make()), (inputs,)


def outcome(fn, args, weights):
    """The outputs, and the gradient of the sum of their squares for each weight."""
    out = fn(*args)
    gradients = torch.autograd.grad(out.square().sum(), weights) if weights else ()
    return [x.detach().numpy() for x in (out, *gradients)]


# a layer by itself takes a shorter way than one inside a model
CASES = [(name, kind) for name in ROWS for kind in (layer, functional, subclassed)]
CASES = [c for c in CASES if c[1] is not layer or c[0] in ("Dense", "BatchNormalization", "MultiHeadAttention")]


@pytest.mark.parametrize(("name", "kind"), CASES, ids=[f"{name}, {kind.__name__}" for name, kind in CASES])
def test_captured_whole(name, kind):
    make, shape, facts = ROWS[name]
    data = np.arange(12).reshape(3, 4) % 10 if shape is WORDS else np.random.default_rng(0).normal(size=shape)
    inputs = ops.convert_to_tensor(data, "int32" if shape is WORDS else "float32")
    made, args = kind(make, inputs)
    made(*args)
    weights = [v.value for v in made.trainable_variables]
    start = [v.numpy() for v in made.non_trainable_variables]

    def call(*args):
        return made(*args, **facts)

    def state():
        return [v.numpy() for v in made.non_trainable_variables]

    wanted, after = outcome(call, args, weights), state()
    captured = active.backend.captured(call)
    for _ in range(2):  # the second time, nothing must be captured anew
        for v, value in zip(made.non_trainable_variables, start, strict=True):
            v.assign(value)
        got = outcome(captured, args, weights)
        for a, b in zip([*got, *state()], [*wanted, *after], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_ops_used_elsewhere_in_between_change_nothing():
    """Dispatch remembers kernels; a compiler that guards what it reads must not see that."""

    def step(x):
        return ops.hypot(ops.deg2rad(x), 2.0)

    captured, x = active.backend.captured(step), ops.convert_to_tensor([1.0, 2.0])
    first = captured(x)
    for dtype in ("float64", "float16", "float32"):
        ops.hypot(ops.deg2rad(ops.cast(x, dtype)), 2.0)
    assert torch.equal(first, captured(x))


def test_the_default_float_is_seen():
    """What is compiled under one default is not used under another."""
    x = ops.convert_to_tensor([1, 2])
    compiled = torch.compile(lambda x: ops.sqrt(x), fullgraph=True, backend="eager", dynamic=False)
    assert compiled(x).dtype == torch.float32
    keras_fn.config.set_floatx("float64")
    try:
        assert compiled(x).dtype == torch.float64
    finally:
        keras_fn.config.set_floatx("float32")


def _unique(x):
    return ops.unique(ops.cast(x * 4.0, "int32"), return_counts=True, size=5)


SIZES_UNKNOWN = {
    "adaptive pooling": lambda x: ops.adaptive_max_pool(x[None, ..., None], (2, 2)),
    "attention": lambda x: ops.dot_product_attention(x[None, :, None], x[None, :, None], x[None, :, None]),
    "expand_dims": lambda x: ops.expand_dims(x, (0, -1)),
    "a loop": lambda x: ops.while_loop(lambda v: ops.sum(v) < 9.0, lambda v: v * 2.0, x),
    "quantile": lambda x: ops.quantile(x, 0.3, axis=0),
    "unique": _unique,
}


@pytest.mark.parametrize("name", SIZES_UNKNOWN)
def test_whole_where_sizes_are_unknown(name):
    fn = SIZES_UNKNOWN[name]
    torch.compiler.reset()
    compiled = torch.compile(fn, fullgraph=True, backend="eager", dynamic=True)
    for size in (4, 7):
        x = ops.convert_to_tensor(np.random.default_rng(size).random((size, size), "float32"))
        for got, wanted in zip(optree.tree_leaves(compiled(x)), optree.tree_leaves(fn(x)), strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-6)
