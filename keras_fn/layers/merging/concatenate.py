"""`Concatenate`: inputs joined along an axis."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core.errors import ArgumentError
from keras_fn.layers.arguments import is_int
from keras_fn.layers.base import Layer
from keras_fn.layers.merging.base import checked_list


class Concatenate(Layer):
    """Joins a list of tensors along an axis; all their other dimensions must be equal.

    Args:
        axis: the axis.

    Raises:
        ShapeError: where the shapes do not fit.

    Example:
        >>> import keras_fn
        >>> a, b = keras_fn.ops.ones((2, 3)), keras_fn.ops.ones((2, 5))
        >>> tuple(keras_fn.layers.Concatenate()([a, b]).shape)
        (2, 8)
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not is_int(axis):
            raise ArgumentError(f"`axis` of Concatenate must be an int, not {axis!r}.")
        self.axis = axis
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Checks that a list came."""
        checked_list(self, input_shape)

    def call(self, inputs: Any) -> Any:
        """The joined inputs."""
        return ops.concatenate(list(inputs), self.axis)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The masks, joined likewise; an input without one counts throughout.

        Where the axis is one that the masks do not have, a place counts if it does in any input.
        """
        if not isinstance(previous_mask, (list, tuple)) or all(m is None for m in previous_mask):
            return None
        rank = len(inputs[0].shape)
        masks = [_of_rank(m, x, rank) for m, x in zip(previous_mask, inputs, strict=True)]
        whole = [ops.broadcast_to(m, ops.shape(x)) for m, x in zip(masks, inputs, strict=True)]
        joined = ops.concatenate(whole, self.axis)
        found = next(m for m in previous_mask if m is not None)
        extra = tuple(range(len(found.shape), rank))
        return ops.any(joined, extra) if extra else joined


def _of_rank(mask: Any, x: Any, rank: int) -> Any:
    if mask is None:
        return ops.ones_like(x, "bool")
    mask = ops.cast(mask, "bool")
    extra = tuple(range(len(mask.shape), rank))
    return ops.expand_dims(mask, extra) if extra else mask


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """`Concatenate(axis, **kwargs)(inputs)`: inputs joined along an axis.

    Args:
        inputs: list of tensors.
        axis: the axis.
        kwargs: arguments of the layer, such as `name`.

    Returns:
        Tensor.
    """
    return Concatenate(axis, **kwargs)(inputs)
