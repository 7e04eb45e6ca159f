"""Saving and loading: round trips, whole files or none, and files that are damaged or malicious."""

from __future__ import annotations

import json
import os
import pathlib
import stat
import zipfile
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np
import pytest

import keras_fn
from keras_fn import layers, ops
from keras_fn.core import atomic
from keras_fn.core.errors import (
    ArgumentError,
    FileFormatError,
    FileMissingError,
    FileThereError,
    KerasFnError,
    ShapeError,
    StructureError,
)
from keras_fn.models import clone_model, model_from_json
from keras_fn.saving import archive, load_model, load_weights, register_keras_serializable, save_model, save_weights


@register_keras_serializable("tests")
class Scale(layers.Layer):
    """A layer with a weight, a random seed, and an argument that `get_config` finds by itself."""

    def __init__(self, start: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.start = start
        self.seed = keras_fn.random.SeedGenerator(3)

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")

    def call(self, x: Any) -> Any:
        return x * self.scale + self.start


@register_keras_serializable("tests")
class Tower(keras_fn.Model):
    """A subclassed model with layers in attributes and lists."""

    def __init__(self, units: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.steps = [layers.Dense(units, activation="tanh") for _ in range(3)]
        self.head = Scale(2.0)

    def call(self, x: Any) -> Any:
        for step in self.steps:
            x = step(x)
        return self.head(x)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


@register_keras_serializable("tests")
class Split(layers.Layer):
    """A layer that stores its state in its own way."""

    def build(self, input_shape: Any) -> None:
        self.first = self.add_weight(shape=(2,), initializer="ones")
        self.second = self.add_weight(shape=(3,), initializer="ones", trainable=False)

    def call(self, x: Any) -> Any:
        return x * ops.sum(self.first) + ops.sum(self.second)

    def save_own_variables(self, store: Any) -> None:
        store["both"] = np.concatenate([self.first.numpy(), self.second.numpy()])

    def load_own_variables(self, store: Any) -> None:
        self.first.assign(store["both"][:2])
        self.second.assign(store["both"][2:])


@register_keras_serializable("tests")
class WithFile(layers.Layer):
    """A layer that keeps a file."""

    words: str = ""

    def call(self, x: Any) -> Any:
        return x

    def save_assets(self, path: str) -> None:
        (pathlib.Path(path) / "words.txt").write_text(self.words, encoding="utf-8")

    def load_assets(self, path: str) -> None:
        self.words = (pathlib.Path(path) / "words.txt").read_text(encoding="utf-8")


def functional() -> Any:
    """A layer that is shared, models inside a model, ops, outputs by name."""
    x = keras_fn.Input((4,), name="x")
    both = layers.Dense(4, activation="relu", name="both")
    inner = keras_fn.Sequential([keras_fn.Input((4,)), layers.Dense(3), Scale(0.5)], name="inner")
    y = ops.add(both(both(x)), ops.multiply(x, 2.0))
    return keras_fn.Model(x, {"z": inner(y), "a": ops.sum(inner(x), axis=-1, keepdims=True)}, name="whole")


def sequential() -> Any:
    return keras_fn.Sequential([keras_fn.Input((4,)), layers.Dense(3, activation="gelu"), layers.Dense(2)])


def subclassed() -> Any:
    model = Tower(5)
    model(np.ones((1, 4), "float32"))
    return model


def own_store() -> Any:
    return keras_fn.Sequential([keras_fn.Input((4,)), Split()])


MODELS = [functional, sequential, subclassed, own_store]


def outputs(model: Any) -> list[np.ndarray]:
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    y = model(x)
    return [ops.convert_to_numpy(v) for v in (y.values() if isinstance(y, dict) else [y])]


def same(a: Any, b: Any) -> None:
    for one, two in zip(outputs(a), outputs(b), strict=True):
        np.testing.assert_array_equal(one, two)


def moved(model: Any) -> Any:
    """The model with other weights than it began with."""
    for i, w in enumerate(model.weights):
        w.assign(np.linspace(-1, 1 + i, w.size, dtype="float32").reshape(w.shape))
    return model


# --- round trips
@pytest.mark.parametrize("make", MODELS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", ["m.keras", "folder"])
def test_round_trip(make: Callable[[], Any], name: str, tmp_path: pathlib.Path) -> None:
    model = moved(make())
    model.save(tmp_path / name)
    same(model, load_model(tmp_path / name))
    assert sorted(p.name for p in tmp_path.iterdir()) == [name]


@pytest.mark.parametrize("make", MODELS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", ["m.weights.h5", "m.keras", "folder", "m.safetensors"])
def test_weights_alone(make: Callable[[], Any], name: str, tmp_path: pathlib.Path) -> None:
    model, other = moved(make()), make()
    (save_model if "weights" not in name and "safe" not in name else save_weights)(model, tmp_path / name)
    load_weights(other, tmp_path / name)
    same(model, other)


def test_a_saved_model_can_be_replaced(tmp_path: pathlib.Path) -> None:
    for name in ("m.keras", "folder"):
        for _ in range(2):
            model = moved(sequential())
            model.layers[0].bias.assign(np.random.default_rng().normal(size=3))
            model.save(tmp_path / name)
        same(model, load_model(tmp_path / name))


def test_layers_that_are_shared_stay_shared(tmp_path: pathlib.Path) -> None:
    functional().save(tmp_path / "m.keras")
    loaded = load_model(tmp_path / "m.keras")
    assert len(loaded.get_layer("both").calls) == 2
    assert len(loaded.get_layer("inner").calls) == 2
    assert list(loaded.output) == ["z", "a"]


def test_seeds_are_kept(tmp_path: pathlib.Path) -> None:
    model = keras_fn.Sequential([keras_fn.Input((4,)), Scale()])
    model.layers[0].seed.next()
    model.save(tmp_path / "m.keras")
    loaded = load_model(tmp_path / "m.keras")
    assert loaded.layers[0].seed.state.numpy().tolist() == model.layers[0].seed.state.numpy().tolist() == [3, 1]


def test_assets(tmp_path: pathlib.Path) -> None:
    model = keras_fn.Sequential([keras_fn.Input((4,)), WithFile(name="w")])
    model.layers[0].words = "to be"
    for name in ("m.keras", "folder"):
        model.save(tmp_path / name)
        assert load_model(tmp_path / name).layers[0].words == "to be"


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64"])
def test_dtypes(dtype: str, tmp_path: pathlib.Path) -> None:
    model = keras_fn.Sequential([keras_fn.Input((4,)), layers.Dense(3, dtype=dtype)])
    model.save(tmp_path / "m.keras")
    loaded = load_model(tmp_path / "m.keras")
    assert loaded.layers[0].kernel.dtype == dtype
    for a, b in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_compile_settings_and_optimizer_state(tmp_path: pathlib.Path) -> None:
    model = sequential()
    model.compile(keras_fn.optimizers.Adam(0.01), loss="mse", metrics=["mae"])
    grads = [np.full(v.shape, 0.5, "float32") for v in model.trainable_variables]
    model.optimizer.apply(grads, model.trainable_variables)
    model.save(tmp_path / "m.keras")
    loaded = load_model(tmp_path / "m.keras")
    for a, b in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert loaded.get_compile_config() == model.get_compile_config()
    assert not load_model(tmp_path / "m.keras", compile=False).compiled


def test_json_and_clones() -> None:
    for make in MODELS[:2]:
        model = make()
        for other in (model_from_json(model.to_json()), clone_model(model)):
            other.set_weights(model.get_weights())
            same(model, other)


def test_custom_objects(tmp_path: pathlib.Path) -> None:
    class Unknown(layers.Layer):
        def call(self, x: Any) -> Any:
            return x + 1.0

    model = keras_fn.Sequential([keras_fn.Input((4,)), Unknown()])
    model.save(tmp_path / "m.keras")
    with pytest.raises(ArgumentError, match=r"'Unknown'(.|\n)*config\.json(.|\n)*config\.layers\[1\]"):
        load_model(tmp_path / "m.keras")
    same(model, load_model(tmp_path / "m.keras", custom_objects={"Unknown": Unknown}))


def test_lambdas_need_consent(tmp_path: pathlib.Path) -> None:
    model = keras_fn.Sequential([keras_fn.Input((4,)), layers.Lambda(lambda x: x * 2.0)])
    model.save(tmp_path / "m.keras")
    with pytest.raises(ArgumentError, match="safe_mode=False"):
        load_model(tmp_path / "m.keras")
    same(model, load_model(tmp_path / "m.keras", safe_mode=False))


# --- targets
def test_no_overwriting_where_it_was_not_asked(tmp_path: pathlib.Path) -> None:
    model = sequential()
    for name, save in (("m.keras", save_model), ("folder", save_model), ("m.weights.h5", save_weights)):
        save(model, tmp_path / name)
        with pytest.raises(FileThereError, match="overwrite=True"):
            save(model, tmp_path / name, overwrite=False)


@pytest.mark.parametrize(
    ("save", "name", "expected"),
    [
        (save_model, "m.h5", r"\.keras"),
        (save_model, "m.pt", r"\.keras"),
        (save_weights, "m.h5", r"\.weights\.h5"),
        (save_weights, "m.keras", r"\.weights\.h5"),
    ],
)
def test_wrong_extensions(save: Any, name: str, expected: str, tmp_path: pathlib.Path) -> None:
    with pytest.raises(ArgumentError, match=expected):
        save(sequential(), tmp_path / name)


def test_missing_files_and_folders(tmp_path: pathlib.Path) -> None:
    with pytest.raises(FileMissingError, match="nothing.keras"):
        load_model(tmp_path / "nothing.keras")
    with pytest.raises(FileMissingError):
        load_weights(sequential(), tmp_path / "nothing.weights.h5")
    with pytest.raises(FileMissingError):
        sequential().save(tmp_path / "no" / "m.keras")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("keep me")
    with pytest.raises(FileThereError):
        sequential().save(tmp_path / "mine")
    assert (tmp_path / "mine" / "letter.txt").read_text() == "keep me"


@register_keras_serializable("tests")
class Breaks(layers.Layer):
    def call(self, x: Any) -> Any:
        return x

    def save_own_variables(self, store: Any) -> None:
        raise RuntimeError("the disk is full")


@pytest.mark.parametrize("name", ["m.keras", "folder", "m.weights.h5"])
@pytest.mark.parametrize("moment", ["while weights are written", "before the new file takes its place"])
def test_an_interrupted_write(name: str, moment: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save = save_weights if "weights" in name else save_model
    load = load_weights if "weights" in name else lambda model, path: model.set_weights(load_model(path).get_weights())
    old = moved(sequential())
    save(old, tmp_path / name)
    if moment.startswith("while"):
        new = keras_fn.Sequential([keras_fn.Input((4,)), layers.Dense(3), Breaks()])
    else:
        new = sequential()

        def fail(*_: Any) -> None:
            raise RuntimeError("the disk is full")

        monkeypatch.setattr(atomic, "_to_disk", fail)
    with pytest.raises(RuntimeError, match="disk is full"):
        save(new, tmp_path / name)
    assert sorted(p.name for p in tmp_path.iterdir()) == [name]
    again = sequential()
    load(again, tmp_path / name)
    same(old, again)


# --- weights that do not fit
def test_nothing_is_loaded_where_a_shape_differs(tmp_path: pathlib.Path) -> None:
    moved(sequential()).save_weights(tmp_path / "m.weights.h5")
    other = keras_fn.Sequential([keras_fn.Input((4,)), layers.Dense(3), layers.Dense(5, name="last")])
    before = other.get_weights()
    with pytest.raises(ShapeError, match=r"layers/dense_1/vars \(Dense 'last'\): 'kernel' is \(3, 5\).*\(3, 2\)"):
        other.load_weights(tmp_path / "m.weights.h5")
    for a, b in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.warns(UserWarning, match=r"'kernel' is \(3, 5\)"):
        other.load_weights(tmp_path / "m.weights.h5", skip_mismatch=True)
    np.testing.assert_array_equal(other.layers[0].kernel.numpy(), moved(sequential()).layers[0].kernel.numpy())


def test_own_stores_are_held_back_too(tmp_path: pathlib.Path) -> None:
    def model(units: int) -> Any:
        return keras_fn.Sequential([keras_fn.Input((4,)), Split(), layers.Dense(units)])

    moved(model(2)).save_weights(tmp_path / "m.weights.h5")
    other = model(3)
    with pytest.raises(ShapeError):
        other.load_weights(tmp_path / "m.weights.h5")
    assert other.layers[0].first.numpy().tolist() == [1.0, 1.0]


def test_other_numbers_of_weights(tmp_path: pathlib.Path) -> None:
    sequential().save_weights(tmp_path / "m.weights.h5")
    unbuilt = keras_fn.Sequential([layers.Dense(3), layers.Dense(2)])
    with pytest.raises(StructureError, match="not built"):
        unbuilt.load_weights(tmp_path / "m.weights.h5")
    short = keras_fn.Sequential([keras_fn.Input((4,)), layers.Dense(3)])
    with pytest.warns(UserWarning, match="layers/dense_1/vars"):
        short.load_weights(tmp_path / "m.weights.h5")


# --- damaged and malicious files
def repacked(path: pathlib.Path, change: Callable[[dict[str, bytes]], Any], kind: int = zipfile.ZIP_STORED) -> None:
    """Writes a saved model again with other members."""
    with zipfile.ZipFile(path) as packed:
        members = {n: packed.read(n) for n in packed.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w", kind) as packed:
        for name, content in members.items():
            packed.writestr(name, content)


@pytest.fixture
def saved(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "m.keras"
    moved(sequential()).save(path)
    return path


def test_compressed_members(saved: pathlib.Path) -> None:
    repacked(saved, lambda members: None, zipfile.ZIP_DEFLATED)
    same(load_model(saved), moved(sequential()))


def test_a_file_that_is_cut_off_or_changed(saved: pathlib.Path) -> None:
    whole = saved.read_bytes()
    for part in (whole[: len(whole) // 2], b"", b"no zip at all"):
        saved.write_bytes(part)
        with pytest.raises(FileFormatError):
            load_model(saved)
    place = whole.index(moved(sequential()).layers[0].kernel.numpy().tobytes())
    saved.write_bytes(whole[:place] + b"\xff" + whole[place + 1 :])
    with pytest.raises(FileFormatError, match=r"model\.weights\.h5(.|\n)*damaged"):
        load_model(saved)


def _drop(name: str) -> Callable[[dict[str, bytes]], Any]:
    return lambda members: members.pop(name)


def _put(name: str, content: bytes) -> Callable[[dict[str, bytes]], Any]:
    return lambda members: members.update({name: content})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_drop("config.json"), "no member 'config.json'"),
        (_drop("model.weights.h5"), "no member 'model.weights.h5'"),
        (_put("config.json", b"{"), "not valid JSON"),
        (_put("config.json", b"[1]"), "must hold a JSON object"),
        (_put("config.json", b'{"a":' * 100_000), "not valid JSON"),
        (_put("model.weights.h5", b"nothing"), "not a whole HDF5 file"),
        (_put("../evil.txt", b""), "leads out"),
        (_put("/evil.txt", b""), "leads out"),
        (_put("assets\\..\\..\\evil.txt", b""), "leads out"),
        (_put("C:/evil.txt", b""), "leads out"),
    ],
)
def test_members(change: Any, expected: str, saved: pathlib.Path) -> None:
    repacked(saved, change)
    with pytest.raises(FileFormatError, match=expected):
        load_model(saved)


def test_links_and_members_that_are_there_twice(saved: pathlib.Path) -> None:
    whole = saved.read_bytes()
    link = zipfile.ZipInfo("assets/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(saved, "a") as packed:
        packed.writestr(link, "/etc/passwd")
    with pytest.raises(FileFormatError, match="is a link"):
        load_model(saved)
    saved.write_bytes(whole)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(saved, "a") as packed:
        packed.writestr("config.json", "{}")
    with pytest.raises(FileFormatError, match="twice"):
        load_model(saved)


def test_links_in_folders(saved: pathlib.Path) -> None:
    folder = saved.parent / "folder"
    sequential().save(folder)
    (folder / "config.json").rename(saved.parent / "elsewhere.json")
    os.symlink(saved.parent / "elsewhere.json", folder / "config.json")
    with pytest.raises(FileFormatError, match="link"):
        load_model(folder)


def test_bombs(saved: pathlib.Path) -> None:
    repacked(saved, _put("config.json", b" " * (archive.MAX_JSON + 1)), zipfile.ZIP_DEFLATED)
    with pytest.raises(FileFormatError, match="bytes"):
        load_model(saved)


def _h5(change: Callable[[h5py.File], Any]) -> Callable[[dict[str, bytes]], Any]:
    def apply(members: dict[str, bytes]) -> None:
        import io

        file = io.BytesIO(members["model.weights.h5"])
        with h5py.File(file, "r+") as root:
            change(root)
        members["model.weights.h5"] = file.getvalue()

    return apply


KERNEL = "layers/dense/vars/0"


def _replace(make: Callable[[h5py.File], Any]) -> Callable[[h5py.File], Any]:
    def change(root: h5py.File) -> None:
        del root[KERNEL]
        make(root)

    return change


def _virtual(root: h5py.File) -> None:
    layout = h5py.VirtualLayout((4, 3), "float32")
    layout[:] = h5py.VirtualSource("elsewhere.h5", "data", (4, 3))
    root.create_virtual_dataset(KERNEL, layout)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda r: r.__setitem__(KERNEL, h5py.ExternalLink("elsewhere.h5", "/data")), "elsewhere.h5"),
        (lambda r: r.__setitem__(KERNEL, h5py.SoftLink("/layers/dense_1/vars/0")), "soft link"),
        (_virtual, "other files"),
        (
            lambda r: r.create_dataset(KERNEL, (4, 3), "float32", external=[("elsewhere.bin", 0, h5py.h5f.UNLIMITED)]),
            "other files",
        ),
        (lambda r: r.create_dataset(KERNEL, (10**6, 10**6), "float32"), "stores 0 bytes"),
        (lambda r: r.create_dataset(KERNEL, (10**6, 10**6), "float32", chunks=(10**3, 10**3)), "stores 0 bytes"),
        (lambda r: r.create_dataset(KERNEL, data=["text"] * 3), "numbers were expected"),
        (lambda r: r.create_group(KERNEL), "is a Group"),
    ],
)
def test_arrays(make: Any, expected: str, saved: pathlib.Path) -> None:
    repacked(saved, _h5(_replace(make)))
    with pytest.raises(FileFormatError, match=expected):
        load_model(saved)
    other = sequential()
    with pytest.raises(FileFormatError, match=expected):
        load_weights(other, saved)


def test_a_config_that_asks_for_more_than_the_file_holds(saved: pathlib.Path) -> None:
    def huge(members: dict[str, bytes]) -> None:
        config = json.loads(members["config.json"])
        config["config"]["layers"][1]["config"]["units"] = 10**12
        members["config.json"] = json.dumps(config).encode()

    repacked(saved, huge)
    with pytest.raises(KerasFnError, match="larger than all that the file holds"):
        load_model(saved)


@pytest.mark.parametrize(
    ("module", "name"),
    [("os", "system"), ("builtins", "eval"), ("keras_fn.utils", "get_file"), ("keras.layers", "os"), ("keras", "eval")],
)
def test_no_module_or_function_that_a_file_names_is_reached(module: str, name: str, saved: pathlib.Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        config = json.loads(members["config.json"])
        layer = config["config"]["layers"][1]
        layer |= {"module": module, "class_name": name, "registered_name": None}
        members["config.json"] = json.dumps(config).encode()

    repacked(saved, change)
    with pytest.raises(ArgumentError, match=r"unknown here(.|\n)*config\.layers\[1\]"):
        load_model(saved)


# --- several objects of one class
def test_a_layer_in_a_set_is_named_in_a_warning(tmp_path: pathlib.Path) -> None:
    class Bag(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.bag = {layers.Dense(2, name="lost")}

        def call(self, x: Any) -> Any:
            for layer in self.bag:
                x = layer(x)
            return x

    model = keras_fn.Sequential([keras_fn.Input((4,)), Bag()])
    with pytest.warns(UserWarning, match="lost"):
        model.save_weights(tmp_path / "m.weights.h5")
