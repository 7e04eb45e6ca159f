"""`ProgbarLogger`: the progress bar of `fit`, `evaluate` and `predict`."""

from __future__ import annotations

import time
from typing import Any

from keras_fn.callbacks.callback import Callback
from keras_fn.utils.progbar import Progbar


class ProgbarLogger(Callback):
    """Prints the progress: a bar that grows (verbose 1), or a line at the end (verbose 2).

    The logs are read from the device only when the bar is drawn anew, some 20 times a second.
    """

    def __init__(self) -> None:
        super().__init__()
        self.bar: Progbar | None = None
        self._seen = 0
        self._drawn = 0.0
        self._fitting = False

    def _begin(self) -> None:
        self.bar = Progbar(self.params.get("steps"), verbose=self.params.get("verbose", 1), unit_name="step")
        self._seen, self._drawn = 0, 0.0

    def on_train_begin(self, logs: Any = None) -> None:
        """A validation during training has no bar of its own."""
        self._fitting = True

    def on_train_end(self, logs: Any = None) -> None:
        """Evaluations have bars again."""
        self._fitting = False

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Says which epoch begins."""
        if self.params.get("verbose") and self.params.get("epochs", 1) > 1:
            print(f"Epoch {epoch + 1}/{self.params['epochs']}")
        self._begin()

    def _advance(self, batch: int, logs: Any) -> None:
        self._seen = batch + 1
        if self.params.get("verbose") != 1 or self.bar is None:
            return
        now = time.perf_counter()
        if now - self._drawn >= self.bar.interval:
            self._drawn = now
            self.bar.update(self._seen, [] if logs is None else _pairs(logs), finalize=False)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Moves the bar."""
        self._advance(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Ends the bar with the logs of the epoch."""
        self._end(logs)

    def on_test_begin(self, logs: Any = None) -> None:
        """Begins a bar."""
        if not self._fitting:
            self._begin()

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """Moves the bar."""
        if not self._fitting:
            self._advance(batch, logs)

    def on_test_end(self, logs: Any = None) -> None:
        """Ends the bar."""
        if not self._fitting:
            self._end(logs)

    def on_predict_begin(self, logs: Any = None) -> None:
        """Begins a bar."""
        self._begin()

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """Moves the bar."""
        self._advance(batch, None)

    def on_predict_end(self, logs: Any = None) -> None:
        """Ends the bar."""
        self._end(None)

    def _end(self, logs: Any) -> None:
        if self.bar is not None and self.params.get("verbose"):
            self.bar.update(self._seen, _pairs(logs or {}), finalize=True)


def _pairs(logs: Any) -> list[tuple[str, float]]:
    return sorted((k, v) for k, v in logs.items() if isinstance(v, (int, float)))
