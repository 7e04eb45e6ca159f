"""First values wait on the host and go to the device together: nobody sees a difference."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import jax
import numpy as np
import pytest

import keras_fn
from keras_fn import initializers, layers
from keras_fn_jax.waiting import SMALL, WAITING


@pytest.fixture
def transfers(monkeypatch):
    """Number of arrays of each transfer."""
    WAITING.settle()
    seen: list[int] = []
    put = jax.device_put

    def counting(x: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(len(x) if isinstance(x, list) else 1)
        return put(x, *args, **kwargs)

    monkeypatch.setattr(jax, "device_put", counting)
    return seen


def drawn(*shape: int) -> Any:
    return keras_fn.Variable(initializers.GlorotUniform(seed=1), shape=shape)


def test_the_weights_of_a_model_go_together(transfers):
    x = inputs = keras_fn.Input((4,))
    for _ in range(5):
        x = layers.BatchNormalization()(layers.Dense(4)(x))
    model = keras_fn.Model(inputs, layers.Reshape((2, 2, 1))(x))
    convolved = layers.Conv2D(2, 1)
    convolved.build((None, 2, 2, 1))
    assert transfers == []
    kernel = model.weights[0].numpy()
    assert transfers == [len(model.weights) + 2]
    assert isinstance(convolved.kernel.value, jax.Array)
    model.get_weights()
    assert transfers == [len(model.weights) + 2]
    assert kernel.tolist() == model.layers[1].kernel_initializer.draw((4, 4)).tolist()


def test_large_values_go_at_once(transfers):
    side = int((SMALL / 4) ** 0.5) + 1
    assert isinstance(drawn(side, side).__dict__["_cell"], jax.Array)
    assert "_cell" not in drawn(2, 2).__dict__


def test_a_write_is_not_undone():
    first, second = drawn(2), drawn(2)
    first._cell = jax.numpy.ones(2)
    second.assign([3.0, 3.0])
    WAITING.settle()
    assert first.numpy().tolist() == [1.0, 1.0]
    assert second.numpy().tolist() == [3.0, 3.0]


def test_an_array_of_the_users_may_change():
    mine = np.ones(3, "float32")

    class Given(initializers.Zeros):
        def draw(self, shape: Any, dtype: Any = None) -> Any:
            return mine

    made = [keras_fn.Variable(lambda shape, dtype: mine, shape=(3,)), keras_fn.Variable(Given(), shape=(3,))]
    mine[:] = 5.0
    assert [v.numpy().tolist() for v in made] == [[1.0, 1.0, 1.0]] * 2


def test_what_is_dropped_unread_is_freed():
    variable = drawn(3)
    values = weakref.ref(WAITING._values[variable])
    del variable
    gc.collect()
    assert values() is None


def test_the_first_read_may_be_in_a_trace():
    variable, want = drawn(3), initializers.GlorotUniform(seed=1).draw((3,))
    twice = jax.jit(lambda x: x * variable.value)(2.0)
    np.testing.assert_array_equal(twice, 2 * want)
    assert not isinstance(variable._cell, jax.core.Tracer)  # pyright: ignore[reportAttributeAccessIssue]


def test_a_default_device_is_that_of_the_making():
    with jax.default_device(jax.devices()[0]):
        assert "_cell" in drawn(2).__dict__


def test_another_default_device_at_the_first_read_changes_nothing(monkeypatch):
    seen: list[Any] = []
    put = jax.device_put

    def noting(*args: Any) -> Any:
        seen.append(jax.config.jax_default_device)  # pyright: ignore[reportAttributeAccessIssue]
        return put(*args)

    monkeypatch.setattr(jax, "device_put", noting)
    variable = drawn(2)
    with jax.default_device(jax.devices()[0]):
        variable.numpy()
    assert seen == [None]


def test_a_variable_that_was_not_made_says_so():
    with pytest.raises(AttributeError, match="constructor"):
        _ = keras_fn.Variable.__new__(keras_fn.Variable)._cell


def test_threads_that_make_and_read():
    wrong: list[Any] = []

    def work(seed: int) -> None:
        for i in range(50):
            made = [keras_fn.Variable(initializers.GlorotUniform(seed=seed), shape=(i + 1,)) for _ in range(4)]
            want = initializers.GlorotUniform(seed=seed).draw((i + 1,))
            if not all(np.array_equal(v.numpy(), want) for v in made):
                wrong.append((seed, i))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
