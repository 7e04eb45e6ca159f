"""`LambdaCallback`: a callback from functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_fn.callbacks.callback import Callback
from keras_fn.core.errors import ArgumentTypeError, closest


class LambdaCallback(Callback):
    """A callback made of functions.

    Args:
        on_epoch_begin: function `(epoch, logs)`.
        on_epoch_end: function `(epoch, logs)`.
        on_train_begin: function `(logs)`.
        on_train_end: function `(logs)`.
        on_train_batch_begin: function `(batch, logs)`.
        on_train_batch_end: function `(batch, logs)`.
        **kwargs: any other moment of `Callback`, like `on_test_end`.

    Example:
        >>> import keras_fn
        >>> tell = keras_fn.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        named = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        moments = [name for name in dir(Callback) if name.startswith("on_")]
        for name, function in named.items():
            if name not in moments:
                raise ArgumentTypeError(f"There is no moment {name!r}.{closest(name, moments)} There are: {moments}.")
            if function is not None:
                setattr(self, name, function)
