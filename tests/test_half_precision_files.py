"""Weights of half precision in files, bit by bit: what NumPy wrote is loaded, and NumPy reads what was saved.

Files are made and read here without keras_fn, so that each backend is held to the same bits: what one of them saves,
all others load.
"""

from __future__ import annotations

import io
import json
import pathlib
import struct
import zipfile
from typing import Any

import h5py
import ml_dtypes
import numpy as np
import pytest

import keras_fn
from keras_fn import layers

DTYPES = {"bfloat16": np.dtype(ml_dtypes.bfloat16), "float16": np.dtype("float16")}
# zeros of both signs, the smallest and the largest subnormals, the largest number, infinities
SPECIAL = {
    "bfloat16": [0, 0x8000, 1, 0x8001, 0x007F, 0x7F7F, 0x7F80, 0xFF80],
    "float16": [0, 0x8000, 1, 0x8001, 0x03FF, 0x7BFF, 0x7C00, 0xFC00],
}
PLACES = {"layers/first/vars/0": (6, 5), "layers/first/vars/1": (5,), "layers/second/vars/0": (5, 3)}


def arrays(dtype: str) -> dict[str, np.ndarray]:
    """Numbers of all magnitudes, by their place in a file."""
    rng, found = np.random.default_rng(4), {}
    for place, shape in PLACES.items():
        raw = rng.integers(0, 2**16, size=int(np.prod(shape)), dtype="uint16")
        raw[: len(SPECIAL[dtype])] = SPECIAL[dtype][: raw.size]
        array = raw.view(DTYPES[dtype])
        found[place] = np.where(np.isnan(array.astype("float32")), DTYPES[dtype].type(1), array).reshape(shape)
    return found


def model(dtype: str) -> Any:
    keras_fn.core.naming.reset()
    first = layers.Dense(5, dtype=dtype, name="first")
    second = layers.Dense(3, dtype=dtype, use_bias=False, name="second")
    return keras_fn.Sequential([keras_fn.Input((6,), dtype=dtype), first, second], name="m")


def same(found: Any, expected: dict[str, np.ndarray]) -> None:
    """The weights of a model have these bits and dtypes."""
    for v, array in zip(found.weights, expected.values(), strict=True):
        assert v.dtype == array.dtype.name == v.numpy().dtype.name
        assert v.numpy().tobytes() == array.tobytes(), v.path


# --- formats, without keras_fn
def write_h5(path: Any, values: dict[str, np.ndarray]) -> None:
    """As Keras does: bfloat16 as raw bytes, beside the name of the dtype."""
    with h5py.File(path, "w") as root:
        for place, a in values.items():
            extra = a.dtype.kind not in "f"
            dataset = root.create_dataset(_in_h5(place), data=a.view("V2") if extra else a)
            if extra:
                dataset.attrs["dtype"] = a.dtype.name


def _in_h5(place: str) -> str:
    """Layers are counted by their classes in HDF5 files."""
    return place.replace("first", "dense").replace("second", "dense_1")


def read_h5(path: Any, dtype: str) -> dict[str, bytes]:
    with h5py.File(path) as root:
        return {p: np.asarray(root[_in_h5(p)]).tobytes() for p in PLACES if _in_h5(p) in root}


def write_safetensors(path: pathlib.Path, values: dict[str, np.ndarray]) -> None:
    header, at = {}, 0
    for place, a in values.items():
        name = {"bfloat16": "BF16", "float16": "F16"}[a.dtype.name]
        header[_in_h5(place)] = {"dtype": name, "shape": a.shape, "data_offsets": [at, at + a.nbytes]}
        at += a.nbytes
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(a.tobytes() for a in values.values()))


def read_safetensors(path: pathlib.Path, dtype: str) -> dict[str, bytes]:
    raw = path.read_bytes()
    (length,) = struct.unpack_from("<Q", raw)
    header, data = json.loads(raw[8 : 8 + length]), raw[8 + length :]
    return {p: data[slice(*header[_in_h5(p)]["data_offsets"])] for p in PLACES}


def read_keras(path: pathlib.Path, dtype: str) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as packed:
        return read_h5(io.BytesIO(packed.read("model.weights.h5")), dtype)


def read_shards(path: pathlib.Path, dtype: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for part in sorted(path.parent.glob("*_0*.weights.h5")):
        found |= read_h5(part, dtype)
    return found


@pytest.mark.parametrize("dtype", DTYPES)
def test_files_of_numpy_are_loaded(dtype: str, tmp_path: pathlib.Path) -> None:
    values = arrays(dtype)
    write_h5(tmp_path / "m.weights.h5", values)
    write_safetensors(tmp_path / "m.safetensors", values)
    for name in ("m.weights.h5", "m.safetensors"):
        loaded = model(dtype)
        assert loaded.load_weights(tmp_path / name)
        same(loaded, values)


@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_reads_what_was_saved(dtype: str, tmp_path: pathlib.Path) -> None:
    values, made = arrays(dtype), model(dtype)
    for v, array in zip(made.weights, values.values(), strict=True):
        v.assign(array)
    made.save(tmp_path / "m.keras")
    made.save_weights(tmp_path / "m.weights.h5")
    made.save_weights(tmp_path / "m.safetensors")
    made.save_weights(tmp_path / "m.weights.json", max_shard_size=70 / 2**30)
    readers = {
        "m.keras": read_keras, "m.weights.h5": read_h5,
        "m.safetensors": read_safetensors, "m.weights.json": read_shards,
    }  # fmt: skip
    for name, read in readers.items():
        assert read(tmp_path / name, dtype) == {p: a.tobytes() for p, a in values.items()}, name
        loaded = keras_fn.saving.load_model(tmp_path / name) if name == "m.keras" else model(dtype)
        if name != "m.keras":
            loaded.load_weights(tmp_path / name)
        same(loaded, values)
