"""`History`: what `fit` returns."""

from __future__ import annotations

from typing import Any

from keras_fn.callbacks.callback import Callback


class History(Callback):
    """The logs of each epoch.

    Attributes:
        history: name -> list of values, one an epoch.
        epoch: the epochs' numbers, from 0 on.
    """

    kept = ("history", "epoch")

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Any = None) -> None:
        """Begins anew."""
        self.history, self.epoch = {}, []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Notes the logs."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        self.model.history = self
