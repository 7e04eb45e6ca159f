"""Recurrent ops against real Keras on the same backend: outputs, states, masks, directions."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from keras_fn import ops
from keras_fn.ops import rnn as R

BATCH, TIME, FEATURES, UNITS = 3, 5, 4, 2
MASK = np.array([[1, 1, 1, 0, 0], [0, 0, 0, 0, 0], [0, 1, 0, 1, 1]], bool)
OURS = {"LSTM": R.lstm, "GRU": R.gru, "SimpleRNN": R.simple_rnn}


def fill(layer):
    """Random weights, also for the biases that Keras starts at 0."""
    rng = np.random.default_rng(5)
    layer.build((None, TIME, FEATURES))
    layer.set_weights([rng.normal(size=w.shape).astype("float32") for w in layer.get_weights()])
    return layer.get_weights()


OPTIONS = [
    {},
    {"go_backwards": True},
    {"unroll": True},
    {"zero_output_for_mask": True},
    {"go_backwards": True, "zero_output_for_mask": True},
    {"activation": "relu"},
    {"use_bias": False},
]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", OURS)
def test_layers(name, options, masked):
    options = dict(options)
    layer = getattr(keras.layers, name)(UNITS, return_sequences=True, return_state=True, **options)
    weights = fill(layer)
    x = np.random.default_rng(1).normal(size=(BATCH, TIME, FEATURES)).astype("float32")
    mask = MASK if masked else None
    wanted = layer(x, mask=None if mask is None else keras.ops.convert_to_tensor(mask))
    bias = weights[2] if options.pop("use_bias", True) else None
    first = [None] * (2 if name == "LSTM" else 1)
    _, outputs, states = OURS[name](x, *first, weights[0], weights[1], bias, mask=mask, **options)
    for a, b in zip([outputs, *states], wanted, strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(a), keras.ops.convert_to_numpy(b), rtol=1e-4, atol=1e-5)


def test_gru_that_resets_before():
    layer = keras.layers.GRU(UNITS, reset_after=False, return_sequences=True)
    weights = fill(layer)
    x = np.random.default_rng(1).normal(size=(BATCH, TIME, FEATURES)).astype("float32")
    wanted = keras.ops.convert_to_numpy(layer(x))
    found = R.gru(x, None, *weights, reset_after=False)[1]
    np.testing.assert_allclose(ops.convert_to_numpy(found), wanted, rtol=1e-4, atol=1e-5)
