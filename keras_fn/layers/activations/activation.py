"""`Activation`: a function of each element as a layer."""

from __future__ import annotations

from typing import Any

from keras_fn import activations
from keras_fn.layers.base import Layer


class Activation(Layer):
    """Applies an activation function: any shape in, the same shape out.

    Args:
        activation: function, or its name; see `keras_fn.activations`.

    Example:
        >>> import keras_fn
        >>> y = keras_fn.layers.Activation("relu")(keras_fn.ops.convert_to_tensor([-1.0, 2.0]))
        >>> keras_fn.ops.convert_to_numpy(y).tolist()
        [0.0, 2.0]
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """`activation(inputs)`."""
        return self.activation(inputs)
