"""`EarlyStopping`: ends training when it brings nothing any more."""

from __future__ import annotations

from typing import Any

from keras_fn.callbacks.monitor import MonitorCallback


class EarlyStopping(MonitorCallback):
    """Ends training when a value in the logs has not become better for some epochs.

    Args:
        monitor: name in the logs.
        min_delta: change that counts as better.
        patience: epochs without a better value after which training ends.
        verbose: 1 to say when it happens.
        mode: "min" or "max", what is better; "auto" by the metric.
        baseline: value that must be passed for the patience to begin anew.
        restore_best_weights: whether the weights of the best epoch are put back in the end.
        start_from_epoch: epochs to wait before watching.

    Attributes:
        best: the best value.
        best_epoch: number of its epoch, from 0 on.
        stopped_epoch: number of the epoch after which training was ended; 0 where it was not.
        wait: epochs since the best value.

    Example:
        >>> import keras_fn
        >>> stop = keras_fn.callbacks.EarlyStopping(monitor="loss", patience=3)
    """

    kept = ("best", "best_epoch", "stopped_epoch", "wait", "best_weights")

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._reset()

    def _reset(self) -> None:
        self.best = None
        self.best_epoch = 0
        self.stopped_epoch = 0
        self.wait = 0
        self.best_weights: list[Any] | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        """Begins anew."""
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Looks at the value."""
        value = self.get_monitor_value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        better = self.is_better(value, self.best)
        if better:
            self.best, self.best_epoch = value, epoch
            if self.baseline is None or self.is_better(value, self.baseline):
                self.wait = 0
        if self.restore_best_weights and (better or self.best_weights is None):
            self.best_weights = self.model.get_weights()
        if not better and self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def get_monitor_value(self, logs: Any) -> float | None:
        """The value that is watched; None where the logs do not hold it."""
        return self.read(logs)

    def on_train_end(self, logs: Any = None) -> None:
        """Puts the best weights back, if asked for."""
        if self.stopped_epoch > 0 and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                print(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)
            self.best_weights = None
