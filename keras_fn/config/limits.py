"""Upper limits of every training run, for a quick try of a long program."""

from __future__ import annotations

import operator
import os
from typing import Any

from keras_fn.core.errors import ArgumentError, ArgumentTypeError
from keras_fn.core.switches import switches


def set_max_epochs(max_epochs: int | None) -> None:
    """Sets how many epochs any `fit` runs at most, whatever it is asked for.

    Args:
        max_epochs: a positive int; None for no limit but that of the environment variable `KERAS_MAX_EPOCHS`.

    Raises:
        ArgumentError: where it is not positive.

    Example:
        >>> import keras_fn
        >>> keras_fn.config.set_max_epochs(2)
        >>> keras_fn.config.max_epochs()
        2
        >>> keras_fn.config.set_max_epochs(None)
    """
    switches.max_epochs = _limit("max_epochs", max_epochs)


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Sets how many steps an epoch of `fit`, and a run of `evaluate` or `predict`, takes at most.

    Args:
        max_steps_per_epoch: a positive int; None for no limit but that of the environment variable
            `KERAS_MAX_STEPS_PER_EPOCH`.

    Raises:
        ArgumentError: where it is not positive.

    Example:
        >>> import keras_fn
        >>> keras_fn.config.set_max_steps_per_epoch(10)
        >>> keras_fn.config.max_steps_per_epoch()
        10
        >>> keras_fn.config.set_max_steps_per_epoch(None)
    """
    switches.max_steps_per_epoch = _limit("max_steps_per_epoch", max_steps_per_epoch)


def max_epochs() -> int | None:
    """How many epochs any `fit` runs at most; None for no limit."""
    return _found(switches.max_epochs, "KERAS_MAX_EPOCHS")


def max_steps_per_epoch() -> int | None:
    """How many steps an epoch takes at most; None for no limit."""
    return _found(switches.max_steps_per_epoch, "KERAS_MAX_STEPS_PER_EPOCH")


def _found(switch: int | None, variable: str) -> int | None:
    """What was set here, else what the environment says."""
    if switch is not None:
        return switch
    text = os.environ.get(variable)
    if not text:
        return None
    try:
        number = int(text)
    except ValueError:
        raise ArgumentError(f"The environment variable {variable} must be a positive int, not {text!r}.") from None
    return _limit(f"The environment variable {variable}", number)


def _limit(name: str, value: Any) -> int | None:
    if value is None:
        return None
    try:
        number = operator.index(value)
    except TypeError:
        raise ArgumentTypeError(f"{name} must be a positive int or None, not {value!r}.") from None
    if isinstance(value, bool) or number < 1:
        raise ArgumentError(f"{name} must be a positive int or None, not {value!r}.")
    return number
