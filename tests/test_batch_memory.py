"""Memory that batches are gathered into is used again, and never while somebody reads it."""

from __future__ import annotations

import numpy as np
import pytest

import keras_fn
from keras_fn.trainer import pace
from keras_fn.trainer.data.memory import ALIKE, WAITED, Memory

FLOAT = np.dtype("float32")


def test_a_block_comes_again_when_nobody_shows_it():
    memory = Memory(lambda: None)
    first = memory.array((3, 5), FLOAT)
    place = first.ctypes.data
    assert place % 64 == 0
    other = memory.array((3, 5), FLOAT)
    assert other.ctypes.data != place
    view = first[1:]
    del first
    assert memory.array((3, 5), FLOAT).ctypes.data != place
    del view
    assert memory.array((3, 5), FLOAT).ctypes.data == place


def test_before_more_is_taken_the_steps_are_waited_for():
    held = []
    memory = Memory(held.clear)
    for _ in range(WAITED):
        held.append(memory.array((8,), FLOAT))
    places = {a.ctypes.data for a in held}
    assert len(places) == WAITED
    assert memory.array((8,), FLOAT).ctypes.data in places
    assert not held


def test_without_waiting_more_is_made():
    memory = Memory(lambda: pytest.fail("it waited"))
    held = [memory.array((8,), FLOAT, waits=False) for _ in range(ALIKE + 2)]
    assert len({a.ctypes.data for a in held}) == ALIKE + 2


def test_a_copy_does_not_change_with_the_batch():
    memory = Memory(lambda: None)
    large, small, fixed = np.zeros((64, 32), FLOAT), np.zeros(3, FLOAT), np.zeros(5000, FLOAT)
    fixed.flags.writeable = False
    copy = memory.copied(({"a": large}, [small, None], fixed))
    large[...], small[...] = 1, 1
    assert not copy[0]["a"].any() and not copy[1][0].any() and copy[1][1] is None
    assert copy[2] is fixed


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_a_generator_may_give_the_same_arrays_again_and_again(backend, method):
    if method == "fit" and not backend.differentiable:
        return

    def batches(again):
        random = np.random.default_rng(1)
        x, y = np.empty((256, 300), FLOAT), np.empty((256, 1), FLOAT)
        for _ in range(12):
            if not again:
                x, y = np.empty_like(x), np.empty_like(y)
            x[...], y[...] = random.random(x.shape), random.random(y.shape)
            yield x, y
            if again:
                x[...], y[...] = np.nan, np.nan

    def results(again):
        keras_fn.utils.set_random_seed(0)
        layers = [keras_fn.layers.Dense(200, activation="tanh") for _ in range(4)]
        model = keras_fn.Sequential([keras_fn.Input((300,)), *layers, keras_fn.layers.Dense(1)])
        model.compile("sgd", "mse")
        found = getattr(model, method)(batches(again), verbose=0)
        return [found] if method != "fit" else [found.history["loss"], *model.get_weights()]

    for found, expected in zip(results(True), results(False), strict=True):
        np.testing.assert_array_equal(found, expected)


def made():
    inputs = keras_fn.Input((3,))
    model = keras_fn.Model(inputs, {"a": keras_fn.layers.Dense(2)(inputs), "b": keras_fn.layers.Dense(4)(inputs)})
    model.compile("sgd", {"a": "mse", "b": "mae"})
    return model


def test_several_batches_in_a_dispatch_give_what_single_ones_give(backend, monkeypatch):
    random = np.random.default_rng(0)
    x = random.random((75, 3), dtype="float32")
    y = {"a": random.random((75, 2), dtype="float32"), "b": random.random((75, 4), dtype="float32")}
    model = made()
    alone, loss = model.predict(x, batch_size=2, verbose=0), model.evaluate(x, y, batch_size=2, verbose=0)
    monkeypatch.setattr(type(backend), "loop_pays", lambda self, seconds: True)
    monkeypatch.setattr(pace, "ALONE", 30)
    monkeypatch.setattr(pace, "STEPS_PER_DISPATCH", 4)
    several = model.predict(x, batch_size=2, verbose=0)
    for name, values in alone.items():
        np.testing.assert_array_equal(several[name], values)
    np.testing.assert_allclose(model.evaluate(x, y, batch_size=2, verbose=0), loss, rtol=1e-6)
    if backend.gathers_on_host:
        assert {("predict", "each"), ("test", "stack")} <= set(model._kf_programs.made)


def test_what_fit_has_timed_outlives_an_evaluation(backend):
    if not backend.differentiable:
        return
    x, y = np.ones((8, 3), "float32"), {"a": np.ones((8, 2), "float32"), "b": np.ones((8, 4), "float32")}
    model = made()
    model.fit(x, y, batch_size=4, verbose=0)
    timed = list(model._kf_cache["times", "train"])
    model.evaluate(x, y, batch_size=4, verbose=0)
    model.fit(x, y, batch_size=4, verbose=0)
    assert model._kf_cache["times", "train"][: len(timed)] == timed
