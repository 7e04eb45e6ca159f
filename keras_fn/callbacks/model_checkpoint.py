"""`ModelCheckpoint`: saves the model while it is trained."""

from __future__ import annotations

import os
from typing import Any

from keras_fn.callbacks.monitor import MonitorCallback
from keras_fn.core.errors import ArgumentError, closest


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights, after epochs or batches. A file is written beside its place and then renamed.

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

    Example:
        >>> import keras_fn
        >>> save = keras_fn.callbacks.ModelCheckpoint("best.keras", monitor="val_loss", save_best_only=True)
    """

    kept = ("best", "_unsaved")
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
        if save_freq != "epoch" and (isinstance(save_freq, bool) or not isinstance(save_freq, int) or save_freq < 1):
            raise ArgumentError(f"`save_freq` must be 'epoch' or a number of batches, not {save_freq!r}.")

    def listens(self, moment: str) -> bool:
        """Batches are of no interest where epochs are saved."""
        quiet = moment == "on_train_batch_end" and self.save_freq == "epoch"
        own = type(self).on_train_batch_end is ModelCheckpoint.on_train_batch_end
        return not (quiet and own) and super().listens(moment)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Notes the epoch, which names of files hold."""
        self._epoch, self._last_batch = epoch, -1

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
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)
        self._say(epoch, f"finished saving model to {path}")

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
