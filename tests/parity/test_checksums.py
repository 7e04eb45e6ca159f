"""Files with check sums in real Keras."""

from __future__ import annotations

import pathlib
from typing import Any

import h5py
import keras
import numpy as np
import pytest

import keras_fn


def _model(K: Any, dtype: str) -> Any:
    x = K.Input((4,), name="x")
    return K.Model(x, K.layers.Dense(2)(K.layers.BatchNormalization()(K.layers.Dense(3, dtype=dtype)(x))))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_keras_reads_weights_with_check_sums(dtype: str, tmp_path: pathlib.Path) -> None:
    ours, theirs = _model(keras_fn, dtype), _model(keras, dtype)
    for i, w in enumerate(ours.weights):
        w.assign(np.linspace(-1, 1 + i, w.size).reshape(w.shape).astype("float32"))
    ours.save_weights(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5") as root:
        assert set(root.attrs) == {"keras_fn_arrays", "keras_fn_crc32"}
    theirs.load_weights(tmp_path / "m.weights.h5")
    for a, b in zip(ours.weights, theirs.weights, strict=True):
        expected, got = np.asarray(a.numpy()), keras.ops.convert_to_numpy(keras.ops.cast(b.value, "float32"))
        np.testing.assert_array_equal(expected.astype("float32"), got)
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    again = _model(keras_fn, dtype)
    again.load_weights(tmp_path / "theirs.weights.h5")
    for a, b in zip(ours.weights, again.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
