"""`RepeatVector`: a vector repeated along a new axis."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core.errors import ArgumentTypeError
from keras_fn.layers.arguments import is_int, positive_int
from keras_fn.layers.base import Layer
from keras_fn.layers.input_spec import InputSpec


class RepeatVector(Layer):
    """Repeats each sample: `(batch, features)` becomes `(batch, n, features)`.

    Args:
        n: how often, a positive int.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.RepeatVector(3)(keras_fn.ops.ones((2, 5))).shape)
        (2, 3, 5)
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not is_int(n):
            raise ArgumentTypeError(f"`n` of RepeatVector must be an int, not {n!r}.")
        self.n = positive_int(self, "n", n)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        """The repeated vectors."""
        return ops.repeat(ops.expand_dims(inputs, 1), self.n, 1)
