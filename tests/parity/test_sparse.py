"""Sparse tensors against Keras on the same backend: what stays sparse, dtypes, values, and training on SciPy's data."""

from __future__ import annotations

import os
import warnings
from typing import Any

import keras
import numpy as np
import pytest
import scipy.sparse

import keras_fn
from keras_fn import ops
from keras_fn.core.backend import active
from parity.kept_differences import SPARSE
from sparse_rows import ROWS, A, B

BACKEND = os.environ.get("KERAS_BACKEND")
KEPT = {name: backends for name, backends, _ in SPARSE}


def sparse(array: Any) -> Any:
    """The framework's sparse tensor."""
    if BACKEND == "jax":
        from jax.experimental.sparse import BCOO

        return BCOO.fromdense(array)
    import tensorflow as tf

    return tf.sparse.from_dense(array)


def told(o: Any, call: Any) -> Any:
    """Whether it is sparse, dtype and values of what a call gives; None where it is refused."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of JAX, about storage
        try:
            found = call(o, sparse)
        except Exception:  # of the framework, of any class
            return None
        values = ops.convert_to_numpy(found)  # Keras on JAX cannot read sparse bools
    return found.__class__ in active.backend.sparse_classes, keras.backend.standardize_dtype(found.dtype), values


MORE = {
    "divide by zeros": lambda o, s: o.divide(s(A), B),
    "bincount sparse": lambda o, s: o.bincount(np.array([[1, 2], [0, 0]]), sparse=True),
}

if active.backend.supports_sparse:

    @pytest.mark.parametrize("name", [*ROWS, *MORE])
    def test_as_in_keras(name: str):
        call = MORE[name] if name in MORE else ROWS[name][0]
        ours, theirs = told(ops, call), told(keras.ops, call)
        assert ours is not None
        if theirs is None and BACKEND not in KEPT.get(name, ()):
            return  # refused there: more is possible here
        equal = theirs is not None and ours[:2] == theirs[:2] and ours[2].shape == theirs[2].shape
        equal = equal and np.allclose(
            ours[2].astype("float64"), theirs[2].astype("float64"), 1e-5, 1e-6, equal_nan=True
        )
        assert equal == (BACKEND not in KEPT.get(name, ())), (ours, theirs)

    def test_numbers_that_are_stored_are_counted():
        x = sparse(np.array([[1, 2, 2], [0, 3, 1]], "int32"))
        weights = sparse(np.array([[4, 1, 1], [0, 2, 5]], "float32"))
        rows = [[0, 1, 2, 0], [0, 1, 0, 1]]
        for call, wanted in (
            (lambda o: o.bincount(x), rows),
            (lambda o: o.bincount(x, minlength=6), np.pad(rows, ((0, 0), (0, 2)))),
            (lambda o: o.bincount(x, weights=weights), [[0, 4, 2, 0], [0, 5, 0, 2]]),
            (lambda o: o.bincount(sparse(np.array([1, 0, 2, 2]))), [0, 1, 2]),
        ):
            ours, theirs = told(ops, lambda o, _, call=call: call(o)), told(keras.ops, lambda o, _, call=call: call(o))
            assert ours is not None and ours[0]
            np.testing.assert_array_equal(ours[2], wanted)
            if BACKEND == "tensorflow":  # a matrix is counted as one vector, in floats, on JAX
                assert theirs is not None and ours[:2] == theirs[:2]
                np.testing.assert_array_equal(ours[2], theirs[2])
        for wrong, message in ((np.ones((2, 3)), "sparse tensor too"), (sparse(np.ones((2, 3))), "stores 5")):
            with pytest.raises(Exception, match=message):
                ops.bincount(x, weights=wrong)

    def test_most_rows_are_there_in_keras():
        refused = [name for name in ROWS if told(keras.ops, ROWS[name][0]) is None]
        assert len(refused) < len(ROWS) / 5, refused

else:

    @pytest.mark.parametrize(
        "call",
        [
            lambda k: k.ops.convert_to_tensor(A, sparse=True),
            lambda k: k.Input((3,), sparse=True),
            lambda k: k.ops.one_hot(np.array([1]), 2, sparse=True),
        ],
    )
    def test_refused_as_in_keras(call: Any):
        for library in (keras, keras_fn):
            with pytest.raises(ValueError, match="sparse"):
                call(library)


def results(library: Any, x: Any, kernel: Any) -> list[Any]:
    """Losses and predictions of a dense layer."""
    inputs = library.Input((3,), sparse=active.backend.supports_sparse)
    layer = library.layers.Dense(2)
    model = library.Model(inputs, layer(inputs))
    layer.set_weights(kernel)
    model.compile("sgd", "mse")
    y = np.ones((8, 2), "float32")
    found = [model.predict(x, batch_size=3, verbose=0)]
    if BACKEND != "numpy":
        found.append(model.evaluate(x, y, batch_size=3, verbose=0))
        found += model.fit(x, y, batch_size=3, epochs=2, shuffle=False, verbose=0).history["loss"]
        found += model.fit(x, y, batch_size=3, validation_split=0.25, shuffle=False, verbose=0).history["val_loss"]
    return found


@pytest.mark.parametrize("kind", ["csr_matrix", "csr_array", "coo_matrix", "csc_array"])
def test_data_of_scipy(kind: str):
    x = getattr(scipy.sparse, kind)(np.concatenate([A, B]).astype("float64"))
    kernel = [np.arange(6, dtype="float32").reshape(3, 2) / 6, np.zeros(2, "float32")]
    ours = results(keras_fn, x, kernel)
    wanted = results(keras, x if kind != "csc_array" else x.tocsr(), kernel)  # Keras takes the columns for rows
    for a, b in zip(ours, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4)


# --- tf.IndexedSlices: rows of a larger tensor, of which a row may be there twice
OPTIMIZERS = ["SGD", "Adam", "RMSprop", "Adagrad", "Ftrl", "Lion", "Lamb", "Adafactor"]
UNARY = ["sin", "square", "negative", "sign", "relu", "exp", "max", "softmax", "sum", "isfinite"]

if BACKEND == "tensorflow":
    import tensorflow as tf

    def slices(*places: int) -> Any:
        return tf.IndexedSlices(tf.constant([[1.0, -2.0], [3.0, 4.0]]), tf.constant(places), tf.constant([5, 2]))

    @pytest.mark.parametrize("name", UNARY)
    def test_row_slices(name: str):
        ours, theirs = getattr(ops, name)(slices(3, 1)), getattr(keras.ops, name)(slices(3, 1))
        if isinstance(theirs, tf.IndexedSlices):
            assert isinstance(ours, tf.IndexedSlices)
        np.testing.assert_allclose(ops.convert_to_numpy(ours), keras.ops.convert_to_numpy(theirs), rtol=1e-5)

    @pytest.mark.parametrize("name", ["add", "subtract", "maximum", "multiply", "divide", "power"])
    def test_row_slices_beside_others(name: str):
        dense = tf.reshape(tf.range(1.0, 11.0), (5, 2))
        for other in (dense, 2.0) if name == "divide" else (dense, 2.0, slices(1, 4)):
            ours, theirs = (getattr(o, name)(slices(3, 1), other) for o in (ops, keras.ops))
            assert isinstance(ours, tf.Tensor) == isinstance(theirs, tf.Tensor)
            np.testing.assert_allclose(ops.convert_to_numpy(ours), keras.ops.convert_to_numpy(theirs), rtol=1e-5)

    def test_rows_that_come_twice_are_added_first():
        np.testing.assert_allclose(ops.convert_to_numpy(ops.square(slices(3, 3)))[3], [16, 4])
        product = ops.matmul(slices(3, 3), np.eye(2, dtype="float32"))
        np.testing.assert_allclose(ops.convert_to_numpy(product)[3], [4, 2])

    def stepped(library: Any, name: str, gradients: list[Any]) -> Any:
        v = library.Variable(np.ones((5, 2), "float32"))
        optimizer = getattr(library.optimizers, name)(0.05)
        for gradient in gradients:
            optimizer.apply([gradient], [v])
        return library.ops.convert_to_numpy(v)

    @pytest.mark.parametrize("name", OPTIMIZERS)
    def test_optimizers_take_row_slices(name: str):
        """Keras squares the parts of a row that is there twice before it adds them: it gets dense gradients then."""
        single, twice = [slices(3, 1), slices(1, 4)], [slices(3, 3), slices(3, 1)]
        ours = stepped(keras_fn, name, single), stepped(keras_fn, name, twice)
        theirs = stepped(keras, name, single), stepped(keras, name, [tf.convert_to_tensor(g) for g in twice])
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)

    def test_gradients_of_embeddings_are_dense():
        """Rows that the batch does not name have zeros, as Keras's steps treat row slices where no id comes twice."""
        x, y = np.array([[1, 2, 0], [4, 5, 6]]), np.ones((2, 1), "float32")
        found = []
        for library in (keras_fn, keras):
            inputs, layers = library.Input((3,), dtype="int32"), library.layers
            h = layers.Embedding(9, 2, embeddings_initializer="ones")(inputs)
            out = layers.Dense(1, kernel_initializer="ones")(layers.GlobalAveragePooling1D()(h))
            model = library.Model(inputs, out)
            model.compile(library.optimizers.Adam(0.05), "mse")
            model.fit(x, y, epochs=3, verbose=0)
            found.append(model.get_weights()[0])
        np.testing.assert_allclose(*found, rtol=1e-4)
