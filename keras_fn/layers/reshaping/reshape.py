"""`Reshape`: samples in another shape."""

from __future__ import annotations

import operator
from typing import Any

from keras_fn import ops
from keras_fn.core import shapes
from keras_fn.core.errors import ArgumentError
from keras_fn.layers.arguments import is_int
from keras_fn.layers.base import Layer


class Reshape(Layer):
    """Gives each sample another shape: `(batch, …)` becomes `(batch, *target_shape)`.

    Args:
        target_shape: tuple of ints, without the batch axis; one of them may be -1, which stands for what is left.

    Raises:
        ShapeError: where the number of elements differs.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.Reshape((-1, 2))(keras_fn.ops.ones((3, 8))).shape)
        (3, 4, 2)
    """

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        shape = (target_shape,) if is_int(target_shape) else target_shape
        if not isinstance(shape, (list, tuple)) or not all(is_int(d) and d >= -1 for d in shape):
            raise ArgumentError(f"`target_shape` of Reshape must be a tuple of ints, not {target_shape!r}.")
        if list(shape).count(-1) > 1:
            raise ArgumentError(f"Only one dimension in `target_shape` of Reshape can be -1, and {shape} has more.")
        self.target_shape = tuple(operator.index(d) for d in shape)

    def call(self, inputs: Any) -> Any:
        """The reshaped samples."""
        batch, *sample = ops.shape(inputs)
        if all(type(d) is int for d in sample):  # told for one sample, as the number of them may be unknown
            shapes.resolve_reshape(tuple(sample), self.target_shape)
        return ops.reshape(inputs, (batch, *self.target_shape))
