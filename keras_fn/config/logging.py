"""How progress and errors are shown."""

from __future__ import annotations

from keras_fn.core.switches import switches


def enable_interactive_logging() -> None:
    """Lets `fit`, `evaluate` and `predict` draw a progress bar where `verbose="auto"`: the default."""
    switches.interactive_logging = True


def disable_interactive_logging() -> None:
    """Lets `verbose="auto"` mean a line an epoch, which suits a log file.

    Example:
        >>> import keras_fn
        >>> keras_fn.config.disable_interactive_logging()
        >>> keras_fn.config.is_interactive_logging_enabled()
        False
        >>> keras_fn.config.enable_interactive_logging()
    """
    switches.interactive_logging = False


def is_interactive_logging_enabled() -> bool:
    """Whether `verbose="auto"` draws a progress bar."""
    return switches.interactive_logging
