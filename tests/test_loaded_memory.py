"""Large arrays of files are read once: variables keep the memory that they were read into, where a framework can."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

import keras_fn
from keras_fn.core.backend import active


@pytest.mark.skipif(not active.backend.differentiable, reason="nothing trains on this backend")
def test_a_loaded_model_trains_on(tmp_path: pathlib.Path) -> None:
    """Steps may write over memory that they are given; the file's values are gone then, and nothing else."""
    model = keras_fn.Sequential([keras_fn.Input((200,)), keras_fn.layers.Dense(200), keras_fn.layers.Dense(1)])
    model.compile("adam", "mse")
    x, y = np.ones((4, 200), "float32"), np.zeros((4, 1), "float32")
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "m.keras")
    for name in ("m.keras", "w.weights.h5", "w.safetensors"):
        loaded = keras_fn.saving.load_model(tmp_path / "m.keras")
        if name != "m.keras":
            model.save_weights(tmp_path / name)
            loaded.load_weights(tmp_path / name)
        for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        kept = loaded.get_weights()
        loaded.fit(x, y, verbose=0)
        for a, b in zip(model.get_weights(), kept, strict=True):
            np.testing.assert_array_equal(a, b)
        assert float(abs(loaded.get_weights()[0] - kept[0]).max()) > 0
