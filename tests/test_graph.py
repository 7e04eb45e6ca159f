"""The graph API: symbols, calls, functions, models as layers, clones, names, deep chains, memory."""

from __future__ import annotations

import gc
import json
import weakref
from typing import Any

import numpy as np
import pytest

import keras_fn
from keras_fn import Input, Model, Sequential, layers, ops
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, GraphError, NotBuiltError, ShapeError, StructureError
from keras_fn.models import clone_model, model_from_json


def array(*shape: int) -> np.ndarray:
    return np.linspace(-1, 2, int(np.prod(shape)), dtype="float32").reshape(shape)


def numpy(x: Any) -> np.ndarray:
    return active.backend.to_numpy(x)


def same(a: Any, b: Any) -> None:
    np.testing.assert_allclose(numpy(a), numpy(b), rtol=1e-5, atol=1e-6)


# --- symbols
SYMBOLIC = {
    "x + 1": lambda x: x + 1,
    "1 + x": lambda x: 1 + x,
    "x - 2": lambda x: x - 2,
    "2 - x": lambda x: 2 - x,
    "x * x": lambda x: x * x,
    "3 * x": lambda x: 3 * x,
    "x / 2": lambda x: x / 2,
    "1 / (x + 9)": lambda x: 1 / (x + 9),
    "x // 2": lambda x: x // 2,
    "x % 2": lambda x: x % 2,
    "x ** 2": lambda x: x**2,
    "2 ** x": lambda x: 2**x,
    "-x": lambda x: -x,
    "abs(x)": abs,
    "x @ w": lambda x: x @ array(4, 2),
    "x > 0": lambda x: x > 0,
    "x >= 0": lambda x: x >= 0,
    "x < 0": lambda x: x < 0,
    "x <= 0": lambda x: x <= 0,
    "x != 0": lambda x: x != 0,
    "~(x > 0)": lambda x: ~(x > 0),
    "(x > 0) & (x < 1)": lambda x: (x > 0) & (x < 1),
    "(x > 0) | (x < 1)": lambda x: (x > 0) | (x < 1),
    "x[:, 0]": lambda x: x[:, 0],
    "x[..., 1:3]": lambda x: x[..., 1:3],
    "x[:, ::-1]": lambda x: x[:, ::-1],
    "x[:, None]": lambda x: x[:, None],
    "x[0]": lambda x: x[0],
}


@pytest.mark.parametrize("expression", SYMBOLIC)
def test_symbols_take_pythons_operators(expression: str) -> None:
    fn, data = SYMBOLIC[expression], array(3, 4)
    x = Input((4,))
    y = fn(x)
    assert y.node.inputs
    want = fn(data)
    for model in (Model(x, y), model_from_json(Model(x, y).to_json())):
        got = model(data)
        assert numpy(got).shape == want.shape
        assert active.backend.dtype_of(got) == y.dtype
        np.testing.assert_allclose(numpy(got), want, rtol=1e-5, atol=1e-6)


def test_symbols_have_no_values() -> None:
    x = Input((4,))
    for use in (bool, float, int, np.asarray, len):
        with pytest.raises((TypeError, ValueError)):
            use(x > 0)


def test_function_runs_a_part_of_a_graph() -> None:
    a, b = Input((2,)), Input((2,))
    function = keras_fn.Function([a, b], {"sum": a + b, "parts": [a * 2, b]})
    out = function([array(3, 2), np.ones((3, 2), "float32")])
    np.testing.assert_allclose(numpy(out["sum"]), array(3, 2) + 1)
    np.testing.assert_allclose(numpy(out["parts"][0]), array(3, 2) * 2)
    assert set(out) == {"sum", "parts"}
    with pytest.raises(StructureError, match="takes 2 inputs"):
        function([array(3, 2)])


# --- models in models
def test_several_models_share_one_graph() -> None:
    x = Input((4,))
    code = layers.Dense(2, name="code")(x)
    decoded = layers.Dense(4)(code)
    whole, encoder, decoder = Model(x, decoded), Model(x, code), Model(code, decoded)
    data = array(3, 4)
    same(whole(data), decoder(encoder(data)))
    whole.get_layer("code").kernel.assign(np.zeros((4, 2), "float32"))
    np.testing.assert_allclose(numpy(encoder(data)), 0)


def test_models_are_called_as_layers() -> None:
    x = Input((4,))
    inner = Model(x, [layers.Dense(4)(x), x * 2])
    y = Input((4,))
    a, b = inner(y)
    c, _ = inner(a + b)
    outer = Model(y, c)
    assert len(outer.weights) == 2
    one, two = inner(array(3, 4))
    same(outer(array(3, 4)), inner(one + two)[0])


def branched() -> Any:
    x = Input((4,), name="x")
    inner_x = Input((4,))
    h = layers.Dense(4, activation="relu", name="hidden")(inner_x)
    inner = Model(inner_x, layers.Dense(3, name="last")(h), name="inner")
    y = layers.Dense(4, name="first")(x)
    return Model(x, inner(y) + 1, name="outer")


def test_intermediate_outputs_are_reached_also_in_nested_and_loaded_models(tmp_path: Any) -> None:
    model = branched()
    model.save(tmp_path / "model.keras")
    data = array(3, 4)
    for m in (model, keras_fn.saving.load_model(tmp_path / "model.keras"), model_from_json(model.to_json())):
        inside = Model(m.input, [layer.calls[0].output if layer.calls else layer.output for layer in m.layers])
        values = inside(data)
        assert [layer.name for layer in m.layers] == ["x", "first", "inner"]
        inner = m.get_layer("inner")
        hidden = Model(inner.input, [layer.output for layer in inner.layers])(values[1])
        same(inner.get_layer("last")(hidden[1]), values[2])
        same(m(data), values[2] + 1)


def test_one_result_of_a_call_may_be_an_input_and_another_be_computed() -> None:
    x = Input((4,))
    left, right = ops.split(x * 2, 2, axis=-1)
    total = left + right
    model = Model([left, x], total)  # `right` needs the split to run, `left` is given
    out = model([np.full((1, 2), 100.0, "float32"), np.ones((1, 4), "float32")])
    np.testing.assert_allclose(numpy(out), 102.0)
    only_right = Model(right, right * 3)
    np.testing.assert_allclose(numpy(only_right(np.ones((1, 2), "float32"))), 3.0)


def test_a_model_called_on_symbols_of_another_dtype_infers_what_it_gives() -> None:
    inner_x = Input((2,), dtype="int32")
    inner = Model(inner_x, inner_x + 1)
    x = Input((2,), dtype="float32")
    y = inner(x)
    assert y.dtype == "int32" == active.backend.dtype_of(Model(x, y)(array(3, 2)))


# --- clones and configs
def test_clone_has_weights_of_its_own_and_keeps_what_is_shared() -> None:
    x = Input((4,))
    shared = layers.Dense(4, name="shared")
    model = Model(x, shared(shared(x)) + x)
    clone = clone_model(model)
    assert len(clone.weights) == len(model.weights) == 2
    assert not {id(v) for v in clone.weights} & {id(v) for v in model.weights}
    assert len(clone.get_layer("shared").calls) == 2
    clone.set_weights(model.get_weights())
    same(clone(array(3, 4)), model(array(3, 4)))
    clone.set_weights([w * 0 for w in clone.get_weights()])
    np.testing.assert_allclose(numpy(clone(array(3, 4))), array(3, 4))
    assert np.abs(model.get_weights()[0]).sum() > 0


def test_clone_function_makes_the_layers() -> None:
    model = branched()

    def wider(layer: Any) -> Any:
        config = layer.get_config()
        if layer.name == "hidden":
            config["units"] = 9
        return type(layer).from_config(config)

    clone = clone_model(model, clone_function=wider, recursive=True)
    assert clone.get_layer("inner").get_layer("hidden").units == 9
    assert clone(array(3, 4)).shape == (3, 3)


def test_json_and_back() -> None:
    model = branched()
    text = model.to_json(indent=1)
    assert json.loads(text)["class_name"] == "Functional"
    twin = model_from_json(text)
    twin.set_weights(model.get_weights())
    same(twin(array(3, 4)), model(array(3, 4)))
    assert twin.to_json(indent=1) == text


class Scale(layers.Layer):
    def __init__(self, factor: float = 2.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x: Any) -> Any:
        return x * self.factor


def test_custom_classes_must_be_known_to_be_read() -> None:
    x = Input((4,))
    text = Model(x, Scale(3.0)(x)).to_json()
    with pytest.raises(ArgumentError, match="Scale"):
        model_from_json(text)
    np.testing.assert_allclose(numpy(model_from_json(text, {"Scale": Scale})(array(1, 4))), array(1, 4) * 3)
    with keras_fn.saving.custom_object_scope({"Scale": Scale}):
        model_from_json(text)


@keras_fn.saving.register_keras_serializable("test_graph")
class Registered(Scale):
    pass


def test_registered_classes_are_found() -> None:
    x = Input((4,))
    twin = model_from_json(Model(x, Registered(4.0)(x)).to_json())
    np.testing.assert_allclose(numpy(twin(array(1, 4))), array(1, 4) * 4)


# --- inputs
def test_dict_inputs_match_by_name_and_not_by_order() -> None:
    b, a = Input((1,), name="b"), Input((1,), name="a")
    model = Model({"b": b, "a": a}, b - 10 * a)
    one, two = np.full((1, 1), 1.0, "float32"), np.full((1, 1), 2.0, "float32")
    for inputs in ({"a": one, "b": two}, {"b": two, "a": one}, {"extra": two * 9, "b": two, "a": one}):
        np.testing.assert_allclose(numpy(model(inputs)), 2 - 10)
    flat = Model([b, a], b - 10 * a)
    np.testing.assert_allclose(numpy(flat({"a": one, "b": two})), 2 - 10)
    np.testing.assert_allclose(numpy(flat([two, one])), 2 - 10)


def test_a_missing_key_is_an_error_that_names_the_closest() -> None:
    title, body = Input((1,), name="title"), Input((1,), name="body")
    model = Model({"title": title, "body": body}, title + body)
    with pytest.raises(StructureError, match=r"'title'.*Did you mean 'titel'"):
        model({"titel": array(1, 1), "body": array(1, 1)})


def test_optional_inputs_may_be_none() -> None:
    class Both(layers.Layer):
        def call(self, x: Any, bonus: Any = None) -> Any:
            return x if bonus is None else x + bonus

    x, bonus = Input((2,), name="x"), Input((2,), name="bonus", optional=True)
    model = Model({"x": x, "bonus": bonus}, Both()(x, bonus))
    data = array(3, 2)
    np.testing.assert_allclose(numpy(model({"x": data, "bonus": None})), data)
    np.testing.assert_allclose(numpy(model({"x": data})), data)
    np.testing.assert_allclose(numpy(model({"x": data, "bonus": data})), data * 2)
    with pytest.raises(StructureError, match="optional"):
        model({"x": None, "bonus": data})


def test_wrong_shapes_are_refused_with_both_shapes() -> None:
    model = branched()
    with pytest.raises(ShapeError, match=r"\(None, 4\).*\(3, 5\)"):
        model(array(3, 5))


# --- errors
def test_output_of_a_layer_called_twice_lists_the_calls() -> None:
    dense = layers.Dense(3, name="twice")
    x, y = Input((4,)), Input((4,))
    first, second = dense(x), dense(y)
    with pytest.raises(GraphError, match=r"called 2 times(.|\n)*calls\[0\](.|\n)*calls\[1\]") as e:
        _ = dense.output
    assert __file__.rsplit("/", 1)[-1] in str(e.value)
    assert dense.calls[0].output is first and dense.calls[1].output is second
    assert dense.calls[1].input is y
    with pytest.raises(NotBuiltError, match="not called"):
        _ = layers.Dense(2).output


def test_disconnected_graph_names_the_input_and_its_line() -> None:
    a, b = Input((2,), name="here"), Input((2,), name="forgotten")
    with pytest.raises(GraphError, match=r"'forgotten' \(made at .*test_graph\.py:\d+\)"):
        Model(a, a + b)


def test_names_are_unique_in_a_model() -> None:
    x = Input((2,))
    y = layers.Dense(2, name="same")(x)
    with pytest.raises(ArgumentError, match="'same'"):
        Model(x, layers.Dense(2, name="same")(y))


@pytest.mark.parametrize(
    "inputs, outputs, match",
    [
        (lambda x: x, lambda x: [], "at least one output"),
        (lambda x: [x, x], lambda x: x * 1, "twice"),
        (lambda x: x, lambda x: np.ones(3), "KerasTensor"),
    ],
)
def test_graphs_that_make_no_sense(inputs: Any, outputs: Any, match: str) -> None:
    x = Input((2,))
    with pytest.raises(GraphError, match=match):
        Model(inputs(x), outputs(x))


def test_errors_of_a_call_say_which_layer_and_where() -> None:
    x = Input((4,), name="pixels")
    with pytest.raises(ShapeError, match=r"(?s)Conv2D.*'conv'.*test_graph\.py.*'pixels'") as e:
        layers.Conv2D(2, 3, name="conv")(x)
    assert "(None, 4)" in str(e.value)


# --- Sequential
def test_sequential_grows_and_shrinks() -> None:
    model = Sequential([Input((4,)), layers.Dense(3, name="a")])
    model.add(layers.Dense(2, name="b"))
    assert model.output_shape == (None, 2) and model.input_shape == (None, 4)
    part = Model(model.input, model.get_layer("a").output)
    assert part(array(2, 4)).shape == (2, 3)
    assert model.pop().name == "b"
    assert model.output_shape == (None, 3) and [layer.name for layer in model.layers] == ["a"]
    same(model(array(2, 4)), part(array(2, 4)))
    with pytest.raises(ArgumentError, match="'a'"):
        model.add(layers.Dense(3, name="a"))
    with pytest.raises(ArgumentError, match="first"):
        model.add(Input((3,)))


def test_sequential_without_an_input_is_built_by_data() -> None:
    model = Sequential([layers.Dense(3), layers.Dense(2)])
    with pytest.raises(NotBuiltError, match="Input"):
        _ = model.output
    out = model(array(2, 4))
    assert out.shape == (2, 2) and model.built
    x = Input((4,))
    same(Model(x, model(x))(array(2, 4)), out)


# --- size and memory
def test_two_thousand_layers() -> None:
    x = Input((2,))
    y = x
    for i in range(2000):
        y = layers.Activation("relu")(y) if i % 2 else y + 1.0
    model = Model(x, y)
    assert len(model.operations) == 2001
    np.testing.assert_allclose(numpy(model(np.zeros((1, 2), "float32"))), 1000.0)
    twin = Model.from_config(json.loads(json.dumps(keras_fn.saving.serialize_keras_object(model)["config"])))
    np.testing.assert_allclose(numpy(twin(np.zeros((1, 2), "float32"))), 1000.0)
    assert len(clone_model(model).operations) == 2001


def used(model: Any, data: Any) -> Any:
    model(data)
    model.predict(data, verbose=0)
    return model


DROPPED = {
    "functional": lambda: used(branched(), array(3, 4)),
    "sequential": lambda: used(Sequential([Input((4,)), layers.Dense(2)]), array(3, 4)),
    "clone": lambda: clone_model(branched()),
    "from json": lambda: model_from_json(branched().to_json()),
    "shared and nested": lambda: _shared_and_nested(),
    "compiled": lambda: _trained(branched()),
    "own call": lambda: _trained(OwnCall()),
    "own steps": lambda: _trained(_own(branched(), OwnSteps)),
    "own loss": lambda: _trained(_own(branched(), OwnLoss)),
}


class OwnCall(keras_fn.Model):
    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(3)

    def call(self, inputs: Any) -> Any:
        y = self.dense(inputs)
        self.add_loss(ops.mean(y))
        return y


class OwnSteps(keras_fn.Model):
    def test_step(self, data: Any) -> Any:
        return super().test_step(data)

    def predict_step(self, data: Any) -> Any:
        return super().predict_step(data)


class OwnLoss(keras_fn.Model):
    def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
        return super().compute_loss(*args, **kwargs) * 2.0


def _own(model: Any, cls: type) -> Any:
    return cls(model.input, model.output)


def _shared_and_nested() -> Any:
    inner, x = branched(), Input((4,))
    return Model(x, inner(x) + inner(x * 2))


def _trained(model: Any) -> Any:
    model.compile("adam", "mse", metrics=["mae"])
    if active.backend.differentiable:
        model.fit(array(3, 4), array(3, 3), epochs=4, verbose=0)  # so many that there are plans
    model.evaluate(array(3, 4), array(3, 3), verbose=0)
    return model


@pytest.mark.parametrize("make", DROPPED)
def test_a_dropped_model_is_freed_without_the_garbage_collector(make: str) -> None:
    DROPPED[make]()  # what is kept for good is kept by now
    gc.collect()
    gc.disable()
    try:
        model = DROPPED[make]()
        watched = {"model": model, "layer": model.layers[-1], "weight": model.weights[0]}
        alive = {name: weakref.ref(x) for name, x in watched.items()}
        del model, watched
        assert [name for name, ref in alive.items() if ref() is not None] == []
    finally:
        gc.enable()


def test_a_tensor_inside_a_nested_model_is_reached_through_any_depth(tmp_path):
    i = keras_fn.Input((4,))
    inner = keras_fn.Model(i, layers.Dense(2)(layers.Dense(3, name="hidden")(i)), name="inner")
    x = keras_fn.Input((6,))
    middle = keras_fn.Model(x, inner(layers.Dense(4, name="before")(x)), name="middle")
    y = keras_fn.Input((6,))
    outer = keras_fn.Model(y, layers.Dense(1)(middle(y)))
    data = np.ones((2, 6), "float32")
    expected = inner.get_layer("hidden")(middle.get_layer("before")(data))
    found = keras_fn.Model(outer.input, inner.get_layer("hidden").output).predict(data, verbose=0)
    np.testing.assert_allclose(found, ops.convert_to_numpy(expected), rtol=1e-6)
    outer.save(tmp_path / "outer.keras")
    loaded = keras_fn.models.load_model(tmp_path / "outer.keras")
    hidden = loaded.get_layer("middle").get_layer("inner").get_layer("hidden")
    again = keras_fn.Model(loaded.input, [hidden.output, loaded.output]).predict(data, verbose=0)[0]
    np.testing.assert_allclose(again, found, rtol=1e-6)


def test_a_tensor_inside_a_model_that_was_called_twice_is_an_error_that_lists_the_calls():
    i = keras_fn.Input((4,))
    inner = keras_fn.Model(i, layers.Dense(2)(layers.Dense(3, name="hidden")(i)), name="inner")
    x = keras_fn.Input((4,))
    outer = keras_fn.Model(x, [inner(x), inner(layers.Dense(4)(x))])
    with pytest.raises(GraphError, match=r"'inner' is asked for, which was called 2 times") as caught:
        keras_fn.Model(outer.input, inner.get_layer("hidden").output)
    assert str(caught.value).count("'inner'.calls[") == 2
