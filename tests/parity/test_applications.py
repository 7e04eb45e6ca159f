"""VGG against real Keras: layers, shapes, weights in the same order, configs, outputs, preprocessing and decoding."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import keras_fn
from keras_fn import applications

NETWORKS = ["VGG16", "VGG19"]


def both(name: str, **arguments: Any) -> tuple[Any, Any]:
    keras.utils.clear_session()  # names count from the start, as keras_fn's do in each test
    arguments = {"weights": None, **arguments}
    return getattr(applications, name)(**arguments), getattr(keras.applications, name)(**arguments)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("pooling", [None, "avg", "max"])
def test_features(name: str, pooling: str | None) -> None:
    ours, theirs = both(name, include_top=False, input_shape=(32, 40, 3), pooling=pooling)
    assert [x.name for x in ours.layers[1:]] == [x.name for x in theirs.layers[1:]]
    assert [tuple(w.shape) for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    assert ours.output_shape == theirs.output_shape
    assert ours.name == theirs.name
    if pooling == "avg":
        ours.set_weights(theirs.get_weights())
        x = np.random.default_rng(0).uniform(0, 1, (1, 32, 40, 3)).astype("float32")
        np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-3, atol=1e-6)


def test_layer_configs() -> None:
    ours, theirs = both("VGG19", include_top=False, input_shape=(32, 32, 3))
    for a, b in zip(ours.layers[1:], theirs.layers[1:], strict=True):
        mine, real = a.get_config(), b.get_config()
        for key in ("filters", "kernel_size", "strides", "padding", "activation", "pool_size"):
            assert mine.get(key) == real.get(key), (a.name, key)


def test_top() -> None:
    ours, theirs = both("VGG16", input_shape=(32, 32, 3), classes=7, classifier_activation=None)
    assert [x.name for x in ours.layers[1:]] == [x.name for x in theirs.layers[1:]]
    assert [tuple(w.shape) for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_preprocessing(data_format: str) -> None:
    x = np.random.default_rng(0).uniform(0, 255, (2, 3, 3, 3)).astype("float32")
    want = keras.applications.vgg16.preprocess_input(x.copy(), data_format=data_format)
    got = keras_fn.applications.vgg16.preprocess_input(x.copy(), data_format=data_format)
    np.testing.assert_allclose(np.asarray(got), want, rtol=1e-6, atol=1e-4)
