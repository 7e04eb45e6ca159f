"""The newest checkpoint that is whole: which one it is, and what happens where it is damaged."""

from __future__ import annotations

import os
import pathlib
import random
import warnings
from typing import Any

import numpy as np
import pytest

import keras_fn
from keras_fn import callbacks, layers
from keras_fn.callbacks.checkpoint_files import checkpoint_files
from keras_fn.core.errors import CorruptFileError, FileError, UnsafeFileError, WeightMismatchError
from keras_fn.core.fallback import newest_whole
from keras_fn.saving import load_newest_model, load_newest_weights


def made(value: float = 0.0, units: int = 2) -> Any:
    model = keras_fn.Sequential([keras_fn.Input((3,)), layers.Dense(units)])
    model.set_weights([np.full(w.shape, value, "float32") for w in model.get_weights()])
    return model


def value(model: Any) -> float:
    (found,) = {float(x) for w in model.get_weights() for x in np.ravel(w)}
    return found


def saved(folder: pathlib.Path, names: list[str], pattern: str = "{epoch}.keras") -> pathlib.Path:
    """Checkpoints under these names, in this order, holding 1, 2, …"""
    for number, name in enumerate(names, 1):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        model = made(number)
        model.save(path) if name.endswith(".keras") else model.save_weights(path)
        os.utime(path, ns=(10**18 + number, 10**18 + number))
    return folder / pattern


# pattern, names in the order in which they were written, the same newest first
ORDERS = [
    ("{epoch}.keras", ["10.keras", "9.keras"], ["10.keras", "9.keras"]),
    (
        "m-{epoch:03d}.keras",
        ["m-002.keras", "m-010.keras", "m-1000.keras"],
        ["m-1000.keras", "m-010.keras", "m-002.keras"],
    ),
    ("{epoch:>4}.keras", ["  10.keras", "   9.keras"], ["  10.keras", "   9.keras"]),
    ("{epoch}-{batch}.keras", ["2-3.keras", "1-20.keras", "2-11.keras"], ["2-11.keras", "2-3.keras", "1-20.keras"]),
    # two runs: the epochs are equal, and the time decides
    ("{epoch}-{loss:.1f}.keras", ["1-0.9.keras", "1-0.1.keras"], ["1-0.1.keras", "1-0.9.keras"]),
    # nothing in the names says which one is newer
    ("{loss:.1f}.keras", ["0.1.keras", "0.5.keras", "0.3.keras"], ["0.3.keras", "0.5.keras", "0.1.keras"]),
    ("{batch}.keras", ["20.keras", "3.keras"], ["3.keras", "20.keras"]),
    ("{epoch:x}.keras", ["a.keras", "2.keras"], ["2.keras", "a.keras"]),
    # folders, braces and what looks like a pattern in the path
    ("{epoch}/m-{epoch}.keras", ["2/m-2.keras", "10/m-10.keras", "3/m-4.keras"], ["10/m-10.keras", "2/m-2.keras"]),
    ("[a]*{{1}}-{epoch}.keras", ["[a]*{1}-1.keras", "a{1}-2.keras"], ["[a]*{1}-1.keras"]),
    # files of others
    ("m-{epoch}.keras", ["m-1.keras", "m-best.keras", "am-3.keras", "m-4.keras.keras"], ["m-1.keras"]),
    ("best.keras", ["best.keras", "other.keras"], ["best.keras"]),
]


@pytest.mark.parametrize(("pattern", "names", "newest_first"), ORDERS)
def test_order(pattern: str, names: list[str], newest_first: list[str], tmp_path: pathlib.Path) -> None:
    for number, name in enumerate(names, 1):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
        os.utime(tmp_path / name, ns=(10**18 + number, 10**18 + number))
    prefix = str(tmp_path).replace("{", "{{").replace("}", "}}")
    assert checkpoint_files(f"{prefix}/{pattern}") == [tmp_path / name for name in newest_first]
    assert checkpoint_files(f"{prefix}//./{pattern}") == [tmp_path / name for name in newest_first]


def test_what_a_checkpoint_wrote_is_found(tmp_path: pathlib.Path) -> None:
    """The callback's own names, with what is kept of them."""
    path = tmp_path / "m-{epoch:02d}-{loss:.2f}.weights.h5"
    save = callbacks.ModelCheckpoint(path, save_weights_only=True, keep=2)
    model = made()
    save.set_model(model)
    save.on_train_begin()
    for epoch in range(12):
        model.set_weights([np.full(w.shape, epoch + 1.0, "float32") for w in model.get_weights()])
        save.on_epoch_end(epoch, {"loss": 1 / (epoch + 1)})
    other = made()
    report = load_newest_weights(other, path)
    assert report and value(other) == 12 and pathlib.Path(report.where).name == "m-12-0.08.weights.h5"
    assert [p.name[:4] for p in checkpoint_files(os.fspath(path))] == ["m-12", "m-11"]


def test_there_is_none_yet(tmp_path: pathlib.Path) -> None:
    assert load_newest_model(tmp_path / "run" / "{epoch}.keras") is None
    assert load_newest_weights(made(), tmp_path / "{epoch}.weights.h5") is None


def newest(path: pathlib.Path) -> float:
    if path.name.endswith(".keras"):
        return value(load_newest_model(path))
    model = made()
    assert load_newest_weights(model, path)
    return value(model)


@pytest.mark.parametrize("ending", [".keras", ".weights.h5"])
def test_damage_falls_back(ending: str, tmp_path: pathlib.Path) -> None:
    """Cut files and changed bytes: what was saved last, or with a warning, what was saved before it."""
    path = saved(tmp_path, [f"{n}{ending}" for n in (1, 2)], f"{{epoch}}{ending}")
    last, rng, older = tmp_path / f"2{ending}", random.Random(7), 0
    whole = last.read_bytes()
    for _ in range(24):
        at = rng.randrange(len(whole))
        for broken in (whole[:at], whole[:at] + bytes([whole[at] ^ (1 << rng.randrange(8))]) + whole[at + 1 :]):
            last.write_bytes(broken)
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                found = newest(path)
            texts = [str(w.message) for w in said if "is taken instead" in str(w.message)]
            assert found == 2 - len(texts)
            assert all(f"2{ending}" in text and f"\n1{ending}, which is older" in text for text in texts)
            older += len(texts)
    assert older >= 24


def test_each_damaged_one_is_told(tmp_path: pathlib.Path) -> None:
    path = saved(tmp_path, ["1.keras", "2.keras", "3.keras"])
    for name in ("2.keras", "3.keras"):
        (tmp_path / name).write_bytes(b"no model")
    with pytest.warns(UserWarning, match="older") as said:
        assert value(load_newest_model(path)) == 1
    assert [("3.keras" in str(w.message), "2.keras" in str(w.message)) for w in said] == [(True, False), (False, True)]
    assert all(pathlib.Path(w.filename).name == pathlib.Path(__file__).name for w in said)  # where it was called


def test_none_is_whole(tmp_path: pathlib.Path) -> None:
    path = saved(tmp_path, ["1.keras", "2.keras"])
    (tmp_path / "1.keras").write_bytes(b"")
    (tmp_path / "2.keras").write_bytes(b"no model")
    with pytest.raises(CorruptFileError, match=r"2\.keras(.|\n)*No older one is whole(.|\n)*1\.keras"):
        load_newest_model(path)
    (tmp_path / "1.keras").unlink()
    with pytest.raises(CorruptFileError, match=r"2\.keras(.|\n)*There is no older one"):
        load_newest_model(path)


def test_weights_of_another_model(tmp_path: pathlib.Path) -> None:
    """That none fits is told as what it is, and changes nothing."""
    path = saved(tmp_path, ["1.weights.h5", "2.weights.h5"], "{epoch}.weights.h5")
    other = made(7, units=5)
    with pytest.raises(WeightMismatchError, match=r"2\.weights\.h5 does not fit"):
        load_newest_weights(other, path)
    assert value(other) == 7


def test_safe_mode_holds(tmp_path: pathlib.Path) -> None:
    model = keras_fn.Sequential([keras_fn.Input((3,)), layers.Lambda(lambda x: x + 1)])
    model.save(tmp_path / "1.keras")
    model.save(tmp_path / "2.keras")
    with pytest.raises(UnsafeFileError, match="Lambda|lambda"):
        load_newest_model(tmp_path / "{epoch}.keras")
    assert load_newest_model(tmp_path / "{epoch}.keras", safe_mode=False) is not None


def test_files_that_are_gone_or_cannot_be_read(tmp_path: pathlib.Path) -> None:
    """One that is deleted meanwhile is none; a broken disk is damage."""
    paths = [tmp_path / name for name in ("3", "2", "1")]

    def read(path: pathlib.Path) -> str:
        if path.name == "2":
            raise OSError(5, "Input/output error")
        if path.name == "3":
            raise keras_fn.core.errors.FileMissingError("gone")
        return path.name

    with pytest.warns(UserWarning, match="2 could not be read: Input/output error") as said:
        assert newest_whole(paths, read) == (paths[2], "1")
    assert len(said) == 1
    assert newest_whole(paths[:1], read) is None
    with pytest.raises(FileError, match="could not be read"):
        newest_whole(paths[:2], read)
