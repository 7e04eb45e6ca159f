"""`CallbackList`: several callbacks as one. A moment that no callback listens to costs nothing."""

from __future__ import annotations

import warnings
from typing import Any

from keras_fn.callbacks.backup_and_restore import BackupAndRestore
from keras_fn.callbacks.callback import Callback
from keras_fn.callbacks.history import History
from keras_fn.callbacks.progress import ProgbarLogger
from keras_fn.core.errors import ArgumentTypeError

_BATCH_MOMENTS = {
    "train": ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end"),
    "test": ("on_test_batch_begin", "on_test_batch_end"),
    "predict": ("on_predict_batch_begin", "on_predict_batch_end"),
}


class CallbackList:
    """Several callbacks as one.

    Args:
        callbacks: the callbacks.
        add_history: whether a History is added where there is none.
        add_progbar: whether a ProgbarLogger is added where there is none.
        model: the model.
        params: facts of the run.
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        given = [] if callbacks is None else list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
        for c in given:
            if not isinstance(c, Callback):
                hint = " It is a class: make an object of it." if isinstance(c, type) else ""
                raise ArgumentTypeError(f"A callback must be a keras_fn.callbacks.Callback, and {c!r} came.{hint}")
        self.callbacks: list[Callback] = given
        self._watching: dict[str, bool] = {}  # whether batches are watched, as far as it was asked since a run began
        if add_progbar and not any(isinstance(c, ProgbarLogger) for c in given):
            self.callbacks.append(ProgbarLogger())
        history = next((c for c in self.callbacks if isinstance(c, History)), None)
        if add_history and history is None:
            history = History()
            self.callbacks.append(history)
        self.callbacks.sort(key=lambda c: c.comes_last)
        if model is not None:
            self.set_model(model)
            if history is not None:
                model.history = history
        self.set_params(params)

    def append(self, callback: Callback) -> None:
        """Adds a callback."""
        self.callbacks.append(callback)
        self._watching.clear()

    def set_params(self, params: dict[str, Any]) -> None:
        """Tells the facts of the run."""
        self.params = params
        for c in self.callbacks:
            c.set_params(params)

    def set_model(self, model: Any) -> None:
        """Tells the model."""
        self.model = model
        for c in self.callbacks:
            c.set_model(model)

    def _listeners(self, moment: str) -> list[Any]:
        old = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}.get(moment)
        return [getattr(c, moment) for c in self.callbacks if c.listens(moment) or (old and c.listens(old))]

    def watches_batches(self, kind: str) -> bool:
        """Whether a callback must see every single batch of "train", "test" or "predict"."""
        found = self._watching.get(kind)
        if found is None:  # it is asked before each dispatch
            # the progress bar sees as many as there are
            others = [c for c in self.callbacks if not isinstance(c, ProgbarLogger)]
            found = self._watching[kind] = any(c.listens(m) for c in others for m in _BATCH_MOMENTS[kind])
        return found

    def on_train_begin(self, logs: Any = None) -> None:
        """Before training."""
        self._watching.clear()
        self._batch_begin = self._listeners("on_train_batch_begin")
        self._batch_end = self._listeners("on_train_batch_end")
        self._call("on_train_begin", logs)

    def on_train_end(self, logs: Any = None) -> None:
        """After training."""
        self._call("on_train_end", logs)

    def on_train_abort(self) -> None:
        """When an error or Ctrl-C ends training: a second error is told of, and does not hide it."""
        for c in self.callbacks:
            try:
                c.on_train_abort()
            except Exception as error:
                warnings.warn(f"{type(c).__name__}: {error}", stacklevel=2)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Before an epoch."""
        for c in self.callbacks:
            c.on_epoch_begin(epoch, {} if logs is None else logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """After an epoch."""
        for c in self.callbacks:
            c.on_epoch_end(epoch, {} if logs is None else logs)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch is trained on."""
        for listen in self._batch_begin:
            listen(batch, {} if logs is None else logs)

    def on_train_batch_end(self, batch: int, logs: Any = None, count: int = 1) -> None:
        """After a dispatch whose last batch is number `batch`."""
        for listen in self._batch_end:
            listen(batch, logs)

    def on_test_begin(self, logs: Any = None) -> None:
        """Before an evaluation."""
        self._watching.pop("test", None)
        self._test_begin = self._listeners("on_test_batch_begin")
        self._test_end = self._listeners("on_test_batch_end")
        self._call("on_test_begin", logs)

    def on_test_end(self, logs: Any = None) -> None:
        """After an evaluation."""
        self._call("on_test_end", logs)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch is evaluated."""
        for listen in self._test_begin:
            listen(batch, {} if logs is None else logs)

    def on_test_batch_end(self, batch: int, logs: Any = None, count: int = 1) -> None:
        """After a dispatch whose last batch is number `batch`."""
        for listen in self._test_end:
            listen(batch, logs)

    def on_predict_begin(self, logs: Any = None) -> None:
        """Before a prediction."""
        self._watching.pop("predict", None)
        self._call("on_predict_begin", logs)

    def on_predict_end(self, logs: Any = None) -> None:
        """After a prediction."""
        self._call("on_predict_end", logs)

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch is predicted."""
        for c in self.callbacks:
            c.on_predict_batch_begin(batch, {} if logs is None else logs)

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch was predicted."""
        for c in self.callbacks:
            c.on_predict_batch_end(batch, logs)

    def _call(self, moment: str, logs: Any) -> None:
        for c in self.callbacks:
            getattr(c, moment)({} if logs is None else logs)


def as_callback_list(
    callbacks: Any, model: Any, *, verbose: int, epochs: int, steps: int | None, add_history: bool, add_progress: bool
) -> CallbackList:
    """A CallbackList for what was passed to `fit` and the like."""
    if isinstance(callbacks, CallbackList):
        return callbacks
    return CallbackList(callbacks, add_history, add_progress, model, verbose=verbose, epochs=epochs, steps=steps)


def with_backup(callbacks: Any, folder: Any) -> Any:
    """The callbacks that were passed to `fit`, and one that keeps backups in the folder, if one is named."""
    if folder is None:
        return callbacks
    safe = BackupAndRestore(folder, delete_checkpoint=False, keep=2)
    if isinstance(callbacks, CallbackList):
        callbacks.append(safe)
        return callbacks
    given = [] if callbacks is None else list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
    return [*given, safe]
