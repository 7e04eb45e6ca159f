"""`TerminateOnNaN`: ends training when the loss is no number any more."""

from __future__ import annotations

import math
from typing import Any

from keras_fn.callbacks.callback import Callback


class TerminateOnNaN(Callback):
    """Ends training at the first batch whose loss is not finite. It reads the loss at every batch, which costs time.

    Args:
        raise_error: whether a RuntimeError is raised, instead of ending quietly.

    Example:
        >>> import keras_fn
        >>> guard = keras_fn.callbacks.TerminateOnNaN()
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Looks at the loss."""
        loss = None if logs is None else logs.get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(f"The loss is {loss} at batch {batch}, so training cannot go on.")
        print(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
