"""Which frames the tracebacks of errors show."""

from __future__ import annotations

from keras_fn.core.switches import switches


def enable_traceback_filtering() -> None:
    """Leaves the frames of keras_fn out of the tracebacks of errors in the calls of layers: the default.

    That holds for errors that keras_fn words itself, whose message says what is wrong. Others keep all frames.
    """
    switches.traceback_filtering = True


def disable_traceback_filtering() -> None:
    """Shows every frame in tracebacks, to look into keras_fn itself.

    Example:
        >>> import keras_fn
        >>> keras_fn.config.disable_traceback_filtering()
        >>> keras_fn.config.is_traceback_filtering_enabled()
        False
        >>> keras_fn.config.enable_traceback_filtering()
    """
    switches.traceback_filtering = False


def is_traceback_filtering_enabled() -> bool:
    """Whether tracebacks leave the frames of keras_fn out."""
    return switches.traceback_filtering
