"""Weights in several files, reports of what was loaded, names in safetensors files, and files of newer versions."""

from __future__ import annotations

import json
import os
import pathlib
import re
import warnings
import zipfile
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

import keras_fn
from failing import Failing, calls_of, raising
from keras_fn import layers
from keras_fn.core.errors import (
    ArgumentError,
    CorruptFileError,
    FileMissingError,
    FileThereError,
    KerasFnError,
    UnsafeFileError,
    WeightMismatchError,
)
from keras_fn.models import clone_model, model_from_json


def chain(*units: int) -> Any:
    return keras_fn.Sequential(
        [keras_fn.Input((4,)), *(layers.Dense(n, name=f"d{i}") for i, n in enumerate(units))], name="m"
    )


def moved(model: Any) -> Any:
    rng = np.random.default_rng(1)
    for v in model.weights:
        v.assign(rng.normal(size=v.shape).astype("float32"))
    return model


def same_weights(a: Any, b: Any) -> None:
    for x, y in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(x, y)


# --- several files
LIMIT = 200 / 2**30  # bytes


def shards(folder: pathlib.Path) -> list[str]:
    return sorted(n for n in os.listdir(folder) if n.startswith("w_"))


@pytest.mark.parametrize("name", ["w.weights.json", "w.weights.h5"])
def test_weights_in_several_files(name: str, tmp_path: pathlib.Path) -> None:
    model, other = moved(chain(8, 5, 3)), chain(8, 5, 3)
    model.save_weights(tmp_path / name, max_shard_size=LIMIT)
    assert shards(tmp_path) == [f"w_{i:05d}.weights.h5" for i in range(3)]
    index = json.loads((tmp_path / "w.weights.json").read_text())
    assert index["metadata"]["total_size"] == 4 * sum(v.size for v in model.weights)
    assert index["weight_map"]["/layers/dense/vars"] == ["w_00000.weights.h5"]
    assert index["weight_map"]["/layers/dense_2/vars"] == ["w_00002.weights.h5"]
    report = other.load_weights(tmp_path / "w.weights.json")
    assert report and len(report.loaded) == 6
    same_weights(model, other)


def test_one_layer_over_several_files(tmp_path: pathlib.Path) -> None:
    model, other = moved(chain(8, 6)), chain(8, 6)
    model.save_weights(tmp_path / "w.weights.json", max_shard_size=LIMIT)
    index = json.loads((tmp_path / "w.weights.json").read_text())
    assert index["weight_map"]["/layers/dense_1/vars"] == ["w_00001.weights.h5", "w_00002.weights.h5"]
    assert other.load_weights(tmp_path / "w.weights.json")
    same_weights(model, other)


def test_optimizers_in_several_files(tmp_path: pathlib.Path) -> None:
    model, other = moved(chain(3)), chain(3)
    for m in (model, other):
        m.compile("adam", "mse")
        m.optimizer.build(m.trainable_variables)
    model.optimizer.iterations.assign(7)
    model.save_weights(tmp_path / "w.weights.json", max_shard_size=LIMIT)
    assert other.load_weights(tmp_path / "w.weights.json")
    assert int(other.optimizer.iterations.numpy()) == 7


def test_what_was_left_over_goes_with_the_next_save(tmp_path: pathlib.Path) -> None:
    """Saves that are cut off at each renaming leave parts that no index lists; other files of such names stay."""
    path = tmp_path / "w.weights.json"
    many, one = moved(chain(8, 5, 3)), moved(chain(3))
    others = ["w_00007.weights.h5", "w_00008.weights.h5", "w_7.weights.h5", "v_00001.weights.h5"]

    many.save_weights(path, max_shard_size=LIMIT)
    many.save_weights(tmp_path / others[0])  # a file of weights, as a checkpoint may be called
    for name in others[1:]:
        (tmp_path / name).write_bytes(b"something else")
    made, left = calls_of(lambda: many.save_weights(path, max_shard_size=LIMIT)), set()
    assert made.count("replace") > 6
    for k in [k for k, call in enumerate(made) if call == "replace"]:
        many.save_weights(path, max_shard_size=LIMIT)
        with suppress(KeyboardInterrupt), Failing(k, raising(KeyboardInterrupt)):
            many.save_weights(path, max_shard_size=LIMIT)
        left |= {name for name in os.listdir(tmp_path) if "_500" in name}
        into = chain(8, 5, 3)
        into.load_weights(path)
        same_weights(many, into)
        one.save_weights(path, max_shard_size=LIMIT)
        assert sorted(os.listdir(tmp_path)) == sorted(["w.weights.json", "w_00000.weights.h5", *others])
        into = chain(3)
        into.load_weights(path)
        same_weights(one, into)
    assert len(left) == 3


def test_an_array_that_no_file_may_hold(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ArgumentError, match="has 640 bytes"):
        chain(40).save_weights(tmp_path / "w.weights.json", max_shard_size=LIMIT)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(("name", "size"), [("w.weights.json", None), ("w.weights.json", -1.0), ("w.json", 1.0)])
def test_arguments_of_several_files(name: str, size: Any, tmp_path: pathlib.Path) -> None:
    with pytest.raises(ArgumentError, match="max_shard_size|ends in"):
        chain(3).save_weights(tmp_path / name, max_shard_size=size)


def test_several_files_are_not_replaced_unasked(tmp_path: pathlib.Path) -> None:
    chain(3).save_weights(tmp_path / "w.weights.json", max_shard_size=1)
    with pytest.raises(FileThereError):
        chain(3).save_weights(tmp_path / "w.weights.json", overwrite=False, max_shard_size=1)


@pytest.mark.parametrize(
    ("files", "error"),
    [
        (["../w_00000.weights.h5"], UnsafeFileError),
        (["/etc/w.weights.h5"], UnsafeFileError),
        (["w_00000.weights.h5", 3], CorruptFileError),
        (["w_00009.weights.h5"], FileMissingError),
        (None, CorruptFileError),
    ],
)
def test_a_damaged_index(files: Any, error: Any, tmp_path: pathlib.Path) -> None:
    model = moved(chain(3))
    before = model.get_weights()
    model.save_weights(tmp_path / "w.weights.json", max_shard_size=1)
    places = {} if files is None else {"/layers/dense/vars": files}
    (tmp_path / "w.weights.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    with pytest.raises(error):
        model.load_weights(tmp_path / "w.weights.json")
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# --- reports
@pytest.mark.parametrize("name", ["w.weights.h5", "w.safetensors", "w.keras"])
def test_a_report(name: str, tmp_path: pathlib.Path) -> None:
    model = moved(chain(3, 2))
    (model.save if name == "w.keras" else model.save_weights)(tmp_path / name)
    report = chain(3, 2).load_weights(tmp_path / name)
    assert report
    assert report.loaded == ["d0/kernel", "d0/bias", "d1/kernel", "d1/bias"]
    other = chain(3, 5)
    with pytest.raises(WeightMismatchError):
        other.load_weights(tmp_path / name)
    with pytest.warns(UserWarning, match=r"\(3, 5\)"):
        report = other.load_weights(tmp_path / name, skip_mismatch=True)
    assert not report
    assert report.loaded == ["d0/kernel", "d0/bias"]
    assert report.mismatched == {"d1/kernel": ((3, 5), (3, 2)), "d1/bias": ((5,), (2,))}
    assert repr(report).endswith("2 loaded, 2 mismatched>")
    assert "other shape d1/bias    (5,) in the model, (2,) in the file" in str(report)


def test_missing_and_unexpected(tmp_path: pathlib.Path) -> None:
    moved(chain(3, 2)).save_weights(tmp_path / "w.safetensors")
    with pytest.warns(UserWarning, match="has no weight"):
        report = chain(3).load_weights(tmp_path / "w.safetensors", skip_mismatch=True)
    assert report.unexpected == ["layers/dense_1/vars/0", "layers/dense_1/vars/1"] and not report
    moved(chain(3)).save_weights(tmp_path / "s.weights.h5")
    with pytest.warns(UserWarning, match="has 2 weights, and 0"):
        report = chain(3, 2).load_weights(tmp_path / "s.weights.h5", skip_mismatch=True)
    assert report.missing == ["d1/kernel", "d1/bias"] and not report


def test_an_optimizer_that_has_not_made_a_step(tmp_path: pathlib.Path) -> None:
    """Keras writes its two first variables alone; they are taken, and nothing is amiss."""
    model = chain(3)
    model.compile("adam", "mse")
    model.save_weights(tmp_path / "w.weights.h5")
    other = chain(3)
    other.compile("adam", "mse")
    other.optimizer.build(other.trainable_variables)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert other.load_weights(tmp_path / "w.weights.h5")


# --- names in safetensors files
NAMES = {"layers/dense/vars/0": "encoder.0.weight", "d0/bias": "encoder.0.bias"}


@pytest.mark.parametrize("name_map", [NAMES, NAMES.get])
def test_a_map_of_names(name_map: Any, tmp_path: pathlib.Path) -> None:
    from safetensors.numpy import load_file

    model, other = moved(chain(3, 2)), chain(3, 2)
    model.save_weights(tmp_path / "w.safetensors", name_map=name_map)
    held = load_file(tmp_path / "w.safetensors")
    assert sorted(held) == ["encoder.0.bias", "encoder.0.weight", "layers/dense_1/vars/0", "layers/dense_1/vars/1"]
    np.testing.assert_array_equal(held["encoder.0.weight"], model.get_weights()[0])
    assert other.load_weights(tmp_path / "w.safetensors", name_map=name_map)
    same_weights(model, other)
    with pytest.raises(WeightMismatchError, match="encoder.0"):
        other.load_weights(tmp_path / "w.safetensors")


def test_a_map_that_gives_one_name_twice(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ArgumentError, match="the same name 'one'"):
        chain(3).save_weights(tmp_path / "w.safetensors", name_map=lambda name: "one")
    with pytest.raises(ArgumentError, match="safetensors"):
        chain(3).save_weights(tmp_path / "w.weights.h5", name_map={})


# --- graphs
def frozen() -> Any:
    x = keras_fn.Input((50,))
    y = layers.Dropout(0.5, name="off")(x, training=False)
    return keras_fn.Model(x, [y, layers.Dropout(0.5, name="free")(x), layers.Dropout(0.5)(x, training=True)])


@pytest.mark.parametrize("how", ["json", "config", "clone", "file"])
def test_training_that_was_passed_is_kept(how: str, tmp_path: pathlib.Path) -> None:
    model = frozen()
    if how == "file":
        model.save(tmp_path / "m.keras")
    again = {
        "json": lambda: model_from_json(model.to_json()),
        "config": lambda: keras_fn.Model.from_config(model.get_config()),
        "clone": lambda: clone_model(model),
        "file": lambda: keras_fn.saving.load_model(tmp_path / "m.keras"),
    }[how]()
    x = np.ones((4, 50), "float32")
    for training, expected in ((True, [True, False, False]), (False, [True, True, False])):
        given = [keras_fn.ops.convert_to_numpy(y) for y in again(x, training=training)]
        assert [bool((y == x).all()) for y in given] == expected


def test_build_configs_of_layers_without_weights_are_kept() -> None:
    x = keras_fn.Input((4,))
    model = keras_fn.Model(x, layers.Activation("relu")(x))
    assert model_from_json(model.to_json()).get_config() == model.get_config()


def test_surplus_arguments_of_an_op_are_refused() -> None:
    x, z = keras_fn.Input((3,)), keras_fn.Input((3,))
    config = json.loads(keras_fn.Model([x, z], keras_fn.ops.add(x, z)).to_json())
    call = config["config"]["layers"][-1]["inbound_nodes"][0]
    call["args"] *= 25
    with pytest.raises(CorruptFileError, match=r"'add'(.|\n)*50 arguments by position(.|\n)*\['x1', 'x2'\]"):
        model_from_json(json.dumps(config))


# --- versions
def of_version(path: pathlib.Path, version: str, extra: dict[str, Any]) -> None:
    """A file of a model with one Dense layer, whose config has been extended."""
    chain(3).save(path)
    with zipfile.ZipFile(path) as packed:
        members = {n: packed.read(n) for n in packed.namelist()}
    metadata, config = json.loads(members["metadata.json"]), json.loads(members["config.json"])
    metadata["keras_version"] = version
    config["config"]["layers"][1]["config"] |= extra
    members |= {"metadata.json": json.dumps(metadata).encode(), "config.json": json.dumps(config).encode()}
    with zipfile.ZipFile(path, "w") as packed:
        for name, raw in members.items():
            packed.writestr(name, raw)


@pytest.mark.parametrize("version", ["3.15.2", "3.16.0", "3.16.0.dev2025", "4.0"])
def test_a_newer_version(version: str, tmp_path: pathlib.Path) -> None:
    of_version(tmp_path / "m.keras", version, {"sharpness": 2.5})
    with pytest.warns(UserWarning, match=rf"Keras {version}.* Dense .*sharpness=2\.5"):
        assert keras_fn.saving.load_model(tmp_path / "m.keras").output_shape == (None, 3)


@pytest.mark.parametrize("version", ["3.15.1", "3.9.0", "3.15.0", "nonsense"])
def test_an_unknown_argument_of_a_known_version(version: str, tmp_path: pathlib.Path) -> None:
    of_version(tmp_path / "m.keras", version, {"sharpness": 2.5})
    with pytest.raises(KerasFnError, match="sharpness"):
        keras_fn.saving.load_model(tmp_path / "m.keras")


# --- objects of the user's
_HOW = {
    "package": "@K.saving.register_keras_serializable('shop')",
    "package and name": "@K.saving.register_keras_serializable('shop', 'Other')",
    "no package": "@K.saving.register_keras_serializable()",
    "not registered": "",
}
_CODE = "\nclass Gate(K.layers.Layer):\n    def call(self, x):\n        return x * 2\n"
_FUNCTION = "\ndef gate(x):\n    return x * 2\n"


def user_code(line: str, code: str) -> Any:
    """What a program defines that holds this line above this code."""
    names: dict[str, Any] = {"K": keras_fn, "keras_fn": keras_fn, "__name__": "shop"}
    exec(line + code, names)
    return names.get("Gate") or names["gate"]


@pytest.mark.parametrize("code", [_CODE, _FUNCTION], ids=["class", "function"])
@pytest.mark.parametrize("how", list(_HOW))
def test_what_the_error_says_works_when_pasted(how: str, code: str, tmp_path: pathlib.Path) -> None:
    registry = keras_fn.saving.get_custom_objects()
    before = dict(registry)

    def forget() -> None:
        registry.clear()
        registry.update(before)

    try:
        gate = user_code(_HOW[how], code)
        model = keras_fn.Sequential([keras_fn.Input((2,)), gate() if code is _CODE else layers.Activation(gate)])
        model.save(tmp_path / "m.keras")
        forget()
        with pytest.raises(UnsafeFileError) as caught:
            keras_fn.saving.load_model(tmp_path / "m.keras")
        line = re.search(r"`(@[^`]*)`", str(caught.value))
        objects = re.search(r"`custom_objects=([^`]*)`", str(caught.value))
        assert line is not None and objects is not None
        user_code(line[1], code)
        loaded = keras_fn.saving.load_model(tmp_path / "m.keras")
        assert keras_fn.ops.convert_to_numpy(loaded(np.ones((1, 2), "float32"))).tolist() == [[2.0, 2.0]]
        forget()
        passed = eval(objects[1], {gate.__name__: gate, "Other": gate})
        keras_fn.saving.load_model(tmp_path / "m.keras", custom_objects=passed)
    finally:
        forget()


# --- initial values
@pytest.mark.parametrize("name", ["m.keras", "m"])
def test_a_loaded_model_draws_no_random_weights(
    name: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = moved(chain(3, 2))
    model.save(tmp_path / name)

    def never(self: Any, shape: Any, dtype: Any = None) -> Any:
        raise AssertionError(f"{shape} was drawn")

    monkeypatch.setattr(keras_fn.initializers.GlorotUniform, "draw", never)
    same_weights(model, keras_fn.saving.load_model(tmp_path / name))


@keras_fn.saving.register_keras_serializable("tests")
class Forgets(layers.Layer):
    """Keeps its weight out of files."""

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(shape=(4, 4), initializer="glorot_uniform")

    def call(self, x: Any) -> Any:
        return keras_fn.ops.matmul(x, self.kernel)

    def save_own_variables(self, store: Any) -> None:
        pass

    def load_own_variables(self, store: Any) -> None:
        pass


def test_what_a_file_does_not_hold_is_drawn(tmp_path: pathlib.Path) -> None:
    x = keras_fn.Input((4,))
    keras_fn.Model(x, Forgets()(x)).save(tmp_path / "m.keras")
    kernel = keras_fn.saving.load_model(tmp_path / "m.keras").get_weights()[0]
    assert len(np.unique(kernel)) == 16


# --- legacy files
def legacy(path: pathlib.Path, sizes: dict[str, int]) -> None:
    """A legacy file of the weights of Dense layers of four inputs and so many outputs."""
    import h5py

    with h5py.File(path, "w") as root:
        root.attrs["layer_names"] = list(sizes)
        for name, size in sizes.items():
            group = root.create_group(name)
            group.attrs["weight_names"] = [f"{name}/kernel", f"{name}/bias"]
            group.create_dataset(f"{name}/kernel", data=np.full((4, size), 2.0, "float32"))
            group.create_dataset(f"{name}/bias", data=np.full((size,), 3.0, "float32"))


def test_layers_by_name(tmp_path: pathlib.Path) -> None:
    legacy(tmp_path / "w.h5", {"d0": 3, "other": 2})
    model = chain(3, 2)
    report = model.load_weights(tmp_path / "w.h5", by_name=True)
    assert report.loaded == ["d0/kernel", "d0/bias"]
    assert report.missing == ["d1/kernel", "d1/bias"] and report.unexpected == ["other"] and not report
    assert float(model.get_weights()[1][0]) == 3.0
    model.save_weights(tmp_path / "w.weights.h5")
    with pytest.raises(ArgumentError, match="by_name"):
        model.load_weights(tmp_path / "w.weights.h5", by_name=True)
