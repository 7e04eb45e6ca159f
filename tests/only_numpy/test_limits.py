"""Limits on what files may ask for let through what programs write."""

from __future__ import annotations

import json
import pathlib
import shutil

import numpy as np
import pytest

import keras_fn
from keras_fn import layers
from keras_fn.core.allowance import count_work
from keras_fn.core.context import context
from keras_fn.core.errors import FileLimitError
from keras_fn.saving.structure import MAX_NAME, layers_in


def chain(count: int, **config: str) -> str:
    """The text of a chain of layers, as terse as it can be."""
    first = {"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape": [None, 2]}}
    one = {"module": "keras.layers", "class_name": "ReLU", "config": config}
    data = {"layers": [first, *[one] * (count - 1)]}
    return json.dumps({"module": "keras", "class_name": "Sequential", "config": data})


def test_a_deep_model_of_small_layers_is_loaded(tmp_path: pathlib.Path) -> None:
    made = keras_fn.Sequential([keras_fn.Input((2,)), *(layers.ReLU() for _ in range(3500)), layers.Dense(1)])
    made.save(tmp_path / "m.keras")
    again = keras_fn.saving.load_model(tmp_path / "m.keras")
    assert len(again.layers) == len(made.layers)
    np.testing.assert_array_equal(again.get_weights()[0], made.get_weights()[0])


def test_more_layers_than_the_text_gives_reason_for() -> None:
    text = chain(3500)
    most = layers_in(len(text))
    assert 3000 < most < 3500
    with pytest.raises(FileLimitError, match=f"more layers than its size gives reason for, over {most}"):
        keras_fn.models.model_from_json(text)
    assert len(keras_fn.models.model_from_json(chain(1000)).layers) == 999


def test_an_array_in_two_files_of_one_index(tmp_path: pathlib.Path) -> None:
    """Which of them counts would be anybody's guess."""
    made = keras_fn.Sequential([keras_fn.Input((2,)), layers.Dense(1)])
    index = tmp_path / "m.weights.json"
    made.save_weights(index, max_shard_size=1)
    shutil.copy(tmp_path / "m_00000.weights.h5", tmp_path / "m_00001.weights.h5")
    places = json.loads(index.read_text())
    places["metadata"]["keras_fn_shards"] *= 2  # the sums of both files, which are whole
    places["weight_map"] = {k: [*v, "m_00001.weights.h5"] for k, v in places["weight_map"].items()}
    index.write_text(json.dumps(places))
    with pytest.raises(keras_fn.saving.CorruptFileError, match="belongs into one"):
        made.load_weights(index)


def test_what_this_backend_lacks_is_a_refusal_too() -> None:
    text = chain(2).replace('"batch_shape"', '"sparse": true, "batch_shape"')
    with pytest.raises(keras_fn.saving.FileError, match="sparse"):
        keras_fn.models.model_from_json(text)


def test_long_names() -> None:
    assert keras_fn.models.model_from_json(chain(2, name="r" * MAX_NAME)).layers[-1].name == "r" * MAX_NAME
    with pytest.raises(FileLimitError, match="a name of 1001 characters at config.layers"):
        keras_fn.models.model_from_json(chain(2, name="r" * (MAX_NAME + 1)))


@pytest.mark.parametrize("text", ['{"a": 1}', '{"class_name": "Dense", "config": 3}', '{"config": {}}'])
def test_what_is_no_model_is_refused_before_it_is_read(text: str) -> None:
    with pytest.raises(keras_fn.saving.CorruptFileError, match="must hold the `class_name` and the `config`"):
        keras_fn.models.model_from_json(text)


def test_the_text_of_a_layer_is_that_of_no_model() -> None:
    data = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 2}}
    with pytest.raises(keras_fn.saving.CorruptFileError, match="a model was expected"):
        keras_fn.models.model_from_json(json.dumps(data))


def test_a_text_of_two_thousand_layers_with_weights() -> None:
    text = chain(2000).replace('"ReLU", "config": {}', '"Dense", "config": {"units": 2}')
    assert len(keras_fn.models.model_from_json(text).weights) == 2 * 1999


def test_a_number_below_zero_earns_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "calls", 10)
    count_work("something", -(10**9))
    assert context.calls is not None and context.calls < 10


def test_calls_that_nobody_holds_are_forgotten() -> None:
    """Looking for them at every call would take quadratic time where a layer is called thousands of times."""
    layer, x = layers.ReLU(), keras_fn.Input((2,))
    for _ in range(200):
        layer(x)
    assert len(layer._kf_calls) < 20


class Doubles(layers.Layer):
    """Looks at its first weight when it makes the second one."""

    def build(self, input_shape: object) -> None:
        self.one = self.add_weight((2,), "random_normal", name="one")
        self.two = self.add_weight((2,), lambda shape, dtype: 2 * self.one.numpy(), name="two")

    def call(self, x: object) -> object:
        return x


def test_first_values_from_a_text_are_those_of_its_data() -> None:
    """They are drawn when the whole model is there: a text that is refused at its end has drawn none in vain."""
    dense, doubles = layers.Dense(3, kernel_initializer="orthogonal"), Doubles()
    made = keras_fn.Sequential([keras_fn.Input((2,)), doubles, dense, layers.Dropout(0.5)])
    with keras_fn.saving.custom_object_scope({"Doubles": Doubles}):
        keras_fn.utils.set_random_seed(5)
        of_text = keras_fn.models.model_from_json(made.to_json())
        keras_fn.utils.set_random_seed(5)
        of_data = keras_fn.Sequential.from_config(made.get_config())
    for a, b in zip(of_text.get_weights(), of_data.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    one, two, *_ = of_text.get_weights()
    np.testing.assert_array_equal(2 * one, two)
    assert one.any()
