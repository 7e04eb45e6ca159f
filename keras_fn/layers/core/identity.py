"""`Identity`: the inputs as they are."""

from __future__ import annotations

from typing import Any

from keras_fn.layers.base import Layer


class Identity(Layer):
    """Gives back its inputs, a tensor or a structure of tensors: a place holder where nothing is to be done.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.Identity()(keras_fn.ops.ones((2, 3))).shape)
        (2, 3)
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """The inputs."""
        return inputs
