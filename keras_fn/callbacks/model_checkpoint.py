"""`ModelCheckpoint`: saves the model while it is trained."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from keras_fn.callbacks.background import Writer
from keras_fn.callbacks.backup_and_restore import check_freq, check_keep
from keras_fn.callbacks.checkpoint_files import sweep_checkpoints
from keras_fn.callbacks.monitor import MonitorCallback
from keras_fn.core.atomic import failing_as
from keras_fn.core.errors import ArgumentError, closest
from keras_fn.core.variable import StatelessScope, Variable


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights, after epochs or batches. A file is written beside its place and then renamed.

    `saving.load_newest_model` and `load_newest_weights` load what was saved last; if that is damaged, what was saved
    before it. So keep two or more.

    Args:
        filepath: path with fields in braces: `{epoch}` (from 1 on), `{batch}`, and any name in the logs, as in
            "model-{epoch:02d}-{val_loss:.2f}.keras". It ends in `.keras`, or in `.weights.h5` for weights alone.
        monitor: name in the logs, for `save_best_only`.
        verbose: 1 to say what is saved.
        save_best_only: save only where the value is better than it ever was.
        save_weights_only: save the weights alone.
        mode: "min" or "max", what is better; "auto" by the metric.
        save_freq: "epoch", or a number of batches.
        initial_value_threshold: value that the first one must be better than.
        keep: how many files are kept, the newest ones, where the path has fields; all of them where None.
        background: whether files are written while training goes on. Weights are copied first, so that a file holds
            what it would have held; an error in writing comes out at the next save, or at the end of training.

    Example:
        >>> import keras_fn
        >>> save = keras_fn.callbacks.ModelCheckpoint("best.keras", monitor="val_loss", save_best_only=True)
    """

    kept = ("best", "_unsaved", "_written")
    without = "every model is saved"

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
        keep: int | None = None,
        background: bool = False,
    ) -> None:
        super().__init__(monitor, mode)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self.best = initial_value_threshold
        self._unsaved = 0
        self._last_batch = -1
        self._epoch = 0
        ending = ".weights.h5" if save_weights_only else ".keras"
        if not self.filepath.endswith(ending):
            what = "weights alone are" if save_weights_only else "a model is"
            raise ArgumentError(f"The path must end in `{ending}`, as {what} to be saved, and it is {self.filepath!r}.")
        check_freq(save_freq)
        check_keep(keep)
        self.keep = keep
        self._writer = Writer(background)
        self._written: list[str] = []

    def listens(self, moment: str) -> bool:
        """Batches are of no interest where epochs are saved."""
        quiet = moment == "on_train_batch_end" and self.save_freq == "epoch"
        own = type(self).on_train_batch_end is ModelCheckpoint.on_train_batch_end
        return not (quiet and own) and super().listens(moment)

    def on_train_begin(self, logs: Any = None) -> None:
        """Files of an earlier run are none of this one; what it left half written is deleted."""
        self._written = []
        sweep_checkpoints(self.filepath)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Notes the epoch, which names of files hold."""
        run = getattr(self.model, "_kf_run", None)
        self._epoch, self._last_batch = epoch, -1 if run is None else run.batch - 1

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Saves every so many batches."""
        if self.save_freq == "epoch":
            return
        # one dispatch may do several batches
        self._unsaved += batch - self._last_batch if batch > self._last_batch else batch + 1
        self._last_batch = batch
        if self._unsaved >= self.save_freq:
            self._unsaved = 0
            self._save(self._epoch, batch, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Saves every epoch."""
        if self.save_freq == "epoch":
            self._save(epoch, None, logs)

    def _save(self, epoch: int, batch: int | None, logs: Any) -> None:
        logs = logs or {}
        value = before = None
        if self.save_best_only:
            value, before = self.read(logs), self.best
            if value is not None and not self.is_better(value, before):
                self._say(epoch, f"{self.monitor} did not improve from {before:.5f}")
                return
            self.best = before if value is None else value
        path = self._path(epoch, batch, logs)
        if value is None:
            self._say(epoch, f"saving model to {path}")
        else:
            was = "None" if before is None else f"{before:.5f}"
            self._say(epoch, f"{self.monitor} improved from {was} to {value:.5f}, saving model to {path}")
        self._written = [p for p in self._written if p != path] + [path]
        old, self._written = self._split()
        if self._writer.background:
            model, copies = self.model, _copies(self.model)
            self._writer.do(lambda: self._write_copy(model, copies, path, old))
        else:
            self._write(self.model, path, old)
        self._say(epoch, f"finished saving model to {path}")

    def _split(self) -> tuple[list[str], list[str]]:
        """The files that there are too many of, and those that stay."""
        cut = 0 if self.keep is None else max(0, len(self._written) - self.keep)
        return self._written[:cut], self._written[cut:]

    def _write(self, model: Any, path: str, old: list[str]) -> None:
        with failing_as(path):
            os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        if self.save_weights_only:
            model.save_weights(path, overwrite=True)
        else:
            model.save(path, overwrite=True)
        for name in old:
            with failing_as(name), suppress(FileNotFoundError):
                os.unlink(name)

    def _write_copy(self, model: Any, copies: list[tuple[Any, Any]], path: str, old: list[str]) -> None:
        """In this thread, variables hold what was copied; in others, training goes on."""
        with StatelessScope(copies):
            self._write(model, path, old)

    def on_train_end(self, logs: Any = None) -> None:
        """Waits for what is being written."""
        self._writer.finish()

    def on_train_abort(self) -> None:
        """Waits for what is being written."""
        self._writer.finish()

    def _path(self, epoch: int, batch: int | None, logs: Any) -> str:
        fields = {"epoch": epoch + 1, **logs} if batch is None else {"epoch": epoch + 1, "batch": batch + 1, **logs}
        try:
            return self.filepath.format(**fields)
        except KeyError as e:
            name = str(e.args[0])
            raise ArgumentError(
                f"The path {self.filepath!r} names {name!r}, which is not in the logs.{closest(name, fields)} "
                f"There are: {', '.join(sorted(fields))}."
            ) from None

    def _say(self, epoch: int, text: str) -> None:
        if self.verbose:
            print(f"\nEpoch {epoch + 1}: {text}")


def _copies(model: Any) -> list[tuple[Variable, Any]]:
    """Each variable with its values now, on the host."""
    variables = list(model.variables)
    if model.optimizer is not None:
        variables += model.optimizer.variables
    return [(v, v.numpy()) for v in {id(v): v for v in variables}.values()]
