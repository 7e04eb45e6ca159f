"""`PReLU`: a leaky rectifier whose slopes are learned."""

from __future__ import annotations

from typing import Any

from keras_fn import constraints, initializers, ops, regularizers
from keras_fn.core.errors import ArgumentError
from keras_fn.layers.arguments import axes
from keras_fn.layers.base import Layer
from keras_fn.layers.input_spec import InputSpec


class PReLU(Layer):
    """`x` where it is positive, else `alpha * x`, with a learned `alpha` for each place of a sample.

    Any shape `(batch, …)` in, the same shape out.

    Args:
        alpha_initializer, alpha_regularizer, alpha_constraint: of the slopes.
        shared_axes: axis or axes (not 0) along which one slope is shared, such as `[1, 2]` for one a channel.

    Example:
        >>> import keras_fn
        >>> layer = keras_fn.layers.PReLU(shared_axes=[1, 2])
        >>> tuple(layer(keras_fn.ops.ones((1, 4, 4, 3))).shape)
        (1, 4, 4, 3)
        >>> layer.alpha.shape
        (1, 1, 3)

    Source: https://arxiv.org/abs/1502.01852
    """

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        if shared_axes is not None:
            found = axes(self, "shared_axes", shared_axes)
            shared_axes = [found] if isinstance(found, int) else found
            if 0 in shared_axes:
                raise ArgumentError(f"`shared_axes` of PReLU cannot hold 0, the batch axis: {shared_axes}.")
        self.shared_axes = shared_axes
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Makes `alpha` in the shape of a sample, with length 1 along shared axes."""
        shared = {a % len(input_shape) for a in self.shared_axes or ()}
        shape = tuple(1 if i in shared else d for i, d in enumerate(input_shape))[1:]
        self.alpha = self.add_weight(
            shape=shape,
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
            name="alpha",
        )
        lengths = {i: d for i, d in enumerate(input_shape) if i > 0 and i not in shared}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=lengths)

    def call(self, inputs: Any) -> Any:
        """The inputs with negative values times `alpha`."""
        return ops.subtract(ops.relu(inputs), ops.multiply(self.alpha, ops.relu(ops.negative(inputs))))
