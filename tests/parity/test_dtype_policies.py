"""dtype policies against Keras on the same backend: dtypes of outputs and weights, values, configs."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest

import keras_fn
from keras_fn import dtype_policies, layers, ops
from keras_fn.core import trees
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, ArgumentTypeError, DtypeError

IMAGE, SERIES, ROWS = (2, 6, 6, 3), (2, 5, 4), (3, 6)
IDS = np.array([[0, 4, 2], [1, 1, 0]], "int32")
# the default, an orthogonal matrix, cannot be had in float16 from NumPy
DRAWN = {"recurrent_initializer": "glorot_uniform"}
# class, arguments, shape of the input or the input itself, call arguments
TABLE = [
    ("Dense", {"units": 4, "activation": "relu"}, ROWS, {}),
    ("EinsumDense", {"equation": "abc,cd->abd", "output_shape": (None, 5), "bias_axes": "d"}, SERIES, {}),
    ("Embedding", {"input_dim": 5, "output_dim": 3}, IDS, {}),
    ("Softmax", {}, ROWS, {}),
    ("PReLU", {}, ROWS, {}),
    ("Dropout", {"rate": 0.5}, ROWS, {"training": False}),
    ("Conv2D", {"filters": 4, "kernel_size": 3, "padding": "same"}, IMAGE, {}),
    ("Conv2DTranspose", {"filters": 2, "kernel_size": 2, "strides": 2}, IMAGE, {}),
    ("DepthwiseConv2D", {"kernel_size": 3}, IMAGE, {}),
    ("MaxPooling2D", {}, IMAGE, {}),
    ("AveragePooling2D", {"pool_size": 2}, IMAGE, {}),
    ("GlobalAveragePooling2D", {}, IMAGE, {}),
    ("BatchNormalization", {}, ROWS, {"training": True}),
    ("BatchNormalization", {}, IMAGE, {"training": False}),
    ("LayerNormalization", {}, ROWS, {}),
    ("GroupNormalization", {"groups": 3}, IMAGE, {}),
    ("RMSNormalization", {}, ROWS, {}),
    ("UnitNormalization", {}, ROWS, {}),
    ("LSTM", {"units": 3, **DRAWN, "return_sequences": True}, SERIES, {}),
    ("GRU", {"units": 3, **DRAWN}, SERIES, {}),
    ("Add", {}, [ROWS, ROWS], {}),
    ("Dot", {"axes": 1}, [ROWS, ROWS], {}),
    ("Attention", {}, [SERIES, SERIES], {}),
]
# float64 is a test of ours alone: Keras falls back to 32 bits on NumPy and JAX
POLICIES = ["mixed_float16", "mixed_bfloat16", "float16", "bfloat16", "float32"]
# every layer in the mixed policies, and a few layers in all
EVERYWHERE = ("Dense", "Embedding", "LSTM")
# (JAX compiles each anew: one mixed policy has to do there)
MIXED = ("mixed_float16",) if keras.backend.backend() == "jax" else ("mixed_float16", "mixed_bfloat16")
PAIRS = [(row, p) for row in TABLE for p in POLICIES if p in MIXED or row[0] in EVERYWHERE]
# how exact each compute dtype is: a few of its last places
CLOSE = {"float16": 4e-3, "bfloat16": 3e-2, "float32": 2e-6}


def drawn(shape):
    if isinstance(shape, np.ndarray):
        return shape
    if isinstance(shape, list):
        return [drawn(s) for s in shape]
    return np.random.default_rng(len(shape)).normal(size=shape).astype("float32")


def wide(x):
    return np.asarray(ops.convert_to_numpy(x)).astype("float64")


def made(row, policy):
    """Both layers with equal weights, and what they give for the same input."""
    name, args, shape, call = row
    x = drawn(shape)
    sizes = shape if isinstance(shape, list) else getattr(shape, "shape", shape)
    theirs = getattr(keras.layers, name)(**args, dtype=policy)
    ours = getattr(layers, name)(**args, dtype=policy)
    for layer in (theirs, ours):
        layer.build(sizes)
    rng = np.random.default_rng(1)
    weights = [rng.uniform(0.1, 0.6, w.shape).astype("float32") for w in theirs.weights]
    for layer in (theirs, ours):
        layer.set_weights([w.copy() for w in weights])
    return theirs, ours, theirs(x, **call), ours(x, **call)


@pytest.mark.parametrize("row, policy", PAIRS, ids=lambda r: r if isinstance(r, str) else r[0])
def test_dtypes_and_values(row, policy):
    theirs, ours, expected, found = made(row, policy)
    assert (ours.compute_dtype, ours.variable_dtype) == (theirs.compute_dtype, theirs.variable_dtype)
    assert [w.dtype for w in ours.weights] == [keras.backend.standardize_dtype(w.dtype) for w in theirs.weights]
    for one, other in zip(trees.flatten(found), trees.flatten(expected), strict=True):
        assert active.backend.dtype_of(one) == keras.backend.standardize_dtype(other.dtype)
        close = CLOSE[dtype_policies.get(policy).compute_dtype]
        np.testing.assert_allclose(wide(one), wide(other), rtol=close, atol=close * max(1, np.abs(wide(other)).max()))


def test_autocast_off():
    x = drawn(ROWS)
    for lib in (keras, keras_fn):

        class Plain(lib.layers.Layer):
            def build(self, input_shape):
                self.w = self.add_weight(shape=(6,), initializer="ones")

            def call(self, x):
                return x

        class Product(Plain):
            def call(self, x):
                return x * self.w

        kept = Plain(dtype="mixed_float16", autocast=False)(x)
        cast = Product(dtype="mixed_float16")(x)
        assert [keras.backend.standardize_dtype(t.dtype) for t in (kept, cast)] == ["float32", "float16"]


# --- policies themselves
@pytest.mark.parametrize("policy", [*POLICIES, "float64", "int32", "bool", None])
def test_configs_of_policies(policy):
    ours, theirs = dtype_policies.get(policy), keras.dtype_policies.get(policy)
    assert (ours.name, ours.compute_dtype, ours.variable_dtype) == (
        theirs.name, theirs.compute_dtype, theirs.variable_dtype,
    )  # fmt: skip
    config = keras.dtype_policies.serialize(theirs)
    assert dtype_policies.serialize(ours) == config
    assert dtype_policies.deserialize(json.loads(json.dumps(config))) == ours
    assert keras.dtype_policies.deserialize(dtype_policies.serialize(ours)) == theirs


def maps():
    for lib in (keras_fn, keras):
        yield lib.dtype_policies.DTypePolicyMap(
            "mixed_float16", {"a/b": lib.DTypePolicy("float32"), "c/.*": lib.DTypePolicy("bfloat16")}
        )


def test_maps():
    ours, theirs = maps()
    for path in ("a/b", "c/d", "c/d/e", "c", "xc/d", "other"):
        assert ours[path].name == theirs[path].name, path
    assert (list(ours), len(ours), ours.name) == (list(theirs), len(theirs), theirs.name)
    assert ours.get_config()["default_policy"] == theirs.get_config()["default_policy"]
    config = keras.dtype_policies.serialize(theirs)
    assert dtype_policies.serialize(ours) == config
    assert dtype_policies.deserialize(config) == ours
    assert list(keras.dtype_policies.deserialize(dtype_policies.serialize(ours))) == list(theirs)


def test_maps_refuse():
    ours, _ = maps()
    ours["c/d.*"] = "float32"
    with pytest.raises(ArgumentError, match="several patterns"):
        ours["c/d"]
    with pytest.raises(ArgumentError, match="already"):
        ours["a/b"] = "float32"
    with pytest.raises(ArgumentError, match="regular expression"):
        ours["("] = "float32"
    with pytest.raises(ArgumentTypeError, match="another one"):
        ours["z"] = dtype_policies.DTypePolicyMap()
    del ours["a/b"]
    assert ours["a/b"].name == "mixed_float16"


def test_a_map_gives_each_layer_its_policy():
    names = []
    for lib in (keras_fn, keras):
        policies = lib.dtype_policies.DTypePolicyMap("mixed_bfloat16", {"head": lib.DTypePolicy("float32")})
        lib.config.set_dtype_policy(policies)
        try:
            both = lib.layers.Dense(2, name="body"), lib.layers.Dense(2, name="head")
            outputs = [layer(np.zeros((1, 3), "float32")) for layer in both]
            names.append(tuple(keras.backend.standardize_dtype(y.dtype) for y in outputs))
        finally:
            lib.config.set_dtype_policy("float32")
    assert names[0] == names[1] == ("bfloat16", "float32")


@pytest.mark.parametrize("name", ["int8_from_float32", "float8_from_mixed_bfloat16", "gptq/4/-1_from_float32"])
def test_quantized_policies_are_refused(name):
    config = keras.dtype_policies.serialize(keras.dtype_policies.get(name))
    for attempt in (lambda: dtype_policies.get(name), lambda: dtype_policies.deserialize(config)):
        with pytest.raises(DtypeError, match=r"quantized layer"):
            attempt()


@pytest.mark.parametrize("name", ["mixed_float32", "mixed", "float33", 3])
def test_unknown_policies(name):
    with pytest.raises(DtypeError, match="nknown"):
        dtype_policies.get(name)


# --- compile
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16", "float32"])
@pytest.mark.parametrize("scale", [True, False])
def test_compile_scales_the_loss_where_keras_does(policy, scale):
    kinds = []
    for lib in (keras_fn, keras):
        lib.config.set_dtype_policy(policy)
        try:
            model = lib.Sequential([lib.layers.Input((3,)), lib.layers.Dense(1)])
            model.compile("adam", "mse", auto_scale_loss=scale)
        finally:
            lib.config.set_dtype_policy("float32")
        kinds.append(type(model.optimizer).__name__)
    assert kinds[0] == kinds[1]
