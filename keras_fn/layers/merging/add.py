"""`Add`: sum of several inputs."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.layers.merging.base import Merge


class Add(Merge):
    """The sum of a list of tensors, element by element; their shapes must broadcast to each other.

    Example:
        >>> import keras_fn
        >>> a, b = keras_fn.ops.convert_to_tensor([[1.0, 4.0]]), keras_fn.ops.convert_to_tensor([[3.0, 2.0]])
        >>> keras_fn.ops.convert_to_numpy(keras_fn.layers.Add()([a, b])).tolist()
        [[4.0, 6.0]]
    """

    combine = staticmethod(ops.add)


def add(inputs: Any, **kwargs: Any) -> Any:
    """`Add(**kwargs)(inputs)`: sum of several inputs.

    Args:
        inputs: list of tensors.
        kwargs: arguments of the layer, such as `name`.

    Returns:
        Tensor.
    """
    return Add(**kwargs)(inputs)
