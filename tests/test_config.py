"""`keras_fn.config`: what each switch changes."""

from __future__ import annotations

import traceback

import numpy as np
import pytest

import keras_fn
from keras_fn import config, layers, ops
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, ArgumentTypeError, ShapeError
from keras_fn.core.switches import Switches, switches


@pytest.fixture(autouse=True)
def as_they_were():
    yield
    for name in Switches.__annotations__:
        setattr(switches, name, getattr(Switches, name))


def model():
    inputs = keras_fn.Input((2,))
    made = keras_fn.Model(inputs, layers.Dense(1)(inputs))
    made.compile("sgd", "mse")
    return made


X, Y = np.ones((40, 2), "float32"), np.ones((40, 1), "float32")


# --- limits
def test_limits_of_evaluate_and_predict():
    config.set_max_steps_per_epoch(3)
    assert model().predict(X, batch_size=4, verbose=0).shape == (12, 1)
    assert model().predict(iter([X[:4]] * 5), verbose=0).shape == (12, 1)
    config.set_max_steps_per_epoch(None)
    assert model().predict(X, batch_size=4, verbose=0).shape == (40, 1)


def test_limits_never_make_a_run_longer():
    config.set_max_steps_per_epoch(100)
    assert model().predict(X, batch_size=4, verbose=0).shape == (40, 1)


def test_limits_of_fit():
    trained = model()
    config.set_max_epochs(2)
    config.set_max_steps_per_epoch(3)
    if not active.backend.differentiable:
        with pytest.raises(RuntimeError, match="no gradients"):
            trained.fit(X, Y, verbose=0)
        return
    history = trained.fit(X, Y, batch_size=4, epochs=7, verbose=0)
    assert len(history.epoch) == 2
    assert int(trained.optimizer.iterations.numpy()) == 6


def test_limits_from_the_environment(monkeypatch):
    monkeypatch.setenv("KERAS_MAX_EPOCHS", "4")
    assert config.max_epochs() == 4 and config.max_steps_per_epoch() is None
    config.set_max_epochs(2)
    assert config.max_epochs() == 2
    config.set_max_epochs(None)
    monkeypatch.setenv("KERAS_MAX_EPOCHS", "many")
    with pytest.raises(ArgumentError, match="KERAS_MAX_EPOCHS must be a positive int, not 'many'"):
        config.max_epochs()


@pytest.mark.parametrize("bad, error", [(0, ArgumentError), (True, ArgumentError), (1.5, ArgumentTypeError)])
def test_bad_limits(bad, error):
    for setter in (config.set_max_epochs, config.set_max_steps_per_epoch):
        with pytest.raises(error, match="positive int or None"):
            setter(bad)


# --- logging
def test_interactive_logging_decides_what_auto_means(capsys):
    evaluated = model()
    evaluated.evaluate(X, Y, batch_size=4)
    bar = capsys.readouterr().out
    config.disable_interactive_logging()
    assert not keras_fn.utils.is_interactive_logging_enabled()
    evaluated.evaluate(X, Y, batch_size=4)
    line = capsys.readouterr().out
    assert "loss" in bar and "loss" in line
    assert "━" in bar and "━" not in line


# --- tracebacks
def failing():
    layers.Dense(2)(keras_fn.Input((2, 3, 4), batch_size=1))
    layers.Conv2D(2, 3)(keras_fn.Input((3,)))


def frames(call):
    with pytest.raises(ShapeError) as caught:
        call()
    return [f.name for f in traceback.extract_tb(caught.value.__traceback__)]


def test_tracebacks_leave_our_frames_out():
    short = frames(failing)
    config.disable_traceback_filtering()
    full = frames(failing)
    assert not config.is_traceback_filtering_enabled()
    assert "failing" in short and "failing" in full
    assert len(short) < len(full) and "call_layer" in full


def test_other_errors_keep_all_frames():
    class Broken(layers.Layer):
        def call(self, x):
            return {}["missing"]

    with pytest.raises(KeyError) as caught:
        Broken()(ops.ones((2,)))
    assert "call_layer" in [f.name for f in traceback.extract_tb(caught.value.__traceback__)]


# --- attention
def test_flash_attention_switch_reaches_the_kernel(monkeypatch):
    seen = []
    kernels = active.backend.kernels
    usual = kernels.get("_attention")

    def spy(*args):
        seen.append(args[7])
        return usual(*args) if usual else ops.nn._attention.fn(*args)

    monkeypatch.setitem(kernels, "_attention", spy)
    x = np.random.default_rng(0).normal(size=(1, 3, 2, 4)).astype("float32")
    first = ops.dot_product_attention(x, x, x)
    assert config.is_flash_attention_enabled()
    config.disable_flash_attention()
    assert not config.is_flash_attention_enabled()
    second = ops.dot_product_attention(x, x, x)
    ops.dot_product_attention(x, x, x, flash_attention=False)
    config.enable_flash_attention()
    ops.dot_product_attention(x, x, x)
    assert seen == [None, False, False, None]
    np.testing.assert_allclose(ops.convert_to_numpy(first), ops.convert_to_numpy(second), rtol=1e-5, atol=1e-6)


# --- files
def test_unsafe_deserialization_never_beats_an_explicit_safe_mode():
    lambda_layer = layers.Lambda(lambda x: x * 2)
    data = keras_fn.saving.serialize_keras_object(lambda_layer)
    with pytest.raises(ValueError, match="safe_mode"):
        keras_fn.saving.deserialize_keras_object(data)
    config.enable_unsafe_deserialization()
    loaded = keras_fn.saving.deserialize_keras_object(data)
    np.testing.assert_array_equal(ops.convert_to_numpy(loaded(ops.ones((2,)))), [2.0, 2.0])
    with pytest.raises(ValueError, match="safe_mode"):
        keras_fn.saving.deserialize_keras_object(data, safe_mode=True)
