"""Processes that are killed while they save, again and again: `python tests/killing.py COUNT [format ...]`.

A child saves version after version of a model to one path, each filled with its number, and gets a SIGKILL at a random
moment. What is there then must load, hold one number in all its weights, and be no older than what was there before.
"""

from __future__ import annotations

import os
import pathlib
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import keras_fn
from keras_fn import layers
from keras_fn.callbacks import CSVLogger, ModelCheckpoint
from keras_fn.callbacks.backup_and_restore import backups, drop_old, read_newest
from keras_fn.callbacks.checkpoint_files import checkpoint_files
from keras_fn.callbacks.state_file import write_state_file
from keras_fn.core import atomic


def small_model() -> Any:
    """Two layers, a nested model."""
    inner = keras_fn.Sequential([keras_fn.Input((6,)), layers.Dense(5)], name="inner")
    return keras_fn.Sequential([keras_fn.Input((4,)), layers.Dense(6), layers.BatchNormalization(), inner])


def fill(model: Any, number: int) -> None:
    """One number in all weights."""
    for v in model.weights:
        v.assign(np.full(v.shape, number, "float32"))


def number_in(model: Any) -> int:
    """The number that all weights hold."""
    found = {float(x) for v in model.weights for x in np.ravel(v.numpy())}
    assert len(found) == 1, f"a mixture of versions: {sorted(found)}"
    return int(found.pop())


def _weights_into_fresh(path: pathlib.Path) -> Any:
    model = small_model()
    model.load_weights(path)
    return model


def _state(model: Any, path: pathlib.Path) -> None:
    """A backup: numbered files, of which the newest two are kept."""
    path.mkdir(exist_ok=True)
    number = max(backups(path), default=0) + 1
    write_state_file(path / f"backup-{number:06d}.npz", {"weights": [v.numpy() for v in model.weights]})
    drop_old(path, 2)


def _checkpoint(model: Any, path: pathlib.Path) -> None:
    """An epoch of a run that was taken up again, of which the newest two models are kept."""
    save = ModelCheckpoint(path / "{epoch}.keras", keep=2)
    save.set_model(model)
    save.on_train_begin()
    there = checkpoint_files(save.filepath)
    save.set_state({**save.get_state(), "_written": [str(p) for p in reversed(there)]})
    save.on_epoch_end(number_in(model) - 1)
    assert len(checkpoint_files(save.filepath)) <= 2


def _newest_checkpoint(path: pathlib.Path) -> Any:
    return keras_fn.saving.load_newest_model(path / "{epoch}.keras")


def _log(model: Any, path: pathlib.Path) -> None:
    """A line of a log."""
    log = CSVLogger(path, append=True)
    log.set_model(model)
    log.on_train_begin()
    log.on_epoch_end(number_in(model), {"loss": 0.5})


def _last_line(path: pathlib.Path) -> Any:
    head, *lines = path.read_text().splitlines()
    assert head == "epoch,loss" and all(line.endswith(",0.5") for line in lines), "a line is not whole"
    model = small_model()
    fill(model, int(lines[-1].split(",")[0]))
    return model


def _newest_state(path: pathlib.Path) -> Any:
    there, model = backups(path), small_model()
    state = read_newest([there[n] for n in sorted(there, reverse=True)])
    assert state is not None, "no backup"
    for v, value in zip(model.weights, state["weights"], strict=True):
        v.assign(value)
    return model


# what is not one file that is replaced
OTHERS = ("backups", "checkpoints", "log.csv", "m.weights.json")
# name of a file -> how it is written, how it is read
FORMATS: dict[str, tuple[Callable[[Any, pathlib.Path], None], Callable[[pathlib.Path], Any]]] = {
    "m.keras": (lambda m, p: m.save(p), keras_fn.saving.load_model),
    "folder": (lambda m, p: m.save(p), keras_fn.saving.load_model),
    "m.weights.h5": (lambda m, p: m.save_weights(p), _weights_into_fresh),
    "m.safetensors": (lambda m, p: m.save_weights(p), _weights_into_fresh),
    "m.weights.json": (lambda m, p: m.save_weights(p, max_shard_size=120 / 2**30), _weights_into_fresh),
    "checkpoints": (_checkpoint, _newest_checkpoint),
    "backups": (_state, _newest_state),
    "log.csv": (_log, _last_line),
}


def _child(model: Any, save: Any, path: pathlib.Path, number: int, ready: int) -> None:
    os.write(ready, b"!")
    while True:
        number += 1
        fill(model, number)
        save(model, path)


def _killed_after(seconds: float, work: Callable[[int], None]) -> None:
    """Runs work in a child, which gets so many seconds from when it says that it is ready."""
    heard, ready = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(heard)
            work(ready)
        finally:
            os._exit(1)
    os.close(ready)
    try:
        assert os.read(heard, 1) == b"!", "the child did not begin"
        time.sleep(seconds)
    finally:
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        os.close(heard)
    assert os.WIFSIGNALED(status), "the child failed by itself"


def kill_savers(name: str, count: int, folder: pathlib.Path, seed: int = 0) -> dict[str, int]:
    """Kills so many savers. Returns what was seen.

    Raises:
        AssertionError: where something else than one whole version was found.
    """
    save, load = FORMATS[name]
    model, path, rng = small_model(), folder / name, random.Random(seed)
    fill(model, 0)
    save(model, path)
    began = time.perf_counter()
    fill(model, 0)
    save(model, path)
    duration = time.perf_counter() - began
    newest, left_behind, aside = 0, 0, 0
    for _ in range(count):
        seconds = rng.uniform(0, 3) * duration
        _killed_after(seconds, lambda ready, after=newest: _child(model, save, path, after, ready))
        left_behind += any(".kf-tmp" in n for n in _names(folder))
        aside += atomic.standing(path) != path
        found = number_in(load(path))
        assert found >= newest, f"{found} after {newest}: a finished save was lost"
        newest = found
    save(model, path)
    left = [n for n in _names(folder) if ".kf-" in n]
    assert not left, f"left behind: {left}"
    return {"kills": count, "saves": newest, "killed in the middle of one": left_behind, "between two renames": aside}


def _names(folder: pathlib.Path) -> list[str]:
    return [n for _, folders, files in os.walk(folder) for n in (*folders, *files)]


def main(arguments: list[str]) -> None:
    """Kills savers of each format, and prints what was seen."""
    count = int(arguments[0]) if arguments else 1000
    for name in arguments[1:] or FORMATS:
        with tempfile.TemporaryDirectory() as folder:
            print(name, kill_savers(name, count, pathlib.Path(folder)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
