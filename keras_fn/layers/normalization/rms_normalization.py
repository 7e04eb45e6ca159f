"""`RMSNormalization`: inputs divided by their root mean square."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core import shapes
from keras_fn.layers.arguments import axes, number
from keras_fn.layers.base import Layer
from keras_fn.layers.normalization.base import as_floats


class RMSNormalization(Layer):
    """`x / sqrt(mean(x**2) + epsilon) * scale`, with the mean along `axis`. Any shape in, the same shape out.

    Args:
        axis: axis, or list of axes, that are normalised together.
        epsilon: small number added to the mean.

    Example:
        >>> import keras_fn
        >>> y = keras_fn.layers.RMSNormalization()(keras_fn.ops.convert_to_tensor([[3.0, 3.0]]))
        >>> keras_fn.ops.convert_to_numpy(y).round(2).tolist()
        [[1.0, 1.0]]

    Source: https://arxiv.org/abs/1910.07467
    """

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axes(self, "axis", axis)
        self.epsilon = number(self, "epsilon", epsilon, 0)

    def build(self, input_shape: Any) -> None:
        """Makes `scale` in the shape of the inputs along `axis`."""
        found = sorted(shapes.canonical_axes(self.axis, len(input_shape)))
        self.scale = self.add_weight(tuple(input_shape[a] for a in found), "ones", name="scale")

    def call(self, inputs: Any) -> Any:
        """The normalised inputs."""
        return ops.rms_normalization(as_floats(self, inputs), self.scale, self.axis, self.epsilon)
