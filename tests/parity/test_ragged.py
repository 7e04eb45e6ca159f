"""Ragged tensors against Keras: which ops and layers take them, kinds, dtypes and values. Only TensorFlow has them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import keras_fn
from keras_fn import ops
from keras_fn.core.backend import active

Call = Callable[[Any, Any, Any, Any], Any]

# calls on the ops, a ragged matrix, one of whole numbers, and one of rows of pairs
ROWS: dict[str, Call] = {
    **{name: (lambda o, x, i, v, n=name: getattr(o, n)(x)) for name in (
        "abs negative square exp log sqrt sin tanh relu relu6 gelu silu sigmoid softplus leaky_relu elu selu erf floor "
        "isnan isfinite ones_like zeros_like stop_gradient nan_to_num softmax expand_dims"
    ).split() if name != "expand_dims"},
    **{f"{name} of two": (lambda o, x, i, v, n=name: getattr(o, n)(x, x)) for name in
       "add subtract multiply divide maximum greater equal power".split()},
    **{f"{name} number": (lambda o, x, i, v, n=name: getattr(o, n)(x, 2.0)) for name in
       "add multiply divide minimum less".split()},
    **{f"{name} {axis} {keep}": (lambda o, x, i, v, n=name, a=axis, k=keep: getattr(o, n)(x, axis=a, keepdims=k))
       for name in ("sum", "max", "mean") for axis, keep in ((None, False), (1, False), (1, True), (-1, False))},
    "any": lambda o, x, i, v: o.any(x > 2.0, axis=1),
    "min 0": lambda o, x, i, v: o.min(x, axis=0),
    "prod": lambda o, x, i, v: o.prod(x, axis=1),
    "var": lambda o, x, i, v: o.var(x, axis=1),
    "logsumexp": lambda o, x, i, v: o.logsumexp(x + 1.0, axis=1),
    "mean of ints": lambda o, x, i, v: o.mean(i, axis=1),
    "sum inside": lambda o, x, i, v: o.sum(v, axis=2),
    "sum of rows": lambda o, x, i, v: o.sum(v, axis=1),
    "softmax inside": lambda o, x, i, v: o.softmax(v, axis=-1),
    "ints and a float": lambda o, x, i, v: o.add(i, 1.5),
    "ints and floats": lambda o, x, i, v: o.add(x, i),
    "a column": lambda o, x, i, v: o.multiply(x, np.array([[1.0], [2.0], [3.0]], "float32")),
    "cast": lambda o, x, i, v: o.cast(i, "float16"),
    "where": lambda o, x, i, v: o.where(x > 2.0, x, 0.0 * x),
    "clip": lambda o, x, i, v: o.clip(x, 2.0, 4.0),
    "take by": lambda o, x, i, v: o.take(np.arange(12, dtype="float32").reshape(6, 2), i, axis=0),
    "take of": lambda o, x, i, v: o.take(x, np.array([2, 0]), axis=0),
    "one_hot": lambda o, x, i, v: o.one_hot(i, 6),
    "concatenate": lambda o, x, i, v: o.concatenate([x, x], axis=1),
    "concatenate rows": lambda o, x, i, v: o.concatenate([x, x], axis=0),
    "stack": lambda o, x, i, v: o.stack([x, x]),
    "expand_dims": lambda o, x, i, v: o.expand_dims(x, -1),
    "squeeze": lambda o, x, i, v: o.squeeze(o.expand_dims(x, -1), -1),
    **{f"flip {axis} of {n}": (lambda o, *xs, a=axis, n=n: o.flip(xs["xiv".index(n)], a))
       for axis, n in ((0, "x"), (1, "x"), (-1, "v"), ((0, 1), "v"))},
    **{f"tile {times} of {n}": (lambda o, *xs, t=times, n=n: o.tile(xs["xiv".index(n)], t))
       for times, n in ((2, "x"), ((2, 1), "x"), ((2, 1, 1), "x"), ((2, 1), "v"), ((1, 1, 3), "v"))},
    **{f"cumsum {axis} of {n}": (lambda o, *xs, a=axis, n=n: o.cumsum(xs["xiv".index(n)], a))
       for axis, n in ((None, "x"), (0, "x"), (1, "x"), (-1, "i"), (None, "v"), (1, "v"))},
    **{f"append {axis}": (lambda o, x, i, v, a=axis: o.append(x, x * 2.0, a)) for axis in (None, 0, 1)},
    "split 3": lambda o, x, i, v: o.concatenate(o.split(x, 3)[::-1], 0),
    "split at": lambda o, x, i, v: o.concatenate(o.split(v, [1])[::-1], 0),
    "split inside": lambda o, x, i, v: o.split(v, 2, axis=2)[1],
    "split once": lambda o, x, i, v: o.split(x, 1, axis=1)[0],
    "ravel": lambda o, x, i, v: o.ravel(x),
    "ravel of pairs": lambda o, x, i, v: o.reshape(v, (-1,)),
    "convert": lambda o, x, i, v: o.convert_to_tensor(x),
    "convert to ragged": lambda o, x, i, v: o.convert_to_tensor(x, ragged=True),
    "convert to dense": lambda o, x, i, v: o.convert_to_tensor(x, ragged=False),
    "convert to a dtype": lambda o, x, i, v: o.convert_to_tensor(i, "float32"),
}  # fmt: skip

# layers on a ragged matrix, one of whole numbers, and one of rows of pairs
LAYERS: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "Embedding": lambda k, x, i, v: k.layers.Embedding(6, 2, embeddings_initializer="ones")(i),
    "Embedding half": lambda k, x, i, v: k.layers.Embedding(6, 2, embeddings_initializer="ones", dtype="float16")(i),
    "Activation": lambda k, x, i, v: k.layers.Activation("tanh")(x),
    "Dropout": lambda k, x, i, v: k.layers.Dropout(0.5)(x),
    "Identity": lambda k, x, i, v: k.layers.Identity()(x),
    "ReLU": lambda k, x, i, v: k.layers.ReLU()(x),
    "Lambda": lambda k, x, i, v: k.layers.Lambda(lambda t: t * 2.0)(x),
    "Add": lambda k, x, i, v: k.layers.Add()([x, x]),
    "Concatenate": lambda k, x, i, v: k.layers.Concatenate(axis=1)([x, x]),
    "GlobalAveragePooling1D": lambda k, x, i, v: k.layers.GlobalAveragePooling1D()(v),
    "GlobalMaxPooling1D": lambda k, x, i, v: k.layers.GlobalMaxPooling1D()(v),
}


def told(result: Any) -> tuple[Any, ...]:
    """Whether it is ragged, its dtype, and its values."""
    dtype = keras.backend.standardize_dtype(result.dtype)
    if result.__class__ in active.backend.ragged_classes:
        return True, dtype, [len(row) for row in result.to_list()], result.flat_values.numpy()
    return False, dtype, result.shape, keras.ops.convert_to_numpy(result)


def agree(ours: Any, theirs: Any) -> None:
    found, wanted = told(ours), told(theirs)
    assert found[:3] == wanted[:3]
    np.testing.assert_allclose(found[3].astype("float64"), wanted[3].astype("float64"), rtol=1e-5, atol=1e-6)


if active.backend.supports_ragged:
    import tensorflow as tf

    X = tf.ragged.constant([[1.0, 2.0], [], [3.0, 4.0, 5.0]])
    I = tf.ragged.constant([[1, 2], [], [3, 4, 5]])  # noqa: E741
    V = tf.RaggedTensor.from_row_splits(tf.reshape(tf.range(12.0), (6, 2)), [0, 2, 2, 6])

    @pytest.mark.parametrize("name", ROWS)
    def test_ops(name: str):
        agree(ROWS[name](ops, X, I, V), ROWS[name](keras.ops, X, I, V))

    @pytest.mark.parametrize("name", ["sin", "add of two", "a column", "sum 1 False", "softmax", "take by", "where",
                                      "tile (2, 1) of x", "split at", "cumsum 0 of x", "append None"])  # fmt: skip
    def test_compiled(name: str):
        step = active.backend.compile_step(lambda x, i, v: ROWS[name](ops, x, i, v), list, None)
        agree(step(X, I, V), ROWS[name](ops, X, I, V))

    @pytest.mark.parametrize("name", LAYERS)
    def test_layers(name: str):
        agree(LAYERS[name](keras_fn, X, I, V), LAYERS[name](keras, X, I, V))

    def test_models():
        """Symbols say that their values will be ragged, and the model takes ragged and dense tensors."""
        found = []
        for library in (keras_fn, keras):
            x = library.Input((None,), dtype="int32", ragged=True)
            assert x.ragged and x.shape == (None, None)
            h = library.layers.Embedding(6, 2, embeddings_initializer="ones")(x)
            model = library.Model(x, [library.ops.relu(h), library.layers.GlobalAveragePooling1D()(h)])
            assert [tuple(y.shape) for y in model.outputs] == [(None, None, 2), (None, 2)]
            found.append([*model(I), *model(I), *model(np.ones((2, 3), "int32"))])
        for ours, theirs in zip(*found, strict=True):
            agree(ours, theirs)

    def trained(library: Any) -> list[Any]:
        """Losses, of fit on arrays and on a data set, and predictions."""
        rows = tf.ragged.constant([[1, 2], [3], [4, 5, 1, 2], [2, 2, 2]])
        y = np.array([[1.0], [2.0], [3.0], [0.5]], "float32")
        x = library.Input((None,), dtype="int32", ragged=True)
        h = library.layers.Embedding(6, 2, embeddings_initializer="ones")(x)
        out = library.layers.Dense(1, kernel_initializer="ones")(library.layers.GlobalAveragePooling1D()(h))
        model = library.Model(x, out)
        model.compile("sgd", "mse")
        found = list(model.fit(rows, y, batch_size=3, epochs=3, shuffle=False, verbose=0).history["loss"])
        data = tf.data.Dataset.from_tensor_slices((rows, y)).batch(3)
        found += model.fit(data, epochs=2, verbose=0).history["loss"]
        found += model.fit(rows, y, batch_size=2, validation_split=0.5, verbose=0, shuffle=False).history["val_loss"]
        found += [model.evaluate(rows, y, batch_size=3, verbose=0), model.train_on_batch(rows, y)]
        found += [model.predict(rows, batch_size=3, verbose=0), model.predict_on_batch(rows)]
        found += [model.predict(tf.data.Dataset.from_tensor_slices(rows).batch(3), verbose=0)]
        looked_up = library.Model(x, h).predict(rows, batch_size=3, verbose=0)
        assert isinstance(looked_up, tf.RaggedTensor)
        return [*found, looked_up.flat_values.numpy()]

    def test_training():
        for ours, theirs in zip(trained(keras_fn), trained(keras), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4)

    def test_what_has_no_rule_says_how_to_go_on():
        for call in (ops.sort, ops.transpose, lambda x: ops.reshape(x, (-1, 1)), lambda x: ops.matmul(x, x)):
            with pytest.raises(TypeError, match="ragged=False"):
                call(X)

    def test_shapes_and_kinds():
        for o in (ops, keras.ops):
            assert tuple(o.shape(X)) == (3, None) and o.ndim(X) == 2 and o.is_tensor(X)
            np.testing.assert_array_equal(o.convert_to_numpy(X), [[1, 2, 0], [0, 0, 0], [3, 4, 5]])

else:

    @pytest.mark.parametrize("call", [
        lambda k: k.Input((None,), ragged=True), lambda k: k.ops.convert_to_tensor([[1.0]], ragged=True),
    ])  # fmt: skip
    def test_refused_as_in_keras(call: Callable[[Any], Any]):
        for library in (keras_fn, keras):
            with pytest.raises(ValueError, match=f"ragged=True.*{os.environ['KERAS_BACKEND']}"):
                call(library)
