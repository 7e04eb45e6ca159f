"""The small helpers of `keras_fn.utils` and `keras_fn.tree`: batches, configs, sources of symbols, data sets."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import keras_fn
from keras_fn import layers, saving, tree, utils
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, ArgumentTypeError


class Numbers(utils.PyDataset):
    def __init__(self, n, **kwargs):
        super().__init__(**kwargs)
        self.n, self.epochs, self.threads = n, 0, set()

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        self.threads.add(threading.get_ident())
        return np.full((2, 1), index, "float32"), np.full((2, 1), 2 * index, "float32")

    def on_epoch_end(self):
        self.epochs += 1


@pytest.mark.parametrize("workers", [0, 1, 3])
@pytest.mark.parametrize("room", [1, 10])
def test_batches_come_in_order(workers, room):
    data = Numbers(7, workers=workers, max_queue_size=room)
    assert [int(x[0, 0]) for x, _ in data] == list(range(7))
    assert (threading.get_ident() in data.threads) is (workers <= 1)


def test_processes_make_batches():
    data = Numbers(4, workers=2, use_multiprocessing=True)
    assert [int(y[0, 0]) for _, y in data] == [0, 2, 4, 6]
    assert not data.threads, "the work was done elsewhere"


def test_a_model_runs_on_it():
    inputs = keras_fn.Input((1,))
    model = keras_fn.Model(inputs, layers.Identity()(inputs))
    found = model.predict(Numbers(3, workers=2), verbose=0)
    np.testing.assert_array_equal(found.ravel(), [0, 0, 1, 1, 2, 2])
    if active.backend.differentiable:
        model = keras_fn.Model(inputs, layers.Dense(1)(inputs))
        model.compile("sgd", "mse")
        data = Numbers(3, workers=2)
        model.fit(data, epochs=2, verbose=0)
        assert data.epochs == 2 and int(model.optimizer.iterations.numpy()) == 6


def test_errors_of_workers_come_out():
    class Failing(Numbers):
        def __getitem__(self, index):
            raise OSError("no such file")

    with pytest.raises(OSError, match="no such file"):
        list(Failing(3, workers=2))
    with pytest.raises(NotImplementedError, match="__len__"):
        list(utils.PyDataset())
    for bad in ({"workers": -1}, {"workers": 1.5}, {"max_queue_size": 0}):
        with pytest.raises(ArgumentError, match="must be an int"):
            Numbers(3, **bad)


@pytest.mark.parametrize("batch", [(1,), (1, 2), (1, 2, 3)])
def test_packing_and_unpacking(batch):
    parts = utils.unpack_x_y_sample_weight(batch)
    assert parts == batch + (None,) * (3 - len(batch))
    assert utils.pack_x_y_sample_weight(*parts) == (batch if len(batch) > 1 else 1)
    assert utils.unpack_x_y_sample_weight(list(batch)) == parts


def test_packing_at_its_ends():
    assert utils.pack_x_y_sample_weight((1, 2)) == ((1, 2),)
    assert utils.unpack_x_y_sample_weight({"a": 1}) == ({"a": 1}, None, None)
    with pytest.raises(ArgumentError, match="tuple of 4"):
        utils.unpack_x_y_sample_weight((1, 2, 3, 4))


def test_config():
    config = utils.Config(a=1, b={"c": 2})
    config.a = 5
    config["d"] = 6
    config.update(e=7)
    assert (config.a, config["d"], config.pop("e"), list(config), len(config)) == (5, 6, 7, ["a", "b", "d"], 3)
    assert config.freeze().frozen and "a" in config and config.get("z", 9) == 9
    for change in (lambda: setattr(config, "a", 1), lambda: config.update(a=1), lambda: config.pop("a")):
        with pytest.raises(ArgumentError, match="frozen"):
            change()
    config.unfreeze().a = 1
    assert config == utils.Config(a=1, b={"c": 2}, d=6)
    with pytest.raises(AttributeError, match="no setting 'aa'"):
        config.aa  # noqa: B018


def test_source_inputs():
    a, b, c = (keras_fn.Input((2,), name=n) for n in "abc")
    both = layers.add([b, a])
    assert [x.name for x in utils.get_source_inputs(layers.Dense(1)(both))] == ["b", "a"]
    assert utils.get_source_inputs(c) == [c]
    with pytest.raises(ArgumentTypeError, match="KerasTensor"):
        utils.get_source_inputs(np.ones(2))  # type: ignore[arg-type]


def test_names_that_live_elsewhere():
    assert utils.custom_object_scope is saving.custom_object_scope is utils.CustomObjectScope
    assert isinstance(saving.custom_object_scope, type)
    assert utils.register_keras_serializable is saving.register_keras_serializable
    assert utils.standardize_dtype("float") == "float32"
    assert utils.is_keras_tensor(keras_fn.Input((1,))) and not utils.is_keras_tensor(1)
    for name in utils.__all__:
        assert getattr(utils, name) is not None


def test_scopes_nest():
    with utils.custom_object_scope({"Thing": int}), utils.custom_object_scope({"Thing": str}):
        assert saving.get_registered_object("Thing") is str
    assert saving.get_registered_object("Thing") is None


def test_traverse_to_none():
    to_none = lambda x: tree.MAP_TO_NONE if x == 1 else None  # noqa: E731
    assert tree.traverse(to_none, [1, (2, {"a": 1})]) == [None, (2, {"a": None})]
    assert tree.traverse(to_none, [1, (2, {"a": 1})], top_down=False) == [None, (2, {"a": None})]
