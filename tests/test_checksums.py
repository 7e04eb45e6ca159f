"""Check sums in weights files: a changed byte is found, or harms nothing; Keras does not mind them."""

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
