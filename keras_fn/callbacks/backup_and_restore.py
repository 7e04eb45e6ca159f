"""`BackupAndRestore`: a run that was killed goes on where it was."""

from __future__ import annotations

import os
import pathlib
import re
from dataclasses import dataclass
from typing import Any

from keras_fn.callbacks.background import Writer
from keras_fn.callbacks.callback import Callback
from keras_fn.callbacks.state_file import read_state_file, write_state_file
from keras_fn.core.atomic import failing_as, sweep_all
from keras_fn.core.errors import ArgumentError, FileFormatError, StructureError
from keras_fn.core.fallback import newest_whole

_NAME = re.compile(r"backup-(\d{6,})\.npz")


@dataclass
class Place:
    """Where a run was cut off: what the data must know to go on there.

    Attributes:
        epoch: number of the epoch that was running, or that came next.
        batch: batches of it that were done.
        seed: seed of the order of arrays.
        generators: where the generators of random numbers were: "begin" when the run began, "epoch" when the epoch
            began, "now" when it was cut off, "ends" for the ends of epochs at which data drew from them.
        mark: check sums of the batches of the epoch that ran last; None where batches are rows of arrays.
        logs: those of the last epoch.
        data: the state of data that knows its own place.
    """

    epoch: int
    batch: int
    seed: int
    generators: dict[str, Any]
    mark: list[int] | None
    logs: dict[str, Any]
    data: Any = None


class BackupAndRestore(Callback):
    """Notes where training is, so that the same call of `fit`, made again after the process was killed, goes on there.

    The results are those of a run that was never cut off, to the last bit where the backend computes the same twice:
    weights, optimizer, metrics, seeds, global generators, the order of shuffled arrays, the place in the data and the
    state of the other callbacks are kept. A data set or generator must give the same batches again, and a warning
    tells if it does not. Each backup is one file, written beside its place and then renamed, so a whole one is there
    whenever the process is killed.

    Args:
        backup_dir: folder for the backups; one for each run.
        save_freq: "epoch", or a number of batches.
        double_checkpoint: whether the backup before the last one is kept too, as with `keep=2`.
        delete_checkpoint: whether the backups are deleted when training has ended.
        keep: how many backups are kept. If the newest one is damaged, the run goes on from the one before.
        background: whether files are written while training goes on. A backup then counts a little later.

    Example:
        >>> import keras_fn
        >>> safe = keras_fn.callbacks.BackupAndRestore("backup", save_freq=100, keep=2)
    """

    comes_last = True
    keeps_place = True

    def __init__(
        self,
        backup_dir: Any,
        save_freq: Any = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
        keep: int | None = None,
        background: bool = False,
    ) -> None:
        super().__init__()
        self.backup_dir = os.fspath(backup_dir) if backup_dir else ""
        if not self.backup_dir:
            raise ArgumentError("`backup_dir` must name a folder.")
        check_freq(save_freq)
        check_keep(keep)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self.keep = keep or (2 if double_checkpoint else 1)
        self._writer = Writer(background)
        self._number = 0
        self._found: dict[str, Any] | None = None
        self._unsaved = 0
        self._last_batch = -1

    def listens(self, moment: str) -> bool:
        """Batches are of no interest where epochs are kept."""
        return not (moment == "on_train_batch_end" and self.save_freq == "epoch") and super().listens(moment)

    def place(self) -> Place | None:
        """Where a run that was cut off was; None where none was. `fit` asks before it touches the data."""
        self._found = None
        there = backups(pathlib.Path(self.backup_dir))
        self._number = max(there, default=0)
        self._found = read_newest([there[n] for n in sorted(there, reverse=True)])
        return None if self._found is None else Place(**self._found["place"])

    # --- moments
    def on_train_begin(self, logs: Any = None) -> None:
        """Takes up a run that was cut off."""
        self._unsaved = 0
        found, self._found = self._found, None
        if found is not None:
            restore(self.model, found, self.backup_dir)
            self._unsaved = found["unsaved"]
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
        """Deletes the backups: the run is at its end."""
        self._writer.finish()
        if self.delete_checkpoint:
            for path in backups(pathlib.Path(self.backup_dir)).values():
                path.unlink(missing_ok=True)

    def on_train_abort(self) -> None:
        """Waits for what is being written."""
        self._writer.finish()

    def _write(self) -> None:
        self._number += 1
        number, state = self._number, {**snapshot(self.model), "unsaved": self._unsaved}
        self._writer.do(lambda: self._store(number, state))

    def _store(self, number: int, state: dict[str, Any]) -> None:
        folder = pathlib.Path(self.backup_dir)
        with failing_as(folder):
            folder.mkdir(parents=True, exist_ok=True)
            write_state_file(folder / f"backup-{number:06d}.npz", state)
            drop_old(folder, self.keep)


def check_freq(save_freq: Any) -> None:
    """Refuses what is neither "epoch" nor a number of batches."""
    if save_freq != "epoch" and (isinstance(save_freq, bool) or not isinstance(save_freq, int) or save_freq < 1):
        raise ArgumentError(f"`save_freq` must be 'epoch' or a number of batches, not {save_freq!r}.")


def check_keep(keep: Any) -> None:
    """Refuses what is no number of files."""
    if keep is not None and (isinstance(keep, bool) or not isinstance(keep, int) or keep < 1):
        raise ArgumentError(f"`keep` must be the number of files to keep, 1 or more, not {keep!r}.")


def backups(folder: pathlib.Path) -> dict[int, pathlib.Path]:
    """The backups in a folder, by number."""
    if not folder.is_dir():
        return {}
    return {int(m[1]): folder / m[0] for m in map(_NAME.fullmatch, os.listdir(folder)) if m}


def drop_old(folder: pathlib.Path, keep: int) -> None:
    """Deletes all backups but the newest, and what killed writers left of those that are gone."""
    there = backups(folder)
    for old in sorted(there)[:-keep]:
        there[old].unlink(missing_ok=True)
    sweep_all(folder, _NAME)


def read_newest(newest_first: list[pathlib.Path]) -> dict[str, Any] | None:
    """The newest backup that is whole; warns of those that are not.

    Raises:
        FileFormatError: where all of them are damaged.
    """
    try:
        found = newest_whole(newest_first, read_state_file)
    except FileFormatError as e:
        raise FileFormatError(f"{e} Delete the backups to begin anew.") from e
    return None if found is None else found[1]


# --- what is kept
def snapshot(model: Any) -> dict[str, Any]:
    """The state of a run: plain data and arrays."""
    run, variables = model._kf_run, model._kf_state
    return {
        "place": run.place(),
        "stopped": bool(model.stop_training),
        "times": list(model._kf_cache.get(("times", "train"), ())),
        "table": _table(variables),
        "variables": [v.numpy() for v in variables],
        "callbacks": [{"class": type(c).__name__, "state": c.get_state()} for c in run.callbacks],
    }


def restore(model: Any, state: dict[str, Any], where: str) -> None:
    """Puts the state of a run back.

    Raises:
        StructureError: where it is that of another model.
    """
    variables = model._kf_state
    if state["table"] != _table(variables):
        differing = [
            f"{a} in the backup, {b} in the model"
            for a, b in zip(state["table"], _table(variables), strict=False)
            if a != b
        ]
        raise StructureError(
            f"The backup in {where} is of another model or optimizer: it has {len(state['variables'])} variables, and "
            f"there are {len(variables)}. {differing[0] if differing else ''} Delete the backup, or name another "
            "folder."
        )
    for v, value in zip(variables, state["variables"], strict=True):
        v.assign(value)
    model.stop_training = state["stopped"]
    if state["times"]:  # how many steps go into a dispatch was decided by them
        model._kf_cache["times", "train"] = state["times"]
    # by class, those of one class in their order: where others were added or left out in between, each finds its own
    noted: dict[str, list[Any]] = {}
    for note in state["callbacks"]:
        noted.setdefault(note["class"], []).append(note["state"])
    for c in model._kf_run.callbacks:
        found = noted.get(type(c).__name__)
        if found and (own := found.pop(0)):
            c.set_state(own)


def _table(variables: list[Any]) -> list[list[Any]]:
    return [[v.name, list(v.shape), v._dtype] for v in variables]
