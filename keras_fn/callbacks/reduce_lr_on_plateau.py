"""`ReduceLROnPlateau`: smaller steps when training gets stuck."""

from __future__ import annotations

from typing import Any

from keras_fn.callbacks.learning_rate import get_rate, set_rate
from keras_fn.callbacks.monitor import MonitorCallback
from keras_fn.core.errors import ArgumentError, ArgumentTypeError


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by a factor when a value in the logs has not become better for some epochs.

    Args:
        monitor: name in the logs.
        factor: what the rate is multiplied by, below 1.
        patience: epochs without a better value to wait for.
        verbose: 1 to say when it happens.
        mode: "min" or "max", what is better; "auto" by the metric.
        min_delta: change that counts as better.
        cooldown: epochs after a reduction in which nothing is counted.
        min_lr: lower bound of the rate.

    Example:
        >>> import keras_fn
        >>> slower = keras_fn.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.2, patience=5, min_lr=1e-4)
    """

    kept = ("best", "wait", "cooldown_counter")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ) -> None:
        if kwargs:
            raise ArgumentTypeError(f"ReduceLROnPlateau got unknown arguments: {', '.join(kwargs)}.")
        super().__init__(monitor, mode, min_delta)
        if factor >= 1.0:
            raise ArgumentError(f"`factor` must be below 1, as the rate is multiplied by it, not {factor}.")
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._reset()

    def _reset(self) -> None:
        self.best = None
        self.cooldown_counter = 0
        self.wait = 0

    def on_train_begin(self, logs: Any = None) -> None:
        """Begins anew."""
        self._reset()

    def in_cooldown(self) -> bool:
        """Whether the rate was reduced so lately that nothing is counted."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Looks at the value; notes the rate in the logs."""
        logs = {} if logs is None else logs
        rate = get_rate(self.model, type(self).__name__)
        logs["learning_rate"] = rate
        value = self.read(logs)
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.is_better(value, self.best):
            self.best, self.wait = value, 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and rate > self.min_lr:
                self._reduce(epoch, rate)

    def _reduce(self, epoch: int, rate: float) -> None:
        rate = max(rate * self.factor, self.min_lr)
        set_rate(self.model, rate)
        if self.verbose:
            print(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {rate}.")
        self.cooldown_counter, self.wait = self.cooldown, 0
