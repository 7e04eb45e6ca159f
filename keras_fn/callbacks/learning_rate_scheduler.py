"""`LearningRateScheduler`: the learning rate of each epoch from a function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from keras_fn.callbacks.callback import Callback
from keras_fn.callbacks.learning_rate import get_rate, set_rate
from keras_fn.core.errors import ArgumentTypeError


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch.

    Args:
        schedule: a function `(epoch, rate) -> rate`, or `(epoch) -> rate`; epochs count from 0.
        verbose: 1 to say the rate of each epoch.

    Example:
        >>> import keras_fn
        >>> slower = keras_fn.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9)
    """

    kept = ("_set_for",)

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        if not callable(schedule):
            raise ArgumentTypeError(f"`schedule` must be a function (epoch, rate) -> rate, not {schedule!r}.")
        self.schedule = schedule
        self.verbose = verbose
        self._takes_rate = _takes_two(schedule)
        self._set_for = -1

    def on_train_begin(self, logs: Any = None) -> None:
        """Begins anew."""
        self._set_for = -1

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Sets the rate; once, also where a run goes on in the middle of an epoch."""
        if epoch == self._set_for:
            return
        self._set_for = epoch
        before = get_rate(self.model, type(self).__name__)
        rate = self.schedule(epoch, before) if self._takes_rate else self.schedule(epoch)
        if isinstance(rate, (bool, str)) or not hasattr(rate, "__float__"):
            raise ArgumentTypeError(f"The schedule must return the learning rate, a number. It returned {rate!r}.")
        set_rate(self.model, float(rate))
        if self.verbose:
            print(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {float(rate)}.")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Notes the rate in the logs."""
        if logs is not None:
            logs["learning_rate"] = get_rate(self.model, type(self).__name__)


def _takes_two(fn: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(fn).parameters.values()
    except ValueError:  # a builtin without a signature
        return True
    by_position = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return len(by_position) > 1 or any(p.kind == p.VAR_POSITIONAL for p in parameters)
