"""Files beside real Keras: each opens what the other wrote, with equal weights, predictions and optimizer state."""

from __future__ import annotations

import json
import pathlib
import zipfile
from typing import Any

import h5py
import keras
import numpy as np
import pytest

import keras_fn
from files_of_keras import cases
from files_of_keras.cases import named_outputs, nested, sequential, shared
from keras_fn.core.naming import snake_case
from keras_fn.saving import load_model, load_weights, save_weights

# real Keras cannot open its own file of the first; the state of the second changes with each call
MODELS = [make for make in cases.STRUCTURES if make.__name__ not in ("deeper", "fixed_batch", "policies")]


def outputs(model: Any, x: Any) -> list[np.ndarray]:
    return cases.outputs_of(keras if isinstance(model, keras.Model) else keras_fn, model, x)


def same(a: Any, b: Any) -> None:
    x = cases.inputs_of(a, 0)
    for one, two in zip(outputs(a, x), outputs(b, x), strict=True):
        np.testing.assert_allclose(one, two, rtol=2e-2 if _is_half(a) else 1e-5, atol=1e-5)


def _is_half(model: Any) -> bool:
    return any(layer.compute_dtype == "bfloat16" for layer in model.layers)


def groups(path: pathlib.Path) -> dict[str, tuple[tuple[int, ...], str]]:
    """Each array in the weights of a file."""
    found = {}

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and "seed_generator" not in name:  # which Keras does not write
            found[name] = (item.shape, str(item.dtype))

    with zipfile.ZipFile(path) as packed, packed.open("model.weights.h5") as file, h5py.File(file) as root:
        root.visititems(note)
    return found


@pytest.mark.parametrize("make", MODELS, ids=lambda f: f.__name__)
class TestModels:
    def test_we_open_theirs(self, make: Any, tmp_path: pathlib.Path) -> None:
        theirs = make(keras)
        cases.fill(theirs, 1)
        theirs.save(tmp_path / "m.keras")
        same(theirs, load_model(tmp_path / "m.keras"))

    def test_same_arrays_under_the_same_names(self, make: Any, tmp_path: pathlib.Path) -> None:
        make(keras_fn).save(tmp_path / "ours.keras")
        make(keras).save(tmp_path / "theirs.keras")
        assert groups(tmp_path / "ours.keras") == groups(tmp_path / "theirs.keras")

    def test_weights_alone(self, make: Any, tmp_path: pathlib.Path) -> None:
        ours, theirs = make(keras_fn), make(keras)
        cases.fill(ours, 1)
        save_weights(ours, tmp_path / "a.weights.h5")
        theirs.load_weights(tmp_path / "a.weights.h5")
        same(ours, theirs)
        cases.fill(theirs, 1)
        theirs.save_weights(tmp_path / "b.weights.h5")
        load_weights(ours, tmp_path / "b.weights.h5")
        same(ours, theirs)


CASES = [c for c in cases.NAMES if cases.known(keras_fn, c) and c != "structure-deeper"]


def settings(model: Any) -> Any:
    """The compile settings as plain data, with functions by their names."""

    def by_name(data: dict[str, Any]) -> Any:
        if data.get("dtype") == "int64":  # counts are int32 on every backend here; Keras's are int64 on TensorFlow
            data = {**data, "dtype": "int32"}
        return data["config"] if data.get("class_name") == "function" else data

    text = json.dumps(keras.saving.serialize_keras_object(model.get_compile_config()))
    return json.loads(text, object_hook=by_name)


# where Keras itself raises when an optimizer is applied outside of a compiled step: a tracer leaves its `cond`
KERAS_FAILS = {("optimizer-LossScaleOptimizer", "jax")}


@pytest.mark.parametrize("case", CASES)
def test_keras_opens_each_of_ours(case: str, tmp_path: pathlib.Path) -> None:
    """Layers, structures, losses, metrics, optimizers, schedules, settings: the other direction of the corpus."""
    keras.utils.clear_session()  # its names are counted from the start again, as ours are
    ours = cases.make(keras_fn, case)
    if not case.startswith("part"):
        cases.fill(ours, 2)
    goes_on = case.startswith(("optimizer", "schedule"))
    if goes_on:
        cases.steps(keras_fn, ours, 0)
    ours.save(tmp_path / "ours.keras")
    theirs = keras.saving.load_model(tmp_path / "ours.keras")
    x = cases.inputs_of(ours, 3)
    agree(case, ours, theirs, x)
    if goes_on:
        same_state(ours, theirs)
    if goes_on and (case, keras.backend.backend()) not in KERAS_FAILS:
        for model, K in ((ours, keras_fn), (theirs, keras)):
            cases.steps(K, model, 1)
        agree(case, ours, theirs, x)
        same_state(ours, theirs)
    if ours.compiled:
        cases.make(keras, case).save(tmp_path / "theirs.keras")
        found = settings(theirs)
        if case == "settings-settings_of_float16":  # Keras writes it alone, and loses the scale
            found["optimizer"] = found["optimizer"]["config"]["inner_optimizer"]
        assert found == settings(keras.saving.load_model(tmp_path / "theirs.keras"))


def agree(case: str, ours: Any, theirs: Any, x: Any) -> None:
    """Both models give the same outputs."""
    tolerance = 2e-2 if case in cases.ROUGH else 1e-5
    for a, b in zip(cases.outputs_of(keras_fn, ours, x), cases.outputs_of(keras, theirs, x), strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def same_state(ours: Any, theirs: Any) -> None:
    """Both optimizers hold the same numbers."""
    for a, b in zip(ours.optimizer.variables, theirs.optimizer.variables, strict=True):
        np.testing.assert_allclose(a.numpy(), keras.ops.convert_to_numpy(b.value), rtol=1e-5, atol=1e-6, err_msg=a.path)


# --- subclassed models and attributes
def blocks(K: Any) -> Any:
    """A layer with others in attributes, lists, tuples, dicts, and behind a property."""
    D = K.layers.Dense

    @K.saving.register_keras_serializable("files")
    class Blocks(K.layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self._front = D(2)
            self.parts = [D(2), [D(2)], (D(2),), D(2)]
            self.by_name = {"z": D(2), "a": D(2)}
            self._hidden = D(2)
            self.again = self.parts[0]

        @property
        def front(self) -> Any:
            return self._front

        def build(self, input_shape: Any) -> None:
            self.fixed = self.add_weight(shape=(2,), trainable=False, initializer="ones")
            self.scale = self.add_weight(shape=(2,), initializer="ones")
            for layer in self._each():
                layer.build((None, 2))
            self.built = True

        def _each(self) -> list[Any]:
            a, (b,), (c,), d = self.parts
            return [self._front, a, b, c, d, self.by_name["z"], self.by_name["a"], self._hidden]

        def call(self, x: Any) -> Any:
            for layer in self._each():
                x = layer(x) * self.scale + self.fixed
            return x

    @K.saving.register_keras_serializable("files")
    class Whole(K.Model):
        def __init__(self, units: int = 1, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.z_block = Blocks()
            self.ends = [D(3), D(units)]
            self.a_first = D(2)

        def call(self, x: Any) -> Any:
            return self.ends[1](self.ends[0](self.z_block(self.a_first(x))))

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "units": self.units}

    model = Whole(2)
    model(np.ones((1, 4), "float32"))
    return model


def test_subclassed_models(tmp_path: pathlib.Path) -> None:
    ours, theirs = blocks(keras_fn), blocks(keras)
    cases.fill(ours, 1)
    ours.save(tmp_path / "ours.keras")
    theirs.save(tmp_path / "theirs.keras")
    assert groups(tmp_path / "ours.keras") == groups(tmp_path / "theirs.keras")
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    loaded = keras.saving.load_model(tmp_path / "ours.keras")
    np.testing.assert_allclose(outputs(ours, x)[0], outputs(loaded, x)[0], rtol=1e-5)
    loaded = load_model(tmp_path / "theirs.keras")
    np.testing.assert_allclose(outputs(theirs, x)[0], outputs(loaded, x)[0], rtol=1e-5)


def user_function(K: Any) -> Any:
    @K.saving.register_keras_serializable("files")
    def doubled(x: Any) -> Any:
        return x * 2.0

    return doubled


def of_user_functions(K: Any) -> Any:
    """A registered function as an activation, and as a layer."""
    x, doubled = K.Input((4,)), user_function(K)
    return K.Model(x, K.layers.Lambda(doubled)(K.layers.Dense(3, activation=doubled)(x)))


def test_registered_functions(tmp_path: pathlib.Path) -> None:
    ours, theirs = of_user_functions(keras_fn), of_user_functions(keras)
    ours.save(tmp_path / "ours.keras")
    theirs.save(tmp_path / "theirs.keras")
    same(ours, keras.saving.load_model(tmp_path / "ours.keras"))
    same(theirs, load_model(tmp_path / "theirs.keras"))


def dropout(K: Any) -> Any:
    x = K.Input((50,))
    return K.Model(x, K.layers.Dropout(0.5)(x))


def test_the_default_of_training_is_not_frozen(tmp_path: pathlib.Path) -> None:
    """Keras writes `training: false` for a Dropout that was called without it."""
    dropout(keras).save(tmp_path / "m.keras")
    loaded = load_model(tmp_path / "m.keras")
    x = np.ones((2, 50), "float32")
    assert not np.allclose(loaded(x, training=True), x)
    np.testing.assert_array_equal(keras_fn.ops.convert_to_numpy(loaded(x, training=False)), x)


def test_folders(tmp_path: pathlib.Path) -> None:
    ours, theirs = sequential(keras_fn), sequential(keras)
    ours.save(tmp_path / "ours")
    theirs.save(tmp_path / "theirs", zipped=False)
    same(ours, keras.saving.load_model(tmp_path / "ours"))
    same(theirs, load_model(tmp_path / "theirs"))


@pytest.mark.parametrize("make", [shared, nested, sequential, named_outputs], ids=lambda f: f.__name__)
def test_legacy_h5(make: Any, tmp_path: pathlib.Path) -> None:
    theirs = make(keras)
    cases.fill(theirs, 1)
    theirs.save(tmp_path / "m.h5")
    same(theirs, load_model(tmp_path / "m.h5"))
    ours = make(keras_fn)
    load_weights(ours, tmp_path / "m.h5")
    same(theirs, ours)


@pytest.mark.parametrize(
    "name", ["MyBlock2x", "_Priv", "Conv2DX", "HTTPServer", "A1B2", "getHTTP", "PReLU", "GELUx", "My_Block", "A_B_Cd"]
)
def test_names_of_classes(name: str, tmp_path: pathlib.Path) -> None:
    cls = type(name, (keras.layers.Layer,), {"call": lambda self, x: x})
    keras.Sequential([keras.Input((2,)), cls()]).save_weights(tmp_path / "n.weights.h5")
    with h5py.File(tmp_path / "n.weights.h5") as root:
        assert list(root["layers"]) == [snake_case(name)]


# --- compiled models
OPTIMIZERS = [("SGD", {"momentum": 0.9}), ("Adam", {}), ("RMSprop", {"centered": True}), ("Adagrad", {}), ("Ftrl", {})]


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS, ids=[o[0] for o in OPTIMIZERS])
def test_optimizers_go_on_where_they_were(name: str, options: Any, tmp_path: pathlib.Path) -> None:
    ours, theirs = sequential(keras_fn), sequential(keras)
    for model, K in ((ours, keras_fn), (theirs, keras)):
        loss = {"loss": K.losses.MeanSquaredError(), "metrics": ["mae", K.metrics.MeanSquaredError(name="q")]}
        model.compile(getattr(K.optimizers, name)(**options), **loss)
        cases.steps(K, model, 0)
    ours.save(tmp_path / "ours.keras")
    theirs.save(tmp_path / "theirs.keras")
    taken_up = keras.saving.load_model(tmp_path / "ours.keras")
    cases.steps(keras_fn, ours, 1)
    cases.steps(keras, taken_up, 1)
    for a, b in zip(ours.optimizer.variables, taken_up.optimizer.variables, strict=True):
        np.testing.assert_allclose(np.asarray(a.numpy()), keras.ops.convert_to_numpy(b.value), rtol=1e-5, atol=1e-6)
    same(ours, taken_up)
    taken_up = load_model(tmp_path / "theirs.keras")
    cases.steps(keras, theirs, 1)
    cases.steps(keras_fn, taken_up, 1)
    same(theirs, taken_up)


def test_schedule_in_the_compile_settings(tmp_path: pathlib.Path) -> None:
    ours, theirs = sequential(keras_fn), sequential(keras)
    for model, K in ((ours, keras_fn), (theirs, keras)):
        rate = K.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
        model.compile(K.optimizers.Adam(rate), loss="mse", loss_weights=[2.0], weighted_metrics=["mae"])
    ours.save(tmp_path / "ours.keras")
    theirs.save(tmp_path / "theirs.keras")
    configs = []
    for name in ("ours", "theirs"):
        with zipfile.ZipFile(tmp_path / f"{name}.keras") as packed:
            configs.append(json.loads(packed.read("config.json"))["compile_config"])
    assert configs[0]["optimizer"]["config"]["learning_rate"] == configs[1]["optimizer"]["config"]["learning_rate"]
    assert configs[0].keys() == configs[1].keys()
    assert keras.saving.load_model(tmp_path / "ours.keras").optimizer.learning_rate is not None
    config = load_model(tmp_path / "theirs.keras").optimizer.get_config()
    assert config["learning_rate"]["class_name"] == "ExponentialDecay"


def of_metric(K: Any, name: str) -> Any:
    model = K.Sequential([K.Input((4,)), K.layers.Dense(3, activation="sigmoid")])
    options: dict[str, Any] = {"label_weights": [1.0, 2.0, 3.0], "multi_label": True, "num_labels": 3}
    model.compile("sgd", "mse", metrics=[getattr(K.metrics, name)(K.losses.mean_squared_error) if name != "AUC"
                                         else K.metrics.AUC(**options)])  # fmt: skip
    cases.fill(model, 1)
    return model


@pytest.mark.parametrize(("name", "writer", "reader"), [
    ("MeanMetricWrapper", keras_fn, keras),
    ("MeanMetricWrapper", keras, keras_fn),
    ("AUC", keras, keras_fn),  # the other way Keras cannot open what it writes itself
])  # fmt: skip
def test_metrics_that_hold_more_than_numbers(name: str, writer: Any, reader: Any, tmp_path: pathlib.Path) -> None:
    model = of_metric(writer, name)
    model.save(tmp_path / "m.keras")
    x, y = cases.inputs_of(model, 0), np.eye(3, dtype="float32")
    loaded = reader.saving.load_model(tmp_path / "m.keras")
    logs = [m.evaluate(x, y, verbose=0, return_dict=True) for m in (model, loaded)]
    assert logs[0].keys() == logs[1].keys()
    np.testing.assert_allclose(list(logs[0].values()), list(logs[1].values()), rtol=1e-5)


@pytest.mark.parametrize("kind", [list, tuple])
def test_an_output_alone_in_a_list(kind: Any, tmp_path: pathlib.Path) -> None:
    """A model that was made with a list of one output gives the tensor, and a list only while a graph is described."""

    def make(K: Any) -> Any:
        x = K.Input((4,))
        return K.Model([x], kind([K.layers.Dense(3)(x)]))

    ours, theirs = make(keras_fn), make(keras)
    cases.fill(theirs, 1)
    theirs.save(tmp_path / "theirs.keras")
    x = cases.inputs_of(theirs, 0)
    for K, model in ((keras, theirs), (keras_fn, ours), (keras_fn, load_model(tmp_path / "theirs.keras"))):
        assert tuple(model(x).shape) == model.predict(x, verbose=0).shape == (3, 3)
        assert [tuple(y.shape) for y in model(K.Input((4,)))] == [(None, 3)]
        assert list(model.compute_output_shape((2, 4))) == [(2, 3)]
        model.compile("sgd", ["mse"], metrics=["mae"])
        for target in (np.ones((3, 3), "float32"), [np.ones((3, 3), "float32")]):
            assert set(model.evaluate(x, target, verbose=0, return_dict=True)) == {"loss", "mae"}
    np.testing.assert_allclose(theirs.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5)


# --- ops as nodes of a graph: what is called, and how Keras writes it
OPS: dict[str, Any] = {
    **{
        name: (lambda o, x, z, name=name: getattr(o, name)(x))
        for name in (
            "abs exp log1p sqrt square tanh sin cos floor ceil round sign negative reciprocal sigmoid relu relu6 "
            "softplus softsign silu log_sigmoid leaky_relu hard_sigmoid hard_silu elu selu gelu celu softmax "
            "log_softmax flip "
            "erf rsqrt cumsum cumprod isnan isfinite logical_not argmax argmin sort argsort zeros_like ones_like "
            "squareplus tanh_shrink hard_tanh soft_shrink sparse_plus expm1 arctan sinh cosh ravel"
        ).split()
    },
    **{
        name: (lambda o, x, z, name=name: getattr(o, name)(x, z))
        for name in (
            "add subtract multiply divide maximum minimum power logaddexp equal not_equal greater greater_equal less "
            "less_equal logical_and logical_or arctan2 true_divide floor_divide mod"
        ).split()
    },
    **{
        name: (lambda o, x, z, name=name: getattr(o, name)(x, axis=-1, keepdims=True))
        for name in "sum mean max min prod any all var std logsumexp norm median".split()
    },
    "matmul": lambda o, x, z: o.matmul(x, o.transpose(z)),
    "einsum": lambda o, x, z: o.einsum("ij,ij->i", x, z),
    "dot": lambda o, x, z: o.dot(x, o.transpose(z)),
    "tensordot": lambda o, x, z: o.tensordot(x, z, axes=((1,), (1,))),
    "concatenate": lambda o, x, z: o.concatenate([x, z], axis=1),
    "stack": lambda o, x, z: o.stack([x, z], axis=1),
    "split": lambda o, x, z: o.split(x, 2, axis=1)[1],
    "reshape": lambda o, x, z: o.reshape(x, (-1, 2, 2)),
    "transpose": lambda o, x, z: o.transpose(x, (1, 0)),
    "expand_dims": lambda o, x, z: o.expand_dims(x, 1),
    "squeeze": lambda o, x, z: o.squeeze(o.expand_dims(x, 1), 1),
    "swapaxes": lambda o, x, z: o.swapaxes(x, 0, 1),
    "moveaxis": lambda o, x, z: o.moveaxis(x, 0, 1),
    "tile": lambda o, x, z: o.tile(x, (1, 2)),
    "repeat": lambda o, x, z: o.repeat(x, 2, axis=1),
    "roll": lambda o, x, z: o.roll(x, 1, axis=1),
    "pad": lambda o, x, z: o.pad(x, ((0, 0), (1, 2)), mode="constant", constant_values=3.0),
    "clip": lambda o, x, z: o.clip(x, -0.5, 0.5),
    "cast": lambda o, x, z: o.cast(x, "float16"),
    "where": lambda o, x, z: o.where(x > z, x, z),
    "select": lambda o, x, z: o.select([x > z, x > 0], [x, z], 0.0),
    "take": lambda o, x, z: o.take(x, [0, 2], axis=1),
    "take_along_axis": lambda o, x, z: o.take_along_axis(x, o.argsort(z, axis=1), axis=1),
    "get_item": lambda o, x, z: x[:, 1:3],
    "one_hot": lambda o, x, z: o.one_hot(o.argmax(x, axis=1), 4),
    "top_k": lambda o, x, z: o.top_k(x, 2)[0],
    "stop_gradient": lambda o, x, z: o.stop_gradient(x),
    "broadcast_to": lambda o, x, z: o.broadcast_to(x, (3, 4)),
    "normalize": lambda o, x, z: o.normalize(x, axis=-1),
    "glu": lambda o, x, z: o.glu(x, axis=-1),
    "triu": lambda o, x, z: o.triu(x, k=1),
    "diff": lambda o, x, z: o.diff(x, axis=1),
    "cross": lambda o, x, z: o.cross(x[:2, :3], z[:2, :3]),  # real Keras on torch takes the first axis of length 3
    "outer": lambda o, x, z: o.outer(x, z),
    "meshgrid": lambda o, x, z: o.meshgrid(x[:, 0], z[:, 1])[0],
    "digitize": lambda o, x, z: o.digitize(x, np.array([0.0, 0.5], "float32")),
    "slice": lambda o, x, z: o.slice(x, (0, 1), (3, 2)),
    "max_pool": lambda o, x, z: o.max_pool(o.reshape(x, (-1, 2, 2, 1)), 2),
    "average_pool": lambda o, x, z: o.average_pool(o.reshape(x, (-1, 2, 2, 1)), 2),
    "scalar_on_the_left": lambda o, x, z: 2.0 - x,
    "scalar_power": lambda o, x, z: x**2,
    "average": lambda o, x, z: o.average(x, axis=1, weights=z),
}
# what real Keras cannot run itself on a backend
BROKEN_IN_KERAS = {"norm", "max_pool", "average_pool"} if keras.backend.backend() in ("numpy", "jax") else set()
OP_ROWS = [n for n in OPS if (hasattr(keras_fn.ops, n) or not hasattr(keras.ops, n)) and n not in BROKEN_IN_KERAS]


def one_op(K: Any, name: str) -> Any:
    x, z = K.Input((4,), batch_size=3, name="x"), K.Input((4,), batch_size=3, name="z")
    return K.Model([x, z], K.ops.cast(OPS[name](K.ops, x, K.ops.exp(z)), "float32"))


@pytest.mark.parametrize("name", OP_ROWS)
def test_ops_in_both_directions(name: str, tmp_path: pathlib.Path) -> None:
    ours, theirs = one_op(keras_fn, name), one_op(keras, name)
    ours.save(tmp_path / "ours.keras")
    theirs.save(tmp_path / "theirs.keras")
    same(ours, theirs)
    same(ours, keras.saving.load_model(tmp_path / "ours.keras"))
    same(ours, load_model(tmp_path / "theirs.keras"))
