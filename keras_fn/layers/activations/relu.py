"""`ReLU`: the rectifier, with slope, threshold and ceiling."""

from __future__ import annotations

from typing import Any

from keras_fn import activations
from keras_fn.layers.arguments import number
from keras_fn.layers.base import Layer


class ReLU(Layer):
    """`max(x, 0)`, with a slope below a threshold and a ceiling where they are wanted: any shape in, the same out.

    `max_value` where `x >= max_value`; x where `threshold <= x < max_value`; else `negative_slope * (x - threshold)`.

    Args:
        max_value: ceiling, 0 or more; None for none.
        negative_slope: slope below the threshold, 0 or more.
        threshold: value below which the input is damped, 0 or more.

    Example:
        >>> import keras_fn
        >>> layer = keras_fn.layers.ReLU(max_value=6, negative_slope=0.5)
        >>> keras_fn.ops.convert_to_numpy(layer(keras_fn.ops.convert_to_tensor([-2.0, 2.0, 9.0]))).tolist()
        [-1.0, 2.0, 6.0]
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else number(self, "max_value", max_value, 0)
        self.negative_slope = number(self, "negative_slope", 0.0 if negative_slope is None else negative_slope, 0)
        self.threshold = number(self, "threshold", 0.0 if threshold is None else threshold, 0)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """The rectified inputs."""
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)
