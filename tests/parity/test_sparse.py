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
