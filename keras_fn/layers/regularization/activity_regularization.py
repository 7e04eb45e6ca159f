"""`ActivityRegularization`: a penalty on activations."""

from __future__ import annotations

from typing import Any

from keras_fn import regularizers
from keras_fn.layers.arguments import number
from keras_fn.layers.base import Layer


class ActivityRegularization(Layer):
    """Gives back its inputs and adds `l1 * sum(|x|) + l2 * sum(x**2)`, divided by the batch size, to the loss.

    Args:
        l1: factor of the absolute values, 0 or more.
        l2: factor of the squares, 0 or more.

    Example:
        >>> import keras_fn
        >>> layer = keras_fn.layers.ActivityRegularization(l1=0.5)
        >>> y = layer(keras_fn.ops.convert_to_tensor([[-1.0, 3.0]]))
        >>> float(layer.losses[0])
        2.0
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.l1 = number(self, "l1", l1, 0)
        self.l2 = number(self, "l2", l2, 0)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """The inputs."""
        return inputs

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; the regularizer is made from `l1` and `l2`."""
        config = super().get_config()
        config.pop("activity_regularizer", None)
        return config
