"""Check sums in weights files of all kinds: a changed byte is found, or harms nothing; others do not mind them."""

from __future__ import annotations

import io
import pathlib

import h5py
import ml_dtypes
import numpy as np
import pytest

import keras_fn
from keras_fn import layers
from keras_fn.core.errors import CorruptFileError, FileError
from keras_fn.saving import checksums, h5
from keras_fn.saving.h5_writing import new_h5, write_array

ARRAYS = {
    "layers/dense/vars/0": np.arange(6, dtype="f4").reshape(2, 3),
    "layers/dense/vars/1": np.array(2.5, ">f8"),
    "layers/half/vars/0": np.arange(4).astype(ml_dtypes.bfloat16),
    "layers/half/vars/1": np.zeros((0, 3), "i2"),
}


def written() -> bytes:
    memory, ledger = io.BytesIO(), checksums.Ledger()
    with new_h5(memory) as root:
        for path, array in ARRAYS.items():
            group, _, name = path.rpartition("/")
            write_array(root.require_group(group), name, array, ledger)
        ledger.write(root)
    return memory.getvalue()


def loaded(raw: bytes) -> dict[str, np.ndarray]:
    with h5.open_h5(io.BytesIO(raw), "f") as root:
        return {p: h5.read_array(i) for p, i in root.walk() if isinstance(i, h5.Dataset)}


def test_round_trip() -> None:
    found = loaded(written())
    assert found.keys() == ARRAYS.keys()
    for path, array in ARRAYS.items():
        np.testing.assert_array_equal(found[path], array)


def test_every_changed_byte_is_found_or_harmless() -> None:
    raw, refused = written(), 0
    expected = {p: a.astype(a.dtype.newbyteorder("=")).tobytes() for p, a in ARRAYS.items()}
    # most of the file is room that is not used
    for at in (i for i, byte in enumerate(raw) if byte or i % 16 == 0):
        changed = raw[:at] + bytes([raw[at] ^ 1 << at * 5 % 8]) + raw[at + 1 :]
        try:
            found = loaded(changed)
        except FileError:
            refused += 1
            continue
        assert {p: a.tobytes() for p, a in found.items()} == expected, at
    assert refused > 500


def test_another_byte_order_is_found() -> None:
    """Found by the fuzzer: the bytes of the values stay, and mean something else."""
    raw = written()
    at = raw.index(bytes([0x11, 0x20, 31, 0]))  # the type of 32-bit floats, little endian
    with pytest.raises(CorruptFileError, match="check sum"):
        loaded(raw[: at + 1] + b"\x21" + raw[at + 2 :])


@pytest.mark.parametrize("names", [(b"keras_fn_Arrays", b"keras_fn_crC32"), (b"????????_arrays", b"????????_crc32")])
def test_changed_names_do_not_switch_the_check_sums_off(names: tuple[bytes, bytes]) -> None:
    """Found by the fuzzer."""
    raw = written().replace(b"keras_fn_arrays", names[0]).replace(b"keras_fn_crc32", names[1])
    with pytest.raises(CorruptFileError, match="has lost its name"):
        loaded(raw)


def _changed(path: pathlib.Path, what: str) -> None:
    with h5py.File(path, "r+") as root:
        kernel, bias = root["layers/dense/vars/0"], root["layers/dense/vars/1"]
        assert isinstance(kernel, h5py.Dataset) and isinstance(bias, h5py.Dataset)
        if what == "value":
            kernel[0, 0] = 7.0
        elif what == "names":
            root.move("layers/dense/vars/0", "layers/dense/vars/x")
        elif what == "list":
            del root.attrs[checksums.ARRAYS]
        elif what == "sum":
            del root.attrs[checksums.CRC]
        else:
            root["layers/dense/vars/2"] = 1.0


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("value", "'/layers/dense/vars/0': the values of this array have the check sum"),
        ("names", "in its list|list of arrays"),
        ("list", "list of arrays and check sums"),
        ("sum", "list of arrays and check sums"),
        ("more", "not in the list of arrays"),
    ],
)
def test_changes_are_named_and_no_weight_is_changed(what: str, expected: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "m.weights.h5"
    keras_fn.Sequential([keras_fn.Input((2,)), layers.Dense(3, bias_initializer="ones")]).save_weights(path)
    _changed(path, what)
    model = keras_fn.Sequential([keras_fn.Input((2,)), layers.Dense(3)])
    before = model.get_weights()
    with pytest.raises(CorruptFileError, match=expected):
        model.load_weights(path)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_weights_are_read_into_the_memory_of_the_variable(tmp_path: pathlib.Path) -> None:
    """Where the backend shows its memory, loading takes no further array of the size of the weight."""
    import tracemalloc

    model = keras_fn.Sequential([keras_fn.Input((1000,)), layers.Dense(4000)])
    kernel = model.layers[0].kernel
    path = tmp_path / "m.weights.h5"
    model.save_weights(path)
    expected = kernel.numpy()
    kernel.assign(np.zeros_like(expected))
    shown = kernel.backend.cell_memory(kernel._cell) is not None
    tracemalloc.start()
    model.load_weights(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(kernel.numpy(), expected)
    # two arrays at most where values have to be handed over
    assert peak < (0.2 if shown else 2.2) * expected.nbytes


# --- safetensors
def mixed(dtype: str = "bfloat16") -> keras_fn.Sequential:
    """Two layers of different dtypes."""
    half = layers.Dense(2, dtype=dtype, bias_initializer="ones")
    return keras_fn.Sequential([keras_fn.Input((2,)), layers.Dense(3, bias_initializer="ones"), half])


def values(model: keras_fn.Sequential) -> list[bytes]:
    return [w.tobytes() for w in model.get_weights()]


def test_every_changed_byte_of_safetensors_is_found_or_harmless(tmp_path: pathlib.Path) -> None:
    path, model = tmp_path / "m.safetensors", mixed()
    model.save_weights(path)
    raw, expected, refused = path.read_bytes(), values(model), 0
    for at in range(len(raw)):
        path.write_bytes(raw[:at] + bytes([raw[at] ^ 1 << at * 5 % 8]) + raw[at + 1 :])
        try:
            model.load_weights(path)
        except FileError:
            refused += 1
        assert values(model) == expected, at
    assert refused > len(raw) - 30  # spaces, and the note that the format is


def test_safetensors_are_those_of_other_programs(tmp_path: pathlib.Path) -> None:
    from safetensors.numpy import load_file, save_file

    path, model, other = tmp_path / "m.safetensors", mixed("float16"), mixed("float16")
    model.save_weights(path)
    held = load_file(path)
    assert sorted(a.tobytes() for a in held.values()) == sorted(values(model))
    assert len(path.read_bytes()) % 8 == sum(a.nbytes for a in held.values()) % 8  # the first array lies at a multiple
    save_file(held, path, {"made by": '{"another": ["program", [1], 2]}'})
    assert other.load_weights(path)
    assert values(other) == values(model)


def test_a_safetensors_list_that_has_lost_its_name(tmp_path: pathlib.Path) -> None:
    path, model = tmp_path / "m.safetensors", mixed()
    model.save_weights(path)
    raw = path.read_bytes().replace(b"keras_fn_arrays", b"KERAS_fn_arrays")
    path.write_bytes(raw.replace(b"keras_fn_crc32", b"Keras_fn_crc32"))
    with pytest.raises(CorruptFileError, match="has lost its name"):
        model.load_weights(path)


# --- weights in several files
def test_files_of_two_saves_do_not_mix(tmp_path: pathlib.Path) -> None:
    path, model = tmp_path / "m.weights.json", mixed("float32")
    found = []
    for _ in range(2):
        model.set_weights([w + 1 for w in model.get_weights()])
        model.save_weights(path, max_shard_size=40 / 2**30)
        found.append({p.name: p.read_bytes() for p in tmp_path.iterdir()})
    old, new = found
    assert old.keys() == new.keys() and len(new) > 2
    expected = values(model)
    for name in new:
        path.with_name(name).write_bytes(old[name])
        with pytest.raises(CorruptFileError, match="not of one save"):
            model.load_weights(path)
        assert values(model) == expected
        path.with_name(name).write_bytes(new[name])
    assert model.load_weights(path)


def test_files_may_get_other_names(tmp_path: pathlib.Path) -> None:
    path, model = tmp_path / "m.weights.json", mixed("float32")
    model.save_weights(path, max_shard_size=40 / 2**30)
    for part in list(tmp_path.glob("m_*")):
        part.rename(part.with_name(part.name.replace("m_", "n_")))
    path.with_name("n.weights.json").write_text(path.read_text().replace("m_", "n_"))
    assert model.load_weights(path.with_name("n.weights.json"))
