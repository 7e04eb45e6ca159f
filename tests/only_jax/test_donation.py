"""Compiled steps donate what they write, and nobody loses an array by it."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

import keras_fn as keras
from keras_fn_jax import step


@pytest.fixture
def model() -> Any:
    made = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)]
    )
    made.compile("adam", "mse", metrics=["mae"])
    return made


X, Y = np.ones((20, 4), "float32"), np.ones((20, 3), "float32")


def fit(model: Any, **options: Any) -> None:
    model.fit(X, Y, batch_size=4, verbose=0, **options)


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    made: list[Any] = []

    class Counting:
        @staticmethod
        def copy(x: Any) -> Any:
            made.append(x.shape)
            return jax.numpy.copy(x)

    monkeypatch.setattr(step, "jnp", Counting)
    return made


@pytest.mark.parametrize("at_once", [1, 3, "auto"])
def test_nothing_is_copied_where_nobody_holds_weights(model: Any, copies: list[Any], at_once: Any) -> None:
    model.compile("adam", "mse", metrics=["mae"], steps_per_execution=at_once)
    fit(model)  # what an initializer made may lie in memory that is NumPy's
    pointer = model.layers[0].kernel.value.unsafe_buffer_pointer()
    fit(model, epochs=2)
    assert not copies
    assert pointer == model.layers[0].kernel.value.unsafe_buffer_pointer(), "new weights take the memory of the old"


def test_a_held_array_keeps_its_values(model: Any, copies: list[Any]) -> None:
    fit(model)
    held = model.layers[0].kernel.value
    values = np.array(held)
    fit(model)
    assert not held.is_deleted()
    assert np.array_equal(held, values)
    assert copies == [(4, 3)], "once: afterwards the cell holds another array"


def test_a_view_of_the_memory_keeps_its_values(model: Any) -> None:
    fit(model)
    view = np.asarray(model.layers[0].kernel.value)
    values = view.copy()
    fit(model, epochs=2)
    assert np.array_equal(view, values)
    assert not np.array_equal(model.layers[0].kernel.numpy(), values)


def test_two_variables_with_one_array_do_not_share_its_fate(model: Any) -> None:
    fit(model)
    other = keras.Variable(np.zeros((4, 3), "float32"))
    other.assign(model.layers[0].kernel.value)
    values = other.numpy().copy()
    fit(model)
    assert np.array_equal(other.numpy(), values)


def test_a_step_that_calls_the_host_and_fails_leaves_the_weights() -> None:
    def loss(y: Any, p: Any) -> Any:
        def check(total: Any) -> None:
            if total > 0:
                raise RuntimeError("the host says no")

        jax.debug.callback(check, p.sum() * 0 + 1)
        return (y - p) ** 2

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile("sgd", loss)
    before = model.layers[0].kernel.value
    kept = np.array(before)
    del before
    with pytest.raises(Exception, match="the host says no"):
        _fit_to_the_end(model)
    assert np.asarray(kept).shape == model.layers[0].kernel.shape


def _fit_to_the_end(model: Any) -> None:
    fit(model)
    jax.effects_barrier()


def test_cells_of_another_shape_are_traced_anew() -> None:
    from keras_fn.core.backend import active

    cell = keras.Variable(np.zeros(2, "float32"))

    def grow(x: Any) -> Any:
        cell.assign(cell.value + x)
        return cell.value.sum()

    run = active.backend.compile_step(grow, lambda: [cell], None)
    assert float(run(np.float32(1.0))) == 2.0
    cell._cell, cell._shape = jax.numpy.zeros(5), (5,)
    assert float(run(np.float32(1.0))) == 5.0
    assert cell.numpy().tolist() == [1.0] * 5
