"""`Merge`: what layers have in common that combine several inputs element by element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_fn import ops
from keras_fn.core import shapes
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.layers.base import Layer


class Merge(Layer):
    """Base of layers that take a list of tensors and give one: `combine` is applied from left to right.

    The shapes must broadcast to each other; an input of fewer dimensions gets axes of length 1 after its batch axis.

    Attributes:
        combine: the function of two tensors.
    """

    combine: Callable[..., Any]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Checks that a list came and that its shapes fit each other."""
        dims = checked_list(self, input_shape)
        batches = {s[0] for s in dims if s and s[0] is not None}
        if len(batches) > 1:
            raise ShapeError(f"{type(self).__name__} {self.name!r} cannot combine different batch sizes: {dims}.")
        rank = max(map(len, dims))
        shapes.broadcast(*(s if len(s) == rank else (*s[:1], *(1,) * (rank - len(s)), *s[1:]) for s in dims))

    def call(self, inputs: Any) -> Any:
        """The combined inputs."""
        inputs = same_rank(inputs)
        combine = type(self).combine
        out = inputs[0]
        for x in inputs[1:]:
            out = combine(out, x)
        return out

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """True where any input has a value that counts; none where an input has no mask."""
        if not isinstance(previous_mask, (list, tuple)) or any(m is None for m in previous_mask):
            return None
        return any_of(previous_mask)


def checked_list(layer: Any, input_shape: Any) -> list[Any]:
    """The shapes of a list of inputs.

    Raises:
        ArgumentError: where a single tensor came.
    """
    if not isinstance(input_shape, (list, tuple)) or not input_shape or not isinstance(input_shape[0], (list, tuple)):
        raise ArgumentError(
            f"{type(layer).__name__} {layer.name!r} takes a list of tensors, and one of the shape {input_shape} came."
        )
    return [tuple(s) for s in input_shape]


def same_rank(inputs: Any) -> list[Any]:
    """The inputs with axes of length 1 put in behind the batch axis, so that all have as many dimensions."""
    rank = max(len(x.shape) for x in inputs)
    return [x if len(x.shape) == rank else ops.expand_dims(x, tuple(range(1, 1 + rank - len(x.shape)))) for x in inputs]


def any_of(masks: Any) -> Any:
    """True where any of the masks is."""
    masks = [ops.cast(m, "bool") for m in masks]
    out = masks[0]
    for m in masks[1:]:
        out = ops.logical_or(out, m)
    return out
