"""`BackupAndRestore`: a run that was killed goes on where it was."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import zipfile
from typing import Any

import numpy as np

from keras_fn.callbacks.callback import Callback
from keras_fn.core.errors import ArgumentError, FileFormatError, StructureError
from keras_fn.random import host

_FILE, _OLD = "backup.npz", "backup.old.npz"


class BackupAndRestore(Callback):
    """Notes where training is, so that the same call of `fit`, made again after the process was killed, goes on there.

    The results are those of a run that was never cut off, to the last bit where the backend computes the same twice:
    weights, optimizer, metrics, seeds, the order of shuffled arrays, and the state of the other callbacks are kept. A
    data set or generator must give the same batches again. Each backup is one file, written beside its place and then
    renamed, so a whole one is there whenever the process is killed.

    Args:
        backup_dir: folder for the backup; one for each run.
        save_freq: "epoch", or a number of batches.
        double_checkpoint: whether the backup before the last one is kept too, for where the last one is damaged.
        delete_checkpoint: whether the backup is deleted when training has ended.

    Example:
        >>> import keras_fn
        >>> safe = keras_fn.callbacks.BackupAndRestore("backup")
    """

    comes_last = True

    def __init__(
        self, backup_dir: Any, save_freq: Any = "epoch", double_checkpoint: bool = False, delete_checkpoint: bool = True
    ) -> None:
        super().__init__()
        self.backup_dir = os.fspath(backup_dir) if backup_dir else ""
        if not self.backup_dir:
            raise ArgumentError("`backup_dir` must name a folder.")
        if save_freq != "epoch" and (isinstance(save_freq, bool) or not isinstance(save_freq, int) or save_freq < 1):
            raise ArgumentError(f"`save_freq` must be 'epoch' or a number of batches, not {save_freq!r}.")
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._unsaved = 0
        self._last_batch = -1

    @property
    def _path(self) -> pathlib.Path:
        return pathlib.Path(self.backup_dir) / _FILE

    def listens(self, moment: str) -> bool:
        """Batches are of no interest where epochs are kept."""
        return not (moment == "on_train_batch_end" and self.save_freq == "epoch") and super().listens(moment)

    # --- moments
    def on_train_begin(self, logs: Any = None) -> None:
        """Takes up a run that was cut off."""
        self._unsaved, self._last_batch = 0, -1
        found = read_backup(self._path, self._path.with_name(_OLD) if self.double_checkpoint else None)
        if found is not None:
            facts, arrays = found
            restore(self.model, facts, arrays, str(self._path))
            self._last_batch = self.model._kf_run.batch - 1

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Begins to count batches."""
        self._last_batch = self.model._kf_run.batch - 1

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Notes the place every so many batches."""
        if not isinstance(self.save_freq, int):
            return
        self._unsaved += batch - self._last_batch
        self._last_batch = batch
        if self._unsaved >= self.save_freq:
            self._unsaved = 0
            self._write()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Notes the place after an epoch."""
        if self.save_freq == "epoch":
            self._write()

    def on_train_end(self, logs: Any = None) -> None:
        """Deletes the backup: the run is at its end."""
        if self.delete_checkpoint:
            for path in (self._path, self._path.with_name(_OLD)):
                path.unlink(missing_ok=True)

    def _write(self) -> None:
        from keras_fn.saving.archive import new_file

        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self.double_checkpoint and self._path.exists():
            with new_file(self._path.with_name(_OLD)) as copy:
                shutil.copyfile(self._path, copy)
        facts, arrays = snapshot(self.model)
        with new_file(self._path) as target, target.open("wb") as file:
            np.savez(file, facts=np.array(json.dumps(facts)), **arrays)


# --- what is kept
def snapshot(model: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The state of a run: plain data, and arrays by name."""
    run, variables = model._kf_run, model._kf_state
    arrays = {f"v{i}": _storable(v.numpy()) for i, v in enumerate(variables)}
    callbacks = []
    for i, c in enumerate(run.callbacks):
        for name in c.kept_arrays:
            for j, a in enumerate(getattr(c, name) or ()):
                arrays[f"c{i}.{name}.{j}"] = _storable(np.asarray(a))
        counts = {name: None if getattr(c, name) is None else len(getattr(c, name)) for name in c.kept_arrays}
        state = {name: _plain(getattr(c, name)) for name in c.kept}
        callbacks.append({"class": type(c).__name__, "state": state, "arrays": counts})
    facts = {
        "epoch": run.epoch,
        "batch": run.batch,
        "seed": run.seed,
        "stopped": bool(model.stop_training),
        "stream": host.stream_state(),
        "variables": _table(variables),
        "callbacks": callbacks,
    }
    return facts, arrays


def restore(model: Any, facts: dict[str, Any], arrays: dict[str, Any], where: str) -> None:
    """Puts the state of a run back.

    Raises:
        StructureError: where it is that of another model.
    """
    variables = model._kf_state
    if facts["variables"] != _table(variables):
        differing = [
            f"{a} in the backup, {b} in the model"
            for a, b in zip(facts["variables"], _table(variables), strict=False)
            if a != b
        ]
        raise StructureError(
            f"The backup {where} is of another model or optimizer: it has {len(facts['variables'])} variables, and "
            f"there are {len(variables)}. {differing[0] if differing else ''} Delete the backup, or name another "
            "folder."
        )
    for i, v in enumerate(variables):
        v.assign(arrays[f"v{i}"])
    host.set_stream_state(facts["stream"])
    run = model._kf_run
    run.goes_on_at(facts["epoch"], facts["batch"], facts["seed"])
    model.stop_training = facts["stopped"]
    # by place and class: a list of callbacks that was changed in between keeps what it can
    for i, (c, note) in enumerate(zip(run.callbacks, facts["callbacks"], strict=False)):
        if type(c).__name__ != note["class"]:
            continue
        for name, value in note["state"].items():
            setattr(c, name, value)
        for name, count in note["arrays"].items():
            held = None if count is None else [arrays[f"c{i}.{name}.{j}"] for j in range(count)]
            setattr(c, name, held)


def read_backup(path: pathlib.Path, older: pathlib.Path | None) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """A backup's facts and arrays; None where there is none.

    Raises:
        FileFormatError: where it is damaged, and there is no older one.
    """
    if not path.exists():
        return None if older is None or not older.exists() else read_backup(older, None)
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return json.loads(str(arrays.pop("facts"))), arrays
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as e:
        if older is not None and older.exists():
            return read_backup(older, None)
        raise FileFormatError(f"The backup {path} is damaged: {e}. Delete it to begin anew.") from e


def _table(variables: list[Any]) -> list[list[Any]]:
    return [[v.name, list(v.shape), v._dtype] for v in variables]


def _storable(array: Any) -> Any:
    """16-bit and 8-bit floats that NumPy's files do not know go as 32-bit ones, which hold them exactly."""
    foreign = array.dtype.kind == "V" or array.dtype.name.startswith(("bfloat", "float8"))
    return array.astype("float32") if foreign else array


def _plain(value: Any) -> Any:
    """Numbers of NumPy as numbers of Python."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value.item() if hasattr(value, "item") else value
