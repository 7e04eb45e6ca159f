"""Settings that ops and layers fall back on where an argument is None."""

from __future__ import annotations

from typing import Any

from keras_fn.core.errors import ArgumentError, ArgumentTypeError
from keras_fn.core.reading import remembered
from keras_fn.core.user_settings import user_setting

DATA_FORMATS = ("channels_last", "channels_first")


class _Settings:
    """None stands for what nobody set in this process: then keras.json holds, which is read when it is needed."""

    image_data_format: str | None = None
    epsilon: float | None = None


_settings = _Settings()


def image_data_format() -> str:
    """Where the channels of an image are by default: 'channels_last' or 'channels_first'."""
    return _settings.image_data_format or _users_format()


@remembered(maxsize=1)
def _users_format() -> str:
    return user_setting("image_data_format", "channels_last", _checked_format)


def set_image_data_format(data_format: str) -> None:
    """Sets the default of every `data_format` argument.

    Args:
        data_format: 'channels_last', as in `(batch, height, width, channels)`, or 'channels_first'.

    Raises:
        ArgumentError: for anything else.
    """
    _settings.image_data_format = standardize_data_format(data_format)


def standardize_data_format(data_format: str | None) -> str:
    """The data format itself, or the default one for None.

    Raises:
        ArgumentError: where it is neither 'channels_last' nor 'channels_first'.
    """
    if data_format is None:
        return image_data_format()
    return _checked_format(data_format)


def _checked_format(value: Any) -> str:
    name = str(value).lower()
    if name not in DATA_FORMATS:
        raise ArgumentError(f"`data_format` must be 'channels_last' or 'channels_first', not {value!r}.")
    return name


def epsilon() -> float:
    """The small number that keeps divisions and logarithms away from 0: 1e-7 by default."""
    return float(_settings.epsilon or _users_epsilon())


@remembered(maxsize=1)
def _users_epsilon() -> float:
    return user_setting("epsilon", 1e-7, _checked_epsilon)


def set_epsilon(value: float) -> None:
    """Sets the default of every `epsilon` argument.

    Raises:
        ArgumentTypeError: where the value is no number.
        ArgumentError: where it is not positive.
    """
    _settings.epsilon = _checked_epsilon(value)


def _checked_epsilon(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ArgumentTypeError(f"`epsilon` must be a number, not {value!r}.")
    if not value > 0:
        raise ArgumentError(f"`epsilon` must be positive, not {value!r}.")
    return float(value)
