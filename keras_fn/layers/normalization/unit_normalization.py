"""`UnitNormalization`: inputs of length 1."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.layers.arguments import axes
from keras_fn.layers.base import Layer


class UnitNormalization(Layer):
    """`x / sqrt(sum(x**2))`, with the sum along `axis`; zeros stay zeros. Any shape in, the same shape out.

    Args:
        axis: axis, or list of axes, that are normalised together.

    Example:
        >>> import keras_fn
        >>> y = keras_fn.layers.UnitNormalization()(keras_fn.ops.convert_to_tensor([[3.0, 4.0]]))
        >>> keras_fn.ops.convert_to_numpy(y).astype("float64").round(2).tolist()
        [[0.6, 0.8]]
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axes(self, "axis", axis)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """The normalised inputs."""
        return ops.normalize(inputs, self.axis)
