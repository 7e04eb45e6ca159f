"""`Average`: mean of several inputs."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.layers.merging.base import Merge


class Average(Merge):
    """The mean of a list of tensors, element by element; their shapes must broadcast to each other.

    Example:
        >>> import keras_fn
        >>> a, b = keras_fn.ops.convert_to_tensor([[1.0, 4.0]]), keras_fn.ops.convert_to_tensor([[3.0, 2.0]])
        >>> keras_fn.ops.convert_to_numpy(keras_fn.layers.Average()([a, b])).tolist()
        [[2.0, 3.0]]
    """

    combine = staticmethod(ops.add)

    def call(self, inputs: Any) -> Any:
        """The mean of the inputs."""
        return ops.true_divide(super().call(inputs), len(inputs))


def average(inputs: Any, **kwargs: Any) -> Any:
    """`Average(**kwargs)(inputs)`: mean of several inputs.

    Args:
        inputs: list of tensors.
        kwargs: arguments of the layer, such as `name`.

    Returns:
        Tensor.
    """
    return Average(**kwargs)(inputs)
