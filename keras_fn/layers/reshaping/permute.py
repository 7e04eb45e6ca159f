"""`Permute`: axes of samples in another order."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core.errors import ArgumentError
from keras_fn.layers.base import Layer
from keras_fn.layers.input_spec import InputSpec


class Permute(Layer):
    """Puts the axes of each sample in another order; the batch axis stays in front.

    Args:
        dims: the axes in their new order, counted from 1 (the batch axis is 0).

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.Permute((2, 1))(keras_fn.ops.ones((5, 3, 4))).shape)
        (5, 4, 3)
    """

    def __init__(self, dims: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(dims, (list, tuple)) or sorted(dims) != list(range(1, len(dims) + 1)):
            raise ArgumentError(f"`dims` of Permute must hold each of 1, 2, … once, not {dims!r}.")
        self.dims = tuple(dims)
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        """The inputs with reordered axes."""
        return ops.transpose(inputs, (0, *self.dims))
