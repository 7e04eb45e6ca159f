"""Layers against Keras on the same backend: configs both ways, weights, outputs, gradients and inferred shapes."""

from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
import pytest

import keras_fn
from keras_fn import layers, ops
from keras_fn.core import trees
from keras_fn.core.backend import active
from keras_fn.core.variable import Variable

K = keras.layers


class Row:
    """One comparison.

    Args:
        name: class name, the same in both libraries.
        args: constructor's arguments by name.
        shapes: shape of the input, or a list of them for a list of inputs.
        call: further call arguments; arrays among them go to both.
        inputs: arrays instead of drawn ones.
        positional: the inputs are several arguments instead of one list.
        unknown: whether shapes are compared with unknown dimensions too.
    """

    def __init__(self, name: str, args: Any = None, shapes: Any = None, call: Any = None, **rest: Any) -> None:
        self.name, self.args, self.shapes, self.call = name, args or {}, shapes, call or {}
        self.inputs = rest.pop("inputs", None)
        self.positional = rest.pop("positional", False)
        self.unknown = rest.pop("unknown", True)
        assert not rest

    def __repr__(self) -> str:
        said = ",".join(f"{k}={v}" for k, v in self.args.items())
        call = ",".join(f"{k}" for k in self.call)
        return f"{self.name}({said}){'/' + call if call else ''}{self.shapes}".replace(" ", "")[:110]

    def drawn(self) -> list[np.ndarray]:
        """The inputs: normal numbers."""
        if self.inputs is not None:
            return self.inputs
        many = isinstance(self.shapes, list)
        rng = np.random.default_rng(7)
        return [rng.normal(size=s).astype("float32") for s in (self.shapes if many else [self.shapes])]

    def passed(self, xs: list[Any]) -> tuple[Any, ...]:
        """The inputs as `call` takes them."""
        if self.positional:
            return tuple(xs)
        return (xs,) if isinstance(self.shapes, list) else (xs[0],)


CF = {"data_format": "channels_first"}
STEPS = np.array([[True, True, False, True], [True, False, True, True]])
CORE = [
    Row("Activation", {"activation": "tanh"}, (2, 3)),
    Row("Identity", {}, (2, 3)),
    Row("Flatten", {}, (2, 3, 4)),
    Row("Flatten", {}, (3,)),
    Row("Flatten", CF, (2, 3, 4, 5)),
    Row("Reshape", {"target_shape": (4, 3)}, (2, 3, 4)),
    Row("Reshape", {"target_shape": (-1, 2)}, (2, 3, 4)),
    Row("Permute", {"dims": (3, 1, 2)}, (2, 3, 4, 5)),
    Row("RepeatVector", {"n": 3}, (2, 4)),
    Row("Masking", {"mask_value": 0.0}, None, inputs=[np.array([[[0, 0], [1, 0], [2, 3.0]]], "float32")]),
    Row("Embedding", {"input_dim": 5, "output_dim": 3}, None, inputs=[np.array([[0, 4, 2], [1, 1, 0]], "int32")]),
    Row("Embedding", {"input_dim": 5, "output_dim": 3}, None, inputs=[np.array([[0.0, 4.0], [2.0, 1.0]], "float32")]),
    Row("Dense", {"units": 4, "activation": "relu"}, (2, 3)),
    Row(
        "EinsumDense",
        {"equation": "abc,cd->abd", "output_shape": (None, 5), "bias_axes": "d"},
        (2, 3, 4),
        unknown=False,  # Keras forgets lengths that the input tells
    ),
    *(
        Row(
            "EinsumDense",
            {"equation": "abc,cde->abde", "output_shape": (None, 2, 3), "bias_axes": axes},
            (2, 3, 4),
            unknown=False,  # Keras forgets lengths that the input tells
        )
        for axes in ("de", "d")
    ),
    Row("EinsumDense", {"equation": "...x,xy->...y", "output_shape": 5, "activation": "relu"}, (2, 3, 4)),
    Row(
        "EinsumDense",
        {"equation": "ab...,bc->ac...", "output_shape": (5, None), "bias_axes": "c"},
        (2, 3, 4),
        unknown=False,  # Keras infers a dimension too many
    ),
    Row("EinsumDense", {"equation": "abc,cd->ad", "output_shape": 5}, (2, 3, 4)),
]
WINDOWS = [
    Row("Conv1D", {"filters": 4, "kernel_size": 3}, (2, 7, 3)),
    Row("Conv1D", {"filters": 4, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}, (2, 7, 3)),
    Row("Conv1D", {"filters": 4, "kernel_size": 3, "padding": "same", "strides": 2, "use_bias": False}, (2, 7, 3)),
    Row("Conv2D", {"filters": 4, "kernel_size": (3, 2), "activation": "relu"}, (2, 6, 7, 3)),
    Row("Conv2D", {"filters": 4, "kernel_size": 3, "padding": "same", "groups": 2}, (2, 6, 7, 4)),
    Row("Conv2D", {"filters": 4, "kernel_size": 2, "dilation_rate": (2, 1)}, (2, 6, 7, 3)),
    Row("Conv3D", {"filters": 2, "kernel_size": 2, "padding": "same", "strides": 2}, (2, 4, 5, 4, 3)),
    Row("Conv1DTranspose", {"filters": 4, "kernel_size": 3, "strides": 2}, (2, 5, 3)),
    Row("Conv2DTranspose", {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"}, (2, 5, 4, 3)),
    Row("Conv2DTranspose", {"filters": 4, "kernel_size": 3, "strides": 2, "output_padding": 1}, (2, 5, 4, 3)),
    Row("Conv3DTranspose", {"filters": 2, "kernel_size": 2, "strides": 2}, (2, 3, 4, 3, 3)),
    Row("DepthwiseConv1D", {"kernel_size": 3, "depth_multiplier": 2}, (2, 7, 3)),
    Row("DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 2, "padding": "same"}, (2, 6, 7, 3)),
    Row("SeparableConv1D", {"filters": 4, "kernel_size": 3}, (2, 7, 3)),
    Row("SeparableConv2D", {"filters": 4, "kernel_size": 3, "strides": 2, "activation": "relu"}, (2, 6, 7, 3)),
    Row("MaxPooling1D", {}, (2, 7, 3)),
    Row("MaxPooling2D", {"pool_size": 3, "strides": 2, "padding": "same"}, (2, 7, 6, 3)),
    Row("MaxPooling3D", {}, (2, 4, 5, 4, 2)),
    Row("AveragePooling1D", {"pool_size": 2, "strides": 1}, (2, 7, 3)),
    Row("AveragePooling2D", {"pool_size": (3, 2), "padding": "same"}, (2, 7, 6, 3)),
    Row("AveragePooling3D", {"pool_size": 2}, (2, 4, 5, 4, 2)),
    *(
        Row(f"Global{kind}Pooling{n}D", {"data_format": form, "keepdims": keep}, (2, *(4, 3, 5)[:n], 3))
        for kind in ("Max", "Average")
        for n in (1, 2, 3)
        for form, keep in (("channels_last", False), ("channels_first", True))
    ),
    *(
        Row(f"Adaptive{kind}Pooling{n}D", {"output_size": size, "data_format": form}, (2, *(5, 7, 6)[:n], 3))
        for kind in ("Max", "Average")
        for n, size in ((1, 2), (2, (2, 3)), (3, (2, 3, 4)))
        for form in ("channels_last", "channels_first")
    ),
    Row("GlobalAveragePooling1D", {}, (2, 4, 3), {"mask": STEPS}),
    Row("GlobalAveragePooling1D", CF, (2, 3, 4), {"mask": STEPS}),
    Row("UpSampling1D", {"size": 3}, (2, 4, 3)),
    Row("UpSampling2D", {"size": (2, 3)}, (2, 4, 3, 2)),
    Row("UpSampling2D", {"size": 2, "interpolation": "bilinear", **CF}, (2, 3, 4, 5)),
    Row("UpSampling3D", {"size": 2}, (2, 2, 3, 2, 2)),
    Row("ZeroPadding1D", {"padding": (1, 2)}, (2, 4, 3)),
    Row("ZeroPadding2D", {"padding": ((1, 0), (2, 3))}, (2, 4, 3, 2)),
    Row("ZeroPadding2D", {"padding": (1, 2), **CF}, (2, 4, 3, 2)),
    Row("ZeroPadding3D", {"padding": (0, 1, 2)}, (2, 2, 3, 2, 2)),
    Row("Cropping1D", {"cropping": (1, 0)}, (2, 4, 3)),
    Row("Cropping2D", {"cropping": ((1, 0), (1, 1))}, (2, 4, 5, 2)),
    Row("Cropping2D", {"cropping": 1, **CF}, (2, 4, 5, 4)),
    Row("Cropping3D", {}, (2, 3, 4, 5, 2)),
]
NORMALIZATION = [
    Row("BatchNormalization", {}, (4, 3)),
    Row("BatchNormalization", {"momentum": 0.5}, (4, 3), {"training": True}),
    Row("BatchNormalization", {"axis": 1, "scale": False}, (4, 3, 5, 2), {"training": True}),
    Row("BatchNormalization", {"trainable": False}, (4, 3), {"training": True}),
    Row("BatchNormalization", {"center": False}, (2, 4, 3), {"training": True, "mask": STEPS}),
    Row("LayerNormalization", {}, (4, 3)),
    Row("LayerNormalization", {"axis": [1, 2], "center": False, "epsilon": 0.1}, (4, 3, 5)),
    Row("GroupNormalization", {"groups": 2}, (2, 3, 5, 4)),
    Row("GroupNormalization", {"groups": -1, "axis": 1}, (2, 3, 5, 4)),
    Row("UnitNormalization", {}, (4, 3)),
    Row("UnitNormalization", {"axis": [1, 2]}, (4, 3, 5)),
    Row("RMSNormalization", {}, (4, 3)),
]
REGULARIZATION = [
    *(Row(n, {"rate": 0.4}, (2, 3, 4)) for n in ("Dropout", "GaussianDropout", "AlphaDropout", "SpatialDropout1D")),
    Row("Dropout", {"rate": 0.0, "noise_shape": (None, 1, 4)}, (2, 3, 4), {"training": True}),
    Row("Dropout", {"rate": 0.5, "noise_shape": (None, 1, 4), "seed": 3}, (2, 3, 4)),
    Row("SpatialDropout2D", {"rate": 0.4, **CF}, (2, 3, 4, 5)),
    Row("SpatialDropout3D", {"rate": 0.4}, (2, 2, 3, 2, 3)),
    Row("GaussianNoise", {"stddev": 0.4, "seed": 1}, (2, 3)),
    Row("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, (2, 3)),
]
ACTIVATIONS = [
    Row("ReLU", {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.2}, (2, 3)),
    Row("LeakyReLU", {}, (2, 3)),
    Row("PReLU", {"shared_axes": [1]}, (2, 3, 4)),
    Row("PReLU", {}, (2, 3, 4)),
    Row("ELU", {"alpha": 0.7}, (2, 3)),
    Row("Softmax", {"axis": 1}, (2, 3, 4)),
    Row("Softmax", {}, (2, 4), {"mask": np.array([[True, False, True, True], [False] * 4])}),
]
PAIR = [(2, 3, 4), (2, 3, 4)]
MERGING = [
    *(Row(n, {}, PAIR) for n in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")),
    Row("Add", {}, [(2, 3, 4), (2, 3, 1), (2, 3, 4)]),
    Row("Add", {}, [(2, 3, 4), (2, 4)], unknown=False),
    Row("Multiply", {}, [(2, 5, 3, 4), (2, 4)], unknown=False),
    Row("Concatenate", {"axis": 1}, [(2, 3, 4), (2, 5, 4)], unknown=False),
    Row("Dot", {"axes": 1}, [(2, 4), (2, 4)]),
    Row("Dot", {"axes": (2, 2)}, PAIR),
    Row("Dot", {"axes": (2, 1), "normalize": True}, [(2, 3, 4, 5), (2, 4, 6)], unknown=False),
    Row("Dot", {"axes": -1}, [(2, 3, 4), (2, 4)], unknown=False),
]
QV = [(2, 3, 4), (2, 5, 4)]
QUERIES = np.array([[True, False, True], [True, True, True]])
KEYS = np.array([[True, True, False, True, False], [True] * 5])
ATTEND = np.random.default_rng(1).random((2, 3, 5)) > 0.3
MHA = {"num_heads": 2, "key_dim": 3}


def heads(args: Any = None, shapes: Any = None, call: Any = None) -> Row:
    """A row of MultiHeadAttention."""
    return Row("MultiHeadAttention", {**MHA, **(args or {})}, shapes or QV, call, positional=True, unknown=False)


ATTENTION = [
    Row("Attention", {}, QV, unknown=False),
    Row("Attention", {"use_scale": True, "score_mode": "concat"}, [*QV, (2, 5, 4)], unknown=False),
    Row("Attention", {"use_scale": True}, QV, {"mask": [QUERIES, KEYS]}, unknown=False),
    Row("Attention", {}, QV, {"use_causal_mask": True, "return_attention_scores": True}, unknown=False),
    Row("AdditiveAttention", {}, QV, {"mask": [None, KEYS]}, unknown=False),
    Row("AdditiveAttention", {"use_scale": False}, [*QV, (2, 5, 4)], unknown=False),
    heads(),
    heads({"use_bias": False, "output_shape": 5}, [(2, 3, 4), (2, 5, 6), (2, 5, 2)]),
    heads({}, None, {"attention_mask": ATTEND}),
    heads({}, None, {"query_mask": QUERIES, "value_mask": KEYS, "return_attention_scores": True}),
    heads({}, [(2, 4, 4), (2, 4, 4)], {"use_causal_mask": True}),
    heads({"sliding_window": 2}, [(2, 5, 4), (2, 5, 4)], {"return_attention_scores": True}),
    heads({"use_gate": True}),
    heads({"attention_axes": (2,)}, [(2, 3, 4, 2), (2, 3, 5, 2)], {"return_attention_scores": True}),
    heads({"attention_axes": (1, 2), "output_shape": (3, 2)}, [(2, 3, 2, 4), (2, 3, 2, 4)]),
    heads({"value_dim": 5}, None, {"return_attention_scores": True}),
    Row(
        "GroupQueryAttention",
        {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2},
        QV,
        {"return_attention_scores": True},
        positional=True,
        unknown=False,
    ),
    Row(
        "GroupQueryAttention",
        {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2, "use_gate": True, "use_bias": False},
        QV,
        {"attention_mask": ATTEND},
        positional=True,
        unknown=False,
    ),
]
ROWS = [*CORE, *WINDOWS, *NORMALIZATION, *REGULARIZATION, *ACTIVATIONS, *MERGING, *ATTENTION]


def plain(config: Any) -> Any:
    """A config as it comes out of a JSON file."""
    return json.loads(json.dumps(config))


def pair(row: Row) -> tuple[Any, Any, list[np.ndarray]]:
    """The layer here, from the config of Keras's; and Keras's, from the config of ours; with equal weights."""
    xs = row.drawn()
    theirs = getattr(K, row.name)(**row.args)
    ours = getattr(layers, row.name).from_config(plain(theirs.get_config()))
    theirs = type(theirs).from_config(plain(ours.get_config()))
    # built for the right shapes; the layers' state has not moved yet
    ours_out = ours(*row.passed(xs), **{k: v for k, v in row.call.items() if k != "training"})
    theirs_out = theirs(*row.passed(xs), **{k: v for k, v in row.call.items() if k != "training"})
    assert len(trees.flatten(ours_out)) == len(trees.flatten(theirs_out))
    assert [(w.name, tuple(w.shape)) for w in ours.weights] == [(w.name, tuple(w.shape)) for w in theirs.weights]
    assert [w.trainable for w in ours.weights] == [w.trainable for w in theirs.weights]
    rng = np.random.default_rng(3)
    values = [np.abs(rng.normal(size=w.shape)).astype("float32") + 0.1 for w in theirs.weights]
    ours.set_weights(values)
    theirs.set_weights(values)
    return ours, theirs, xs


def close(ours: Any, theirs: Any, tolerance: float = 2e-5) -> None:
    ours, theirs = ops.convert_to_numpy(ours), keras.ops.convert_to_numpy(theirs)
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("row", ROWS, ids=repr)
def test_configs_weights_outputs_and_shapes(row: Row) -> None:
    ours, theirs, xs = pair(row)
    a = trees.flatten(ours(*row.passed(xs), **row.call))
    b = trees.flatten(theirs(*row.passed(xs), **row.call))
    for x, y in zip(a, b, strict=True):
        close(x, y)
    for v, w in zip(ours.weights, theirs.weights, strict=True):  # running statistics have moved alike
        np.testing.assert_allclose(v.numpy(), keras.ops.convert_to_numpy(w), rtol=1e-5, atol=1e-6)
    kept = set(theirs.get_config()) - {"activity_regularizer"}
    assert kept <= set(ours.get_config()) | {"quantization_config", "rms_scaling", "renorm_clipping"}
    if row.unknown and not row.call:
        for batch, step in ((None, False), (None, True)):
            asked = [_unknown(x.shape, batch, step and row.name in STEPWISE) for x in xs]
            asked = asked if isinstance(row.shapes, list) else asked[0]
            assert ours.compute_output_shape(asked) == tuple(theirs.compute_output_shape(asked))


# layers that take steps of any number
STEPWISE = {
    "Activation", "Add", "AveragePooling1D", "AveragePooling2D", "Conv1D", "Conv2D", "Conv3D", "Cropping1D",
    "DepthwiseConv1D", "Dropout", "Embedding", "Flatten", "GlobalAveragePooling1D", "GlobalMaxPooling2D",
    "MaxPooling1D",
    "MaxPooling2D", "Softmax", "UpSampling1D", "ZeroPadding1D", "ZeroPadding2D", "SeparableConv2D", "Conv2DTranspose",
}  # fmt: skip


def _unknown(shape: Any, batch: Any, step: bool) -> tuple[Any, ...]:
    return tuple(batch if i == 0 else None if step and i == 1 and len(shape) > 2 else d for i, d in enumerate(shape))


# --- gradients: of the sum of outputs times fixed numbers, with respect to float inputs and trainable weights
def _loss(outputs: Any, space: Any) -> Any:
    first = trees.flatten(outputs)[0]
    shape = tuple(first.shape)
    factors = np.cos(np.arange(int(np.prod(shape)), dtype="float32")).reshape(shape)
    return space.sum(space.multiply(first, factors))


def our_gradients(layer: Any, row: Row, xs: list[np.ndarray]) -> list[np.ndarray]:
    """Gradients by `value_and_grad`."""
    inputs = [Variable(x) for x in xs]
    loss = lambda: _loss(layer(*row.passed(inputs), **row.call), ops)  # noqa: E731
    found = keras_fn.value_and_grad(loss, [*inputs, *layer.trainable_variables])()[1]
    return [ops.convert_to_numpy(g) for g in found]


def their_gradients(layer: Any, row: Row, xs: list[np.ndarray]) -> list[np.ndarray]:
    """Gradients by the framework itself."""
    name = keras.backend.backend()
    weights = layer.trainable_variables
    loss = lambda tensors: _loss(layer(*row.passed(tensors), **row.call), keras.ops)  # noqa: E731
    if name == "torch":
        import torch

        leaves = [*(torch.tensor(x, requires_grad=True) for x in xs), *(w.value for w in weights)]
        found = torch.autograd.grad(loss(leaves[: len(xs)]), leaves, allow_unused=True)
    elif name == "tensorflow":
        import tensorflow as tf

        inputs = [tf.constant(x) for x in xs]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            value = loss(inputs)
        found = tape.gradient(value, [*inputs, *(w.value for w in weights)])
    else:
        import jax

        rest = [v.value for v in layer.non_trainable_variables]

        def pure(inputs: Any, values: Any) -> Any:
            return _loss(layer.stateless_call(values, rest, *row.passed(inputs), **row.call)[0], keras.ops)

        by_inputs, by_weights = jax.jit(jax.grad(pure, (0, 1)))(xs, [w.value for w in weights])
        found = [*by_inputs, *by_weights]
    zeros = [*xs, *weights]
    pairs = zip(found, zeros, strict=True)
    return [np.zeros(z.shape) if g is None else keras.ops.convert_to_numpy(g) for g, z in pairs]


# the first row of each class; the third spatial axis brings no new code
FIRST = {r.name: r for r in reversed(ROWS) if r.inputs is None and "3D" not in r.name}


@pytest.mark.parametrize("row", FIRST.values(), ids=repr)
def test_gradients(row: Row) -> None:
    if not active.backend.differentiable:
        with pytest.raises(RuntimeError, match="no gradients"):
            keras_fn.value_and_grad(lambda: 0.0, [Variable(1.0)])()
        return
    ours, theirs, xs = pair(row)
    for x, y in zip(our_gradients(ours, row, xs), their_gradients(theirs, row, xs), strict=True):
        np.testing.assert_allclose(x, y, rtol=2e-4, atol=2e-4)
