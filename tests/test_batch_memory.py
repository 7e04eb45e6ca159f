"""Memory that batches are gathered into is used again, and never while somebody reads it."""

from __future__ import annotations

import numpy as np

import keras_fn
from keras_fn.core.aligned import aligned
from keras_fn.trainer import pace
from keras_fn.trainer.data.memory import Memory

FLOAT = np.dtype("float32")


def test_a_block_comes_again_when_nobody_shows_it():
    memory = Memory(lambda: None)
    first = aligned((3, 5), FLOAT, memory.block)
    place = first.ctypes.data
    assert place % 64 == 0
    other = aligned((3, 5), FLOAT, memory.block)
    assert other.ctypes.data != place
    view = first[1:]
    del first
    assert aligned((3, 5), FLOAT, memory.block).ctypes.data != place
    del view
    assert aligned((3, 5), FLOAT, memory.block).ctypes.data == place


def test_before_more_is_taken_the_steps_are_waited_for():
    held = []
    memory = Memory(held.clear)
    for _ in range(4):
        held.append(aligned((8,), FLOAT, memory.block))
    places = {a.ctypes.data for a in held}
    assert len(places) == 4
    assert aligned((8,), FLOAT, memory.block).ctypes.data in places
    assert not held


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
