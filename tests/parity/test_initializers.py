"""Initializers beside those of real Keras: configs, constant values, and the spread of random ones."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from keras_fn import initializers as I
from keras_fn import ops

RANDOM = [
    ("RandomNormal", {"mean": 0.5, "stddev": 0.2}),
    ("RandomUniform", {"minval": -1.0, "maxval": 3.0}),
    ("TruncatedNormal", {"mean": 0.5, "stddev": 0.2}),
    ("VarianceScaling", {"scale": 2.0, "mode": "fan_out", "distribution": "untruncated_normal"}),
    ("VarianceScaling", {"mode": "fan_avg", "distribution": "normal"}),
    ("VarianceScaling", {"input_axes": [0], "output_axes": [1, 2]}),
    ("GlorotNormal", {}),
    ("GlorotUniform", {}),
    ("HeNormal", {}),
    ("HeUniform", {}),
    ("LecunNormal", {}),
    ("LecunUniform", {}),
    ("Orthogonal", {"gain": 1.5}),
]
FIXED = [
    ("Zeros", {}, (2, 3)),
    ("Ones", {}, (2, 3)),
    ("Constant", {"value": 2.5}, (2, 3)),
    ("Identity", {}, (3, 2)),
    ("STFT", {}, (6, 1, 4)),
    ("STFT", {"side": "imag", "window": "hamming", "scaling": "spectrum", "periodic": True}, (5, 1, 3)),
    ("STFT", {"window": None, "scaling": None}, (5, 1, 3)),
]


@pytest.mark.parametrize("name,kwargs", RANDOM, ids=str)
def test_spread(name, kwargs):
    shape = (30, 10, 20)
    theirs, ours = getattr(keras.initializers, name)(seed=3, **kwargs), getattr(I, name)(seed=3, **kwargs)
    want, got = keras.ops.convert_to_numpy(theirs(shape)), ops.convert_to_numpy(ours(shape))
    assert got.shape == want.shape and got.dtype == want.dtype
    error = 6 * want.std() / want.size**0.5
    assert abs(got.mean() - want.mean()) < error
    assert got.std() == pytest.approx(float(want.std()), rel=0.04)
    for q in (0.0, 0.1, 0.9, 1.0) if "uniform" in name.lower() else (0.1, 0.25, 0.75, 0.9):
        assert float(np.quantile(got, q)) == pytest.approx(float(np.quantile(want, q)), abs=0.08 * float(want.std()))


@pytest.mark.parametrize("name,kwargs,shape", FIXED, ids=str)
def test_values(name, kwargs, shape):
    theirs, ours = getattr(keras.initializers, name)(**kwargs), getattr(I, name)(**kwargs)
    want = keras.ops.convert_to_numpy(theirs(shape))
    np.testing.assert_allclose(ops.convert_to_numpy(ours(shape)), want, atol=1e-6)


@pytest.mark.parametrize("name,kwargs", [*RANDOM, *(row[:2] for row in FIXED)], ids=str)
def test_files_are_interchangeable(name, kwargs):
    written = keras.initializers.serialize(getattr(keras.initializers, name)(**kwargs))
    ours = I.deserialize(written)
    assert type(ours) is getattr(I, name)
    assert I.serialize(ours) == written
    back = keras.initializers.deserialize(I.serialize(getattr(I, name)(**kwargs)))
    assert keras.initializers.serialize(back) == written


def test_files_keep_an_array():
    written = keras.initializers.serialize(keras.initializers.Constant(np.ones((2,), "float32")))
    ours = I.deserialize(written)
    back = keras.initializers.deserialize(I.serialize(ours))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(back.value), np.ones(2))
    np.testing.assert_array_equal(ours.draw((3, 2)), np.ones((3, 2)))
