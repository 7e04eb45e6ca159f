"""A good model, and ways to spoil its files."""

from __future__ import annotations

import copy
import io
import json
import pathlib
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

import keras_fn
from keras_fn import layers, ops

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
Change = Callable[[dict[str, Any]], Any]


@dataclass
class Row:
    """One hostile file, or data for a door that takes data.

    Attributes:
        name: unique name.
        category: what is wrong with it, roughly.
        door: what the child calls with it: `load_model`, `load_weights`, or a door of child.py.
        what: path of the file, or the data.
    """

    name: str
    category: str
    door: str
    what: Any


def model() -> Any:
    """The model whose files are spoilt: two inputs of one layer, an op, compile settings."""
    x = keras_fn.Input((4,), name="x")
    h = layers.Dense(3, activation="relu", name="h")(x)
    y = layers.Dense(2, name="y")(ops.add(h, 1.0))
    made = keras_fn.Model(x, y, name="m")
    made.compile(keras_fn.optimizers.Adam(0.01), loss="mse", metrics=["mae"])
    return made


class Maker:
    """Writes files into a folder, all from one good model."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        good = folder / "good.keras"
        model().save(good)
        with zipfile.ZipFile(good) as packed:
            self.members = {n: packed.read(n) for n in packed.namelist()}
        self._config = json.loads(self.members[CONFIG])
        self.weights = self.members[WEIGHTS]

    def config(self) -> dict[str, Any]:
        """A copy of the good model's config."""
        return copy.deepcopy(self._config)

    def file(self, name: str, content: bytes, suffix: str = ".keras") -> str:
        """A file with this content; returns its path."""
        path = self.folder / f"{name}{suffix}".replace("/", "-")
        assert not path.exists(), path
        path.write_bytes(content)
        return str(path)

    def zipped(self, members: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
        """A zip file."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as packed:
            for name, content in members.items():
                packed.writestr(zipfile.ZipInfo(name), content, method)
        return out.getvalue()

    def row(self, category: str, name: str, content: bytes, suffix: str = ".keras", door: str = "load_model") -> Row:
        """A row of a file."""
        name = f"{category}-{name}"
        return Row(name, category, door, self.file(name, content, suffix))

    def with_members(self, category: str, name: str, **members: bytes | None) -> Row:
        """A row of a model file in which some members are others; `config`, `metadata` and `weights` for short."""
        full = {"config": CONFIG, "metadata": METADATA, "weights": WEIGHTS}
        changed = {**self.members, **{full[k]: v for k, v in members.items() if v is not None}}
        for key, value in members.items():
            if value is None:
                del changed[full[key]]
        return self.row(category, name, self.zipped(changed))

    def with_config(self, category: str, name: str, change: Change) -> Row:
        """A row of a model file whose config was changed."""
        config = self.config()
        changed = change(config)
        data = changed if isinstance(changed, dict) else config
        return self.with_members(category, name, config=json.dumps(data).encode())

    def with_layer(self, category: str, name: str, data: Any) -> Row:
        """A row of a model file whose first Dense is another object."""

        def change(config: dict[str, Any]) -> None:
            config["config"]["layers"][1] = {**data, "name": "h", "inbound_nodes": _calls(config)}

        return self.with_config(category, name, change)

    def with_chain(self, category: str, name: str, chain: list[Any], shape: Any = (None, 4)) -> Row:
        """A row of a file of a Sequential model of these layers."""
        return self.with_config(category, name, lambda _: sequential(chain, shape))

    def with_weights(self, category: str, name: str, change: Callable[[h5py.File], Any]) -> Row:
        """A row of a model file whose weights were changed."""
        return self.with_members(category, name, weights=self.changed_weights(change))

    def changed_weights(self, change: Callable[[h5py.File], Any]) -> bytes:
        """The good model's weights after a change."""
        file = io.BytesIO(self.weights)
        with h5py.File(file, "r+") as root:
            change(root)
        return file.getvalue()

    def legacy(self, config: Any, training: Any = None, change: Callable[[h5py.File], Any] | None = None) -> bytes:
        """A legacy `.h5` file."""
        file = io.BytesIO()
        with h5py.File(file, "w") as root:
            root.attrs["model_config"] = config if isinstance(config, (str, bytes, np.ndarray)) else json.dumps(config)
            if training is not None:
                root.attrs["training_config"] = json.dumps(training)
            group = root.create_group("model_weights")
            group.attrs["layer_names"] = np.array([b"h"])
            inner = group.create_group("h")
            inner.attrs["weight_names"] = np.array([b"h/kernel", b"h/bias"])
            inner.create_dataset("h/kernel", data=np.zeros((4, 3), "float32"))
            inner.create_dataset("h/bias", data=np.zeros(3, "float32"))
            if change is not None:
                change(root)
        return file.getvalue()


def _calls(config: dict[str, Any]) -> Any:
    return config["config"]["layers"][1]["inbound_nodes"]


def layer(class_name: str, module: str | None = "keras.layers", **config: Any) -> dict[str, Any]:
    """The data of a layer."""
    return {"module": module, "class_name": class_name, "config": config, "registered_name": None}


def input_layer(shape: Any, **config: Any) -> dict[str, Any]:
    """The data of an input."""
    return layer("InputLayer", batch_shape=list(shape), dtype="float32", name="x", **config)


def sequential(chain: list[Any], shape: Any = (None, 4)) -> dict[str, Any]:
    """The data of a Sequential model."""
    layers_ = ([] if shape is None else [input_layer(shape)]) + chain
    return layer("Sequential", "keras", name="s", trainable=True, layers=layers_)


def tensor(name: str, call: Any = 0, index: Any = 0) -> dict[str, Any]:
    """A tensor of a graph, among the arguments of a call."""
    return {
        "class_name": "__keras_tensor__",
        "config": {"shape": [None, 4], "dtype": "float32", "keras_history": [name, call, index]},
    }


def call(*args: Any, **kwargs: Any) -> dict[str, Any]:
    """A call in a graph."""
    return {"args": list(args), "kwargs": kwargs}


def function(name: Any, module: str | None = "builtins", registered: Any = None) -> dict[str, Any]:
    """The data of a function."""
    return {"module": module, "class_name": "function", "config": name, "registered_name": registered}
