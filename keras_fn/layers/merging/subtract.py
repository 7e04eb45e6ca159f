"""`Subtract`: difference of two inputs."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core.errors import StructureError
from keras_fn.layers.merging.base import Merge, checked_list


class Subtract(Merge):
    """The first of two tensors less the second, element by element; their shapes must broadcast to each other.

    Raises:
        StructureError: where there are not two inputs.

    Example:
        >>> import keras_fn
        >>> a, b = keras_fn.ops.convert_to_tensor([[1.0, 4.0]]), keras_fn.ops.convert_to_tensor([[3.0, 2.0]])
        >>> keras_fn.ops.convert_to_numpy(keras_fn.layers.Subtract()([a, b])).tolist()
        [[-2.0, 2.0]]
    """

    combine = staticmethod(ops.subtract)

    def build(self, input_shape: Any) -> None:
        """Checks that two inputs came."""
        count = len(checked_list(self, input_shape))
        if count != 2:
            raise StructureError(f"Subtract {self.name!r} takes exactly 2 inputs, and {count} came.")
        super().build(input_shape)


def subtract(inputs: Any, **kwargs: Any) -> Any:
    """`Subtract(**kwargs)(inputs)`: difference of two inputs.

    Args:
        inputs: list of two tensors.
        kwargs: arguments of the layer, such as `name`.

    Returns:
        Tensor.
    """
    return Subtract(**kwargs)(inputs)
