"""`Callback`: code that runs at moments of training."""

from __future__ import annotations

import weakref
from typing import Any, ClassVar


class Callback:
    """Code that runs at moments of training, evaluation and prediction. Override the moments that matter.

    Logs are read from the device when they are looked at: a callback that ignores them costs no waiting.

    Attributes:
        model: the model.
        params: `{"verbose", "epochs", "steps"}` of the run.

    Example:
        >>> import keras_fn
        >>> class Shout(keras_fn.callbacks.Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         print("EPOCH", epoch)
    """

    # names of attributes that belong to the state of a run: plain data and arrays
    kept: ClassVar[tuple[str, ...]] = ()
    # whether it is called when all others were
    comes_last: ClassVar[bool] = False
    # whether it notes where training is; `fit` asks its `place()` where to go on
    keeps_place: ClassVar[bool] = False

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}
        self._model: Any = lambda: None

    def set_params(self, params: dict[str, Any]) -> None:
        """Tells the facts of the run."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Tells the model. It is not kept alive by its callbacks: a History outlives the model that it tells of."""
        self._model = (lambda: None) if model is None else weakref.ref(model)

    @property
    def model(self) -> Any:
        """The model; None once it is gone."""
        return self._model()

    def get_state(self) -> dict[str, Any]:
        """What must be put back when a run that was cut off goes on: dicts, lists, numbers, text and arrays.

        `BackupAndRestore` keeps it. Override it, and `set_state`, in a callback that counts or collects something over
        epochs; or list the names of its attributes in `kept`.
        """
        return {name: getattr(self, name) for name in self.kept}

    def set_state(self, state: dict[str, Any]) -> None:
        """Puts back what `get_state` gave. It is called after `on_train_begin`."""
        for name in self.kept:
            if name in state:
                setattr(self, name, state[name])

    def listens(self, moment: str) -> bool:
        """Whether the callback does something at a moment, like "on_train_batch_end"."""
        return getattr(type(self), moment) is not getattr(Callback, moment) or moment in self.__dict__

    def on_train_begin(self, logs: Any = None) -> None:
        """Before training."""

    def on_train_end(self, logs: Any = None) -> None:
        """After training."""

    def on_train_abort(self) -> None:
        """When an error or Ctrl-C ends training, in the place of `on_train_end`."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Before an epoch."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """After an epoch, with its logs, those of the validation under `val_…`."""

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        """An older name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """An older name of `on_train_batch_end`."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch is trained on."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch was trained on."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Any = None) -> None:
        """Before an evaluation."""

    def on_test_end(self, logs: Any = None) -> None:
        """After an evaluation."""

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch is evaluated."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch was evaluated."""

    def on_predict_begin(self, logs: Any = None) -> None:
        """Before a prediction."""

    def on_predict_end(self, logs: Any = None) -> None:
        """After a prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch is predicted."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch was predicted; `logs["outputs"]` are the outputs."""
