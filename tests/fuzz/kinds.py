"""What is damaged, how it is loaded, and what must come of it."""

from __future__ import annotations

import io
import json
import pathlib
import tempfile
import warnings
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np
import safetensors.numpy

import keras_fn
from fuzz.mutate import Mutable, MutableSafetensors, MutableSet, MutableZip
from keras_fn import layers
from keras_fn.core.errors import FileError, FileMissingError
from keras_fn.saving import hdf5, safetensors_io


def model() -> Any:
    """A small model with two kinds of layers, and an optimizer with state."""
    keras_fn.utils.set_random_seed(1)
    x = keras_fn.Input((4,), name="x")
    y = layers.BatchNormalization(name="norm")(layers.Dense(3, activation="relu", name="one")(x))
    made = keras_fn.Model(x, layers.Dense(2, name="two")(y), name="m")
    made.compile(keras_fn.optimizers.SGD(0.1, momentum=0.9), loss="mse")
    made.optimizer.build(made.trainable_variables)
    rng = np.random.default_rng(0)
    for v in made.weights:
        v.assign(rng.normal(size=v.shape).astype("float32"))
    return made


def legacy(made: Any) -> bytes:
    """A legacy file as Keras writes it."""
    memory = io.BytesIO()
    with h5py.File(memory, "w") as root:
        root.attrs["keras_version"] = "3.15.1"
        root.attrs["model_config"] = made.to_json()
        root.attrs["training_config"] = json.dumps(
            {"loss": "mse", "optimizer_config": {"class_name": "SGD", "config": {"learning_rate": 0.1}}}
        )
        group = root.create_group("model_weights")
        group.attrs["layer_names"] = np.array([layer.name.encode() for layer in made.layers])
        for layer in made.layers:
            inner = group.create_group(layer.name)
            inner.attrs["weight_names"] = [f"{layer.name}/{w.name}" for w in layer.weights]
            for w in layer.weights:
                inner[f"{layer.name}/{w.name}"] = w.numpy()
    return memory.getvalue()


def arrays() -> bytes:
    """A file with all that the reader knows: chunks, filters, dtypes, attributes, many names."""
    memory = io.BytesIO()
    rng = np.random.default_rng(0)
    with h5py.File(memory, "w") as root:
        for i, dtype in enumerate(("f4", ">f8", "i2", "?", "c8", "V2")):
            root[f"plain/{i}"] = rng.integers(0, 2, (3, 4)).astype("u2").astype("u2" if dtype == "V2" else dtype).view(
                "V2" if dtype == "V2" else dtype
            )
        values = rng.normal(size=(9, 7)).astype("f4")
        root.create_dataset("packed/a", data=values, chunks=(4, 3), compression="gzip", shuffle=True, fletcher32=True)
        root.create_dataset("packed/b", data=values, chunks=(2, 2))
        root.attrs["texts"] = ["one", "two"]
        root["plain"].attrs["number"] = 5
        root["packed"].attrs["fixed"] = np.bytes_(b"fixed")
        for i in range(20):
            root[f"many/{i}"] = np.float32(i)
    return memory.getvalue()


def modern() -> bytes:
    """The newer form, in which structures have check sums."""
    memory = io.BytesIO()
    with h5py.File(memory, "w", libver="latest") as root:
        root["a/b"] = np.arange(6.0)
        root["a"].attrs["text"] = "hello"
    return memory.getvalue()


_NAMES = {
    "weights": "m.weights.h5", "keras": "m.keras", "legacy": "m.h5", "safetensors": "m.safetensors",
    "shards": "m.weights.json",
}  # fmt: skip
# an index may name a file that is not there
_REFUSALS = (FileError, FileMissingError)
_SHARD = 130 / 2**30  # gigabytes: three or four files


class Kind:
    """Damaged files of one kind. `check(seed)` returns whether the mutant was loaded; what is wrong raises."""

    _there: dict[str, bytes]  # the files of the set that is on the disk

    def __init__(self, name: str) -> None:
        self._folder = tempfile.TemporaryDirectory()
        made = model()
        self._model = made
        self._before = [np.array(w.numpy()) for w in self._variables(made)]
        self._place = pathlib.Path(self._folder.name)
        self._path = self._place / _NAMES.get(name, "m.hdf5")
        self._zeros = [np.zeros_like(a) for a in self._before]
        self.source = self._source(name, made)
        self._load: Callable[[Any], None] = getattr(self, f"_load_{name}")

    def _source(self, name: str, made: Any) -> Mutable | MutableZip | MutableSafetensors | MutableSet:
        makers: dict[str, Callable[[], bytes]] = {"legacy": lambda: legacy(made), "arrays": arrays, "modern": modern}
        if name in makers:
            return Mutable(makers[name]())
        if name == "shards":
            return self._sets(made)
        (made.save if name == "keras" else made.save_weights)(self._path)
        raw = self._path.read_bytes()
        return {"keras": MutableZip, "safetensors": MutableSafetensors}.get(name, Mutable)(raw)

    def _sets(self, made: Any) -> MutableSet:
        """Two saves of the same model with other values."""
        found = []
        for number in (1.0, 0.0):
            for v, value in zip(self._variables(made), self._before, strict=True):
                v.assign((value + number).astype(value.dtype))
            made.save_weights(self._path, max_shard_size=_SHARD)
            found.append({path.name: path.read_bytes() for path in sorted(self._place.iterdir())})
        assert list(found[0]) == list(found[1])
        self._there = dict(found[1])
        return MutableSet(found[1], found[0])

    @staticmethod
    def _variables(made: Any) -> list[Any]:
        return [*made.weights, *(made.optimizer.variables if made.optimizer else [])]

    def check(self, seed: int) -> bool:
        """Loads a mutant."""
        raw = self.source.mutant(seed)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._load(raw)
        except _REFUSALS as e:
            text = str(e)
            assert len(text.encode()) < 2000, f"a message of {len(text.encode())} bytes"
            assert all(c.isprintable() or c == "\n" for c in text), f"a message with control characters: {text!r}"
            return False
        return True

    def _load_arrays(self, raw: bytes) -> None:
        with hdf5.open_h5(io.BytesIO(raw), "f") as root:
            for _, item in root.walk():
                dict(item.attrs)
                if isinstance(item, hdf5.Dataset):
                    item.read()
            dict(root.attrs)

    _load_modern = _load_arrays

    def _load_weights(self, raw: bytes) -> None:
        self._path.write_bytes(raw)
        self._load_the_same()

    def _load_the_same(self) -> None:
        """What was saved is there afterwards; or nothing was changed, and the file was refused."""
        for v, zeros in zip(self._variables(self._model), self._zeros, strict=True):
            v.assign(zeros)
        try:
            self._model.load_weights(self._path)
        except _REFUSALS:
            for v in self._variables(self._model):
                assert not v.numpy().any(), f"{v.path} was changed, although the file was refused"
            raise
        for v, expected in zip(self._variables(self._model), self._before, strict=True):
            got = v.numpy()
            # a file may have lost the state of an optimizer as a whole, of which a warning tells
            lost = v not in self._model.weights and not got.any()
            assert lost or got.tobytes() == expected.tobytes(), f"{v.path} has other values"

    def _load_safetensors(self, raw: bytes) -> None:
        self._path.write_bytes(raw)
        try:
            self._load_the_same()
        except AssertionError:
            if "keras_fn" in str(_notes(raw)):
                raise
            # without its notes it is a file of any other program, from which a reader can only take what stands there
            held = safetensors.numpy.load(raw)
            for name, v in safetensors_io.named(self._model).items():
                assert held[name].tobytes() == v.numpy().tobytes(), f"{v.path} has other values than the file"

    def _load_shards(self, files: dict[str, bytes]) -> None:
        for name in [n for n, raw in self._there.items() if files.get(n) is not raw]:
            (self._place / name).unlink()
            del self._there[name]
        for name in files.keys() - self._there.keys():  # most files are as they were, and disks are slow
            (self._place / name).write_bytes(files[name])
            self._there[name] = files[name]
        self._load_the_same()

    def _load_keras(self, raw: bytes) -> None:
        self._path.write_bytes(raw)
        loaded = keras_fn.saving.load_model(self._path)
        for v in loaded.weights:
            # a config that was changed may name other layers, never other values
            got = v.numpy()
            known = any(a.shape == got.shape and np.array_equal(a.astype(got.dtype), got) for a in self._before)
            assert known, f"{v.path} has values that were never saved"

    def _load_legacy(self, raw: bytes) -> None:
        self._path.write_bytes(raw)
        keras_fn.saving.load_model(self._path)

    def close(self) -> None:
        """Removes the files."""
        self._folder.cleanup()


def _notes(raw: bytes) -> Any:
    length = int.from_bytes(raw[:8], "little")
    return json.loads(raw[8 : 8 + length]).get("__metadata__")


KINDS = ("arrays", "modern", "weights", "shards", "safetensors", "keras", "legacy")
