"""Reading and setting the learning rate of a model's optimizer, for callbacks."""

from __future__ import annotations

from typing import Any

from keras_fn.core.errors import ArgumentTypeError
from keras_fn.core.variable import Variable


def get_rate(model: Any, who: str) -> float:
    """The learning rate, where it is a number that can be set.

    Raises:
        ArgumentTypeError: where the optimizer follows a schedule of its own.
    """
    rate = model.optimizer.learning_rate
    if not isinstance(rate, Variable):
        raise ArgumentTypeError(
            f"{who} sets the learning rate, and the optimizer {model.optimizer.name!r} follows a schedule of its own. "
            "Make the optimizer with a number as `learning_rate`, or leave the callback out."
        )
    return float(rate.numpy())


def set_rate(model: Any, rate: float) -> None:
    """Sets the learning rate."""
    model.optimizer.learning_rate.assign(rate)
