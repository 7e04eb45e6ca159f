"""Configs with arguments of a wrong type or out of range are refused when they are read, and not when they first run.

The rows are made from the signatures of all classes that a file may name, so that a new class has its rows at once.
"""

from __future__ import annotations

import inspect
import json
import pathlib
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import keras_fn
from files_of_keras import cases
from keras_fn import saving
from keras_fn.core.arguments import check_of
from keras_fn.core.backend import active
from keras_fn.saving import builtin
from keras_fn.saving.places import reading

# what no argument of such an annotation may be
_TYPES: dict[str, list[Any]] = {
    "bool": ["yes", 2, 1.5, [True], {"a": 1}],
    "int": ["3", 1.5, True, [[1]], {"a": 1}],
    "float": ["x", [[0.5]], {"a": 1}, True],
    "str": [7, {"a": 1}, [["a"]], 1.5],
    "Finite": ["x", [0.5], {"a": 1}, True],
    "Share": ["x", [0.5], {"a": 1}, True, -0.1, 1.1],
    "ShareBelowOne": ["x", [0.5], {"a": 1}, True, -0.1, 1.0],
    "NonNegative": ["x", [0.5], {"a": 1}, True, -0.1],
    "NonNegatives": ["x", ["x"], {"a": 1}, [-0.5], -0.5],
    "Positive": ["x", [0.5], {"a": 1}, True, 0, -1],
    "Count": ["3", 1.5, True, [1], {"a": 1}, 0],
    "Index": ["3", 1.5, True, [1], {"a": 1}, -1],
    "Axes": ["x", 1.5, ["x"], {"a": 1}],
    "Dims": ["x", 1.5, ["x"], {"a": 1}],
}
# arguments that hold an object: what of another kind none of them may be
_OBJECTS = {"initializer", "regularizer", "constraint", "activation"}
_OTHER = [7, "nothing of this name", {"a": 1}, {"module": "keras.optimizers", "class_name": "Adam", "config": {}}]
_TABLES: dict[str, Any] = {
    "layers": cases.LAYERS, "losses": cases.LOSSES, "metrics": cases.METRICS, "optimizers": cases.OPTIMIZERS,
    "optimizers.schedules": cases.SCHEDULES, "initializers": {}, "constraints": {}, "regularizers": {},
}  # fmt: skip
_INNER = {"module": "keras.optimizers", "class_name": "SGD", "config": {}, "registered_name": None}
_MORE = {
    "LossScaleOptimizer": {"inner_optimizer": _INNER},
    "GRUCell": {"units": 2}, "LSTMCell": {"units": 2}, "SimpleRNNCell": {"units": 2},
    "InputLayer": {"shape": [2]}, "Lambda": {"function": "relu"},
    "Conv3DTranspose": {"filters": 1, "kernel_size": 1},
}  # fmt: skip
# bases, and aliases whose own class has its rows
_LEFT_OUT = {"Optimizer", "LossFunctionWrapper", "MeanMetricWrapper", "Wrapper", "StackedRNNCells", "Layer"}


def good(package: str, name: str) -> dict[str, Any]:
    """Arguments that a class takes."""
    entry = _TABLES[package].get(name, {})
    options = entry[1] if isinstance(entry, tuple) else entry
    options = options(keras_fn) if callable(options) else options
    return {**{k: saving.serialize_keras_object(v) for k, v in options.items()}, **_MORE.get(name, {})}


def params(cls: Any) -> dict[str, str]:
    """Argument -> annotation, of a class and of the bases that it passes others on to."""
    found: dict[str, str] = {}
    for base in cls.__mro__:
        if "__init__" not in vars(base) or base is object:
            continue
        given = list(inspect.signature(base.__init__).parameters.values())[1:]
        for p in given:
            if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY):
                found.setdefault(p.name, str(p.annotation))
        if not any(p.kind is p.VAR_KEYWORD for p in given):
            break
    return found


def wrong(name: str, annotation: str) -> list[Any]:
    """Values that an argument must not have."""
    if name.rpartition("_")[2] in _OBJECTS:
        return _OTHER
    if check_of(annotation) is None:
        return []
    parts = [part.strip() for part in annotation.split("|")]
    tests = check_of(annotation)
    assert tests is not None
    # what one part of a union refuses another may take
    return [v for v in _TYPES[next(p for p in parts if p != "None")] if not any(test(v) for test in tests[0])]


def rows() -> Iterator[Any]:
    """Package, class, argument, wrong values."""
    for package in _TABLES:
        for name, cls in sorted(builtin.table(package).items()):
            if name in _LEFT_OUT or cls.__name__ != name:
                continue
            for param, annotation in params(cls).items():
                if values := wrong(param, annotation):
                    yield pytest.param(package, name, param, values, id=f"{package}.{name}.{param}")


ROWS = list(rows())


def data_of(package: str, name: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"module": f"keras.{package}", "class_name": name, "config": config, "registered_name": None}


def test_the_table_is_whole() -> None:
    """Nearly all arguments say in their annotation what they take; the rest are structures that constructors check."""
    assert len(ROWS) > 1000
    for package in ("losses", "metrics", "optimizers", "optimizers.schedules", "initializers", "constraints"):
        kinds = {p.values[2] for p in ROWS if p.values[0] == package}
        assert kinds, package


@pytest.mark.parametrize("package", list(_TABLES))
def test_wrong_values_are_refused_where_they_are_read(package: str) -> None:
    accepted = []
    for row in ROWS:
        its, name, param, values = row.values
        if its != package:
            continue
        config = good(package, name)
        saving.deserialize_keras_object(data_of(package, name, config))  # without the wrong value it is fine
        for value in values:
            try:
                with reading("the file"):
                    saving.deserialize_keras_object(data_of(package, name, {**config, param: value}))
            except saving.FileError as e:
                if "config" not in str(e):
                    accepted.append((name, param, value, str(e)))
            else:
                accepted.append((name, param, value, "no error"))
    assert not accepted, "\n".join(map(str, accepted[:20]))


# --- single values, by hand
NAN = float("nan")
BY_HAND = [
    (lambda: keras_fn.losses.BinaryCrossentropy(from_logits="yes"), "`from_logits` of BinaryCrossentropy must be True"),
    (lambda: keras_fn.losses.BinaryCrossentropy(label_smoothing=-0.1), "`label_smoothing`.*from 0 to 1, not -0.1"),
    (lambda: keras_fn.losses.MeanSquaredError(reduction="evil"), "`reduction` must be one of"),
    (lambda: keras_fn.losses.Huber(delta=0), "`delta` of Huber must be a number above 0"),
    (lambda: keras_fn.losses.Dice(axis="x"), "`axis` of Dice must be an int or a list of ints or None"),
    (lambda: keras_fn.optimizers.Adam(learning_rate="0.1"), "`learning_rate` must be a finite float"),
    (lambda: keras_fn.optimizers.Adam(learning_rate=float("inf")), "`learning_rate` must be a finite float"),
    (lambda: keras_fn.optimizers.Adam(learning_rate=NAN), "`learning_rate`"),
    (lambda: keras_fn.optimizers.Adam(beta_1=1.0), "`beta_1` of Adam.*1 not included"),
    (lambda: keras_fn.optimizers.Adam(learning_rate=data_of("layers", "Dense", {"units": 1})), "no learning-rate sch"),
    (lambda: keras_fn.optimizers.schedules.PiecewiseConstantDecay("ab", [1, 2, 3]), "`boundaries` must be a list of"),
    (lambda: keras_fn.optimizers.schedules.ExponentialDecay(0.1, 0, 0.5), "`decay_steps`.*above 0"),
    (lambda: keras_fn.metrics.TopKCategoricalAccuracy(k=0), "`k` of TopKCategoricalAccuracy must be an int of at"),
    (lambda: keras_fn.initializers.Constant("x"), "`value` of Constant must be a number or an array"),
    (lambda: keras_fn.initializers.RandomNormal(stddev=-1), "`stddev` of RandomNormal"),
    (lambda: keras_fn.initializers.get(keras_fn.layers.Dense(1)), "Could not interpret the initializer"),
    (lambda: keras_fn.activations.get(keras_fn.initializers.Zeros()), "Could not interpret the activation"),
    (lambda: keras_fn.layers.ConvLSTM2D(1, 1, data_format="x"), "data_format"),
    (lambda: keras_fn.layers.Dropout(0.1, noise_shape="x"), "`noise_shape` of Dropout must be a list of ints"),
]


@pytest.mark.parametrize(("make", "message"), BY_HAND, ids=[m[:40] for _, m in BY_HAND])
def test_constructors_refuse(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_what_is_of_the_right_type_is_taken() -> None:
    """NumPy's scalars, tensors without axes, 0 and 1 for switches, None for a name; subclasses pass on their own."""
    loss = keras_fn.losses.BinaryCrossentropy(np.bool_(True), np.float32(0.1), np.int64(-1), name=None)
    assert loss.name
    keras_fn.layers.Dense(np.int32(2), use_bias=0)
    keras_fn.optimizers.Adam(np.float64(0.1), weight_decay=keras_fn.ops.convert_to_tensor(0.1))

    class Own(keras_fn.losses.BinaryCrossentropy):
        def __init__(self, from_logits: int) -> None:  # its own annotations are its own affair
            super().__init__(from_logits=from_logits > 3)

    assert Own(7).get_config()["from_logits"]
    with pytest.raises(ValueError, match="from_logits"):
        type("Other", (keras_fn.losses.BinaryCrossentropy,), {})(from_logits="no")


# --- compile settings
SETTINGS: list[tuple[str, list[Any]]] = [
    ("loss", ["evil", 7, ["mse", "mse"], {"other": "mse"}, data_of("layers", "Dense", {"units": 3}), [7],
              data_of("optimizers", "Adam", {}), data_of("losses", "MeanSquaredError", {"reduction": "evil"})]),
    ("loss_weights", ["evil", ["evil"], [1.0, 2.0], {"y": "x"}, True, [[1.0]]]),
    ("metrics", ["evil", ["evil"], 7, [7], {"other": ["mae"]}, [[["mae"]]],
                 [data_of("layers", "Dense", {"units": 1})]]),
    ("weighted_metrics", ["evil", 7, [7]]),
    ("run_eagerly", ["yes", 7, [True]]),
    ("jit_compile", ["yes", 7, [1]]),
    ("steps_per_execution", ["x", 0, 1.5, [1], True]),
    ("auto_scale_loss", ["yes", 7]),
    ("optimizer", ["evil", 7, data_of("layers", "Dense", {"units": 3}), data_of("losses", "Huber", {}),
                   data_of("optimizers", "LossScaleOptimizer", {"inner_optimizer": "adam"}),
                   data_of("optimizers", "Adam", {"learning_rate": "x"}),
                   data_of("optimizers", "Adam", {"learning_rate": data_of("optimizers", "SGD", {})})]),
]  # fmt: skip


def test_compile_settings_are_checked_when_the_file_is_read(tmp_path: pathlib.Path) -> None:
    """And the error says where in the file."""
    model = keras_fn.Sequential([keras_fn.Input((4,)), keras_fn.layers.Dense(3, name="y")])
    model.compile("adam", "mse", metrics=["mae"])
    model.save(tmp_path / "good.keras")
    with zipfile.ZipFile(tmp_path / "good.keras") as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    config = json.loads(members["config.json"])
    wrong = []
    for key, values in SETTINGS:
        for value in values:
            changed = {**config, "compile_config": {**config["compile_config"], key: value}}
            with zipfile.ZipFile(tmp_path / "bad.keras", "w") as packed:
                for name, raw in members.items():
                    packed.writestr(name, json.dumps(changed) if name == "config.json" else raw)
            try:
                keras_fn.saving.load_model(tmp_path / "bad.keras")
            except saving.FileError as e:
                if "compile_config" not in str(e):
                    wrong.append((key, value, str(e)))
            else:
                wrong.append((key, value, "no error"))
    assert not wrong, "\n".join(map(str, wrong))


def test_compile_refuses_before_data_comes() -> None:
    x = keras_fn.Input((4,))
    model = keras_fn.Model(x, [keras_fn.layers.Dense(1, name="a")(x), keras_fn.layers.Dense(1, name="b")(x)])
    with pytest.raises(ValueError, match=r"'c', which the model does not have"):
        model.compile("sgd", {"a": "mse", "c": "mse"})
    with pytest.raises(ValueError, match=r"`loss\['a'\]`.*Did you mean 'mse'"):
        model.compile("sgd", {"a": "mze", "b": "mse"})
    with pytest.raises(ValueError, match=r"`metrics\[0\]\[1\]`"):
        model.compile("sgd", ["mse", "mse"], metrics=[["mae", "nothing"], ["mae"]])
    model.compile("sgd", {"a": "mse", "b": keras_fn.losses.MeanSquaredError}, metrics={"a": ["mae"]})
    assert model.evaluate(np.ones((2, 4)), [np.ones((2, 1))] * 2, verbose=0) is not None


# --- targets of CTC
def test_targets_of_ctc() -> None:
    ctc = keras_fn.losses.CTC()
    ctc.check_targets(np.array([[1, 2, 0], [2, 2, 0]]), (None, 5, 4))
    for targets, shape, message in [
        (np.array([[1, 4]]), (None, 5, 4), r"label 4 at position \(0, 1\).*from 0 to 3"),
        (np.array([[1, -1]]), (None, 5, 4), r"label -1"),
        (np.array([[1.5, 1]]), (None, 5, 4), r"label 1.5"),
        (np.array([1, 2]), (None, 5, 4), r"\(batch, labels\)"),
        (np.array([[1, 2]]), (None, 4), r"\(batch, times, classes\)"),
        (np.array([[1, 2, 3]]), (None, 2, 4), r"row 0.*3 labels.*needs 3 times.*2"),
        (np.array([[1, 1, 0]]), (None, 2, 4), r"row 0.*2 labels.*needs 3 times.*2"),
        (np.array([[1, 0, 2]]), (None, 5, 4), r"row 0.*blank.*before"),
    ]:
        with pytest.raises(ValueError, match=message):
            ctc.check_targets(targets, shape)


if active.backend.differentiable:

    def test_fit_with_ctc_names_the_label_that_is_wrong() -> None:
        model = keras_fn.Sequential([keras_fn.Input((6, 2)), keras_fn.layers.Dense(4)])
        model.compile("sgd", keras_fn.losses.CTC())
        x, y = np.ones((2, 6, 2), "float32"), np.array([[1, 2], [3, 4]])
        with pytest.raises(ValueError, match=r"label 4 at position \(1, 1\)"):
            model.fit(x, y, verbose=0)
        assert np.isfinite(model.fit(x, y % 4, verbose=0).history["loss"][0])
